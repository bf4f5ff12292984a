"""Nodes that die, hang and are cut off while profiles are read and patched: nothing that was acknowledged is lost."""

import os
import time

import pytest

from support.clusterload import Load, longest_gap
from support.processes import wait_until

is_long = pytest.mark.skipif("ME_LONG" not in os.environ, reason="scripts/test --long")

BEFORE_S, DURING_S, AFTER_S = 1.0, 3.5, 1.0
FIRST_ANSWER_MAX_S = 2.0
RETURN_MAX_S = 25


class Trial:
    """One fault: the load around it, and the judgement of all that was answered."""

    def __init__(self, cluster, workers, installation, users, readers, table):
        self.table = table
        self.cluster, self.installation, self.readers = cluster, installation, readers
        self.load = Load(workers, installation.tokens,
                         [users.add(f"name {n}", bio=f"bio {n}") for n in range(3)])

    def connected(self, number: int) -> int:
        """How many connections of the workers a node has."""
        return self.cluster.nodes[number].execute(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = %s",
            [self.installation.worker_account])[0][0]

    def run(self, name: str, fault, mend, during_s=DURING_S):
        """The gaps are those between the fault and its mending."""
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
        self.judge(name)

    def wait_for_return(self):
        wait_until(lambda: self.connected(1) == len(self.load.workers) and not self.connected(2),
                   RETURN_MAX_S, "all workers are back at the first node")

    def judge(self, name: str):
        load = self.load
        final = load.finish(self.readers)
        wrong, missing = load.history.judge(), load.history.lost(final)
        self.gap_s = longest_gap(load.good, self.begin, self.end)
        self.write_gap_s = longest_gap(load.written, self.begin, self.end)
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
            f"longest time without a 200 {self.gap_s:.2f} s, without a patch {self.write_gap_s:.2f} s")


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
