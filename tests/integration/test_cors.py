"""Cross-origin requests: what a browser needs to let a page's script use the resource."""

import pytest

PAGE = "https://www.example.com"
OTHER = "http://localhost:3000"
LIST = {"ME_CORS_ORIGIN": f"{PAGE}, {OTHER}"}
ANY = {"ME_CORS_ORIGIN": "*"}
EXPOSED = {"ETag", "Retry-After", "X-Request-Id"}
PREFLIGHT = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,content-type,if-match",
}
STRANGERS = [
    "https://www.example.org", "http://www.example.com", "https://www.example.com:8443",
    "https://www.example.com.example.org", "https://example.com", "HTTPS://WWW.EXAMPLE.COM", "null", "", "*",
    f"{PAGE}/", f"{PAGE}, {OTHER}", f" {PAGE}",
]


def cors_fields(answer) -> dict:
    return {name: value for name, value in answer.headers.fields if name.startswith("Access-Control-")}


def read_by_page(answer, origin):
    """Whether a script of the origin may read the answer and the header fields that it needs."""
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == origin, answer
    assert headers.items("Access-Control-Expose-Headers") == EXPOSED, answer
    assert "Access-Control-Allow-Credentials" not in headers, answer


# ---- answers to the requests themselves

@pytest.mark.parametrize("origin", [PAGE, OTHER])
def test_a_page_of_the_list_may_read(cgi, tokens, reader, origin):
    answer = cgi.get({**tokens.bearer(reader), "Origin": origin}, **LIST)
    assert answer.status == 200
    read_by_page(answer, origin)
    assert answer.headers.items("Vary") == {"Authorization", "Origin"}


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_page_that_is_not_on_the_list_gets_the_usual_answer(cgi, tokens, reader, origin):
    bearer = tokens.bearer(reader)
    answer, usual = cgi.get({**bearer, "Origin": origin}, **LIST), cgi.get(bearer, **LIST)
    assert answer.status == 200 and answer.body == usual.body
    assert cors_fields(answer) == {}
    assert answer.headers.items("Vary") == {"Authorization", "Origin"}


def test_every_origin_may_be_allowed(cgi, tokens, reader):
    for headers in ({"Origin": PAGE}, {"Origin": "null"}, {}):
        answer = cgi.get({**tokens.bearer(reader), **headers}, **ANY)
        assert answer.status == 200
        read_by_page(answer, "*")
        assert answer.headers.items("Vary") == {"Authorization"}  # the answer is the same for all


def test_without_the_setting_there_is_nothing_of_it(cgi, tokens, reader):
    for method in ("GET", "OPTIONS"):
        answer = cgi(method, headers={**tokens.bearer(reader), "Origin": PAGE, **PREFLIGHT})
        assert cors_fields(answer) == {}
        assert answer.headers.items("Vary") == {"Authorization"}


def test_a_request_without_origin_varies_by_it_all_the_same(cgi, tokens, reader):
    answer = cgi.get(tokens.bearer(reader), **LIST)
    assert cors_fields(answer) == {}
    assert answer.headers.items("Vary") == {"Authorization", "Origin"}


FAILURES = {  # status: method, path, headers, body, settings
    404: ("GET", "/other", {}, None, {}),
    405: ("DELETE", "/me", {}, None, {}),
    413: ("PATCH", "/me", {}, b" " * 2000, {"ME_REQUEST_BODY_MAX_BYTES": "1024"}),
    415: ("PATCH", "/me", {"Content-Type": "text/plain"}, b"{}", {}),
    400: ("PATCH", "/me", {}, b"{", {}),
    428: ("PATCH", "/me", {}, b"{}", {"ME_REQUEST_REQUIRE_IF_MATCH": "on"}),
    422: ("PATCH", "/me", {}, b'{"name":""}', {}),
    412: ("PATCH", "/me", {"If-Match": '"other"'}, b"{}", {}),
    503: ("GET", "/me", {}, None, {"ME_DATABASE_HOST": "/nowhere.sock"}),
    304: ("GET", "/me", {"If-None-Match": "*"}, None, {}),
}


@pytest.mark.parametrize("status", FAILURES)
def test_every_answer_can_be_read_by_the_page(cgi, tokens, user, status):
    method, path, headers, body, settings = FAILURES[status]
    answer = cgi(method, path, {**tokens.bearer(user), "Origin": PAGE, **headers}, body, **LIST, **settings)
    assert answer.status == status, answer
    read_by_page(answer, PAGE)
    assert answer.headers.items("Vary") >= {"Authorization", "Origin"}


def test_a_failure_of_the_service_can_be_read_by_the_page(cgi, tokens, users, user, installation):
    """A constraint that somebody added; the program does not know it."""
    installation.execute("ALTER TABLE users ADD CONSTRAINT no_pages CHECK (bio IS NULL OR bio <> 'forbidden')")
    try:
        answer = cgi.patch({**tokens.bearer(user), "Origin": PAGE}, {"bio": "forbidden"}, **LIST)
    finally:
        installation.execute("ALTER TABLE users DROP CONSTRAINT no_pages")
    assert answer.status == 500
    read_by_page(answer, PAGE)


def test_a_refused_token_can_be_read_by_the_page(cgi):
    answer = cgi.get({"Origin": PAGE}, **LIST)
    assert answer.status == 401
    read_by_page(answer, PAGE)


# ---- preflight

@pytest.mark.parametrize("settings, origin, allowed", [(LIST, PAGE, PAGE), (LIST, OTHER, OTHER), (ANY, PAGE, "*")])
def test_a_preflight_is_granted(cgi, settings, origin, allowed):
    answer = cgi("OPTIONS", headers={"Origin": origin, **PREFLIGHT}, **settings)
    assert answer.status == 204 and answer.body == b""
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == allowed
    assert headers.items("Access-Control-Allow-Methods") == {"GET", "HEAD", "PATCH"}
    assert headers.items("Access-Control-Allow-Headers") >= {"Authorization", "Content-Type", "If-Match"}
    assert headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_names_the_header_that_overrides_the_method_where_it_is_on(cgi):
    asked = {"Origin": PAGE, **PREFLIGHT}
    off = cgi("OPTIONS", headers=asked, **LIST)
    on = cgi("OPTIONS", headers=asked, ME_REQUEST_METHOD_OVERRIDE="on", **LIST)
    name = "X-HTTP-Method-Override"
    assert name not in off.headers.items("Access-Control-Allow-Headers")
    assert name in on.headers.items("Access-Control-Allow-Headers")


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_preflight_of_another_origin_is_the_usual_options(cgi, origin):
    answer = cgi("OPTIONS", headers={"Origin": origin, **PREFLIGHT}, **LIST)
    assert answer.status == 204
    assert cors_fields(answer) == {}


def test_a_preflight_needs_no_database(cgi):
    settings = {**LIST, "ME_DATABASE_HOST": "/nowhere.sock", "ME_CORS_MAX_AGE_S": "0"}
    answer = cgi("OPTIONS", headers={"Origin": PAGE, **PREFLIGHT}, **settings)
    assert answer.status == 204
    assert answer.headers["Access-Control-Max-Age"] == "0"


# ---- the setting

@pytest.mark.parametrize("origin", [
    "www.example.com", "https://", "https://www.example.com/", "https://WWW.example.com", "ftp://example.com",
    "https://user@example.com", "https://*.example.com", "* https://www.example.com", "null", "https://a/b",
])
def test_what_is_no_origin_is_refused_with_what_would_be(cgi, mectl, origin):
    answer = cgi.get({}, ME_CORS_ORIGIN=origin)
    logged = " ".join(event["detail"] for event in answer.events("error"))
    assert answer.status == 500
    assert "cors.origin" in logged and "https://www.example.com" in logged
    found = mectl("config", "check", "--offline", check=False, ME_CORS_ORIGIN=origin)
    assert found.returncode == 1 and "cors.origin" in found.stdout
