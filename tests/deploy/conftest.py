"""Each test of a deployment runs behind each way of deploying that there is an example for."""

import os
from collections import Counter

import pytest

from support.issuer import Authority
from support.servers import WAYS, Server


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Who signed the servers' certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session", params=WAYS)
def server(request, installation, authority):
    """One server at a time, for all tests that want it."""
    way = WAYS[request.param]
    if way.needs_root and os.geteuid() != 0:
        pytest.skip("suexec runs programs as another account: only root can start its Apache")
    running = Server(way, installation, authority, watch__live_path="/health/live", watch__ready_path="/health/ready")
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session", params=["http1", "http2"])
def site(request, server):
    """The resource under /me: over HTTP/1.1, and over TLS and HTTP/2."""
    return server.site() if request.param == "http1" else server.secure_site()


# ---- the table of ways, which scripts/test shows

OUTCOMES = ("passed", "failed", "skipped")


def way_of(report):
    """The way of a test that ran behind one, by its name in brackets."""
    parts = report.nodeid.partition("[")[2].rstrip("]")
    return next((way for way in WAYS if way in parts), None)


def pytest_runtest_logreport(report):
    way = way_of(report)
    if way and (report.when == "call" or report.outcome != "passed"):
        table.setdefault(way, Counter())[report.outcome] += 1
        for name, figures in report.user_properties:
            under_load.setdefault(name, {})[way] = figures


def pytest_terminal_summary(terminalreporter):
    if not under_load:
        return
    terminalreporter.section("ways of deploying")
    for way in filter(table.get, WAYS):
        counts = ", ".join(f"{table[way][outcome]} {outcome}" for outcome in OUTCOMES)
        figures = "; ".join(f"{name}: {of_ways.get(way, '-')}" for name, of_ways in under_load.items())
        terminalreporter.write_line(f"way {way:20} {counts}; {figures}")


table, under_load = {}, {}  # under load: by what happened, and by the way
