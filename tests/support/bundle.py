"""The archive that scripts/bundle makes, and me.fcgi as it runs out of its folder."""

import os
import subprocess
import tarfile
from pathlib import Path

from support.cgi import Program
from support.paths import SOURCE, clean_environment

FOLDER = "me-fcgi"


def make_bundle(out: Path, tree: Path = SOURCE, **environment) -> Path:
    """By the script of a tree of sources; returns the archive."""
    done = subprocess.run(
        [str(tree / "scripts" / "bundle"), "--out", str(out)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=600, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout
    (archive,) = out.glob("me-fcgi-*.tar.gz")
    return archive


def unpack(archive: Path, folder: Path) -> Path:
    """On the customer's own machine; the folder of the bundle."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(folder)
    return folder / FOLDER


class BundledProgram(Program):
    """me.fcgi with the me.conf beside it, each request a process; in another system's folder where `root` is given."""

    def __init__(self, folder: str, secrets, root=None, user=None):
        super().__init__(None, secrets)
        self.folder = folder
        self.root = root
        self.user = user

    def run(self, variables: dict, body=None, **more) -> subprocess.CompletedProcess:
        command = [f"{self.folder}/me.fcgi"]
        if self.root:
            command = self.root.command(command, self.user)
        source = {"stdin": subprocess.DEVNULL} if body is None else {"input": body}
        return subprocess.run(command, **source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False,
                              env=clean_environment(**variables), **more)
