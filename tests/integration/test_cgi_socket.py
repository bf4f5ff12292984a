"""CGI with a connected socket as standard input and output, as Apache's mod_cgid has it."""

import socket
import subprocess
import time

import pytest

from support.answer import parse_cgi
from support.cgi import environment_of
from support.paths import clean_environment, program

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


class Exchange:
    """One process at one end of a pair of sockets; the other end is the server's."""

    def __init__(self, cgi, variables):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(30)
        with theirs:
            self.process = subprocess.Popen(
                [str(program("me.fcgi"))], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
                env=clean_environment(ME_CONF=str(cgi.conf), **variables))

    def send(self, body: bytes):
        """As a server does: also where the program has no use for it."""
        try:
            self.socket.sendall(body)
            self.socket.shutdown(socket.SHUT_WR)
        except BrokenPipeError:
            pass

    def answer(self):
        output = b""
        while part := self.socket.recv(65536):
            output += part
        return parse_cgi(output)

    def end(self) -> float:
        """Judges the process; how long it took from now on."""
        start = time.monotonic()
        with self.process:
            log = self.process.stderr.read()
            assert self.process.wait(30) == 0, log
        self.socket.close()
        return time.monotonic() - start


def exchange(cgi, method, headers, body, sent=None, **more):
    """The answer, read late: when the process has long ended, where it ends without reading the body."""
    running = Exchange(cgi, {**environment_of(method, "/me", headers, body), **more})
    running.send(body if sent is None else sent)
    time.sleep(0.3)
    answer = running.answer()
    running.end()
    return answer


@pytest.mark.parametrize("method, size, status", [
    ("POST", 2, 405), ("DELETE", 100_000, 405), ("PATCH", 65537, 413), ("PATCH", 3_000_000, 413),
])
def test_an_answer_is_not_lost_with_a_body_that_nobody_reads(cgi, tokens, user, method, size, status):
    answer = exchange(cgi, method, {**tokens.bearer(user), **MERGE_PATCH}, b" " * size)
    assert answer.status == status


def test_nor_where_the_length_is_unknown(cgi, tokens, user):
    answer = exchange(cgi, "DELETE", {**tokens.bearer(user), "Transfer-Encoding": "chunked"}, b"x" * 1000,
                      CONTENT_LENGTH="")
    assert answer.status == 405


def test_a_body_that_is_wanted_is_read(cgi, tokens, user):
    answer = exchange(cgi, "PATCH", {**tokens.bearer(user), **MERGE_PATCH}, b'{"bio":"over a socket"}')
    assert answer.status == 200 and answer.json["bio"] == "over a socket"


def test_a_body_that_ends_early_is_not_waited_for(cgi, tokens, user):
    answer = exchange(cgi, "PATCH", {**tokens.bearer(user), **MERGE_PATCH}, b"{}" + b" " * 100, sent=b"{}")
    assert answer.status == 400


def test_where_there_is_no_body_the_end_of_the_input_is_not_waited_for(cgi):
    running = Exchange(cgi, environment_of("GET", "/me"))
    assert running.answer().status == 401
    assert running.end() < 5


def test_a_body_that_never_comes_is_not_waited_for_for_ever(cgi, tokens, user):
    running = Exchange(cgi, environment_of("DELETE", "/me", tokens.bearer(user), b"x" * 10))
    assert running.answer().status == 405
    assert running.end() < 15


# ---- a body whose length is not given, as one in chunks

def chunked(tokens, user) -> dict:
    headers = {**tokens.bearer(user), **MERGE_PATCH, "Transfer-Encoding": "chunked"}
    return {name: value for name, value in environment_of("PATCH", "/me", headers, b"").items() if name != "CONTENT_LENGTH"}


def test_the_end_of_the_input_is_that_of_the_body(cgi, tokens, users, user):
    running = Exchange(cgi, chunked(tokens, user))
    running.send(b'{"bio":"whole"}')
    assert running.answer().status == 200 and users.column(user, "bio") == "whole"
    running.end()


def test_a_server_that_closes_its_connection_has_given_up(cgi, tokens, users, user):
    """As mod_cgid does where chunks break off: nobody waits for the answer any more."""
    running = Exchange(cgi, chunked(tokens, user))
    running.socket.sendall(b'{"bio":"a part"}')
    running.socket.close()
    with running.process:
        log = running.process.stderr.read().decode()
    assert "reason=invalid_body" in log and users.column(user, "bio") is None


@pytest.mark.parametrize("reads, bio", [(True, "by pipes"), (False, None)], ids=["waits for the answer", "has given up"])
def test_pipes_whose_server(cgi, tokens, users, user, reads, bio):
    """As mod_cgi has them."""
    process = subprocess.Popen(
        [str(program("me.fcgi"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=clean_environment(ME_CONF=str(cgi.conf), **chunked(tokens, user)))
    with process:
        process.stdin.write(b'{"bio":"by pipes"}')
        if not reads:
            process.stdout.close()
        process.stdin.close()
        if reads:
            assert parse_cgi(process.stdout.read()).status == 200
    assert users.column(user, "bio") == bio
