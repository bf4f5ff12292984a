"""Nodes that die, hang and are cut off while profiles are read and patched: nothing that was acknowledged is lost."""

import os
import random
import time
from collections import Counter

import pymysql
import pytest

from support.cluster import NODES
from support.clusterload import Load, longest_gap
from support.processes import wait_until

is_long = pytest.mark.skipif("ME_LONG" not in os.environ, reason="scripts/test --long")

BEFORE_S, DURING_S, AFTER_S = 1.0, 3.5, 1.0
FIRST_ANSWER_MAX_S = 2.0
RETURN_MAX_S = 25


class Trial:
    """
    One fault: the load around it, and the judgement of all that was answered. gap_s is the longest time without a 200
    from the fault to its mending; the table has that to the end, when the nodes are back and the workers at home.
    """

    def __init__(self, cluster, workers, installation, users, readers, table):
        self.table = table
        self.cluster, self.installation, self.readers = cluster, installation, readers
        self.at_home = Counter(worker.home for worker in workers)
        self.load = Load(workers, installation.tokens,
                         [users.add(f"name {n}", bio=f"bio {n}") for n in range(3)])

    def connected(self, number: int):
        """How many connections of the workers a node has; None: it does not tell, not being ready again."""
        try:
            return self.cluster.nodes[number].execute(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = %s",
                [self.installation.worker_account])[0][0]
        except pymysql.err.Error:
            self.cluster.nodes[number].forget_root()
            return None

    def run(self, name: str, fault, mend, during_s=DURING_S):
        with self.load.under_way():
            time.sleep(BEFORE_S)
            self.begin = time.monotonic()
            fault()
            time.sleep(during_s)
            self.end = time.monotonic()
            mend()
            self.cluster.mend()
            self.wait_for_return()
            time.sleep(AFTER_S)
            self.over = time.monotonic()
        self.judge(name)

    def wait_for_return(self):
        wait_until(lambda: all(self.connected(number) == self.at_home[number] for number in NODES),
                   RETURN_MAX_S, "all workers are back at the first of their hosts")

    def judge(self, name: str):
        load = self.load
        final = load.finish(self.readers)
        wrong, missing = load.history.judge(), load.history.lost(final)
        self.gap_s = longest_gap(load.good, self.begin, self.end)
        self.note(name, missing)
        assert not load.strange, load.strange[:3]
        assert not missing, f"acknowledged, and lost: {missing}"
        assert not wrong, wrong
        assert all(count == 1 for count in load.conditions.values()), "two patches of one state were done"

    def note(self, name: str, missing):
        load = self.load
        self.table.append(
            f"{name}: {load.requests} requests, {load.statuses[200]} answered 200, {load.statuses[503]} 503, "
            f"{load.statuses['none']} nothing; {load.acknowledged} patches acknowledged, {len(missing)} lost; "
            f"longest time without a 200 {longest_gap(load.good, self.begin, self.over):.2f} s, "
            f"without a patch {longest_gap(load.written, self.begin, self.over):.2f} s")


@pytest.fixture
def trial(cluster, workers, installation, users, readers, table):
    return Trial(cluster, workers, installation, users, readers, table)


# ---- one node

def test_a_killed_node(cluster, trial):
    node = cluster.nodes[1]
    trial.run("a node killed", node.kill, lambda: None)
    assert trial.gap_s < FIRST_ANSWER_MAX_S


def test_a_stopped_node(cluster, trial):
    node = cluster.nodes[1]
    trial.run("a node stopped", node.pause, node.resume)
    assert trial.gap_s < FIRST_ANSWER_MAX_S


def test_a_node_cut_off_from_all(cluster, trial):
    node = cluster.nodes[1]
    trial.run("a node cut off from all", node.cut, node.heal)
    assert trial.gap_s < FIRST_ANSWER_MAX_S


def test_a_node_cut_off_from_the_others(cluster, trial):
    node = cluster.nodes[1]
    trial.run("a node cut off from the others", node.part, node.heal)
    assert trial.gap_s < FIRST_ANSWER_MAX_S


# ---- nodes that all write

@pytest.fixture
def scattered(cluster, scattered_workers, installation, users, readers, table):
    """Each worker begins at another node."""
    return Trial(cluster, scattered_workers, installation, users, readers, table)


def certification_failures(cluster) -> int:
    return sum(int(node.status("wsrep_local_cert_failures")) + int(node.status("wsrep_local_bf_aborts"))
               for node in cluster.nodes.values())


def test_writes_at_all_nodes(cluster, scattered):
    """Nodes find out at COMMIT that another one was first (1213): the transaction is done again."""
    before = certification_failures(cluster)
    scattered.run("no fault, writes at all nodes", lambda: None, lambda: None)
    assert certification_failures(cluster) > before
    assert scattered.load.statuses[503] == 0


@is_long
def test_a_killed_node_of_those_that_all_write(cluster, scattered):
    scattered.run("a node killed, writes at all nodes", cluster.nodes[2].kill, lambda: None)


@is_long
def test_a_node_cut_off_from_those_that_all_write(cluster, scattered):
    scattered.run("a node cut off from the others, writes at all nodes", cluster.nodes[2].part, cluster.nodes[2].heal)


# ---- a node that cannot keep up

@is_long
def test_flow_control(cluster, trial):
    """A node that is stopped again and again for less time than makes it suspect holds the others up."""
    node = cluster.nodes[2]
    node.execute("SET GLOBAL wsrep_provider_options = 'gcs.fc_limit=1'")
    before = int(node.status("wsrep_flow_control_sent"))

    def hobble():
        for _ in range(20):
            node.pause()
            time.sleep(0.4)
            node.resume()
            time.sleep(0.1)

    trial.run("a node that hobbles", hobble, lambda: None, during_s=0)
    assert int(node.status("wsrep_flow_control_sent")) > before
    node.execute("SET GLOBAL wsrep_provider_options = 'gcs.fc_limit=16'")


# ---- more than one node

@is_long
def test_two_killed_nodes(cluster, trial):
    """The third is no majority: it serves nobody until somebody tells it that it is alone."""
    alone = cluster.nodes[3]

    def kill():
        cluster.nodes[1].kill()
        cluster.nodes[2].kill()

    def tell():
        assert not [moment for moment in trial.load.written if moment > trial.begin + 2], "written without a majority"
        alone.execute("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=1'")

    trial.run("two nodes killed, the third told to go on", kill, tell)


@is_long
def test_all_nodes_killed_and_begun_again(cluster, trial):
    """What was acknowledged is on the disk of one of them."""
    def kill():
        for node in cluster.nodes.values():
            node.kill()

    trial.run("all nodes killed, and begun again", kill, lambda: None, during_s=1)


@is_long
def test_many_faults(cluster, scattered):
    """One node after the other, by chance."""
    chance = random.Random(os.environ["ME_LONG"])

    def hurt():
        for _ in range(12):
            node = cluster.nodes[chance.choice(NODES)]
            chance.choice([node.kill, node.pause, node.cut, node.part])()
            time.sleep(chance.uniform(0.5, 5))
            cluster.mend()

    scattered.run(f"twelve faults by chance (ME_LONG={os.environ['ME_LONG']}), writes at all nodes", hurt, lambda: None, 0)
