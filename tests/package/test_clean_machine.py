"""
The steps of the examples, typed word for word into a Debian that has nothing but itself. What they install has to be
fetched for each of them, so that this is tried with --long alone: see conftest.py. One of the ten needs a running
systemd, and one a host with an Apache that is not its own.
"""

import os
import shutil
import signal
import subprocess

import pytest

from support.bundle import unpack
from support.ground import APACHE_MODULES, free_port
from support.http import Site
from support.issuer import Authority
from support.paths import clean_environment
from support.processes import wait_until
from support.root import make_root
from support.servers import EXAMPLES, WAYS
from support.steps import fill_in, packages_of, steps_of

TRIED = set(WAYS) - {"apache-htaccess", "nginx-systemd"}
PLACE = "/srv/me"


@pytest.fixture(scope="module")
def program(archive, tmp_path_factory):
    """The one that needs no library of the system."""
    return unpack(archive, tmp_path_factory.mktemp("program")) / "me.fcgi"


class Machine:
    """A clean one, with the program, its settings and a certificate in the folder that the steps are told."""

    def __init__(self, root, way, program, authority):
        self.root, self.way = root, way
        self.ports = {"PORT": free_port(), "TLSPORT": free_port()}
        self.foreground = []
        subprocess.run(["mount", "-o", "bind,ro", "/proc", root.path("/proc")], check=True, timeout=30)
        for name in ("etc", "run", "tls"):
            root.path(f"{PLACE}/{name}").mkdir(parents=True)
        root.path(f"{PLACE}/run").chmod(0o777)
        shutil.copy(program, root.path(f"{PLACE}/me.fcgi"))
        root.path(f"{PLACE}/etc/hs256.secret").write_text("s" * 64 + "\n")
        root.path(f"{PLACE}/etc/me.conf").write_text("[token]\nsecret_file = hs256.secret\n")
        for source, name in zip(authority.certify("127.0.0.1"), ("cert.pem", "key.pem")):
            shutil.copy(source, root.path(f"{PLACE}/tls/{name}"))

    @property
    def variables(self) -> dict:
        return {
            **self.ports, "DIR": PLACE, "ETC": f"{PLACE}/etc", "PROGRAM": f"{PLACE}/me.fcgi", "SITE": "/var/www/site",
            "SOCKET": f"{PLACE}/run/w.sock", "CERT": f"{PLACE}/tls/cert.pem", "KEY": f"{PLACE}/tls/key.pem",
            "WORKERS": 2, "ACCOUNT": self.way.account, "GROUP": self.way.group, "MODULES": APACHE_MODULES}

    def take(self, step):
        for name, path in step.saves:
            text = (EXAMPLES / name if name else self.way.example).read_text()
            self.root.path(path).write_text(fill_in(text, self.variables))
        for command in step.commands:
            if step.stays_in_foreground:
                self._start(command)
            elif command.startswith("echo 1 >/proc/sys/"):
                continue  # the kernel is everybody's
            elif command.startswith("curl "):
                wait_until(self._answers, 30, "it answers")
            else:
                self.root.run("sh", "-e", "-c", command.replace("apt-get install ", "apt-get install -y "))

    def _start(self, command: str):
        self.foreground.append(subprocess.Popen(
            self.root.command(["sh", "-c", command]), stdin=subprocess.DEVNULL, start_new_session=True,
            env=clean_environment(PATH="/usr/sbin:/usr/bin:/sbin:/bin")))

    def _answers(self) -> bool:
        try:
            return Site(self.way.example.stem, self.ports["PORT"]).send().status == 401
        except OSError:
            return False

    def stop(self, steps):
        for process in self.foreground:
            os.killpg(process.pid, signal.SIGINT)
        for step in steps:
            if step.is_for("stop"):
                for command in step.commands:
                    self.root.run("sh", "-c", command, check=False)
        subprocess.run(["umount", "--lazy", self.root.path("/proc")], check=True, timeout=30)
        for process in self.foreground:
            process.wait(30)


@pytest.mark.parametrize("name", sorted(TRIED))
def test_the_steps_lead_to_an_answer(name, tmp_path, program):
    way = WAYS[name]
    assert packages_of(way.example)
    machine = Machine(make_root(tmp_path / "root", ("bookworm",)), way, program, Authority(tmp_path))
    steps = steps_of(way.example, machine.variables)
    try:
        for step in steps:
            if step.is_numbered:
                machine.take(step)
    finally:
        machine.stop(steps)
