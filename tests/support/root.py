"""Folders that hold another Debian, made by scripts/debian-root."""

import subprocess
from pathlib import Path

import pytest

from support.paths import SOURCE, clean_environment

SCRIPT = SOURCE / "scripts" / "debian-root"


class Root:
    """Another system in a folder; commands run in it see nothing else of the machine but its network."""

    def __init__(self, folder: Path, suite: str):
        self.folder = folder
        self.suite = suite

    def path(self, inside: str) -> Path:
        """Where a path of the other system is on this one."""
        return self.folder / inside.lstrip("/")

    def command(self, words, user=None) -> list:
        """A command line that runs in there; `user` as chroot takes it, uid:gid."""
        return ["chroot", *([f"--userspec={user}"] if user else []), str(self.folder), *map(str, words)]

    def run(self, *words, user=None, check=True, **more) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self.command(words, user), **{"stdin": subprocess.DEVNULL, **more}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
            env=clean_environment(PATH="/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND="noninteractive"))
        assert not check or done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}"
        return done


def make_root(folder: Path, suites, *packages) -> Root:
    """Of the first suite that is to be had; skips the test, with the reason, where none is."""
    reasons = []
    for suite in suites:
        done = subprocess.run(
            [str(SCRIPT), str(folder), suite, *packages], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=900, check=False)
        if done.returncode == 0:
            return Root(folder, suite)
        assert done.returncode == 3, done
        reasons.append(done.stderr.strip().splitlines()[-1])
    pytest.skip("; ".join(reasons))
