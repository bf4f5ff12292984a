"""
The Debian package in a Debian of its own: installed, made to serve by the steps of its README.Debian, upgraded, removed
and purged.
"""

import os
import pwd
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from support.cgi import Program, environment_of
from support.debian import VERSION, build_package, older_version, package_of
from support.fastcgi import PARAMS, STDIN, Connection, begin, params, stream
from support.ground import free_port
from support.http import Site
from support.paths import SOURCE, clean_environment
from support.processes import wait_until
from support.root import make_root
from support.tokens import Tokens

SUITE = re.search(r"(?m)^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())[1]
OLD_VERSION = "0.0.9"
OLD_LINE = "# A line of the older version.\n"
PROGRAM = "/usr/lib/cgi-bin/me.fcgi"
EXPOSURE_MAX = 15  # tenths, as systemd-analyze has it: of 100
UNITS = ("me-fcgi.socket", "me-fcgi@1.service", "me-keys.service", "me-keys.timer")
# What the machine has before: a client of MariaDB, a web server, completion.
PACKAGES = ("mariadb-client-core", "apache2", "bash-completion")
# What the README says to type that needs a running systemd; the tests below do what it would.
NOT_TYPED = ("systemctl enable --now me-fcgi.socket me-fcgi@1 me-fcgi@2 me-fcgi@3 me-fcgi@4", "systemctl restart apache2")


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    return build_package(tmp_path_factory.mktemp("debian"))


@pytest.fixture(scope="module")
def package(changes):
    return package_of(changes)


def install(root, package: Path):
    """From a file; what it depends on comes from the mirror."""
    inside = root.path(f"/tmp/{package.name}")
    if not inside.exists():
        os.link(package, inside)
    root.run("apt-get", "install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold",
             f"/tmp/{package.name}")


def files_of(root) -> set:
    """All there is but what dpkg, apt and the dynamic linker note for themselves."""
    noted = ("var/lib/dpkg", "var/lib/apt", "var/cache", "var/log", "tmp", "run", "etc/ld.so.cache", "proc", "dev", "sys")
    return {str(path.relative_to(root.folder)) for path in root.folder.rglob("*")
            if not str(path.relative_to(root.folder)).startswith(noted)}


@pytest.fixture(scope="module")
def root(tmp_path_factory, hosts_database):
    made = make_root(tmp_path_factory.mktemp("root") / "root", (SUITE,), *PACKAGES)
    made.path("/run/mysqld").mkdir(parents=True)
    os.link(hosts_database.socket, made.path("/run/mysqld/mysqld.sock"))
    return made


@pytest.fixture(scope="module")
def installed(root, package):
    """The older version, from nothing. What came with it from the mirror stays, to be told from what it leaves."""
    old = older_version(package, OLD_VERSION, OLD_LINE)
    os.link(old, root.path("/tmp/older.deb"))
    depends = root.run("dpkg-deb", "-f", "/tmp/older.deb", "Depends").stdout
    names = [re.match(r"[\w.+-]+", item.strip())[0] for item in depends.split(",")]
    root.run("apt-get", "install", "-y", "--no-install-recommends", *names)
    root.before = files_of(root)
    install(root, old)
    return root


@pytest.fixture(scope="module")
def served(installed):
    """After the steps of README.Debian, each typed as it stands there."""
    readme = installed.path("/usr/share/doc/me-fcgi/README.Debian").read_text()
    commands = re.findall(r"(?m)^ {7}(\S.*)$", readme)
    assert [command for command in commands if command in NOT_TYPED] == list(NOT_TYPED)
    script = "\n".join(["set -e", *(command for command in commands if command not in NOT_TYPED)])
    done = installed.run("sh", "-c", script)
    assert "wrong" not in done.stdout, done.stdout
    installed.tokens = Tokens(installed.path("/etc/me-fcgi/hs256.secret").read_text().strip(), "", "", None, None)
    installed.user = installed.run("mectl", "user", "add", "--name", "Ada", "--status", "active").stdout.strip()
    return installed


class PackagedProgram(Program):
    """me.fcgi as Debian's web servers run it by CGI: by their account, with no variable of ours."""

    def __init__(self, root):
        super().__init__(None, [root.tokens.secret])
        self.root = root

    def run(self, variables, body=None, **more):
        source = {"stdin": subprocess.DEVNULL} if body is None else {"input": body}
        return subprocess.run(
            self.root.command([PROGRAM], "www-data:www-data"), **source, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=60, check=False, env=clean_environment(**variables), **more)


class Workers:
    """Plays systemd: the socket, and workers at it, as the installed units say."""

    def __init__(self, root, count):
        self.root, self.count, self.processes = root, count, []
        settings = settings_of(root, "me-fcgi.socket")
        self.path = root.path(settings["ListenStream"])
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        owner = pwd.getpwnam(settings["SocketUser"])
        os.chown(self.path, owner.pw_uid, owner.pw_gid)
        self.path.chmod(int(settings["SocketMode"], 8))
        self.listener.listen(int(settings["Backlog"]))
        self.service = settings_of(root, "me-fcgi@.service")
        self.start()

    def start(self):
        name, _, value = self.service["Environment"].partition("=")
        command = self.root.command([self.service["ExecStart"]], f"{self.service['User']}:{self.service['Group']}")
        self.processes = [
            subprocess.Popen(command, stdin=self.listener, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env=clean_environment(**{name: value})) for _ in range(self.count)]

    def restart(self):
        """As try-restart does: a new one after each that ended."""
        self.end()
        self.start()

    def end(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            assert process.wait(35) == 0

    def close(self):
        self.end()
        self.listener.close()

    def get(self, bearer) -> bytes:
        variables = environment_of("GET", "/me", bearer)
        with Connection(self.path) as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, b""))
            return connection.receive().stdout


def settings_of(root, unit: str) -> dict:
    """The last value of each setting of an installed unit."""
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", root.path(f"/lib/systemd/system/{unit}").read_text()))


# ---- the package itself

def test_lintian_has_nothing_to_say(changes):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", str(changes)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def test_the_version_is_that_of_configure(package):
    version = subprocess.run(["dpkg-deb", "-f", str(package), "Version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert version.strip() == VERSION


def test_what_may_be_changed_is_a_conffile(package):
    told = subprocess.run(["dpkg-deb", "-I", str(package), "conffiles"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert told.split() == ["/etc/me-fcgi/me.conf"]


def test_the_licence_is_that_of_the_sources():
    paragraphs = (SOURCE / "debian" / "copyright").read_text()
    text = " ".join(line.strip() for line in (SOURCE / "LICENSE").read_text().split("\n\n", 2)[2].splitlines())
    flat = re.sub(r"\s+", " ", paragraphs.replace("\n .\n", "\n"))
    assert re.sub(r"\s+", " ", text).strip() in flat


# ---- installed

def test_the_programs_and_pages_are_there(installed):
    assert installed.run(PROGRAM, "--version").stdout.startswith("me.fcgi ")
    assert installed.run("mectl", "--help").stdout.startswith("usage: mectl ")
    for page in ("man5/me.conf.5", "man7/me-fcgi-deploy.7", "man8/me.fcgi.8", "man8/mectl.8"):
        assert installed.path(f"/usr/share/man/{page}.gz").exists()


def test_nothing_was_enabled(installed):
    assert not [path for path in installed.path("/etc/systemd").rglob("*me-*")]


def test_bash_completes_its_commands(installed):
    call = ". /usr/share/bash-completion/bash_completion; _completion_loader mectl; complete -p mectl"
    assert "_mectl mectl" in installed.run("bash", "-c", call).stdout


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_the_units(installed, tmp_path, unit):
    """Among this machine's own units, which those of the package name; the programs are the installed ones."""
    for path in installed.path("/lib/systemd/system").glob("me-*"):
        (tmp_path / path.name).write_text(path.read_text().replace("ExecStart=", f"ExecStart={installed.folder}"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in done.stderr.splitlines() if "me-fcgi" in line or "me-keys" in line]
    assert done.returncode == 0 and said == [], done


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_the_services_are_hardened(installed, unit):
    done = subprocess.run(
        ["systemd-analyze", f"--root={installed.folder}", "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}", unit],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and "Overall exposure level" in done.stdout, done.stdout + done.stderr


# ---- serving

def test_by_cgi(served):
    answer = PackagedProgram(served).get(served.tokens.bearer(served.user))
    assert answer.status == 200 and answer.json["name"] == "Ada"


def test_secrets_are_for_root_and_the_workers(served):
    for name, (mode, group) in {"worker.password": (0o640, "www-data"), "hs256.secret": (0o640, "www-data"),
                                "mectl.password": (0o600, "root")}.items():
        info = served.path(f"/etc/me-fcgi/{name}").stat()
        assert (info.st_mode & 0o777, info.st_uid, info.st_gid) == (mode, 0, pwd.getpwnam(group).pw_gid), name


def test_by_apache(served):
    """The server of the package apache2, at another port and without the site that it comes with."""
    port = free_port()
    served.path("/etc/apache2/ports.conf").write_text(f"Listen 127.0.0.1:{port}\nServerName 127.0.0.1\n")
    site = Site("apache2", port, "/cgi-bin/me.fcgi")
    served.run("apache2ctl", "start")
    try:
        wait_until(lambda: answers(site), 20, "Apache answers")
        answer = site.get(served.tokens.bearer(served.user))
        assert answer.status == 200 and answer.json["name"] == "Ada"
        assert site.patch(served.tokens.bearer(served.user), {"bio": "by Apache"}).status == 200
    finally:
        served.run("apache2ctl", "stop")
        wait_until(lambda: not answers(site), 20, "Apache has ended")


def answers(site) -> bool:
    try:
        return site.send("OPTIONS").status == 204
    except OSError:
        return False


@pytest.fixture(scope="module")
def workers(served):
    running = Workers(served, 2)
    yield running
    running.close()


def test_by_the_units(served, workers):
    assert b'"name":"Ada"' in workers.get(served.tokens.bearer(served.user))


# ---- upgraded

SYSTEMCTL = """#!/bin/sh
echo "$@" >>/tmp/systemctl.log
"""


@pytest.fixture(scope="module")
def systemctl(served):
    """As if systemd ran there: what the package asks of it, as a list of command lines."""
    path = served.path("/usr/bin/systemctl")
    assert not path.exists(), "systemd is there after all"
    path.write_text(SYSTEMCTL)
    path.chmod(0o755)
    served.path("/run/systemd/system").mkdir(parents=True)
    served.path("/usr/sbin/policy-rc.d").unlink()
    served.before |= {"usr/bin/systemctl"}
    log = served.path("/tmp/systemctl.log")

    def asked():
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if "daemon-reload" not in line]

    return asked


@pytest.fixture(scope="module")
def upgraded(served, workers, systemctl, package):
    """The new version in place of the old, with settings that were changed, under load."""
    conf = served.path("/etc/me-fcgi/me.conf")
    conf.write_text(conf.read_text().replace("#audience = me", "leeway_s = 31"))
    served.answers, is_over = [], threading.Event()

    def keep_asking():
        while not is_over.is_set():
            served.answers.append(workers.get(served.tokens.bearer(served.user)))

    clients = [threading.Thread(target=keep_asking) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        install(served, package)
        workers.restart()
    finally:
        is_over.set()
        for client in clients:
            client.join()
    return served


def test_the_new_version_is_there(upgraded):
    assert upgraded.run("dpkg-query", "-W", "-f", "${Version} ${Status}", "me-fcgi").stdout == f"{VERSION} install ok installed"


def test_the_workers_are_restarted_where_they_run(upgraded, systemctl):
    assert systemctl() == ["try-restart me-fcgi@*.service"]


def test_they_are_left_alone_where_there_are_migrations_to_apply(upgraded, systemctl, hosts_database):
    """As after an upgrade that brings one."""
    hosts_database.execute("CREATE TABLE me.kept AS SELECT * FROM me.schema_migrations ORDER BY version LIMIT 1")
    hosts_database.execute("DELETE FROM me.schema_migrations ORDER BY version LIMIT 1")
    said = upgraded.run("dpkg-reconfigure", "me-fcgi").stdout
    hosts_database.execute("INSERT INTO me.schema_migrations SELECT * FROM me.kept")
    hosts_database.execute("DROP TABLE me.kept")
    assert "there are migrations to apply: see /usr/share/doc/me-fcgi/README.Debian" in said and systemctl() == []
    upgraded.run("dpkg-reconfigure", "me-fcgi")
    assert systemctl() == ["try-restart me-fcgi@*.service"]


def test_no_request_was_lost(upgraded, workers):
    assert len(upgraded.answers) > 50 and all(b'"name":"Ada"' in answer for answer in upgraded.answers)


def test_settings_that_were_changed_stay(upgraded):
    conf = upgraded.path("/etc/me-fcgi/me.conf").read_text()
    assert "leeway_s = 31" in conf and OLD_LINE in conf
    assert "leeway_s = 31" in upgraded.run(PROGRAM, "--check-config", user="www-data:www-data").stdout


def test_the_schema_goes_on_from_where_it_was(upgraded):
    assert upgraded.run("mectl", "migrate").stdout == ""
    assert PackagedProgram(upgraded).get(upgraded.tokens.bearer(upgraded.user)).status == 200


# ---- and gone

def test_removed_it_stops_what_runs_and_leaves_its_settings(upgraded, systemctl):
    systemctl()
    upgraded.run("apt-get", "remove", "-y", "me-fcgi")
    assert systemctl() == ["stop me-fcgi@*.service me-fcgi.socket me-keys.timer"]
    assert not upgraded.path(PROGRAM).exists() and upgraded.path("/etc/me-fcgi/me.conf").exists()


def test_purged_it_leaves_what_is_not_its_own(upgraded):
    wants = upgraded.path("/etc/systemd/system/multi-user.target.wants")
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "me-fcgi@2.service").symlink_to("/lib/systemd/system/me-fcgi@.service")
    upgraded.path("/var/lib/me-keys").mkdir()
    upgraded.path("/var/lib/me-keys/jwks.json").touch()
    upgraded.run("apt-get", "purge", "-y", "me-fcgi")
    made = {"etc/me-fcgi", *(f"etc/me-fcgi/{name}" for name in ("mectl.password", "worker.password", "hs256.secret")),
            "etc/systemd/system/multi-user.target.wants"}
    left = files_of(upgraded) - upgraded.before
    assert {path for path in left if not path.startswith(("etc/apache2", "var/lib/apache2"))} <= made


def test_it_can_be_installed_again(upgraded, package):
    install(upgraded, package)
    assert "leeway_s" not in upgraded.path("/etc/me-fcgi/me.conf").read_text()
    wait_until(lambda: upgraded.path(PROGRAM).exists(), 1, "the program is there")
