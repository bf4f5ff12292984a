"""Each test of a deployment runs behind each server that there is an example for."""

import pytest

from support.servers import KINDS, Server


@pytest.fixture(scope="session", params=KINDS)
def server(request, installation):
    """One server at a time, for all tests that want it."""
    running = Server(KINDS[request.param], installation.conf)
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def site(server):
    """The resource under /me."""
    return server.site()


@pytest.fixture(scope="session")
def full_user(users):
    """A user with every member and several children of each kind; nothing changes it."""
    return users.full()
