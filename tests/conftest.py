"""What all tests of the programs share: a private MariaDB, an installation on it, users."""

import functools

import pytest

from support import properties, summary
from support.cgi import Program
from support.fastcgi import Worker
from support.installation import Installation
from support.mariadb import PrivateMariaDB
from support.openapi import description
from support.users import Users


def pytest_terminal_summary(terminalreporter):
    """Lines that scripts/test shows."""
    if description().judged:
        terminalreporter.write_line(f"counted: {description().summary()}")
    for line in summary.lines:
        terminalreporter.write_line(f"counted: {line}")
    if properties.tried:
        terminalreporter.write_line(f"counted: {properties.summary()}")


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory):
    """A private server for the whole run; whoever stops it starts it again."""
    server = PrivateMariaDB(tmp_path_factory.mktemp("mariadb")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def installation(mariadb, tmp_path_factory):
    """A migrated database with both accounts, keys and me.conf."""
    return Installation(mariadb, tmp_path_factory.mktemp("installation")).prepare_database()


@pytest.fixture(scope="session")
def mectl(installation):
    """Runs mectl: mectl("user", "list", "--json"); see Installation.mectl for what it takes."""
    return installation.mectl


@pytest.fixture(scope="session")
def tokens(installation):
    """Mints tokens that the installation accepts, and all kinds that it must not."""
    return installation.tokens


@pytest.fixture(scope="session")
def users(installation):
    """Writes users with their child rows straight into the database."""
    return Users(installation)


@pytest.fixture(scope="session")
def cgi(installation):
    """Runs me.fcgi as CGI and judges the answer: cgi("GET", "/me", headers, body, NAME="…")."""
    return Program(installation.conf, [installation.secret, installation.worker_password])


@pytest.fixture
def user(users):
    """An active user with no child rows."""
    return users.add()


@pytest.fixture(scope="session")
def reader(users):
    """An active user without child rows, for tests that change nothing of it."""
    return users.add()


@pytest.fixture(scope="session")
def full_user(users):
    """A user with every member and several children of each kind; nothing changes it."""
    return users.full()


@pytest.fixture
def start_worker_of(tmp_path):
    """Starts FastCGI workers of any installation; all are ended after the test."""
    workers = []

    def start(installation, **environment) -> Worker:
        folder = tmp_path / f"worker{len(workers)}"
        folder.mkdir()
        workers.append(Worker(installation, folder, **environment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


@pytest.fixture
def start_worker(start_worker_of, installation):
    """The same of the usual one: start_worker(ME_LOG_LEVEL="debug")."""
    return functools.partial(start_worker_of, installation)


@pytest.fixture
def worker(start_worker):
    return start_worker()
