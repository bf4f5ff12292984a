"""X-Request-Id: one id for the answer, the error's body and the log."""

import pytest


@pytest.mark.parametrize("sent", [
    "a", "x" * 64, "Az09._-", "8c1e0a4e-7d2b-4b63-9d5a-2f0f6d1c0e11", "-", "...",
])
def test_a_good_id_is_taken_over(cgi, tokens, reader, sent):
    answer = cgi.get({**tokens.bearer(reader), "X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] == sent


@pytest.mark.parametrize("sent", [
    "", "x" * 65, "a b", " a", "a\n", "a\r\nX-Evil: 1", "a;b", "a/b", "a\"b", "é", "a\x01b", "a,b", "<a>",
], ids=ascii)
def test_another_id_is_replaced(cgi, sent):
    answer = cgi.get({"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] != sent
    assert "X-Evil" not in answer.headers


def test_new_ids_differ(cgi):
    assert len({cgi().headers["X-Request-Id"] for _ in range(5)}) == 5


@pytest.mark.parametrize("path, method", [("/other", "GET"), ("/me", "DELETE"), ("/me", "GET")])
def test_errors_name_the_id(cgi, path, method):
    answer = cgi(method, path, {"X-Request-Id": "my-id"})
    assert answer.json["requestId"] == "my-id"


def test_the_log_names_the_id(cgi):
    answer = cgi.get({"X-Request-Id": "my-id"})
    assert any(event.get("request_id") == "my-id" for event in answer.log), answer


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PATCH"])
def test_every_method_has_it(cgi, method):
    assert cgi(method, headers={"X-Request-Id": "my-id"}).headers["X-Request-Id"] == "my-id"
