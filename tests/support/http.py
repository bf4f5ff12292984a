"""A small HTTP client for real servers; answers are judged as those of the program itself are."""

import http.client

from support import answer as answers
from support.cgi import body_of


class Site:
    """A running web server with the program behind it."""

    def __init__(self, name: str, port: int, path="/me"):
        self.name = name
        self.port = port
        self.path = path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def send(self, method="GET", path=None, headers=None, body=None, chunked=False):
        """One request on a connection of its own; nothing is judged."""
        headers, body = dict(headers or {}), body_of(body)
        if body is not None and method == "PATCH":
            headers.setdefault("Content-Type", "application/merge-patch+json")
        if chunked:
            body = iter([body[i:i + 10] for i in range(0, len(body), 10)])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, self.path if path is None else path, body, headers, encode_chunked=chunked)
            response = connection.getresponse()
            return answers.Answer(response.status, answers.Headers(response.getheaders()), response.read())
        finally:
            connection.close()

    def __call__(self, method="GET", path=None, headers=None, body=None, chunked=False):
        """One request, its answer judged by everything that must be true of all of ours."""
        answer = self.send(method, path, headers, body, chunked)
        answers.check(answer, method, headers, body_of(body))
        return answer

    def get(self, headers, **more):
        return self("GET", headers=headers, **more)

    def patch(self, headers, document, **more):
        return self("PATCH", headers=headers, body=document, **more)
