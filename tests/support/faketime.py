"""libfaketime: where it is, and what it leaves behind."""

from contextlib import contextmanager
from pathlib import Path

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@contextmanager
def cleared(pid: int):
    """
    What a process shares with the one that started it, a semaphore and some memory, is gone afterwards. The library
    itself lets it lie where the first of them has ended before the other.
    """
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    (shared,) = [line.partition("=")[2] for line in environment if line.startswith("FAKETIME_SHARED=")]
    semaphore, memory = [name.lstrip("/") for name in shared.split()]
    try:
        yield
    finally:
        for name in (f"sem.{semaphore}", memory):
            (Path("/dev/shm") / name).unlink()
