"""An issuer of tokens as it is seen over HTTPS: a certificate authority, and a server of documents."""

import datetime
import http.server
import ipaddress
import json
import ssl
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.keys import jwks

_DAY = datetime.timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(path: Path, key) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


class Authority:
    """A test CA; `file` has its certificate."""

    def __init__(self, folder: Path, name="Test CA"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        certificate = self._build(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0), [], 1)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _build(self, subject, key, constraints, names, ends_in_days):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - 3 * _DAY)
            .not_valid_after(now + ends_in_days * _DAY).add_extension(constraints, critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def certify(self, host="localhost", ends_in_days=1) -> tuple:
        """A server's certificate and key, as files."""
        try:
            names = [x509.IPAddress(ipaddress.ip_address(host))]
        except ValueError:
            names = [x509.DNSName(host)]
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(
            _name(host), key, x509.BasicConstraints(ca=False, path_length=None), names, ends_in_days)
        path = self.folder / f"{host}-{ends_in_days}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path, _write_key(path.with_suffix(".key"), key)


class Reply:
    """What one path answers. `delay_s` goes before it, `trickle_s` between its bytes."""

    def __init__(self, body=b"", status=200, content_type="application/json", delay_s=0.0, trickle_s=0.0, **headers):
        self.body, self.status = body, status
        self.headers = {"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.delay_s, self.trickle_s = delay_s, trickle_s


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that does not trust the certificate leaves; nothing is told on the tests' output."""


class Issuer:
    """
    A server on a free port of the loopback, over TLS unless `certificate` is None. What it answers is
    in `replies`, by path, and may be changed while it runs; a callable is asked for its reply.
    """

    def __init__(self, certificate):
        self.replies, self.requests = {}, []
        self.running, self.most_at_once = 0, 0
        self._lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # The handshake is left to the thread of the connection.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def _handler(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.answer(self)

            def log_message(self, *unused):
                pass

        return Handler

    def answer(self, handler):
        with self._lock:
            self.requests.append(handler.path)
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            reply = self.replies.get(handler.path, Reply(b"nothing here", 404, "text/plain"))
            self._send(handler, reply() if callable(reply) else reply)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # the client has left
        finally:
            with self._lock:
                self.running -= 1

    def _send(self, handler, reply: Reply):
        time.sleep(reply.delay_s)
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        if not reply.trickle_s:
            handler.wfile.write(reply.body)
            return
        for byte in reply.body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(reply.trickle_s)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server.server_address[1]}"

    def publish(self, *keys, **how):
        """The keys at /jwks, and a discovery document that leads there."""
        self.replies["/jwks"] = Reply(jwks(*keys), **how)
        self.discover()

    def discover(self, path="", **changes):
        document = {"issuer": self.url + path, "jwks_uri": self.url + "/jwks", **changes}
        document = {name: value for name, value in document.items() if value is not None}
        where = path.rstrip("/") + "/.well-known/openid-configuration"
        self.replies[where] = Reply(json.dumps(document).encode())

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
