"""
A request that deserves several answers gets the first of 404, 405, 401, 403, 413, 415, 400,
428, 422 and 412.
"""

import time

import pytest

LIMIT = 2048
WRONG_TYPE = {"Content-Type": "text/plain"}
MISMATCH = {"If-Match": '"another"'}
HUGE = b'{"bio": "' + b"x" * LIMIT + b'"}'
BROKEN = b'{"bio": '
INVALID = {"locale": "not a tag"}


def expired(tokens, users):
    return tokens.bearer(users.add(), exp=int(time.time()) - 3600)


def banned(tokens, users):
    return tokens.bearer(users.add(status="banned"))


def deleted(tokens, users):
    return tokens.bearer(users.add(status="deleted"))


def good(tokens, users):
    return tokens.bearer(users.add())


def nobody(tokens, users):
    return {}


CASES = [  # status, method, path, who, headers, body
    (404, "DELETE", "/other", nobody, {}, None),
    (404, "PATCH", "/other", expired, WRONG_TYPE, HUGE),
    (405, "DELETE", "/me", nobody, {}, None),
    (405, "POST", "/me", expired, {**WRONG_TYPE, **MISMATCH}, HUGE),
    (405, "PUT", "/me", banned, WRONG_TYPE, BROKEN),
    (401, "PATCH", "/me", nobody, WRONG_TYPE, HUGE),
    (401, "PATCH", "/me", expired, {**WRONG_TYPE, **MISMATCH}, HUGE),
    (401, "PATCH", "/me", deleted, WRONG_TYPE, HUGE),
    (401, "PATCH", "/me", deleted, MISMATCH, BROKEN),
    (401, "PATCH", "/me", deleted, MISMATCH, INVALID),
    (403, "PATCH", "/me", banned, WRONG_TYPE, HUGE),
    (403, "PATCH", "/me", banned, WRONG_TYPE, BROKEN),
    (403, "PATCH", "/me", banned, {}, INVALID),
    (403, "PATCH", "/me", banned, MISMATCH, b"{}"),
    (403, "GET", "/me", banned, {"If-None-Match": "*"}, None),
    (413, "PATCH", "/me", good, {**WRONG_TYPE, **MISMATCH}, HUGE),
    (413, "PATCH", "/me", good, MISMATCH, HUGE + b"x"),
    (415, "PATCH", "/me", good, {**WRONG_TYPE, **MISMATCH}, BROKEN),
    (415, "PATCH", "/me", good, WRONG_TYPE, INVALID),
    (415, "PATCH", "/me", good, WRONG_TYPE, b""),
    (400, "PATCH", "/me", good, MISMATCH, BROKEN),
    (400, "PATCH", "/me", good, MISMATCH, b""),
    (400, "PATCH", "/me", good, MISMATCH, b"[]"),
    (422, "PATCH", "/me", good, MISMATCH, INVALID),
    (412, "PATCH", "/me", good, MISMATCH, b"{}"),
]


@pytest.mark.parametrize("status, method, path, who, headers, body", [
    pytest.param(*case, id=f"{case[0]} {case[1]} {case[3].__name__} {number}")
    for number, case in enumerate(CASES)
])
def test_the_first_that_applies_is_the_answer(cgi, tokens, users, status, method, path, who, headers, body):
    answer = cgi(method, path, {**who(tokens, users), **headers}, body, ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert answer.status == status, answer


@pytest.mark.parametrize("who", [deleted, banned])
def test_a_media_type_that_is_not_the_reason_is_not_answered(cgi, tokens, users, who):
    answer = cgi.patch({**who(tokens, users), **WRONG_TYPE}, BROKEN)
    assert answer.status in (401, 403) and "Accept-Patch" not in answer.headers, answer


STRICT = [  # with request.require_if_match = on
    (401, expired, WRONG_TYPE, HUGE),
    (403, banned, {}, INVALID),
    (403, banned, {}, b"{}"),
    (401, deleted, {}, b"{}"),
    (413, good, {}, HUGE),
    (415, good, WRONG_TYPE, BROKEN),
    (400, good, {}, BROKEN),
    (428, good, {}, INVALID),
    (428, good, {}, b"{}"),
    (422, good, MISMATCH, INVALID),
    (412, good, MISMATCH, b"{}"),
]


@pytest.mark.parametrize("status, who, headers, body", [
    pytest.param(*case, id=f"{case[0]} {case[1].__name__} {number}") for number, case in enumerate(STRICT)
])
def test_where_if_match_is_required(cgi, tokens, users, status, who, headers, body):
    settings = {"ME_REQUEST_BODY_MAX_BYTES": str(LIMIT), "ME_REQUEST_REQUIRE_IF_MATCH": "on"}
    answer = cgi("PATCH", "/me", {**who(tokens, users), **headers}, body, **settings)
    assert answer.status == status, answer
