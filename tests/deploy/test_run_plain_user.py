"""scripts/run by a user who is not root and has no home: a clone of its own, from nothing to a running service."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from support.ground import free_port
from support.paths import SOURCE
from support.processes import is_running
from support.run import Run, nobody, pasted

MADE = shutil.ignore_patterns(
    ".git", "build", "var", "__pycache__", "autom4te.cache", "build-aux", "aclocal.m4", "configure", "configure~",
    "Makefile.in", "config.h.in", "config.h.in~")
DPKG = Path("/var/lib/dpkg")


def give(path: Path):
    """To the plain user, with all that is in it."""
    owner = nobody()
    if owner:
        for place in [path, *path.rglob("*")]:
            os.chown(place, owner["user"], owner["group"], follow_symlinks=False)


@pytest.fixture(scope="module")
def clone():
    """A copy of the tree that belongs to the plain user, in a place where that user gets to."""
    folder = Path(tempfile.mkdtemp(prefix="me-clone-"))
    folder.chmod(0o755)
    shutil.copytree(SOURCE, folder / "tree", ignore=MADE)
    give(folder)
    yield folder / "tree"
    Run(folder / "tree" / "var", folder / "tree", as_plain_user=True)("--stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def service(clone):
    run = Run(clone / "var", clone, as_plain_user=True)
    return run, run("--detach", "--port", free_port(), "--workers", "1")


@pytest.fixture
def folder():
    """A folder of the plain user's."""
    path = Path(tempfile.mkdtemp(prefix="me-plain-"))
    path.chmod(0o755)
    give(path)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def owner_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


def test_it_works_from_nothing(service):
    run, output = service
    assert pasted(output, 0)[0] == 200 and pasted(output, 1)[1]["name"] == "New Name"
    assert {owner_of(pid) for pid in run.pids()} == {nobody().get("user", os.geteuid())}
    assert os.geteuid() != 0 or {owner_of(pid) for pid in run.pids()} != {0}


@pytest.mark.parametrize("server", ["nginx", "apache", "cgi", "lighttpd"])
def test_each_server(service, server):
    run, _ = service
    output = run("--detach", "--server", server)
    assert pasted(output, 0)[0] == 200 and pasted(output, 1)[0] == 200
    run("--status")


def test_nothing_is_left_running(service):
    run, _ = service
    run("--detach")
    pids = run.pids()
    run("--stop")
    assert pids and not any(is_running(pid) for pid in pids)


def without_package(folder, name):
    """A copy of dpkg's database in which the package is not installed."""
    packages = (DPKG / "status").read_text().split("\n\n")
    others = [package for package in packages if not re.match(rf"Package: {re.escape(name)}\n", package)]
    assert len(others) == len(packages) - 1, f"{name} is not installed here"
    for part in ("info", "updates"):
        (folder / part).mkdir()
    (folder / "status").write_text("\n\n".join(others))
    return {"DPKG_ADMINDIR": str(folder)}


@pytest.mark.parametrize("name, arguments", [
    ("lighttpd", []), ("lighttpd", ["--server", "cgi"]), ("nginx", ["--server", "nginx"]), ("apache2-bin", ["--server", "apache"]),
    ("spawn-fcgi", ["--server", "nginx"]), ("mariadb-server-core", []), ("libjson-c-dev", []),
])
def test_a_package_that_is_missing_is_one_sentence(clone, folder, name, arguments):
    run = Run(folder / "var", clone, as_plain_user=True)
    (folder / "dpkg").mkdir()
    sentence = run.refusal("--detach", "--port", free_port(), *arguments, **without_package(folder / "dpkg", name))
    assert sentence == f"run: packages are missing: as root, apt-get install {name}\n"


def test_a_folder_that_cannot_be_written_is_one_sentence(clone, folder):
    folder.chmod(0o555)
    for place in (folder, folder / "var"):
        assert Run(place, clone, as_plain_user=True).refusal("--detach") == (
            f"run: {place} cannot be written: name another folder with --dir\n")


def test_a_tree_that_cannot_be_written_is_one_sentence(clone, folder):
    (clone / "build").mkdir(exist_ok=True)
    made = clone / "build" / "run" if (clone / "build" / "run").exists() else clone / "build"
    mode = made.stat().st_mode
    made.chmod(0o555)
    try:
        sentence = Run(folder / "var", clone, as_plain_user=True).refusal("--detach")
    finally:
        made.chmod(mode)
    assert sentence.startswith(f"run: {made} cannot be written") and "clone" in sentence


@pytest.mark.skipif(int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80,
                    reason="any user may listen on port 80 here")
def test_a_port_of_root_is_one_sentence(clone, folder):
    sentence = Run(folder / "var", clone, as_plain_user=True).refusal("--detach", "--port", "80")
    assert sentence.startswith("run: port 80 is below ") and "--port" in sentence
