"""What the tests of faults share besides tests/conftest.py."""

import pytest

from support import injection


@pytest.fixture(scope="session")
def injected(tmp_path_factory):
    """Lets calls fail; see support/injection.py."""
    if not injection.can_inject():
        pytest.skip("calls can be made to fail on x86-64 alone")
    return injection.Injection(tmp_path_factory.mktemp("injection"))
