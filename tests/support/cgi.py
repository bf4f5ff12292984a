"""Runs me.fcgi as a plain CGI program: an environment, a body on standard input, no web server."""

import json
import subprocess

from support import answer as answers
from support import logfmt
from support.paths import clean_environment, program


def environment_of(method, path, headers=None, body=None) -> dict:
    """
    The meta-variables of RFC 3875, section 4.1, as a server has them that maps the path onto the
    program.
    """
    path, mark, query = path.partition("?")
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "tests",
        "SERVER_NAME": "api.example.com",
        "SERVER_PORT": "443",
        "REMOTE_ADDR": "192.0.2.1",
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": path,
        "REQUEST_URI": path + mark + query,
        "QUERY_STRING": query,
    }
    if body is not None:
        variables["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        variables[_variable_of(name)] = value
    return variables


def _variable_of(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def headers_of(variables: dict) -> dict:
    """The header fields of a request with these meta-variables."""
    plain = ("CONTENT_TYPE", "CONTENT_LENGTH")
    return {name.removeprefix("HTTP_").replace("_", "-"): str(value)
            for name, value in variables.items() if name.startswith("HTTP_") or name in plain}


def body_of(document) -> bytes:
    """Bytes as they are, None as no body, anything else as JSON."""
    if document is None or isinstance(document, bytes):
        return document
    return json.dumps(document, ensure_ascii=False).encode()


class Program:
    """me.fcgi with one me.conf; each request is a process."""

    def __init__(self, conf, secrets=()):
        self.conf = conf
        self.secrets = list(secrets)

    def run(self, variables: dict, body=None, **more) -> subprocess.CompletedProcess:
        """One process, nothing judged; `more` goes to subprocess.run."""
        variables = {"ME_CONF": str(self.conf), **variables}
        source = {"stdin": subprocess.DEVNULL} if body is None else {"input": body}
        return subprocess.run(
            [str(program("me.fcgi"))], **source, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=60, check=False, env=clean_environment(**variables), **more,
        )

    def __call__(self, method="GET", path="/me", headers=None, body=None, **environment):
        """
        One request, judged by everything that must be true of all answers. `body` is bytes or a
        value to be sent as JSON (with the media type of a merge patch, unless `headers` has one).
        `environment` sets variables, and takes away those that are None.
        """
        headers = dict(headers or {})
        body = body_of(body)
        if body is not None and method == "PATCH":
            headers.setdefault("Content-Type", "application/merge-patch+json")
        headers = {name: value for name, value in headers.items() if value is not None}
        variables = {**environment_of(method, path, headers, body), **environment}
        done = self.run(variables, body)
        return self.judge(done, variables, body)

    def judge(self, done, variables, body=None) -> answers.Answer:
        """Parses what a process left behind and asserts what must be true of it."""
        stderr = done.stderr.decode()
        assert done.returncode == 0, f"exit status {done.returncode}: {stderr}"
        answer = answers.parse_cgi(done.stdout)
        answer.log = logfmt.parse(stderr)
        answers.check(answer, variables.get("REQUEST_METHOD", "GET"), headers_of(variables), body)
        self._check_log(answer, stderr, variables, body)
        return answer

    def _check_log(self, answer, stderr, variables, body):
        for hidden in [*self.secrets, *_token_parts(variables), *_texts(body)]:
            assert hidden not in stderr, f"the log has {hidden!r}: {stderr}"
        for event in answer.log:
            given = event.get("request_id", answer.headers["X-Request-Id"])
            assert given == answer.headers["X-Request-Id"], answer

    def get(self, headers, **more):
        return self("GET", headers=headers, **more)

    def patch(self, headers, document, **more):
        return self("PATCH", headers=headers, body=document, **more)


def _token_parts(variables: dict) -> list:
    """The parts of tokens in the request that are long enough to be looked for."""
    return [
        part
        for name, value in variables.items() if "AUTHORIZATION" in name.upper() or "TOKEN" in name
        for part in str(value).replace(" ", ".").split(".") if len(part) > 12
    ]


def _texts(body) -> list:
    """The text of a body, where it is long enough to be told from chance."""
    return [body.decode(errors="replace")] if body and len(body) > 12 else []
