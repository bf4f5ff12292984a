"""scripts/cluster: whose a network is."""

import os
import shutil
import subprocess

import pytest

from support.cluster import SCRIPT

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="it takes root, and ip")


def ip(*arguments):
    return subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)


@pytest.fixture
def bridge():
    """Of a cluster in another folder; past the numbers that scripts/cluster takes."""
    number = 1000 + os.getpid() % 100000
    assert ip("link", "add", f"me{number}", "type", "bridge").returncode == 0
    assert ip("link", "set", f"me{number}", "alias", "/another/folder").returncode == 0
    yield number
    ip("link", "delete", f"me{number}")


@pytest.fixture
def folder(tmp_path, bridge):
    """Of a cluster that had the number before the machine was started again."""
    (tmp_path / "network").write_text(f"{bridge}\n")
    return tmp_path


def script(command, folder, *arguments):
    return subprocess.run([str(SCRIPT), command, str(folder), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False)


def test_stop_leaves_the_network_of_another_cluster(folder, bridge):
    assert script("stop", folder).returncode == 0
    assert ip("link", "show", f"me{bridge}").returncode == 0
    assert not (folder / "network").exists()


@pytest.mark.parametrize("command, arguments", [("status", []), ("cut", ["1"]), ("heal", ["1"])])
def test_it_is_not_taken_for_ones_own(folder, command, arguments):
    done = script(command, folder, *arguments)
    assert done.returncode == 1 and done.stdout == f"cluster: there is no cluster in {folder}: scripts/cluster start {folder}\n"


def test_stop_takes_its_own_away(folder, bridge):
    assert ip("link", "set", f"me{bridge}", "alias", str(folder.resolve())).returncode == 0
    assert script("stop", folder).returncode == 0
    assert ip("link", "show", f"me{bridge}").returncode != 0
