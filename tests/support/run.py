"""Calls scripts/run, and reads what it prints and leaves behind."""

import json
import os
import pwd
import subprocess
from pathlib import Path

from support.paths import SOURCE


class Run:
    """scripts/run of a tree, with one --dir; a plain user's has an environment with PATH alone."""

    def __init__(self, folder: Path, tree: Path = SOURCE, as_plain_user=False):
        self.folder = folder
        self.command = [str(tree / "scripts" / "run"), "--dir", str(folder)]
        self.more = {}
        if as_plain_user:
            self.more = {"env": {"PATH": "/usr/local/bin:/usr/bin:/bin"}, "cwd": tree, **nobody()}

    def __call__(self, *arguments, expect=0, **environment) -> str:
        """What it printed, complaints included."""
        more = dict(self.more)
        if environment:
            more["env"] = {**more.get("env", os.environ), **environment}
        done = subprocess.run(
            [*self.command, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=600, check=False, **more,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout

    def refusal(self, *arguments, **environment) -> str:
        """The one sentence in which it says what to do; nothing else was printed."""
        output = self(*arguments, expect=1, **environment)
        assert output.startswith("run: ") and output.count("\n") == 1, output
        return output

    @property
    def demo(self) -> dict:
        return json.loads((self.folder / "demo.json").read_text())

    def pids(self) -> list:
        """All processes, of each kind."""
        return [pid for kind in self.demo["pids"].values() for pid in kind]


def nobody() -> dict:
    """For subprocess.run: a user without rights; whoever is none but root stays who he is."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def pasted(output: str, number: int) -> tuple:
    """What a curl line of the output answers: the status, then the body as JSON."""
    line = [row for row in output.splitlines() if row.startswith("curl ")][number]
    text = subprocess.run(["bash", "-c", line], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, timeout=30, check=True).stdout
    head, _, body = text.partition("\n\n") if "\r\n" not in text else text.partition("\r\n\r\n")
    return int(head.split()[1]), json.loads(body)
