"""What one node has committed is seen by the very next request at another."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from support.clusterload import ask

LAG_S = 0.4
ROUNDS, REQUESTS, WORKERS = 10, 50, 4  # of each kind: how fast one is depends on where the kernel puts it
WRITE_PAUSE_S = 0.005


@contextmanager
def lag(node):
    """For so long the node receives what the others commit, and applies nothing."""
    connection = node.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        yield


def ban(cluster, installation, user):
    cluster.nodes[2].execute(
        f"UPDATE {installation.database}.users SET status = 'banned' WHERE id = %s", [user.row["id"].bytes])


def test_a_ban_at_another_node_is_seen_by_the_next_request(cluster, installation, users, start_workers):
    """The read waits until its node has applied it."""
    worker, = start_workers(1)
    user = users.add()
    bearer = installation.tokens.bearer(user)
    assert worker.get(bearer).status == 200
    with ThreadPoolExecutor(1) as pool:
        with lag(cluster.nodes[1]):
            ban(cluster, installation, user)
            asked = pool.submit(worker.get, bearer)
            time.sleep(LAG_S)
            assert not asked.done(), "it was answered by a node that did not know yet"
        assert asked.result().status == 403


def test_without_the_wait_it_is_not(cluster, installation, users, start_workers):
    """Which is why the wait is the default."""
    worker, = start_workers(1, ME_DATABASE_SYNC_WAIT="off")
    user = users.add()
    bearer = installation.tokens.bearer(user)
    assert worker.get(bearer).status == 200
    with lag(cluster.nodes[1]):
        ban(cluster, installation, user)
        assert worker.get(bearer).status == 200


@contextmanager
def writes(node, installation, user):
    """Another node commits all the time: there is something to wait for."""
    over = threading.Event()

    def write():
        number = 0
        with node.connect(database=installation.database) as connection, connection.cursor() as cursor:
            while not over.is_set():
                number += 1
                cursor.execute("UPDATE users SET bio = %s WHERE id = %s", [f"{number}", user.row["id"].bytes])
                time.sleep(WRITE_PAUSE_S)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def median_ms(workers) -> float:
    """Of all their requests since the last time, by their own clocks."""
    time.sleep(0.1)  # until the last one is written
    took_us = [int(event["duration_us"])
               for worker in workers for event in worker.log() if event["event"] == "request"]
    assert len(took_us) == ROUNDS * REQUESTS * WORKERS
    return statistics.median(took_us) / 1000


def measure(waiting, others, bearer) -> str:
    """In turns."""
    for _ in range(ROUNDS):
        for pair in zip(waiting, others):
            for worker in pair:
                for _ in range(REQUESTS):
                    assert ask(worker, "GET", bearer).status == 200
    with_it, without = median_ms(waiting), median_ms(others)
    return f"{with_it:.2f} ms with it and {without:.2f} ms without"


def test_what_the_wait_costs(cluster, installation, users, start_workers, table):
    """Figures for the table."""
    waiting = start_workers(*[1] * WORKERS, ME_LOG_LEVEL="debug")
    others = start_workers(*[1] * WORKERS, ME_LOG_LEVEL="debug", ME_DATABASE_SYNC_WAIT="off")
    bearer = installation.tokens.bearer(users.full())
    quiet = measure(waiting, others, bearer)
    with writes(cluster.nodes[2], installation, users.add()):
        busy = measure(waiting, others, bearer)
    table.append(f"sync_wait: a GET of a full user takes {quiet} on a quiet cluster, and {busy} while another node commits"
                 f" all the time (medians of {ROUNDS * REQUESTS * WORKERS}, three nodes on one machine)")
