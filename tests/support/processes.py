"""Waiting for things, and for processes that are not our children."""

import time
from pathlib import Path


def is_running(pid: int) -> bool:
    """False for a zombie too: nobody may have reaped it yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, timeout_s=20.0, what="the condition"):
    """Polls; AssertionError where it does not become true."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"{what}: not so within {timeout_s} s"
        time.sleep(0.01)
