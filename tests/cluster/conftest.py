"""A Galera cluster of three nodes, and a table of what each fault cost."""

import os
import shutil

import pytest

from support.cgi import Program
from support.cluster import NODES, Cluster, ClusterInstallation
from support.fastcgi import Worker
from support.users import Users

WORKERS = 3

TABLE = pytest.StashKey()


def pytest_configure(config):
    config.stash[TABLE] = []


def pytest_terminal_summary(terminalreporter, config):
    """Lines that scripts/test shows."""
    for line in config.stash[TABLE]:
        terminalreporter.write_line(f"counted: {line}")


@pytest.fixture
def table(pytestconfig):
    """What each fault cost: a line for each."""
    return pytestconfig.stash[TABLE]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root can make the networks of a cluster")
    if not os.path.exists("/usr/lib/galera/libgalera_smm.so"):
        pytest.skip("the package galera-4 is not here")
    if shutil.which("ip") is None:
        pytest.skip("the package iproute2 is not here")
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def installation(cluster, tmp_path_factory):
    return ClusterInstallation(cluster, tmp_path_factory.mktemp("installation")).prepare_database()


@pytest.fixture(scope="session")
def users(installation):
    return Users(installation)


@pytest.fixture(scope="session")
def readers(cluster, installation):
    """For each node, what reads a profile there and nowhere else: reader(bearer)."""
    program = Program(installation.conf, [installation.secret, installation.worker_password])
    return [lambda bearer, host=host: program.get(bearer, ME_DATABASE_HOST=host) for host in cluster.hosts]


@pytest.fixture
def start_workers(cluster, installation, tmp_path):
    """Starts workers, each with the number of the node that it asks first; all are ended after the test."""
    started = []

    def start(*homes, **environment):
        before = len(started)
        for home in homes:
            folder = tmp_path / f"worker{len(started)}"
            folder.mkdir()
            hosts = cluster.hosts[home - 1:] + cluster.hosts[:home - 1]
            worker = Worker(installation, folder, ME_DATABASE_HOST=", ".join(hosts), **environment)
            worker.home = home
            started.append(worker)
        return started[before:]

    yield start
    for worker in started:
        worker.end()


@pytest.fixture
def workers(start_workers):
    """They all ask the first node, as long as they can."""
    return start_workers(*[1] * WORKERS)


@pytest.fixture
def scattered_workers(start_workers):
    return start_workers(*NODES)
