"""Real web servers, started from the examples of this project by the steps that their heads tell."""

import fnmatch
import grp
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from support import units
from support.ground import (
    APACHE_MODULES, IS_ROOT, PATH, SUEXEC_LOG, SUEXEC_ROOT, ends_of_logs, free_port, kept_in_memory,
    pids_running)
from support.http import SecureSite, Site
from support.installation import write_conf
from support.paths import SOURCE, clean_environment, program
from support.processes import is_running, wait_until
from support.steps import fill_in, steps_of

EXAMPLES = SOURCE / "cgi-bin" / "examples"
HOST = SOURCE / "tests" / "deploy" / "apache-host.conf"
ORIGIN = "https://app.example.com"
PURPOSES = ("reload", "upgrade", "stop")  # what the steps tell that is done later
STOP_S = 30
SETTLED_S = 1.0
# What only root does, and a plain user who tries an example for himself leaves out.
_ROOTS_OWN = re.compile(r"^chown .*|\bsetpriv .*?--init-groups |(?<= )-[ogugUG] [\w-]+ (?=.)")


class Way(NamedTuple):
    """
    One way of deploying.

    workers     how many run while there is no request; None: as many as there were requests at once
    at_once     how many workers the example is told to start at most
    account     whose the processes of the program are, and `group` their group
    files       what else of the examples belongs to it
    host        settings of a server that the example needs and does not have
    reload_may  what a request may get that comes just when the server is reloaded, where the example says so
    kernel      a setting of the kernel, with which it may not
    """

    example: Path
    workers: object = 6
    at_once: int = 6
    account: str = "www-data"
    group: str = "www-data"
    files: tuple = ()
    host: Path = None
    reload_may: str = None
    kernel: Path = None

    @property
    def needs_root(self) -> bool:
        return self.account != "www-data"


# The account of the ways with suexec is one that every Debian has, and whose numbers suexec accepts.
WAYS = {
    "apache-fcgid": Way(EXAMPLES / "apache-fcgid.conf", None, 30),
    "apache-proxy-fcgi": Way(EXAMPLES / "apache-proxy-fcgi.conf"),
    "apache-htaccess": Way(EXAMPLES / "apache-htaccess", 0, host=HOST, reload_may="503"),
    "apache-suexec-cgi": Way(EXAMPLES / "apache-suexec-cgi.conf", 0, account="nobody", group="nogroup"),
    "apache-suexec-fcgid": Way(EXAMPLES / "apache-suexec-fcgid.conf", None, 30, "nobody", "nogroup",
                               ("apache-suexec-fcgid.wrapper",)),
    "lighttpd-fastcgi": Way(EXAMPLES / "lighttpd-fastcgi.conf"),
    "lighttpd-cgi": Way(EXAMPLES / "lighttpd-cgi.conf", 0),
    "nginx-spawn-fcgi": Way(EXAMPLES / "nginx-spawn-fcgi.conf"),
    "nginx-systemd": Way(EXAMPLES / "nginx-systemd.conf", 4, files=("me-fcgi.socket", "me-fcgi@.service")),
    "caddy-spawn-fcgi": Way(EXAMPLES / "caddy-spawn-fcgi.caddyfile", reload_may="ConnectionResetError",
                            kernel=Path("/proc/sys/net/ipv4/tcp_migrate_req")),
}


class Server:
    """One running server on free ports of the loopback, with the program behind it."""

    def __init__(self, way: Way, installation, authority, more_conf="", **changes):
        """
        `changes` are to me.conf, named like token__issuer; None leaves a key out. `more_conf` are lines for the
        web server.
        """
        self.way = way
        self.installation = installation
        self.authority = authority
        self.more_conf = more_conf
        self.foreground, self.services = [], {}
        self.kernel_before = {}
        self.made = []
        self.folder = self._make_folder(Path(tempfile.gettempdir()))
        self.log = self.folder / "steps.log"
        self.later = {}
        self.listener = None
        self._lay_out(changes)

    def _make_folder(self, parent: Path) -> Path:
        """Short enough for a socket, and one that every account gets into."""
        folder = Path(tempfile.mkdtemp(prefix="me-way-", dir=parent))
        folder.chmod(0o755)
        self.made.append(folder)
        return folder

    def _lay_out(self, changes: dict):
        """What the first lines of a step take for given: the program, its settings, a certificate."""
        for name in ("etc", "run", "units", "tls"):
            (self.folder / name).mkdir()
        self.site_folder = self._make_site_folder()
        self.ports = {"PORT": free_port(), "TLSPORT": free_port()}
        self.program = self.folder / "me.fcgi"
        shutil.copy(program("me.fcgi"), self.program)
        self.conf = self._write_settings(self.folder / "etc", changes)
        (self.folder / "tls" / "key.pem").touch(mode=0o600)
        self.renew_certificate()
        if IS_ROOT:
            owner = pwd.getpwnam("www-data")
            os.chown(self.folder / "run", owner.pw_uid, owner.pw_gid)

    def _make_site_folder(self) -> Path:
        if not self.way.needs_root:
            return self.folder / "site"
        if not SUEXEC_LOG.exists():
            self.made.append(SUEXEC_LOG)
        SUEXEC_ROOT.mkdir(exist_ok=True)
        return self._make_folder(SUEXEC_ROOT)

    def _write_settings(self, folder: Path, changes: dict) -> Path:
        """me.conf and what it names, side by side; the steps say who may read them."""
        sections = self.installation.sections()
        del sections["admin"]
        for section, key in (("database", "password_file"), ("token", "secret_file"), ("token", "public_key_file")):
            shutil.copy2(sections[section][key], folder)
            sections[section][key] = sections[section][key].name
        sections["cache"] = {"size_mib": 1, "path": None if self.way.needs_root else self.folder / "run" / "kept"}
        for change, value in {"database__host": self._lend_database(), "cors__origin": ORIGIN, **changes}.items():
            section, key = change.split("__")
            sections.setdefault(section, {})[key] = value
        return write_conf(folder / "me.conf", sections)

    def _lend_database(self) -> Path:
        """Another name of the database's socket, whose own folder is its owner's alone."""
        folder = self.folder / "db"
        folder.mkdir(mode=0o710)
        if IS_ROOT:
            os.chown(folder, 0, grp.getgrnam(self.way.group).gr_gid)
        os.link(self.installation.server.socket, folder / "db.sock")
        return folder / "db.sock"

    @property
    def variables(self) -> dict:
        return {
            **self.ports, "DIR": self.folder, "ETC": self.folder / "etc", "PROGRAM": self.program,
            "SOCKET": self.folder / "run" / "w.sock", "WORKERS": self.way.at_once, "MODULES": APACHE_MODULES,
            "CERT": self.folder / "tls" / "cert.pem", "KEY": self.folder / "tls" / "key.pem",
            "ACCOUNT": self.way.account, "GROUP": self.way.group, "SITE": self.site_folder,
            "UNITS": self.folder / "units",
        }

    # ---- the steps

    def start(self) -> "Server":
        documents = filter(None, (self.way.example, self.way.host))
        steps = [(step, document) for document in documents for step in steps_of(document, self.variables)]
        self.later = {purpose: [command for step, _ in steps if step.is_for(purpose) for command in step.commands]
                      for purpose in PURPOSES}
        for step, document in steps:
            if step.is_numbered:
                self._take(step, document)
        return self

    def _take(self, step, document: Path):
        for name, path in step.saves:
            text = fill_in((EXAMPLES / name if name else document).read_text(), self.variables)
            Path(path).write_text(text if name else text + self.more_conf)
        for command in step.commands:
            self._type(command, step)

    def _type(self, command: str, step):
        if command.startswith("apt-get install "):
            return
        if command.startswith("systemctl "):
            self._systemctl(command)
        elif command.startswith("echo 1 >/proc/sys/"):
            self._set_kernel(command)
        elif step.stays_in_foreground:
            self._start_in_foreground(command, "until Ctrl-C" in step.text)
        elif command.startswith("curl "):
            wait_until(self._answers, 20, f"{self.way.example.name} answers")
            assert "HTTP/1.1 401 Unauthorized" in self.run(command)
        else:
            self.run(command)

    def run(self, command: str, may_fail=False) -> str:
        """Types a command as the example shows it, and waits for its end."""
        done = subprocess.run(
            ["sh", "-e", "-c", _for_this_user(command)], check=False, timeout=60, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder,
            env=clean_environment(PATH=PATH))
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"$ {command}\n{done.stdout}")
        assert may_fail or done.returncode == 0, f"{command}\n{done.stdout}\n{self.logs()}"
        return done.stdout

    def _start_in_foreground(self, command: str, is_interrupted: bool):
        """A process group of its own, as a terminal's; Ctrl-C is for all of it."""
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                ["sh", "-c", _for_this_user(command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=clean_environment(PATH=PATH), start_new_session=True)
        self.foreground.append((process, is_interrupted))

    def _set_kernel(self, command: str):
        """As it was again afterwards; not at all where that is not for us to set."""
        setting = Path(command.partition(">")[2])
        if os.access(setting, os.W_OK):
            self.kernel_before[setting] = setting.read_text()
            self.run(command)

    def may_lose(self, loss: str) -> bool:
        """Whether the example says that this may become of a request while the server is reloaded."""
        if self.way.kernel and self.way.kernel.exists() and self.way.kernel.read_text() == "1\n":
            return False
        return self.way.reload_may is not None and loss.startswith(f"GET: {self.way.reload_may}")

    def _systemctl(self, command: str):
        """Plays systemd: the socket, then each service that is enabled, or those of a pattern again."""
        verb, *names = [word.strip("'") for word in command.split()[1:] if word != "--now"]
        if verb == "enable":
            for name in names:
                self._enable(name)
        elif verb == "restart":
            for name in fnmatch.filter(self.services, names[0]):
                self.services[name].send_signal(signal.SIGTERM)
                self.services[name].wait(STOP_S)
                self._enable(name)

    def _enable(self, name: str):
        if name.endswith(".socket"):
            self.listener = units.listen(self.folder / "units" / name)
            return
        unit = self.folder / "units" / re.sub(r"@\w+$", "@.service", name)
        with open(self.folder / "log" / f"{name}.log", "ab") as log:
            self.services[name] = units.start(unit, self.listener, log)

    def renew_certificate(self) -> bytes:
        """Another one in the same files, as it happens every few weeks; in DER."""
        certificate, key = self.authority.certify("127.0.0.1")
        (self.folder / "tls" / "cert.pem").write_bytes(certificate.read_bytes())
        (self.folder / "tls" / "key.pem").write_bytes(key.read_bytes())
        return ssl.PEM_cert_to_DER_cert(certificate.read_text())

    def reload(self):
        """By the command that the example shows; one without has nothing to be reloaded."""
        self._do("reload")

    def upgrade(self):
        """What the example shows for when another program has taken the place of this one."""
        self._do("upgrade")

    def _do(self, purpose: str):
        for command in self.later[purpose]:
            if command.startswith("systemctl "):
                self._systemctl(command)
            else:
                self.run(command)

    # ---- what runs

    @property
    def processes(self) -> list:
        return [*(process for process, _ in self.foreground), *self.services.values()]

    def _answers(self) -> bool:
        for process in self.processes:
            assert process.poll() is None, f"{process.args} ended at once:\n{self.logs()}"
        try:
            return self.site().send("OPTIONS").status == 204 and self.secure_site().send("OPTIONS").status == 204
        except OSError:
            return False

    def site(self, path="/me") -> Site:
        return Site(self.way.example.stem, self.ports["PORT"], path)

    def secure_site(self, path="/me") -> SecureSite:
        return SecureSite(self.way.example.stem, self.ports["TLSPORT"], self.authority, path)

    def log_files(self) -> list:
        """What the server and the workers wrote, and what the steps printed."""
        return [self.log, *sorted((self.folder / "log").iterdir())]

    def logs(self) -> str:
        return ends_of_logs(self.log_files())

    def worker_pids(self) -> list:
        """All processes of the program that run for this server."""
        return pids_running(lambda program: program in self._places())

    def settle(self):
        """Waits until no worker is started any more: a reload at such a moment is what mod_fcgid does not bear."""
        pids, since = self.worker_pids(), time.monotonic()
        while time.monotonic() < since + SETTLED_S:
            now = self.worker_pids()
            if now != pids:
                pids, since = now, time.monotonic()
            time.sleep(0.05)

    def old_pids(self) -> list:
        """Those whose file another one has taken the place of."""
        return pids_running(lambda program: program.removesuffix(" (deleted)") in self._places() and
                            program.endswith(" (deleted)"))

    def _places(self) -> set:
        return {str(self.program), *map(str, self.site_folder.rglob("me.fcgi"))}

    def kept_files(self) -> list:
        """The caches. Where no me.conf names their place they lie in no folder of ours."""
        confs = [self.conf, *self.site_folder.rglob("me.conf")] if self.way.needs_root else []
        places = [kept_in_memory(self.way.account, conf) for conf in confs] or [self.folder / "run" / "kept"]
        return [place for place in places if place.exists()]

    def stop(self):
        """By Ctrl-C, and by what the example says; a process that outlives that is an error, once it was ended."""
        try:
            self._interrupt()
            for command in self.later.get("stop", []):
                self.run(command, may_fail=True)  # one of them may have been killed before
            wait_until(lambda: not self._left(), STOP_S, "all has ended")
        finally:
            for pid in self._left():
                os.kill(pid, signal.SIGKILL)
            for process in self.processes:
                process.wait(STOP_S)
            if self.listener:
                self.listener.close()
            for setting, value in self.kernel_before.items():
                setting.write_text(value)
            for file in self.kept_files():
                file.unlink()
            for folder in reversed(self.made):
                shutil.rmtree(folder, ignore_errors=True)

    def _interrupt(self):
        """What runs in the foreground of a terminal gets it with its whole group; systemd has another signal."""
        for process, is_interrupted in self.foreground:
            if is_interrupted and process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        for process in self.services.values():
            process.send_signal(signal.SIGTERM)

    def _left(self) -> list:
        """What we started, without what has ended, and all processes of the program."""
        started = [process.pid for process in self.processes if process.poll() is None]
        return [*started, *filter(is_running, [*self.worker_pids(), *self.old_pids()])]


def _for_this_user(command: str) -> str:
    return command if IS_ROOT else _ROOTS_OWN.sub("", command) or ":"
