"""Where the tested programs and the source tree are."""

import os
import shutil
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def build() -> Path:
    """The build folder under test, as ME_BUILD names it."""
    named = os.environ.get("ME_BUILD")
    if not named:
        raise RuntimeError(
            "ME_BUILD is not set: name the build folder that has me.fcgi and mectl in it, as in\n"
            "    ME_BUILD=/path/of/build python3 -m pytest tests/integration"
        )
    return Path(named).resolve()


def program(name: str) -> Path:
    """The path of a built program; an error that says what to do where it is missing."""
    path = build() / name
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is missing: build it with make -C {build()}")
    return path


def system_program(name: str) -> str:
    """The path of a program of the system, also of one for root; an error where it is missing."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise RuntimeError(f"{name} is missing: scripts/test installs what the tests need")
    return path


def is_sanitized() -> bool:
    """Whether the programs were built with --enable-sanitizers."""
    return b"__asan_init" in program("me.fcgi").read_bytes()


def is_measured() -> bool:
    """Whether the programs were built to count what of them runs, as scripts/test --only coverage does."""
    return b"__gcov_" in program("me.fcgi").read_bytes()


def clean_environment(**more: str) -> dict:
    """
    The little that a web server would hand down: nothing of the caller's own environment but what
    sanitizers and the loader need. Variables with the value None are left out.
    """
    kept = ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["LC_ALL"] = "C.UTF-8"
    environment.update(more)
    return {name: value for name, value in environment.items() if value is not None}
