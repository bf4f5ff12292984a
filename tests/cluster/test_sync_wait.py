"""What one node has committed is seen by the very next request at another."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

LAG_S = 0.4


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
