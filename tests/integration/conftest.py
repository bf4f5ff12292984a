"""What the tests of the worker share besides tests/conftest.py."""

import pytest

from support.fastcgi import Worker


@pytest.fixture(scope="session")
def reader(users):
    """An active user without child rows, for tests that change nothing of it."""
    return users.add()


@pytest.fixture(scope="session")
def full_user(users):
    """A user with every member and several children of each kind; nothing changes it."""
    return users.full()


@pytest.fixture
def start_worker(installation, tmp_path):
    """Starts FastCGI workers, start_worker(ME_LOG_LEVEL="debug"); all are ended after the test."""
    workers = []

    def start(**environment) -> Worker:
        folder = tmp_path / f"worker{len(workers)}"
        folder.mkdir()
        workers.append(Worker(installation, folder, **environment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


@pytest.fixture
def worker(start_worker):
    return start_worker()
