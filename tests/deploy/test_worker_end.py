"""Single workers that are told to end behind lighttpd, which gives each of them a socket of its own."""

import os
import signal
import time

import pytest

from support.load import Count, steady
from support.processes import is_running, wait_until
from support.servers import WAYS, Server

ROUNDS = 3
WAY = WAYS["lighttpd-fastcgi"]._replace(workers=2, at_once=2)


@pytest.fixture
def lighttpd(installation, authority):
    server = Server(WAY, installation, authority)
    try:
        yield server.start()
    finally:
        server.stop()


def wait_for_another(server, pid: int):
    wait_until(lambda: not is_running(pid), 20, "the worker has ended")
    wait_until(lambda: len(server.worker_pids()) == WAY.workers, 20, "there is another one")


@pytest.mark.parametrize("stopped_s", [0, 0.5], ids=["in hand", "waiting"])
def test_no_request_is_lost_by_the_end_of_a_worker(lighttpd, tokens, users, stopped_s):
    """Those neither that lighttpd has brought to it while it was busy with another: here, while it is stopped."""
    count = Count()
    with steady(count, lighttpd.site(), tokens.bearer(users.full())):
        for _ in range(ROUNDS):
            for pid in lighttpd.worker_pids():
                os.kill(pid, signal.SIGSTOP)
                time.sleep(stopped_s)
                os.kill(pid, signal.SIGTERM)
                os.kill(pid, signal.SIGCONT)
                wait_for_another(lighttpd, pid)
        before = count.sent
        wait_until(lambda: count.sent > before + 20, 20, "requests go on")
    assert not count.lost, "\n".join(count.lost[:40]) + "\n" + lighttpd.logs()
