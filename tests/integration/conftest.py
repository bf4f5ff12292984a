"""What the tests of the worker share besides tests/conftest.py."""

from pathlib import Path

import pytest

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
