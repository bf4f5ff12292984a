"""Several things at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def at_once(tasks) -> list:
    """Runs all tasks, each in a thread, none before all threads are there; their results in order."""
    barrier = Barrier(len(tasks))

    def run(task):
        barrier.wait(30)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))
