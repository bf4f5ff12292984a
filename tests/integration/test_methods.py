"""Which methods the resource knows."""

import pytest

from support.answer import ALLOWED, PATCH_TYPES

OTHERS = ["POST", "PUT", "DELETE", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get", "Patch", "GETS", "X"]


@pytest.mark.parametrize("method", OTHERS)
def test_another_method_is_not_allowed(cgi, tokens, reader, method):
    answer = cgi(method, headers=tokens.bearer(reader))
    assert (answer.status, answer.code) == (405, "method_not_allowed"), answer
    assert answer.headers.items("Allow") == ALLOWED


def test_an_empty_method_is_not_served(cgi, tokens, reader):
    assert cgi("", headers=tokens.bearer(reader)).status == 405


def test_head_has_the_header_of_get(cgi, tokens, full_user):
    bearer = tokens.bearer(full_user)
    of_get, of_head = cgi.get(bearer), cgi("HEAD", headers=bearer)
    assert of_head.status == 200
    assert fields(of_head) == fields(of_get)


def test_head_of_an_error_has_the_header_of_get(cgi):
    of_get, of_head = cgi.get({"X-Request-Id": "a"}), cgi("HEAD", headers={"X-Request-Id": "a"})
    assert of_head.status == 401
    assert fields(of_head) == fields(of_get)


def fields(answer):
    return sorted(field for field in answer.headers.fields if field[0] != "X-Request-Id")


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer rubbish"}, {"Authorization": "Basic eDp5"},
], ids=["no token", "a bad token", "another scheme"])
def test_options_needs_no_token(cgi, headers):
    answer = cgi("OPTIONS", headers=headers)
    assert answer.status == 204
    assert answer.headers.items("Allow") == ALLOWED
    assert answer.headers.items("Accept-Patch") == PATCH_TYPES


def test_options_of_another_path_is_not_found(cgi):
    assert cgi("OPTIONS", "/other").status == 404


def test_options_needs_no_database(cgi, tmp_path):
    answer = cgi("OPTIONS", ME_DATABASE_HOST=str(tmp_path / "nothing.sock"))
    assert answer.status == 204


def test_a_body_of_get_is_ignored(cgi, tokens, reader):
    assert cgi.get(tokens.bearer(reader), body=b"not JSON").status == 200


# ---- X-HTTP-Method-Override, for hosts that let no PATCH through

ON = {"ME_REQUEST_METHOD_OVERRIDE": "on"}
JSON = {"Content-Type": "application/json"}


def override(cgi, bearer, value, method="POST", **settings):
    return cgi(method, headers={**bearer, **JSON, "X-HTTP-Method-Override": value}, body=b'{"bio":"x"}', **settings)


def test_the_override_of_a_method_is_off(cgi, tokens, users, user):
    assert override(cgi, tokens.bearer(user), "PATCH").status == 405
    assert users.column(user, "bio") is None


def test_a_post_may_be_a_patch_where_it_is_on(cgi, tokens, user):
    answer = override(cgi, tokens.bearer(user), "PATCH", **ON)
    assert answer.status == 200 and answer.json["bio"] == "x", answer


@pytest.mark.parametrize("method, value", [
    ("POST", "patch"), ("POST", "GET"), ("POST", "DELETE"), ("POST", ""), ("POST", "PATCH, GET"),
    ("PUT", "PATCH"), ("DELETE", "PATCH"), ("post", "PATCH"),
])
def test_no_other_method_is_overridden(cgi, tokens, users, user, method, value):
    assert override(cgi, tokens.bearer(user), value, method, **ON).status == 405
    assert users.column(user, "bio") is None


def test_a_get_stays_one(cgi, tokens, users, user):
    assert override(cgi, tokens.bearer(user), "PATCH", "GET", **ON).status == 200
    assert users.column(user, "bio") is None


def test_an_overridden_patch_is_judged_like_one(cgi, tokens, user):
    headers = {**tokens.bearer(user), **JSON, "X-HTTP-Method-Override": "PATCH", "If-Match": '"other"'}
    assert cgi("POST", headers=headers, body=b"{}", **ON).status == 412
    assert override(cgi, {}, "PATCH", **ON).status == 401
