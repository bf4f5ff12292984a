"""Bodies in chunks, and lengths that are none, as each server hands them to the program or keeps them back."""

import socket
import subprocess

import pytest

from support.answer import Answer, Headers, check

LIMIT = 65536
OWN_LIMIT = {"nginx-spawn-fcgi": 1024 * 1024, "nginx-systemd": 1024 * 1024}  # client_max_body_size


@pytest.fixture
def site(server):
    """There are no chunks in HTTP/2."""
    return server.site()


def patch_of(size):
    """A patch of so many bytes that changes nothing."""
    return b'{"bio":null' + b" " * (size - 12) + b"}"


def curl(site, token, body, *more):
    """A PATCH in chunks, as anybody would send it; the last of the answers (100 may come before)."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "-X", "PATCH", "-H", f"Authorization: Bearer {token}", "-H", "Transfer-Encoding: chunked",
         "-H", "Content-Type: application/merge-patch+json", "--data-binary", "@-", *more, site.url],
        input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == 0, done
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100 "):
        head, _, rest = rest.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    return Answer(int(lines[0].split()[1]), Headers(line.split(": ", 1) for line in lines[1:]), rest)


def answer_of_program(answer):
    check(answer, "PATCH")
    return answer


# ---- in chunks (RFC 9112, section 7.1)

def test_a_chunked_patch(site, tokens, users, user):
    answer = answer_of_program(curl(site, tokens.mint(user), '{"bio":"Zoë in chunks"}'.encode()))
    assert answer.status == 200 and answer.json["bio"] == "Zoë in chunks"
    assert users.column(user, "bio") == "Zoë in chunks"


def test_a_patch_in_many_small_chunks(site, tokens, user):
    headers = {**tokens.bearer(user), "Transfer-Encoding": "chunked"}
    bio = "x" * 4000
    answer = site("PATCH", headers=headers, body={"bio": bio}, chunked=True)
    assert answer.status == 200 and answer.json["bio"] == bio


@pytest.mark.parametrize("body, status, message", [
    (b"", 400, "The request body cannot be used: it is empty, a JSON object was expected"),
    (b"[]", 400, "The request body cannot be used: a JSON object was expected"),
    (b'{"bio":\n', 400, "The request body is not valid JSON: it is not JSON, at line 2, column 1"),
    (b'{"locale":"?"}', 422, "Request validation failed"),
    (patch_of(LIMIT + 1), 413, f"The request body is too large: up to {LIMIT} bytes are taken"),
    (patch_of(4 * LIMIT), 413, f"The request body is too large: up to {LIMIT} bytes are taken"),
], ids=["empty", "an array", "cut", "invalid", "above the limit", "far above the limit"])
def test_a_chunked_body_is_judged_as_any_other(site, tokens, user, body, status, message):
    answer = answer_of_program(curl(site, tokens.mint(user), body))
    assert (answer.status, answer.json["message"]) == (status, message)


def test_a_chunked_body_at_the_limit(site, tokens, user):
    assert answer_of_program(curl(site, tokens.mint(user), patch_of(LIMIT))).status == 200


@pytest.mark.parametrize("more", [[], ["-H", "Transfer-Encoding:"]], ids=["chunked", "with its length"])
def test_a_body_beyond_what_the_server_takes(site, tokens, user, more):
    """Whose answer it is depends on the server; that it is 413 does not."""
    size = 3 * 1024 * 1024
    answer = curl(site, tokens.mint(user), patch_of(size), *more)
    assert answer.status == 413
    if OWN_LIMIT.get(site.name, size) >= size:
        answer_of_program(answer)


# ---- what no server lets through

def send(site, token, fields, body):
    """A PATCH as it stands; the first line of the answer."""
    head = ["PATCH /me HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Content-Type: application/json",
            "Connection: close", *fields, "", ""]
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall("\r\n".join(head).encode() + body)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize("fields, body", [
    (["Content-Length: -1"], b'{"bio":"x"}'),
    (["Content-Length: 1x"], b'{"bio":"x"}'),
    (["Content-Length: 99999999999999999999999999"], b'{"bio":"x"}'),
    (["Content-Length: 11", "Content-Length: 12"], b'{"bio":"x"}'),
    (["Transfer-Encoding: chunked"], b'zz\r\n{"bio":"x"}\r\n0\r\n\r\n'),
], ids=["negative", "no number", "huge", "two lengths", "a chunk of no length"])
def test_a_length_that_is_none(site, tokens, users, user, fields, body):
    """Caddy calls what it cannot read itself a fault behind it."""
    assert send(site, tokens.mint(user), fields, body).split()[1] in (b"400", b"502")
    assert users.column(user, "bio") is None


@pytest.mark.parametrize("fields, body", [
    (["Content-Length: 20"], b'{"bio":"x"}'),
    (["Transfer-Encoding: chunked"], b'b\r\n{"bio":"x"}\r\n'),
], ids=["shorter than its length", "chunks without an end"])
def test_a_body_that_breaks_off_changes_nothing(site, tokens, users, user, fields, body):
    """The answer, which nobody waits for any more, is the server's own."""
    token = tokens.mint(user)
    head = ["PATCH /me HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Content-Type: application/json",
            *fields, "", ""]
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall("\r\n".join(head).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").readline()
    assert answer == b"" or answer.split()[1] in (b"400", b"500", b"502"), answer
    assert site.get({"Authorization": f"Bearer {token}"}).status == 200
    assert users.column(user, "bio") is None
