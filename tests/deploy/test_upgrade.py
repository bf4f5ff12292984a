"""
An upgrade behind each way of deploying, as me-fcgi-deploy(7) and the example have it, with requests under way: the
database is migrated, another program takes the place of the old one, new workers that of the old ones, and no request
is lost.
"""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from support import manual
from support.ground import PATH
from support.installation import Installation, write_secret
from support.load import Count, repeated
from support.paths import SOURCE, build, clean_environment, program
from support.processes import wait_until
from support.question import HEADER, question
from support.servers import WAYS, Server
from support.users import Users

READERS = 4
ENOUGH = 30  # requests before, and after
PAGE = "me-fcgi-deploy.7"
BUILDING = "./configure && make"
# Five minutes are much for a test.
SOONER = {"apache-fcgid": "FcgidIdleTimeout 3\nFcgidIdleScanInterval 1\n"}


def version_of(path: Path) -> str:
    return subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=30,
                          check=True).stdout.split()[1]


# ---- two versions

@pytest.fixture(scope="module")
def old_program(tmp_path_factory):
    """Older than what was built, by its own account."""
    version = version_of(program("me.fcgi"))
    old = tmp_path_factory.mktemp("old") / "me.fcgi"
    shutil.copy(program("me.fcgi"), old)
    # not its end, in which the linker lets other texts end, too
    old.write_bytes(old.read_bytes().replace(version.encode(), version.encode().replace(b".", b"~", 1)))
    assert version_of(old) == version.replace(".", "~", 1)
    return old


class NewVersion:
    """The folder of the new sources once they are built, and one more migration in each of them."""

    def __init__(self, folder: Path, installation):
        self.folder = folder
        self.installation = installation
        self.schema = folder / "schema"
        shutil.copytree(SOURCE / "schema", self.schema)
        self._write("mectl", f'case "$*" in migrate) set -- migrate --schema {self.schema} ;; esac\n'
                             f'exec {program("mectl")} "$@"\n')
        (folder / "commands").mkdir()
        self._write("commands/mariadb",
                    f"exec mariadb --no-defaults --socket={installation.server.socket} --user=root\n")

    def _write(self, name: str, text: str):
        (self.folder / name).write_text(f"#!/bin/sh\nPATH={PATH}\n{text}")
        (self.folder / name).chmod(0o755)

    def add_migration(self, number: int):
        (self.schema / f"{number}_upgrade.sql").write_text(
            f"ALTER TABLE users ADD COLUMN upgrade_{number} VARCHAR(40) NULL;\n"
            f"ALTER TABLE user_emails ADD COLUMN upgrade_{number} INT NOT NULL DEFAULT 0;\n")

    def install(self, server):
        """The lines of the page, with the program in the place that it has here."""
        (self.folder / "Makefile").write_text(
            f"install:\n\t$(MAKE) -s -C {build()} install-exec-local cgibindir={server.program.parent}\n")
        first, *lines = manual.displays(manual.section(PAGE, ".Sh UPGRADING"))[0].splitlines()
        assert first == BUILDING
        done = subprocess.run(
            ["sh", "-e", "-c", "\n".join(lines)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
            env=clean_environment(PATH=f"{self.folder}/commands:{PATH}", ME_CONF=str(self.installation.conf)))
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def upgraded_installation(mariadb, tmp_path_factory):
    return Installation(mariadb, tmp_path_factory.mktemp("upgrade"), "upgrade").prepare_database()


@pytest.fixture(scope="module")
def new_version(upgraded_installation, tmp_path_factory):
    return NewVersion(tmp_path_factory.mktemp("new"), upgraded_installation)


# ---- before, meanwhile, and after

class Patches:
    """A client that writes a count, and knows the last one of which it was told that it is there."""

    def __init__(self, site, bearer: dict):
        self.site = site
        self.bearer = bearer
        self.done = 0

    def send(self):
        answer = self.site.send("PATCH", headers=self.bearer, body={"bio": f"change {self.done + 1}"})
        if answer.status == 200:
            self.done += 1
            assert answer.json["bio"] == f"change {self.done}"
        return answer


@pytest.fixture(params=WAYS)
def old_server(request, upgraded_installation, authority, old_program):
    """Started with the old program; its workers tell their version to those who know the secret."""
    way = WAYS[request.param]
    if way.needs_root and os.geteuid() != 0:
        pytest.skip("suexec runs programs as another account: only root can start its Apache")
    server = Server(way, upgraded_installation, authority, SOONER.get(request.param, ""),
                    doctor__secret_file="doctor.secret")
    server.secret = secrets.token_hex(32)
    write_secret(server.folder / "etc" / "doctor.secret", server.secret + "\n")
    shutil.copy(old_program, server.program)
    try:
        yield server.start()
    finally:
        server.stop()


def serving_version(server) -> str:
    return server.site().send("OPTIONS", headers=question(server.secret)).headers[HEADER].split()[0]


def test_no_request_is_lost_by_an_upgrade(old_server, old_program, new_version, upgraded_installation, request):
    server, count = old_server, Count()
    users, tokens = Users(upgraded_installation), upgraded_installation.tokens
    assert serving_version(server) == version_of(old_program)
    written = [users.add(), users.add()]
    patches = [Patches(site, tokens.bearer(user)) for site, user in zip((server.site(), server.secure_site()), written)]
    bearer = tokens.bearer(users.full())
    requests = [("GET", lambda: server.site().send(headers=bearer))] * READERS
    with repeated(count, requests + [("PATCH", patch.send) for patch in patches]):
        wait_until(lambda: count.sent > ENOUGH, 30, "requests are under way")
        if server.way.workers is None:
            server.settle()
        new_version.add_migration(9000 + list(WAYS.values()).index(server.way))
        new_version.install(server)
        server.upgrade()
        wait_until(lambda: not server.old_pids(), 30, "the old workers have ended")
        before = count.sent
        wait_until(lambda: count.sent > before + ENOUGH, 30, "requests go on")
        assert serving_version(server) == version_of(program("me.fcgi"))
    request.node.user_properties.append(
        ("upgrade", f"{count.sent} sent, {count.answered} answered, slowest {count.slowest_s:.1f} s"))
    assert not count.lost, "\n".join(count.lost[:40]) + "\n" + server.logs()
    assert [users.column(user, "bio") for user in written] == [f"change {patch.done}" for patch in patches]


# ---- the page itself

def test_the_page_has_every_way():
    named = [item.head.removeprefix("Pa ") for item in manual.items(manual.section(PAGE, ".Sh CHOOSING A WAY"))]
    assert sorted(named) == sorted(way.example.name for way in WAYS.values())
