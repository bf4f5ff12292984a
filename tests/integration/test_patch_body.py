"""The body of PATCH: media type, size, JSON; each refusal changes nothing."""

import pytest

LIMIT = 2048


def body_of(size):
    """A patch of exactly so many bytes."""
    frame = b'{"bio":""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


# ---- the media type

@pytest.mark.parametrize("media_type", [
    "application/json", "application/merge-patch+json", "Application/JSON",
    "application/merge-patch+json; charset=utf-8", 'application/json;charset="UTF-8"',
    " application/json ", "application/json; q=1",
])
def test_this_media_type_is_taken(cgi, tokens, user, media_type):
    answer = cgi.patch({**tokens.bearer(user), "Content-Type": media_type}, {"bio": "x"})
    assert answer.status == 200, answer


@pytest.mark.parametrize("media_type", [
    None, "", "text/plain", "application/json-patch+json", "application/x-www-form-urlencoded",
    "application/jsonp", "json", "application/", "multipart/form-data; boundary=x", "*/*",
    "application/json; charset=latin1", "text/json", "application/merge-patch",
])
def test_another_media_type_is_refused(cgi, tokens, users, user, media_type):
    headers = tokens.bearer(user)
    answer = cgi("PATCH", headers={**headers, "Content-Type": media_type}, body={"name": "x"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type"), answer
    assert users.column(user, "name") == user.row["name"]


# ---- the size

def test_a_body_at_the_limit_is_taken(cgi, tokens, user):
    answer = cgi.patch(tokens.bearer(user), body_of(LIMIT), ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert answer.status == 200, answer


def test_a_body_above_the_limit_is_refused(cgi, tokens, user):
    answer = cgi.patch(tokens.bearer(user), body_of(LIMIT + 1), ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert (answer.status, answer.code) == (413, "body_too_large"), answer


@pytest.mark.parametrize("length", ["999999999999999999999999", "9223372036854775807", "2147483648"])
def test_a_promise_above_the_limit_is_refused_unread(cgi, tokens, user, length):
    answer = cgi.patch(tokens.bearer(user), b"{}", CONTENT_LENGTH=length)
    assert answer.status in (400, 413), answer


@pytest.mark.parametrize("length", ["-1", "abc", "0x2", "+2", "2 2", "2,2", "2.0", "２"])
def test_a_length_that_is_no_number_is_refused(cgi, tokens, user, length):
    assert cgi.patch(tokens.bearer(user), b"{}", CONTENT_LENGTH=length).status == 400


def test_a_body_shorter_than_promised_is_refused(cgi, tokens, users, user):
    answer = cgi.patch(tokens.bearer(user), b'{"name":"x"}', CONTENT_LENGTH="13")
    assert (answer.status, answer.code) == (400, "invalid_body"), answer
    assert users.column(user, "name") == user.row["name"]


def test_what_follows_the_promised_length_is_not_read(cgi, tokens, user):
    answer = cgi.patch(tokens.bearer(user), b'{"bio":"x"}rest', CONTENT_LENGTH="11")
    assert answer.status == 200, answer


def test_without_a_length_the_body_goes_to_its_end(cgi, tokens, user):
    """So a body sent in chunks arrives through some servers."""
    answer = cgi.patch(tokens.bearer(user), b'{"bio":"x"}', CONTENT_LENGTH=None)
    assert answer.status == 200 and answer.json["bio"] == "x", answer


def test_without_a_length_the_limit_holds(cgi, tokens, user):
    answer = cgi.patch(
        tokens.bearer(user), body_of(LIMIT + 1), CONTENT_LENGTH=None,
        ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert answer.status == 413, answer


@pytest.mark.parametrize("environment", [
    {"CONTENT_LENGTH": "0"}, {"CONTENT_LENGTH": None}, {"CONTENT_LENGTH": ""},
], ids=["length 0", "no length", "empty length"])
def test_no_body_is_refused(cgi, tokens, user, environment):
    answer = cgi.patch(tokens.bearer(user), b"", **environment)
    assert (answer.status, answer.code) == (400, "invalid_body"), answer


# ---- JSON, but no object

@pytest.mark.parametrize("body", [b"[]", b'[{"name":"x"}]', b"null", b"true", b"1", b'"name"'])
def test_json_that_is_no_object_is_refused(cgi, tokens, user, body):
    answer = cgi.patch(tokens.bearer(user), body)
    assert (answer.status, answer.code) == (400, "invalid_body"), answer


@pytest.mark.parametrize("body", [b"", b"   ", b"\r\n\t"])
def test_an_empty_body_is_refused(cgi, tokens, user, body):
    assert cgi.patch(tokens.bearer(user), body).code == "invalid_body"


# ---- not JSON

NOT_JSON = {
    "a word": b"name",
    "cut": b'{"name":"x"',
    "cut in a string": b'{"name":"x',
    "cut in an escape": b'{"name":"\\u00',
    "single quotes": b"{'name':'x'}",
    "a bare name": b'{name:"x"}',
    "a comma too many": b'{"name":"x",}',
    "a leading comma": b'{,"name":"x"}',
    "a comment": b'{"name":"x"/* */}',
    "no colon": b'{"name" "x"}',
    "no comma": b'{"name":"x" "bio":"y"}',
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":-Infinity}',
    "a number that ends in a point": b'{"name":1.}',
    "a leading zero": b'{"name":01}',
    "a plus": b'{"name":+1}',
    "a number beyond doubles": b'{"name":1e400}',
    "True": b'{"name":True}',
    "a raw line feed": b'{"name":"a\nb"}',
    "a raw tab in a name": b'{"na\tme":"x"}',
    "an unknown escape": b'{"name":"\\x41"}',
    "trailing text": b'{"name":"x"} x',
    "a second object": b'{"name":"x"}{}',
    "a NUL behind": b'{"name":"x"}\0',
    "a NUL and text behind": b'{"name":"x"}\0junk',
    "a NUL in a value": b'{"name":"a\0b"}',
    "a NUL escape in a value": b'{"name":"a\\u0000b"}',
    "a NUL escape in a name": b'{"name\\u0000x":"x"}',
    "a member twice": b'{"name":"x","name":"y"}',
    "a member twice, once escaped": b'{"name":"x","n\\u0061me":"y"}',
    "an unknown member twice": b'{"a":1,"a":1}',
    "a member twice deep inside": b'{"name":{"a":1,"a":2}}',
    "a lone high surrogate": b'{"name":"\\ud800"}',
    "a lone low surrogate": b'{"name":"\\udc00"}',
    "surrogates in the wrong order": b'{"name":"\\udc00\\ud800"}',
    "a surrogate and a character": b'{"name":"\\ud83dx"}',
    "a lone surrogate in a name": b'{"\\ud800":1}',
    "UTF-8 cut": b'{"name":"\xc3"}',
    "a lone continuation byte": b'{"name":"\x80"}',
    "an overlong NUL": b'{"name":"\xc0\x80"}',
    "an overlong slash": b'{"name":"\xe0\x80\xaf"}',
    "a surrogate in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "beyond U+10FFFF": b'{"name":"\xf4\x90\x80\x80"}',
    "latin-1": '{"name":"Zoë"}'.encode("latin-1"),
    "UTF-16": '{"name":"x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name":"x"}',
    "deep arrays": b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "deep objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "open arrays": b"[" * 30000,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_this_is_not_json(cgi, tokens, users, user, body):
    answer = cgi.patch(tokens.bearer(user), body)
    assert (answer.status, answer.code) == (400, "invalid_json"), answer
    assert users.column(user, "name") == user.row["name"]


@pytest.mark.parametrize("body", [
    b' \r\n\t{"bio" : "x"} \n', b'{"bio":"\\u0078"}', b'{"bio":"x"}\n',
], ids=["white space", "an escape", "a line feed"])
def test_this_is_json(cgi, tokens, user, body):
    assert cgi.patch(tokens.bearer(user), body).json["bio"] == "x"
