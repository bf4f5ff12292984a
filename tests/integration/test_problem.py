"""The bodies of errors."""

import pytest

OURS, RFC9457 = "application/json", "application/problem+json"


@pytest.mark.parametrize("accept, expected", [
    (None, OURS), ("", OURS), ("*/*", OURS), ("application/*", OURS), (OURS, OURS), ("text/html", OURS),
    (RFC9457, RFC9457), (RFC9457.upper(), RFC9457), (f"{RFC9457}, {OURS};q=0.9", RFC9457),
    (f"{OURS};q=0.5, {RFC9457};q=0.6", RFC9457), (f"{OURS}, {RFC9457};q=0.9", OURS),
    (f"{RFC9457};q=0", OURS), (f"{RFC9457}, */*;q=0.1", RFC9457), ("rubbish;;;=,", OURS),
])
def test_the_media_type_that_accept_prefers(cgi, accept, expected):
    answer = cgi.get({"Accept": accept})
    assert answer.headers["Content-Type"] == expected


def test_our_own_form(cgi):
    answer = cgi.get({"X-Request-Id": "my-id"})
    assert list(answer.json) == ["code", "message", "requestId"]


def test_the_standard_form_has_the_members_of_both(cgi, tokens, reader):
    """RFC 9457, section 3.1, with our members as extensions."""
    answer = cgi.patch({**tokens.bearer(reader), "Accept": RFC9457}, {"locale": "?"})
    problem = answer.json
    assert problem["status"] == answer.status == 422
    assert problem["type"] == "about:blank" and problem["title"]
    assert problem["code"] == "validation_failed" and problem["details"]["locale"]
    assert problem["requestId"] == answer.headers["X-Request-Id"]


def test_the_resource_is_json_whatever_accept_says(cgi, tokens, reader):
    answer = cgi.get({**tokens.bearer(reader), "Accept": RFC9457})
    assert answer.status == 200 and answer.headers["Content-Type"] == OURS


def test_details_have_a_code_and_a_message_for_each_member(cgi, tokens, reader):
    answer = cgi.patch(tokens.bearer(reader), {"locale": "?"})
    assert answer.json["details"] == {
        "locale": [{"code": "invalid_locale", "message": "is not a BCP 47 language tag"}]}
    assert answer.json["message"] == "Request validation failed"
