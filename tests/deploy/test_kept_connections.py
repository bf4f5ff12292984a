"""Connections that nginx keeps open to the workers (fastcgi_keep_conn): none of them holds a worker that others wait for."""

import http.client
import json
import os
import signal
import time

import pytest

from support.fastcgi import PARAMS, STDIN, Connection, begin, params, stream, variables_of
from support.processes import is_running, wait_until
from support.sites import WORKERS, Site

KEEPS = {
    "drop": ["mapped"],
    "http": "upstream me { server unix:@SOCKET@; keepalive 8; }",
    "server": "location = /me { fastcgi_pass me; fastcgi_keep_conn on; }",
}
PAUSES_S = (0, 0.005, 0.1, 1.3)  # the last is longer than a worker lets a connection rest
ROUNDS = 6


@pytest.fixture
def nginx(installation):
    site = Site("nginx", installation)
    try:
        yield site.start(KEEPS)
    finally:
        site.remove()


def patch_all(site, bearer, count) -> list:
    """Sends so many at once, each by a connection of its own; the statuses."""
    clients = [http.client.HTTPConnection("127.0.0.1", site.port, timeout=30) for _ in range(count)]
    headers = {**bearer, "Content-Type": "application/merge-patch+json"}
    for client in clients:
        client.request("PATCH", "/me", json.dumps({}), headers)
    statuses = [client.getresponse().status for client in clients]
    for client in clients:
        client.close()
    return statuses


def occupy(site, bearer):
    """A kept connection to each worker: all of them have to answer."""
    for pid in site.workers:
        os.kill(pid, signal.SIGSTOP)
    clients = [http.client.HTTPConnection("127.0.0.1", site.port, timeout=30) for _ in site.workers]
    for client in clients:
        client.request("GET", "/me", headers=bearer)
    time.sleep(0.2)  # nginx has connected for each
    for pid in site.workers:
        os.kill(pid, signal.SIGCONT)
    assert [client.getresponse().status for client in clients] == [200] * WORKERS
    for client in clients:
        client.close()


def test_others_are_not_kept_waiting(nginx, tokens, users):
    """As another process of nginx would ask, which has connections of its own."""
    bearer = tokens.bearer(users.full())
    variables, _ = variables_of(headers=bearer)
    for _ in range(ROUNDS):
        occupy(nginx, bearer)
        start = time.monotonic()
        with Connection(nginx.socket) as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, b""))
            assert b"Status: 200" in connection.receive().stdout
        assert time.monotonic() - start < 5, "nginx lets a connection go after 60 s"


def test_requests_one_after_another_with_pauses(nginx, tokens, users):
    bearer = tokens.bearer(users.full())
    for pause_s in PAUSES_S:
        for count in range(1, ROUNDS):
            assert patch_all(nginx, bearer, count) == [200] * count
            time.sleep(pause_s)
    assert "upstream" not in nginx.logs(), nginx.logs()


def test_a_worker_that_is_told_to_end_does(nginx, tokens, users):
    bearer = tokens.bearer(users.full())
    occupy(nginx, bearer)
    for pid in nginx.workers:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not any(map(is_running, nginx.workers)), 10, "both have ended, and not by the alarm after 30 s")
