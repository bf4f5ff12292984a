"""A systemd of our own, in namespaces and in a control group of its own, which runs some units and nothing else."""

import shlex
import subprocess
from pathlib import Path

from support.paths import clean_environment
from support.processes import wait_until

SYSTEMD = "/lib/systemd/systemd"
# What units depend on by default, and what is not there.
STUBS = ("sysinit.target", "basic.target", "sockets.target", "multi-user.target", "shutdown.target")
# A control group, of which all that follows is a part; then the namespaces, in which it is the root of all groups.
ENTER = """
mount --make-rprivate /
mount -t cgroup2 none {groups}
mkdir {groups}/{name}
echo $$ >{groups}/{name}/cgroup.procs
exec unshare --fork --kill-child --pid --mount --mount-proc --uts --ipc --cgroup sh -e -c {inside}
"""
# /proc/sys is everybody's: nothing is to be set there.
PREPARE = """
mount -t tmpfs tmpfs /run
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
"""
LEAVE = """
mount --make-rprivate /
mount -t cgroup2 none {groups}
find {groups}/{name} -depth -type d -exec rmdir {{}} +
"""


class Systemd:
    """
    Runs the units of a folder that `starts` names. `binds`: files that appear at other places, for a unit's own /tmp
    hides everybody's.
    """

    def __init__(self, folder: Path, starts: list, binds: dict):
        self.folder = folder
        self.log = folder / "systemd.log"
        self.group = {"groups": folder / "groups", "name": folder.parent.name}
        (folder / "groups").mkdir()
        for stub in STUBS:
            (folder / stub).write_text("[Unit]\nDefaultDependencies=no\n")
        (folder / "me-test.target").write_text(f"[Unit]\nDefaultDependencies=no\nWants={' '.join(starts)}\n")
        self.mounts = "".join(f"mount --bind {shlex.quote(str(a))} {shlex.quote(str(b))}\n" for a, b in binds.items())

    def _enter(self, command: str) -> list:
        inside = shlex.quote(f"{PREPARE}{self.mounts}{command}")
        return ["unshare", "--mount", "sh", "-e", "-c", ENTER.format(**self.group, inside=inside)]

    def _leave(self):
        """Takes the control groups away again."""
        subprocess.run(["unshare", "--mount", "sh", "-c", LEAVE.format(**self.group)], check=False, timeout=30,
                       stderr=subprocess.DEVNULL)

    def why_impossible(self) -> str:
        """Why no systemd can run here; an empty text where one can."""
        done = subprocess.run(self._enter("mkdir /sys/fs/cgroup/a"), check=False, timeout=30, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self._leave()
        return "" if done.returncode == 0 else f"no systemd can run here: {done.stdout.strip()}"

    def __enter__(self):
        command = f"exec {SYSTEMD} --system --unit=me-test.target --log-target=console"
        environment = clean_environment(container="me-test", SYSTEMD_UNIT_PATH=str(self.folder))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self._enter(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment)
        try:
            wait_until(lambda: "running" in self.systemctl("is-system-running", check=False), 20, "systemd runs")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait(15)
        wait_until(lambda: not self._members(), 10, "all that systemd started has ended")
        self._leave()

    def _members(self) -> list:
        """The processes of the control group, however deep in it."""
        ending = f"/{self.group['name']}"
        return [file.parent.name for file in Path("/proc").glob("[0-9]*/cgroup") if ending in _text_of(file)]

    @property
    def _init(self) -> str:
        """Process 1 of the namespace, by its number outside."""
        children = _text_of(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")).split()
        return children[0] if children else "0"

    def systemctl(self, *arguments, check=True) -> str:
        done = subprocess.run(
            ["nsenter", "--target", self._init, "--mount", "--pid", "systemctl", *arguments], check=False, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment())
        assert done.returncode == 0 or not check, f"systemctl {arguments}: {done.stdout}{self.log.read_text()}"
        return done.stdout


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
