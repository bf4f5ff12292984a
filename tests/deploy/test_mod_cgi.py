"""Apache's mod_cgi, which hosts with mpm_prefork have: pipes in place of mod_cgid's socket."""

import socket

import pytest

from support.sites import Site

CHUNKED = ["Transfer-Encoding: chunked"]
ROUNDS = 20


class Prefork(Site):
    """The Apache of the tests of doctor, of processes alone."""

    def fill_in(self, text: str) -> str:
        text = super().fill_in(text)
        for old, new in (("mpm_event", "mpm_prefork"), ("cgid_module", "cgi_module"), ("mod_cgid.so", "mod_cgi.so")):
            text = text.replace(old, new)
        return "\n".join(line for line in text.split("\n") if not line.startswith("ScriptSock"))


@pytest.fixture(scope="module")
def site(installation):
    site = Prefork("apache-cgi", installation)
    try:
        yield site.start()
        assert "mod_cgi.so" in (site.folder / "server.conf").read_text()
    finally:
        site.remove()


def send(site, token, fields, body, breaks_off) -> bytes:
    """A PATCH as it stands; the first line of the answer."""
    head = ["PATCH /me HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Content-Type: application/json",
            "Connection: close", *fields, "", ""]
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall("\r\n".join(head).encode() + body)
        if breaks_off:
            connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize("fields, body", [
    (["Content-Length: 20"], b'{"bio":"x"}'),
    (CHUNKED, b'b\r\n{"bio":"x"}\r\n'),
    (CHUNKED, b'b\r\n{"bio":"x"}\r\nzz\r\n'),
], ids=["shorter than its length", "chunks without an end", "a chunk of no length"])
def test_a_body_that_breaks_off_changes_nothing(site, tokens, users, user, fields, body):
    for _ in range(ROUNDS):
        answer = send(site, tokens.mint(user), fields, body, True)
        assert answer == b"" or answer.split()[1] in (b"400", b"500", b"502"), answer
        assert users.column(user, "bio") is None


def test_a_body_in_chunks_is_taken(site, tokens, users, user):
    for number in range(ROUNDS):
        bio = f"{number:03}"
        answer = send(site, tokens.mint(user), CHUNKED, b'd\r\n{"bio":"%s"}\r\n0\r\n\r\n' % bio.encode(), False)
        assert answer.split()[1] == b"200", answer
        assert users.column(user, "bio") == bio
