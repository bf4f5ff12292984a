"""Where the token is found, and what is said where there is none."""

import pytest


def challenge_of(answer):
    return answer.headers["WWW-Authenticate"]


def assert_missing(answer):
    """RFC 6750, section 3.1: no error code where no token was sent."""
    assert (answer.status, answer.code) == (401, "missing_token"), answer
    assert "error" not in challenge_of(answer), answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH"])
def test_no_token_is_a_challenge_without_an_error(cgi, method):
    answer = cgi(method, body=b"{}" if method == "PATCH" else None)
    assert answer.status == 401 and "error" not in challenge_of(answer)


def test_no_token_has_the_code_missing_token(cgi):
    assert_missing(cgi())


@pytest.mark.parametrize("header", [
    "", " ", "Basic YWRhOnB3", "Digest username=ada", "Bear x", "Bearerx", "Negotiate",
])
def test_another_scheme_is_no_token(cgi, header):
    assert_missing(cgi.get({"Authorization": header}))


SCHEME = "the scheme of Authorization is not Bearer"


@pytest.mark.parametrize("header", ["Basic YWRhOnB3", "{token}"])
def test_another_scheme_is_told_apart_from_no_header(cgi, tokens, reader, header):
    """Else who forgot the word Bearer looks for what the web server does to the header."""
    answer = cgi.get({"Authorization": header.format(token=tokens.mint(reader))})
    assert answer.json["message"] == f"A bearer token is required: {SCHEME}"
    assert answer.events()[-1]["detail"] == SCHEME
    for header in ("", " "):
        answer = cgi.get({"Authorization": header})
        assert answer.json["message"] == "A bearer token is required" and "detail" not in answer.events()[-1], answer


@pytest.mark.parametrize("variable", [
    "HTTP_AUTHORIZATION", "Authorization", "REDIRECT_HTTP_AUTHORIZATION",
    "REDIRECT_REDIRECT_HTTP_AUTHORIZATION", "REDIRECT_" * 12 + "HTTP_AUTHORIZATION",
    "REDIRECT_Authorization", "REDIRECT_REDIRECT_Authorization",
])
def test_the_token_is_found_under_this_variable(cgi, tokens, reader, variable):
    answer = cgi(**{variable: f"Bearer {tokens.mint(reader)}"})
    assert answer.status == 200, answer


@pytest.mark.parametrize("variable", [
    "HTTP_X_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION", "REDIRECT_", "XREDIRECT_HTTP_AUTHORIZATION",
    "HTTP_X_TOKEN", "HTTP_COOKIE", "QUERY_STRING", "HTTP_AUTHORIZATION_", "AUTHORIZATION_HTTP",
])
def test_the_token_is_not_looked_for_under_this_variable(cgi, tokens, reader, variable):
    assert_missing(cgi(**{variable: f"Bearer {tokens.mint(reader)}"}))


def test_the_token_is_not_taken_from_the_query(cgi, tokens, reader):
    token = tokens.mint(reader)
    assert_missing(cgi(path=f"/me?access_token={token}", HTTP_AUTHORIZATION=None))


def test_a_configured_header_is_looked_at_too(cgi, tokens, reader):
    answer = cgi.get({"X-Token": f"Bearer {tokens.mint(reader)}"}, ME_TOKEN_HEADER="X-Token")
    assert answer.status == 200, answer


def test_authorization_comes_before_the_configured_header(cgi, tokens, reader, full_user):
    answer = cgi.get(
        {**tokens.bearer(reader), "X-Token": f"Bearer {tokens.mint(full_user)}"},
        ME_TOKEN_HEADER="X-Token",
    )
    assert answer.json["id"] == reader.id


def test_a_bad_token_is_not_mended_by_the_configured_header(cgi, tokens, reader):
    answer = cgi.get(
        {"Authorization": "Bearer bad", "X-Token": f"Bearer {tokens.mint(reader)}"},
        ME_TOKEN_HEADER="X-Token",
    )
    assert (answer.status, answer.code) == (401, "invalid_token")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_taken_in_any_case(cgi, tokens, reader, scheme):
    answer = cgi.get({"Authorization": f"{scheme} {tokens.mint(reader)}"})
    assert answer.status == 200, answer


@pytest.mark.parametrize("header", ["Bearer   {}", " Bearer {}", "Bearer {} "])
def test_blanks_around_the_token_do_not_matter(cgi, tokens, reader, header):
    answer = cgi.get({"Authorization": header.format(tokens.mint(reader))})
    assert answer.status == 200, answer


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer {} x", "Bearer {},Basic eDp5", 'Bearer "{}"'])
def test_a_malformed_credential_is_refused(cgi, tokens, reader, header):
    answer = cgi.get({"Authorization": header.format(tokens.mint(reader))})
    assert answer.status == 401, answer


def test_the_answer_varies_with_authorization(cgi, tokens, reader):
    assert "authorization" in {v.lower() for v in cgi.get(tokens.bearer(reader)).headers.items("Vary")}
