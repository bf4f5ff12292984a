"""Real web servers, started from the examples of this project with their variables filled in."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support.http import Site
from support.paths import SOURCE, clean_environment, program
from support.processes import is_running, wait_until

EXAMPLES = SOURCE / "cgi-bin" / "examples"
WORKERS = 2
MODULES = "/usr/lib/apache2/modules"


class Kind:
    """
    How a server is called with a configuration. One that leaves its workers to spawn-fcgi has an
    account: what it becomes when root starts it, and whom the workers' socket is made for.
    """

    def __init__(self, example: str, command: list, account=None):
        self.example = EXAMPLES / example
        self.command = command
        self.account = account

    @property
    def binary(self) -> str:
        return self.command[0]


KINDS = {
    "lighttpd-fastcgi": Kind("lighttpd-fastcgi.conf", ["lighttpd", "-D", "-f"]),
    "lighttpd-cgi": Kind("lighttpd-cgi.conf", ["lighttpd", "-D", "-f"]),
    "nginx": Kind("nginx-spawn-fcgi.conf", ["nginx", "-c"], "nobody"),
    "apache": Kind("apache-proxy-fcgi.conf", ["apache2", "-D", "FOREGROUND", "-f"], "www-data"),
}
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def find(binary: str) -> str:
    """The path of a server's program; an error that says which package is missing."""
    path = shutil.which(binary, path=_PATH)
    if path is None:
        raise RuntimeError(f"{binary} is missing: apt-get install {binary.replace('apache2', 'apache2-bin')}")
    return path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fill_in(example: str, variables: dict) -> str:
    """The example with every @NAME@ replaced; one that is not known is an error."""
    return re.sub(r"@([A-Z]+)@", lambda name: str(variables[name[1]]), example)


class Server:
    """One running server on a free port of the loopback, with the program behind it."""

    def __init__(self, kind: Kind, conf: Path, count=WORKERS):
        self.kind = kind
        self.conf = conf
        self.count = count
        self.process, self.workers = None, []
        # Short enough for a socket, and a folder that the server's own account gets into.
        self.folder = Path(tempfile.mkdtemp(prefix="me-"))
        self.folder.chmod(0o711)
        self.port = free_port()
        self.log = self.folder / "log" / "server.log"
        (self.folder / "log").mkdir()
        (self.folder / "htdocs").mkdir()
        self.program = self.folder / "me.fcgi"
        self.program.symlink_to(program("me.fcgi"))

    def start(self) -> "Server":
        variables = {
            "PORT": self.port, "DIR": self.folder, "PROGRAM": self.program, "CONF": self.conf,
            "SOCKET": self.folder / "w.sock", "WORKERS": self.count, "MODULES": MODULES,
        }
        server_conf = self.folder / "server.conf"
        server_conf.write_text(fill_in(self.kind.example.read_text(), variables))
        if self.kind.account:
            self._spawn_workers(variables)
        command = [find(self.kind.binary), *self.kind.command[1:], str(server_conf)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=clean_environment(PATH=_PATH))
        wait_until(self._answers, 20, f"{self.kind.binary} answers")
        return self

    def _spawn_workers(self, variables: dict):
        """Runs the command that the example's comment shows, with the account and a file of pids added."""
        pid_file = self.folder / "workers.pid"
        shown = re.search(r"^# +(ME_CONF=.*spawn-fcgi .*)$", self.kind.example.read_text(), re.MULTILINE)
        owner = f"-U {self.kind.account}" if os.geteuid() == 0 else ""
        command = fill_in(shown[1], variables).replace("spawn-fcgi ", f"{find('spawn-fcgi')} -P {pid_file} {owner} ", 1)
        with open(self.log, "ab") as log:
            subprocess.run(
                ["sh", "-c", command], check=True, timeout=30, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=clean_environment())
        self.workers = [int(pid) for pid in pid_file.read_text().split()]

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.kind.binary} ended at once:\n{self.logs()}")
        try:
            return self.site().send("OPTIONS").status == 204
        except OSError:
            return False

    def site(self, path="/me") -> Site:
        return Site(self.kind.binary, self.port, path)

    def logs(self) -> str:
        return "\n".join(
            f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}"
            for path in sorted((self.folder / "log").iterdir()))

    def worker_pids(self) -> list:
        """All processes of the program that run below this server."""
        name = str(self.program).encode()
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if name in _command_line(folder)]

    def stop(self):
        """Ends the server; workers that outlive it are an error, once they were asked to end too."""
        started = self.worker_pids()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(15)
        for pid in filter(is_running, self.workers):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(map(is_running, started)), 10, f"the workers {started} have ended")
        shutil.rmtree(self.folder)


def _command_line(process: Path) -> list:
    try:
        return (process / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
