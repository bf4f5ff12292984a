"""Which request paths reach the resource, however a server maps them onto the program."""

import pytest

FOUND = {
    "mapped": ("/me", None, "/me"),
    "mapped, empty path info": ("/me", "", "/me"),
    "mapped below a prefix": ("/api/v1/me", "", "/api/v1/me"),
    "the program": ("/cgi-bin/me.fcgi", None, "/cgi-bin/me.fcgi"),
    "the program, empty path info": ("/cgi-bin/me.fcgi", "", "/cgi-bin/me.fcgi"),
    "the program below a prefix": ("/~ada/cgi-bin/me.fcgi", "", "/~ada/cgi-bin/me.fcgi"),
    "the program and me": ("/cgi-bin/me.fcgi", "/me", "/cgi-bin/me.fcgi/me"),
    "the program and me below a prefix": ("/x/cgi-bin/me.fcgi", "/me", "/x/cgi-bin/me.fcgi/me"),
    "at the root": ("", "/me", "/me"),
    "a prefix as the script": ("/api", "/me", "/api/me"),
    "no script name": (None, "/me", "/me"),
    "no script name, a prefix": (None, "/api/me", "/api/me"),
    "only the request URI": (None, None, "/me"),
    "only the request URI with a prefix": (None, None, "/api/me"),
    "only the request URI with a query": (None, None, "/me?/other"),
    "no request URI": ("/me", None, None),
    "no request URI, the program and me": ("/cgi-bin/me.fcgi", "/me", None),
    "rewritten to the program": ("/cgi-bin/me.fcgi", "", "/me"),
    "rewritten to the program with a query": ("/cgi-bin/me.fcgi", None, "/me?x=1"),
    "absolute request URI": ("/me", "", "http://api.example.com/me"),
}
MISSED = {
    "lighttpd's prefix match of /menu": ("/me", "nu", "/menu"),
    "lighttpd's prefix match of /me.txt": ("/me", ".txt", "/me.txt"),
    "another path": ("/other", "", "/other"),
    "the root": ("", "/", "/"),
    "me as a prefix": ("", "/menu", "/menu"),
    "me as a suffix": ("", "/awesome", "/awesome"),
    "the program and another path": ("/cgi-bin/me.fcgi", "/other", "/cgi-bin/me.fcgi/other"),
    "the program and a suffix": ("/cgi-bin/me.fcgi", "/xme", "/cgi-bin/me.fcgi/xme"),
    "below me": ("/me", "/emails", "/me/emails"),
    "below the program's me": ("/cgi-bin/me.fcgi", "/me/emails", "/cgi-bin/me.fcgi/me/emails"),
    "upper case": ("/ME", "", "/ME"),
    "me in the query": ("", "/other", "/other?/me"),
    "only a request URI, another path": (None, None, "/other"),
    "only a request URI, /menu": (None, None, "/menu"),
    "only a request URI, me in the query": (None, None, "/other?x=/me"),
    "nothing at all": (None, None, None),
}


def variables(script_name, path_info, request_uri):
    return {"SCRIPT_NAME": script_name, "PATH_INFO": path_info, "REQUEST_URI": request_uri}


@pytest.mark.parametrize("form", FOUND.values(), ids=FOUND)
def test_this_form_reaches_the_resource(cgi, tokens, reader, form):
    answer = cgi.get(tokens.bearer(reader), **variables(*form))
    assert answer.status == 200 and answer.json["id"] == reader.id, answer


@pytest.mark.parametrize("form", MISSED.values(), ids=MISSED)
def test_this_form_is_not_found(cgi, tokens, reader, form):
    answer = cgi.get(tokens.bearer(reader), **variables(*form))
    assert (answer.status, answer.code) == (404, "not_found"), answer


@pytest.mark.parametrize("query", ["", "a=b", "/other", "?", "%00%ff", "a=" + "b" * 4000])
def test_a_query_is_ignored(cgi, tokens, reader, query):
    assert cgi.get(tokens.bearer(reader), path=f"/me?{query}").status == 200


@pytest.mark.parametrize("path", ["/m%65", "/%6de", "/me%2f", "/me/../me", "//other", "/me\x7f"])
def test_odd_paths_are_answered(cgi, tokens, reader, path):
    assert cgi.get(tokens.bearer(reader), path=path).status in (200, 404)


def test_a_path_is_not_reflected(cgi, tokens, reader):
    answer = cgi.get(tokens.bearer(reader), path="/<script>alert(1)</script>")
    assert answer.status == 404 and b"script" not in answer.body
