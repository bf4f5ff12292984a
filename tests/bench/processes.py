"""What processes cost: their CPU and their memory, as /proc tells."""

import os
import re
import time
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SMAPS_HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


def _stat(pid: int) -> list:
    """The fields behind the name, which may have blanks: state, parent and so on; none for one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def is_running(pid: int) -> bool:
    return bool(_stat(pid)) and _stat(pid)[0] not in "ZX"


def started_at(pid: int) -> int:
    """In ticks since the system's start; 0 for one that has ended, if only just now."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else 0


def cpu_s(pids) -> float:
    """User and system time of all their threads. The kernel scales the sum to what really ran; a tick is 10 ms."""
    return sum(int(fields[11]) + int(fields[12]) for fields in map(_stat, pids) if fields) / TICKS_PER_S


def children_of(pid: int) -> list:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return sorted(found)


def memory_kib(pid: int, without: str = "") -> tuple:
    """
    PSS and RSS: the proportional share of memory that is a process's own, and all that it has in memory; mappings of a
    file whose path has `without` in it do not count.
    """
    total, counts = {"Pss:": 0.0, "Rss:": 0.0}, True
    try:
        text = Path(f"/proc/{pid}/smaps").read_text()
    except OSError:
        return 0.0, 0.0
    for line in text.splitlines():
        head = _SMAPS_HEAD.match(line)
        if head:
            counts = not (without and without in head[1])
        elif counts and line.startswith(tuple(total)):
            total[line[:4]] += float(line.split()[1])
    return total["Pss:"], total["Rss:"]


def pss_kib(pid: int, without: str = "") -> float:
    return memory_kib(pid, without)[0]


def descriptors_of(pid: int) -> int:
    """How many are open; 0 for one that has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def wait_until(condition, what: str, timeout_s=30.0, pause_s=0.005):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not so within {timeout_s:.0f} s")
        time.sleep(pause_s)
