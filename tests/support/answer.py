"""An answer of the program, and what must be true of every one."""

import json
import re

from support import openapi

PROBLEMS = {
    "not_found": 404,
    "method_not_allowed": 405,
    "missing_token": 401,
    "invalid_token": 401,
    "user_banned": 403,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_json": 400,
    "invalid_body": 400,
    "precondition_required": 428,
    "validation_failed": 422,
    "precondition_failed": 412,
    "service_unavailable": 503,
    "internal_error": 500,
}
ALLOWED = {"GET", "HEAD", "PATCH", "OPTIONS"}
PATCH_TYPES = {"application/json", "application/merge-patch+json"}
WITHOUT_BODY = (204, 304)
RFC9457 = ("type", "title", "status", "detail")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_INTERNAL = re.compile(
    r"sql|maria|innodb|errno|password|secret|/tmp|\.c\b|\.conf\b|json_|database\.|0x[0-9a-f]+",
    re.IGNORECASE,
)


class Headers:
    """Header fields in order, looked up in any case."""

    def __init__(self, fields):
        self.fields = list(fields)

    def all(self, name: str) -> list:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str, default=None):
        """The only value of the name; two are an error."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else default

    def items(self, name: str) -> set:
        """The members of a comma-separated list."""
        return {item.strip() for item in self.get(name, "").split(",") if item.strip()}

    def __getitem__(self, name: str):
        value = self.get(name)
        assert value is not None, f"no {name} among {self.fields}"
        return value

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def __repr__(self):
        return "\n".join(f"{key}: {value}" for key, value in self.fields)


class Answer:
    """Status, headers and body; `log` is what was logged meanwhile, where that is known."""

    def __init__(self, status: int, headers: Headers, body: bytes, log=()):
        self.status = status
        self.headers = headers
        self.body = body
        self.log = list(log)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def etag(self) -> str:
        return self.headers["ETag"]

    @property
    def code(self):
        """The problem's code; None where the answer is no problem."""
        return self.json["code"] if self.status >= 400 else None

    def events(self, level=None) -> list:
        return [event for event in self.log if level in (None, event["level"])]

    def __repr__(self):
        log = "\n".join(str(event) for event in self.log)
        return f"\n{self.status}\n{self.headers}\n\n{self.body.decode(errors='replace')}\n{log}"


def parse_cgi(output: bytes) -> Answer:
    """Parses a CGI response (RFC 3875, section 6) strictly."""
    found = re.search(rb"\r?\n\r?\n", output)
    assert found, f"no end of the header: {output!r}"
    block, body = output[: found.start()], output[found.end():]
    ends = set(re.findall(rb"\r?\n", block + found.group()))
    assert len(ends) == 1, f"lines end in different ways: {block!r}"
    fields = [_parse_field(line) for line in block.decode("ascii").split(ends.pop().decode())]
    headers = Headers(fields)
    for name in ("Transfer-Encoding", "Connection"):
        assert name not in headers, f"{name} is the web server's: {block!r}"
    status = headers["Status"]
    assert re.fullmatch(r"[1-5]\d\d [ -~]+", status), f"Status: {status!r}"
    return Answer(int(status[:3]), headers, body)


def _parse_field(line: str) -> tuple:
    field = re.fullmatch(rf"({_TOKEN}):[ \t]*([!-~]([ -~\t]*[!-~])?)", line)
    assert field, f"not a header field: {line!r}"
    return field[1], field[2]


def check(answer: Answer, method: str, sent=None, body=None):
    """
    Asserts what the documentation promises of every answer. `sent` are the request's header fields and `body` its
    bytes, as far as they are known.
    """
    headers = answer.headers
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", headers["X-Request-Id"]), answer
    assert headers["X-Content-Type-Options"] == "nosniff", answer
    assert headers["Cache-Control"] == "private, no-cache", answer
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'", answer
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin", answer
    assert headers["Referrer-Policy"] == "no-referrer", answer
    assert "Authorization" in headers.items("Vary"), answer
    assert ("Accept" in headers.items("Vary")) == (answer.status >= 400), answer
    for name in {key.lower() for key, _ in headers.fields} - {"vary", "www-authenticate"}:
        assert len(headers.all(name)) == 1, f"{name} more than once: {answer!r}"
    _check_body(answer, method)
    _check_status(answer)
    if answer.status >= 400 and method != "HEAD":
        check_problem(answer)
    openapi.description().judge(answer, method, sent, body)


def _check_body(answer: Answer, method: str):
    headers = answer.headers
    if answer.status in WITHOUT_BODY:
        assert answer.body == b"", answer
        assert "Content-Type" not in headers and "Content-Length" not in headers, answer
        return
    assert headers["Content-Type"] in ("application/json", "application/problem+json"), answer
    if method == "HEAD":
        assert answer.body == b"", answer
        return
    assert answer.body, answer
    assert headers["Content-Length"] == str(len(answer.body)), answer


def _check_status(answer: Answer):
    """The header fields that belong to a status, and are wrong elsewhere."""
    headers, status = answer.headers, answer.status
    assert ("WWW-Authenticate" in headers) == (status == 401), answer
    if status == 401:
        assert headers["WWW-Authenticate"].split(" ")[0] == "Bearer", answer
    assert ("Retry-After" in headers) == (status == 503), answer
    if status == 503:
        assert int(headers["Retry-After"]) > 0, answer
    if status == 405:
        assert headers.items("Allow") == ALLOWED, answer
    if status == 415:
        assert headers.items("Accept-Patch") == PATCH_TYPES, answer
    if status in (200, 304):
        assert re.fullmatch(r'"[!#-~]+"', answer.etag), answer
    else:
        assert "ETag" not in headers or status == 412, answer


def check_problem(answer: Answer):
    """The body of an error: closed table of codes, nothing internal."""
    problem = answer.json
    assert PROBLEMS[problem["code"]] == answer.status, answer
    assert problem["message"] and isinstance(problem["message"], str), answer
    assert problem["requestId"] == answer.headers["X-Request-Id"], answer
    assert set(problem) <= {"code", "message", "details", "requestId", *RFC9457}, answer
    assert ("details" in problem) == (problem["code"] == "validation_failed"), answer
    internal = _INTERNAL.search(json.dumps({**problem, "requestId": "", "details": None}))
    assert not internal, f"{internal[0]!r} is nothing for a client: {answer!r}"
