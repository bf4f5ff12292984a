"""The body of PATCH: media type, size, JSON; each refusal changes nothing."""

import os
import subprocess

import pytest

from support import fastcgi
from support.cgi import environment_of
from support.paths import clean_environment, program

LIMIT = 2048
UNUSABLE = "The request body cannot be used: "
EMPTY = UNUSABLE + "it is empty, a JSON object was expected"


def body_of(size):
    """A patch of exactly so many bytes."""
    frame = b'{"bio":""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


# ---- the media type

@pytest.mark.parametrize("media_type", [
    "application/json", "application/merge-patch+json", "Application/JSON", "APPLICATION/MERGE-PATCH+JSON",
    "application/merge-patch+json; charset=utf-8", 'application/json;charset="UTF-8"',
    "application/json ; CHARSET=Utf-8",
    " application/json ", "application/json\t;\tcharset=utf-8", "application/json;",
    "application/json; ;charset=utf-8",
    "application/json; q=1", 'application/json; profile="a;b, c"; charset=utf-8',
    r'application/json; x="\"charset=latin1"',
])
def test_this_media_type_is_taken(cgi, tokens, user, media_type):
    answer = cgi.patch({**tokens.bearer(user), "Content-Type": media_type}, {"bio": "x"})
    assert answer.status == 200, answer


@pytest.mark.parametrize("media_type", [
    None, "", "text/plain", "application/json-patch+json", "application/x-www-form-urlencoded",
    "application/jsonp", "json", "application/", "multipart/form-data; boundary=x", "*/*", "application/*",
    "application/json; charset=latin1", "text/json", "application/merge-patch", "application/json5",
    "application/merge-patch+json+json", "application /json", "application/ json", "/json", "application/json/json",
    "application/json, application/json", "application/json application/json", "application/json; charset",
    "application/json; charset=", 'application/json; charset=""', "application/json; charset=utf-16",
    "application/json; charset=utf8", "application/json; charset='utf-8'", 'application/json; charset="utf-8',
    'application/json; charset=utf-8"', "application/json; charset=utf-8; charset=utf-8",
    "application/json; charset=utf-8; charset=latin1", "application/json; charset = utf-8", "application/json; =utf-8",
    "application/json; charset=utf-8 x", "application/json charset=utf-8",
    "application/json; charset=utf-8, text/plain",
    "application/j\u00f6on", "application/json; x=\u00f6", ";application/json",
])
def test_another_media_type_is_refused(cgi, tokens, users, user, media_type):
    headers = tokens.bearer(user)
    answer = cgi("PATCH", headers={**headers, "Content-Type": media_type}, body={"name": "x"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type"), answer
    assert users.column(user, "name") == user.row["name"]


TYPES = "The request body must be application/merge-patch+json or application/json"


@pytest.mark.parametrize("media_type, why", [
    (None, ": there is no Content-Type"), ("", ": there is no Content-Type"), ("json", ": Content-Type is malformed"),
    ("application/json; charset=latin1", ": the charset must be utf-8, or left out"),
    ("text/plain; charset=latin1", ""),
])
def test_the_message_tells_what_is_wrong_with_the_media_type(cgi, tokens, user, media_type, why):
    answer = cgi("PATCH", headers={**tokens.bearer(user), "Content-Type": media_type}, body={"name": "x"})
    assert (answer.status, answer.json["message"]) == (415, TYPES + why), answer


@pytest.mark.parametrize("body, headers", [
    (b"no JSON", {}), (b"[]", {}), (b"", {}), (b"{}", {"Content-Type": "text/plain"}),
])
def test_what_is_wrong_with_the_body_is_no_part_of_another_answer(cgi, tokens, users, body, headers):
    answer = cgi.patch({**tokens.bearer(users.add(status="banned")), **headers}, body)
    assert (answer.status, answer.json["message"]) == (403, "The user is banned"), answer


# ---- the size

def test_a_body_at_the_limit_is_taken(cgi, tokens, user):
    answer = cgi.patch(tokens.bearer(user), body_of(LIMIT), ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert answer.status == 200, answer


def test_a_body_above_the_limit_is_refused(cgi, tokens, user):
    answer = cgi.patch(tokens.bearer(user), body_of(LIMIT + 1), ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert (answer.status, answer.code) == (413, "body_too_large"), answer
    assert answer.json["message"] == f"The request body is too large: up to {LIMIT} bytes are taken"


class Pipe:
    """Standard input with a body in it, and what is left of that when the program has ended."""

    def __init__(self, body):
        self.read_end, write_end = os.pipe()
        os.write(write_end, body)
        os.close(write_end)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        os.close(self.read_end)

    def rest(self):
        return b"".join(iter(lambda: os.read(self.read_end, 65536), b""))


def answer_and_rest(cgi, tokens, user, body, **environment):
    """A PATCH whose body is in a pipe; what the program did not read of it."""
    headers = {**tokens.bearer(user), "Content-Type": "application/json"}
    variables = {**environment_of("PATCH", "/me", headers, body), **environment}
    with Pipe(body) as pipe:
        done = subprocess.run(
            [str(program("me.fcgi"))], stdin=pipe.read_end, capture_output=True, timeout=60, check=False,
            env=clean_environment(ME_CONF=str(cgi.conf), **variables))
        return cgi.judge(done, variables, body), pipe.rest()


TOO_LONG = [
    str(LIMIT + 1), "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "999999999999999999999999",
]


@pytest.mark.parametrize("length", TOO_LONG)
def test_a_promise_above_the_limit_is_refused_unread(cgi, tokens, user, length):
    body = body_of(LIMIT + 1)
    answer, rest = answer_and_rest(
        cgi, tokens, user, body, CONTENT_LENGTH=length, ME_REQUEST_BODY_MAX_BYTES=str(LIMIT))
    assert (answer.status, answer.code) == (413, "body_too_large"), answer
    assert rest == body


@pytest.mark.parametrize("change, status", [
    ({"HTTP_AUTHORIZATION": None}, 401), ({"REQUEST_METHOD": "PUT"}, 405), ({"SCRIPT_NAME": "/other"}, 404),
])
def test_who_gets_no_further_is_not_read(cgi, tokens, user, change, status):
    answer, rest = answer_and_rest(cgi, tokens, user, b'{"bio":"x"}', **change)
    assert answer.status == status and rest == b'{"bio":"x"}'


def test_a_worker_refuses_a_promise_above_the_limit_before_anything_came(worker, tokens, user):
    headers = {**tokens.bearer(user), "Content-Type": "application/json"}
    variables = environment_of("PATCH", "/me", headers, b" " * 70000)
    with worker.connect() as connection:
        connection.send(fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.params(variables)))
        assert worker.judge(connection.receive(), "PATCH").code == "body_too_large"
    assert worker.patch(tokens.bearer(user), {"bio": "next"}).status == 200


@pytest.mark.parametrize("length", ["11", "011", "00000000000000000000000011", " 11 "])
def test_a_length_is_a_number_however_it_is_written(cgi, tokens, user, length):
    assert cgi.patch(tokens.bearer(user), b'{"bio":"x"}', CONTENT_LENGTH=length).status == 200


@pytest.mark.parametrize("length", [
    "-1", "-0", "abc", "0x2", "+2", "2 2", "2,2", "2, 2", "2.0", "２", "2e0", "-9" + "9" * 30,
])
def test_a_length_that_is_no_number_is_refused(cgi, tokens, user, length):
    answer = cgi.patch(tokens.bearer(user), b"{}", CONTENT_LENGTH=length)
    assert (answer.status, answer.code) == (400, "invalid_body"), answer
    assert answer.json["message"] == UNUSABLE + "Content-Length is not a number"


def test_a_body_shorter_than_promised_is_refused(cgi, tokens, users, user):
    answer = cgi.patch(tokens.bearer(user), b'{"name":"x"}', CONTENT_LENGTH="13")
    assert (answer.status, answer.code) == (400, "invalid_body"), answer
    assert answer.json["message"] == UNUSABLE + "it is shorter than Content-Length"
    assert users.column(user, "name") == user.row["name"]


def test_what_follows_the_promised_length_is_not_read(cgi, tokens, user):
    answer, rest = answer_and_rest(cgi, tokens, user, b'{"bio":"x"}rest', CONTENT_LENGTH="11")
    assert answer.status == 200 and answer.json["bio"] == "x" and rest == b"rest"


def test_what_follows_the_promised_length_is_nothing_to_a_workers_next_request(worker, tokens, user):
    for _ in range(3):
        answer = worker.patch(tokens.bearer(user), b'{"bio":"x"}' + b'{"bio":"rest"}' * 5000, CONTENT_LENGTH="11")
        assert answer.status == 200 and answer.json["bio"] == "x"


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
    assert answer.json["message"] == EMPTY


# ---- JSON, but no object

@pytest.mark.parametrize("body", [
    b"[]", b'[{"name":"x"}]', b"null", b"true", b"false", b"1", b"-0.5e3", b'"name"', b'"{}"', b" [ ] \n", b'""',
])
def test_json_that_is_no_object_is_refused(cgi, tokens, user, body):
    answer = cgi.patch(tokens.bearer(user), body)
    assert (answer.status, answer.code) == (400, "invalid_body"), answer
    assert answer.json["message"] == UNUSABLE + "a JSON object was expected"


@pytest.mark.parametrize("body", [b"", b"   ", b"\r\n\t"])
def test_an_empty_body_is_refused(cgi, tokens, user, body):
    answer = cgi.patch(tokens.bearer(user), body)
    assert (answer.code, answer.json["message"]) == ("invalid_body", EMPTY)


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


PLACES = [  # what is wrong, line, column in characters, body
    ("is not JSON", 1, 1, "x"),
    ("is not JSON", 1, 2, "{"),
    ("is not JSON", 1, 13, '{"name":"a",}'),
    ("is not JSON", 1, 15, '{"name":"Zoë",}'),
    ("is not JSON", 1, 13, '{"name":"👩",}'),
    ("is not JSON", 3, 10, '{\n  "name": "Zoë",\n  "bio": x\n}'),
    ("is not JSON", 3, 1, '{\r\n "name": "a",\r\n}'),
    ("is not JSON", 4, 1, '{"name": [\n1,\n2\n}'),
    ("has something after the JSON value", 1, 4, "{} {}"),
    ("has something after the JSON value", 2, 1, "{}\n]"),
    ("has the same name twice in one object", 2, 9, '{"a":1,\n "b":2, "a":3}'),
    ("has an escape that is half of a surrogate pair", 1, 10, '{"name":"\\ud800"}'),
    ("has the character U+0000", 1, 11, '{"name":"a\\u0000"}'),
    ("has a number that is too large", 2, 1, '{"a":\n1e400}'),
    ("is not UTF-8 without a byte order mark", 1, 1, "\ufeff{}"),
    ("is not UTF-8 without a byte order mark", 2, 10, b'{\n "name":"\xff"}'),
    ("is nested too deeply", 1, 37, '{"a":' + "[" * 40 + "]" * 40 + "}"),
]


@pytest.mark.parametrize("what, line, column, body", PLACES)
def test_the_message_tells_what_is_wrong_and_where(cgi, tokens, user, what, line, column, body):
    answer = cgi.patch(tokens.bearer(user), body.encode() if isinstance(body, str) else body)
    assert answer.code == "invalid_json"
    assert answer.json["message"] == f"The request body is not valid JSON: it {what}, at line {line}, column {column}"


@pytest.mark.parametrize("body", [
    b' \r\n\t{"bio" : "x"} \n', b'{"bio":"\\u0078"}', b'{"bio":"x"}\n',
], ids=["white space", "an escape", "a line feed"])
def test_this_is_json(cgi, tokens, user, body):
    assert cgi.patch(tokens.bearer(user), body).json["bio"] == "x"
