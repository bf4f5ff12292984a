"""A Galera cluster of three nodes, run by scripts/cluster, and what is done to it."""

import os
import subprocess
from pathlib import Path

import pymysql

from support.installation import Installation
from support.mariadb import PrivateMariaDB
from support.paths import SOURCE, build
from support.processes import is_running, wait_until

SCRIPT = SOURCE / "scripts" / "cluster"
NODES = (1, 2, 3)


class Node(PrivateMariaDB):
    """One of them; it is started and stopped by the cluster."""

    def __init__(self, cluster, number: int):
        super().__init__(cluster.folder / f"node{number}")
        self.cluster, self.number = cluster, number
        self.socket = cluster.script("socket", number).strip()

    @property
    def is_alive(self) -> bool:
        return is_running(self.pid())

    def state(self) -> str:
        """How the node sees itself: "Synced", or "" where it does not tell."""
        try:
            connection = self.connect(connect_timeout=1, read_timeout=1)
        except pymysql.err.Error:
            return ""
        with connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN"
                           " ('wsrep_local_state_comment', 'wsrep_cluster_status', 'wsrep_cluster_size')")
            return "/".join(value for _, value in sorted(cursor.fetchall()))

    def status(self, name: str) -> str:
        return self.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1]

    def is_in_step(self) -> bool:
        return self.state() == "3/Primary/Synced"

    def kill(self):
        self.forget_root()
        pid = self.pid()
        self.cluster.script("kill", self.number)
        wait_until(lambda: not is_running(pid), 10, "the killed node is gone")

    def pause(self):
        self.forget_root()
        self.cluster.script("pause", self.number)

    def resume(self):
        self.cluster.script("resume", self.number)

    def cut(self):
        """Off the network, for its clients too."""
        self.cluster.script("cut", self.number)

    def part(self):
        """Off from the other nodes; its clients reach it still."""
        self.cluster.script("part", self.number)

    def heal(self):
        self.cluster.script("heal", self.number)

    def join(self):
        self.cluster.script("join", self.number)


class Cluster:
    def __init__(self, folder: Path):
        self.folder = folder
        self.nodes = {}

    def script(self, command: str, *arguments) -> str:
        done = subprocess.run(
            [str(SCRIPT), command, str(self.folder), *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=180, check=False,
            env={**os.environ, "ME_CLUSTER_PROGRAMS": str(build().parent / "cluster")})
        assert done.returncode == 0, f"{SCRIPT.name} {command}: {done.stderr}{done.stdout}"
        return done.stdout

    def start(self) -> "Cluster":
        self.script("start")
        self.nodes = self.nodes or {number: Node(self, number) for number in NODES}
        return self

    def stop(self):
        self.script("stop")

    def mend(self):
        """All nodes alive, reachable and in step, whatever was done to them."""
        for node in self.nodes.values():
            node.forget_root()
        alive = [node for node in self.nodes.values() if node.is_alive]
        for node in alive:
            node.resume()
        for node in self.nodes.values():
            node.heal()
        if alive:
            wait_until(lambda: any("Primary" in node.state().split("/") for node in alive), 30, "a primary component")
        self.start()
        self.wait_until_in_step()

    def wait_until_in_step(self):
        for node in self.nodes.values():
            wait_until(node.is_in_step, 60, f"node {node.number} is in step")

    @property
    def hosts(self) -> list:
        return self.script("hosts").strip().split(", ")


class ClusterInstallation(Installation):
    """The three nodes are the hosts, in their order; what root does is done on the first."""

    def __init__(self, cluster: Cluster, folder: Path):
        self.cluster = cluster
        super().__init__(cluster.nodes[1], folder)

    def sections(self) -> dict:
        sections = super().sections()
        sections["database"].update(
            host=", ".join(self.cluster.hosts), tls="off", connect_timeout_s=1, read_timeout_s=1, write_timeout_s=1)
        return sections
