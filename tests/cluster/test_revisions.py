"""The revision of a user is one on all nodes, whichever node a change was made on."""

from support.cluster import NODES


def revision(cluster, installation, number, user) -> int:
    """As a worker would read it there."""
    return cluster.nodes[number].execute(
        f"SET STATEMENT wsrep_sync_wait = 1 FOR SELECT revision FROM {installation.database}.users WHERE id = %s",
        [user.row["id"].bytes])[0][0]


def revisions(cluster, installation, user) -> set:
    return {revision(cluster, installation, number, user) for number in NODES}


def test_the_triggers_stand_at_each_node(cluster, installation):
    for node in cluster.nodes.values():
        node.root.select_db(installation.database)
        assert node.execute("SELECT stands FROM revision_guard") == [(1,)]


def test_a_row_of_a_user_that_another_node_wrote_moves_it(cluster, installation, users):
    """Triggers do not fire where a change is applied: the row of users comes with it."""
    user = users.add()
    before = revisions(cluster, installation, user)
    assert len(before) == 1
    cluster.nodes[3].execute(
        f"INSERT INTO {installation.database}.user_badges (user_id, scope, name) VALUES (%s, 'a', 'b')",
        [user.row["id"].bytes])
    after = revisions(cluster, installation, user)
    assert len(after) == 1 and min(after) > max(before)
