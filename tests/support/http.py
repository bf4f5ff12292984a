"""Two small HTTP clients for real servers; answers are judged as those of the program itself are."""

import http.client
import select
import socket
import ssl
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import H2Error

from support import answer as answers
from support.cgi import body_of

TIMEOUT_S = 30
GOAWAY = 7
# No answer: the server is not there, or closed the connection, or said something else.
LOST = (OSError, http.client.HTTPException, H2Error)


class Site:
    """A running web server with the program behind it, over HTTP/1.1."""

    def __init__(self, name: str, port: int, path="/me"):
        self.name = name
        self.port = port
        self.path = path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def curl_options(self) -> list:
        """What curl needs to reach it."""
        return []

    def send(self, method="GET", path=None, headers=None, body=None, chunked=False):
        """One request on a connection of its own; nothing is judged."""
        headers, body = dict(headers or {}), body_of(body)
        if body is not None and method == "PATCH":
            headers.setdefault("Content-Type", "application/merge-patch+json")
        return self._exchange(method, self.path if path is None else path, headers, body, chunked)

    def _exchange(self, method, path, headers, body, chunked):
        body = _slowly(body) if chunked else body
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            try:
                connection.request(method, path, body, headers, encode_chunked=chunked)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the answer came before the end of the body
            return answer_of(connection)
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


def answer_of(connection: http.client.HTTPConnection) -> answers.Answer:
    response = connection.getresponse()
    return answers.Answer(response.status, answers.Headers(response.getheaders()), response.read())


def _slowly(body: bytes):
    """A body whose length nobody knows, and which comes after the header fields and in parts."""
    for start in range(0, len(body), max(len(body) // 3, 1)):
        time.sleep(0.02)
        yield body[start:start + max(len(body) // 3, 1)]


class SecureSite(Site):
    """The same over TLS and HTTP/2; the certificate is verified."""

    def __init__(self, name: str, port: int, authority, path="/me"):
        super().__init__(name, port, path)
        self.authority = authority

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{self.path}"

    @property
    def curl_options(self) -> list:
        return ["--http2", "--cacert", str(self.authority.file)]

    def _exchange(self, method, path, headers, body, chunked):
        """What the server says it did not take up is sent again on another connection, as clients do (section 8.7)."""
        end = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return self._exchange_once(method, path, headers, body, chunked)
            except NotTakenUp:
                if time.monotonic() > end:
                    raise

    def _exchange_once(self, method, path, headers, body, chunked):
        with Http2(self.port, self.authority) as connection:
            if body is not None and not chunked:
                headers["Content-Length"] = str(len(body))
            connection.open(method, path, headers, is_all=not body)
            if body:
                connection.send(_slowly(body) if chunked else [body])
                connection.end()
            return connection.answer()

    def certificate(self) -> bytes:
        """What the server shows, in DER."""
        with Http2(self.port, self.authority) as connection:
            return connection.socket.getpeercert(binary_form=True)


class NotTakenUp(ConnectionError):
    """The server goes away, and names an earlier stream as the last that it acts on (RFC 9113, section 6.8)."""


class Http2:
    """One connection with one stream (RFC 9113). Whatever ends it before the whole answer is a ConnectionError."""

    def __init__(self, port: int, authority):
        context = ssl.create_default_context(cafile=authority.file)
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        try:
            self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        except OSError:
            plain.close()
            raise
        assert self.socket.selected_alpn_protocol() == "h2"
        self.connection = H2Connection(H2Configuration(header_encoding="latin-1"))
        self.fields, self.body, self.is_ended = [], b"", False
        self.unread = b""
        self.stream = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def open(self, method: str, path: str, headers: dict, is_all: bool):
        """The header fields of the request."""
        fields = [(":method", method), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", path)]
        fields += [(name.lower(), value) for name, value in headers.items() if name != "Transfer-Encoding"]
        self.connection.initiate_connection()
        self.stream = self.connection.get_next_available_stream_id()
        self.connection.send_headers(self.stream, fields, end_stream=is_all)
        self._flush()

    def send(self, parts):
        """Parts of the body; what is left when the answer is there is not sent (section 8.1)."""
        for part in parts:
            while part and (size := self._window()):
                self.connection.send_data(self.stream, part[:size])
                part = part[size:]
                self._flush()

    def end(self):
        if not self.is_ended:
            self.connection.end_stream(self.stream)
            self._flush()

    def _window(self) -> int:
        """How much may be sent, once it is anything; 0 once the answer is there."""
        while self._has_input():
            self._receive()
        while not self.is_ended:
            size = min(self.connection.local_flow_control_window(self.stream), self.connection.max_outbound_frame_size)
            if size:
                return size
            self._receive()
        return 0

    def _has_input(self) -> bool:
        return not self.is_ended and bool(self.socket.pending() or select.select([self.socket], [], [], 0)[0])

    def answer(self) -> answers.Answer:
        while not self.is_ended:
            self._receive()
        fields = dict(self.fields)
        return answers.Answer(
            int(fields[":status"]), answers.Headers([f for f in self.fields if f[0] != ":status"]), self.body)

    def _flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def _receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.unread += data
        while frame := self._next_frame():
            self._take_frame(frame)
        self._flush()

    def _next_frame(self) -> bytes:
        """One frame, where it is there as a whole: nine bytes, and as many as the first three of them say."""
        size = 9 + int.from_bytes(self.unread[:3], "big")
        if len(self.unread) < size:
            return b""
        frame, self.unread = self.unread[:size], self.unread[size:]
        return frame

    def _take_frame(self, frame: bytes):
        if frame[3] == GOAWAY:
            # The library would take the connection for closed; streams that were opened before go on (section 6.8).
            if int.from_bytes(frame[9:13], "big") < self.stream:
                raise NotTakenUp("the server went away before the request")
            return
        for event in self.connection.receive_data(frame):
            self._take(event)

    def _take(self, event):
        if isinstance(event, ResponseReceived):
            self.fields = event.headers
        elif isinstance(event, DataReceived):
            self.body += event.data
        elif isinstance(event, StreamEnded):
            self.is_ended = True
        elif isinstance(event, StreamReset) and not self.is_ended:
            raise ConnectionError(f"the server reset the stream: {event.error_code}")
