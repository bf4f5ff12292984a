"""me-fcgi-security(7) names tests that there are, one for each defence at least."""

import re

import pytest

from support.paths import SOURCE

PAGE = SOURCE / "cgi-bin" / "me-fcgi-security.7"
ENTRY = re.compile(r"^\.It (\S.*)$", re.MULTILINE)
NAMED = re.compile(r"^\.Dl (\S+): (.+)$", re.MULTILINE)


def entries() -> dict:
    """The text below each threat, by the threat; entries of lists without a name are none."""
    parts = ENTRY.split(PAGE.read_text())
    return dict(zip(parts[1::2], parts[2::2]))


def has_case(path, case: str) -> bool:
    text = path.read_text()
    if path.suffix == ".py":
        return re.search(rf"^def {re.escape(case)}\(", text, re.MULTILINE) is not None
    return f"({case}" in re.sub(r"\s+", "", text) or f'{{"{case}"' in text


def test_each_threat_has_tests():
    assert len(entries()) > 20
    without = [threat for threat, text in entries().items() if not NAMED.search(text)]
    assert not without


@pytest.mark.parametrize("name,case", NAMED.findall(PAGE.read_text()))
def test_the_test_is_there(name, case):
    assert has_case(SOURCE / name, case)


def test_a_test_that_is_not_there_is_missed():
    """The tests above can fail."""
    assert not has_case(SOURCE / "tests/unit/sandbox_test.c", "exec goes through")
    assert not has_case(SOURCE / "tests/integration/test_tokens.py", "test_this_token")


def test_nobody_is_named_who_is_not_there():
    """Reports go to the maintainer of debian/control, and to nobody whom this page invents."""
    assert not re.search(r"\S+@\S+\.\S+", PAGE.read_text())
    assert re.search(r"^Maintainer: .+@.+$", (SOURCE / "debian" / "control").read_text(), re.MULTILINE)
