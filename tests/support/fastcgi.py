"""A FastCGI client (version 1) of our own, and workers as a web server would start them."""

import os
import signal
import socket
import struct
import subprocess

from support import answer as answers
from support import logfmt
from support.cgi import body_of, environment_of, headers_of
from support.paths import clean_environment, program

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
RESPONDER = 1
KEEP_CONNECTION = 1
CONTENT_MAX = 65535
_HEADER = struct.Struct("!BBHHBx")


def record(kind: int, content=b"", request_id=1) -> bytes:
    padding = -len(content) % 8
    return _HEADER.pack(1, kind, request_id, len(content), padding) + content + bytes(padding)


def stream(kind: int, content: bytes, request_id=1) -> bytes:
    """A stream in records, ended by an empty one."""
    parts = [content[i:i + CONTENT_MAX] for i in range(0, len(content), CONTENT_MAX)]
    return b"".join(record(kind, part, request_id) for part in [*parts, b""])


def begin(request_id=1, flags=0) -> bytes:
    return record(BEGIN_REQUEST, struct.pack("!HB5x", RESPONDER, flags), request_id)


def params(variables: dict) -> bytes:
    pairs = []
    for name, value in variables.items():
        name, value = os.fsencode(name), os.fsencode(str(value))
        pairs.append(_length(name) + _length(value) + name + value)
    return b"".join(pairs)


def _length(text: bytes) -> bytes:
    return bytes([len(text)]) if len(text) < 128 else struct.pack("!I", len(text) | 0x80000000)


class Reply:
    """What came back on one connection."""

    def __init__(self):
        self.stdout, self.stderr = b"", b""
        self.app_status = self.protocol_status = None


class Connection:
    """One connection to a worker; the parts of a request can be sent one after another."""

    def __init__(self, address, timeout_s=30):
        """To the path of a Unix socket, or to a pair of host and port."""
        is_tcp = isinstance(address, tuple)
        self.socket = socket.socket(socket.AF_INET if is_tcp else socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        try:
            self.socket.connect(address if is_tcp else str(address))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def send(self, data: bytes):
        self.socket.sendall(data)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError(f"the worker closed the connection after {data!r}")
            data += part
        return data

    def receive(self) -> Reply:
        """Everything up to the end of the request."""
        reply = Reply()
        while True:
            version, kind, _, size, padding = _HEADER.unpack(self._read(_HEADER.size))
            content = self._read(size + padding)[:size]
            assert version == 1, "not a FastCGI record"
            if kind == STDOUT:
                reply.stdout += content
            elif kind == STDERR:
                reply.stderr += content
            else:
                assert kind == END_REQUEST, f"record of type {kind}"
                reply.app_status, reply.protocol_status = struct.unpack("!IB3x", content)
                return reply


def variables_of(method="GET", path="/me", headers=None, body=None, **environment) -> tuple:
    """The parameters of a request and its body; as Program takes them."""
    headers, body = dict(headers or {}), body_of(body)
    if body is not None and method == "PATCH":
        headers.setdefault("Content-Type", "application/merge-patch+json")
    variables = {**environment_of(method, path, headers, body), **environment}
    return {name: value for name, value in variables.items() if value is not None}, body or b""


class Worker:
    """me.fcgi with a listening socket as its standard input; the log goes to a file."""

    def __init__(self, installation, folder, shell=None, tcp=False, **environment):
        self.installation = installation
        self.socket = ("127.0.0.1", 0) if tcp else folder / "w.sock"
        self.log_file = folder / "worker.log"
        self._read_to = 0
        command = ["sh", "-c", shell, str(program("me.fcgi"))] if shell else [str(program("me.fcgi"))]
        environment = {"ME_CONF": str(installation.conf), **environment}
        with socket.socket(socket.AF_INET if tcp else socket.AF_UNIX) as listener, open(self.log_file, "wb") as log:
            listener.bind(self.socket if tcp else str(self.socket))
            listener.listen(64)
            self.socket = listener.getsockname() if tcp else self.socket
            self.process = subprocess.Popen(
                command, stdin=listener, stdout=subprocess.DEVNULL, stderr=log,
                env=clean_environment(**environment))

    @property
    def pid(self) -> int:
        return self.process.pid

    def connect(self, timeout_s=30) -> Connection:
        return Connection(self.socket, timeout_s)

    def log(self) -> list:
        """The events since the last call."""
        with open(self.log_file, encoding="utf-8") as log:
            log.seek(self._read_to)
            text = log.read()
            self._read_to = log.tell()
        return logfmt.parse(text)

    def __call__(self, method="GET", path="/me", headers=None, body=None, **environment):
        """One request on a connection of its own; the answer is judged as those of CGI are."""
        variables, data = variables_of(method, path, headers, body, **environment)
        with self.connect() as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, data))
            return self.judge(connection.receive(), method, headers_of(variables), data)

    def judge(self, reply: Reply, method="GET", sent=None, body=None) -> answers.Answer:
        assert (reply.app_status, reply.protocol_status) == (0, 0)
        assert reply.stderr == b"", reply.stderr
        answer = answers.parse_cgi(reply.stdout)
        answer.log = self.log()
        answers.check(answer, method, sent, body)
        return answer

    def get(self, headers, **more):
        return self("GET", headers=headers, **more)

    def patch(self, headers, document, **more):
        return self("PATCH", headers=headers, body=document, **more)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, timeout_s) -> int:
        """The exit status; TimeoutExpired where the worker lives on."""
        return self.process.wait(timeout_s)

    def is_running(self) -> bool:
        return self.process.poll() is None

    def end(self):
        """Asks it to end, and judges what it leaves behind: a sanitizer's report would be there."""
        if self.is_running():
            self.signal(signal.SIGTERM)
        try:
            status = self.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait(10)
            raise
        text = self.log_file.read_text(encoding="utf-8")
        assert status == 0, f"exit status {status}: {text[-4000:]}"
        logfmt.parse(text)
