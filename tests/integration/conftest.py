"""What the tests of the worker share besides tests/conftest.py."""

from pathlib import Path

import pytest

from support.fastcgi import Worker

FOLDER = Path(__file__).parent


# ---- what is asserted of all the tests together

def pytest_configure(config):
    config.is_whole = False


def pytest_collection_modifyitems(config, items):
    """Notes whether all tests of this folder are here, and puts those that judge the others at the end."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    config.is_whole = {item.path for item in items} >= set(FOLDER.glob("test_*.py"))


def pytest_deselected(items):
    if items:
        items[0].config.is_whole = False


# ---- fixtures


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
