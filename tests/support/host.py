"""
A shared host: Apache with suexec, FTP, phpMyAdmin. What a customer does there goes through these three, and nothing
else: no shell, no file of the host's.
"""

import ftplib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from support.ground import (
    APACHE_MODULES, SUEXEC_LOG, SUEXEC_ROOT, ends_of_logs, free_port, kept_in_memory, pids_running)
from support.http import Site
from support.paths import SOURCE, clean_environment, system_program
from support.processes import is_running, wait_until
from support.steps import fill_in

CONF = SOURCE / "tests" / "package" / "host.conf"
ACCOUNT = "nobody"  # one that every Debian has, and whose numbers suexec accepts
PASSWORD = "of FTP"


class Host:
    """Apache and FTP for one customer, in whose folder all visitors see as "/" lies."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="me-host-"))
        self.folder.chmod(0o755)
        self.made = [self.folder]
        for path in (SUEXEC_ROOT, SUEXEC_LOG):  # left behind: another run may be using them by the end of this one
            path.mkdir(exist_ok=True)
        self.site_folder = Path(tempfile.mkdtemp(prefix="me-site-", dir=SUEXEC_ROOT))
        self.site_folder.chmod(0o755)
        self.made.append(self.site_folder)
        self.owner = pwd.getpwnam(ACCOUNT)
        os.chown(self.site_folder, self.owner.pw_uid, self.owner.pw_gid)
        self.port, self.ftp_port = free_port(), free_port()
        self.processes = []
        (self.folder / "log").mkdir()

    def start(self) -> "Host":
        conf = self.folder / "apache.conf"
        conf.write_text(fill_in(CONF.read_text(), {
            "DIR": self.folder, "MODULES": APACHE_MODULES, "PORT": self.port, "SITE": self.site_folder}))
        self._start([system_program("apache2"), "-D", "FOREGROUND", "-f", str(conf)])
        self._start([sys.executable, "-W", "ignore", "-m", "pyftpdlib", "-w", "-i", "127.0.0.1", "-p", str(self.ftp_port),
                     "-d", str(self.site_folder), "-u", ACCOUNT, "-P", PASSWORD],
                    user=self.owner.pw_uid, group=self.owner.pw_gid, extra_groups=[], umask=0o022)
        wait_until(self._answers, 20, "Apache and FTP answer")
        return self

    def _start(self, command, **more):
        with open(self.folder / "log" / f"{Path(command[0]).name}.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=clean_environment(), **more))

    def _answers(self) -> bool:
        for process in self.processes:
            assert process.poll() is None, f"{process.args} ended at once:\n{self.logs()}"
        try:
            self.ftp().quit()
            return self.site("/").send().status in (403, 404)
        except OSError:
            return False

    def site(self, path: str) -> Site:
        return Site("host", self.port, path)

    def ftp(self) -> ftplib.FTP:
        connection = ftplib.FTP()
        connection.connect("127.0.0.1", self.ftp_port, timeout=10)
        connection.login(ACCOUNT, PASSWORD)
        return connection

    def logs(self) -> str:
        return ends_of_logs([*sorted((self.folder / "log").iterdir()), SUEXEC_LOG / "suexec.log"])

    def worker_pids(self) -> list:
        """Processes of the program out of the customer's folder."""
        return pids_running(lambda program: program.startswith(f"{self.site_folder}/"))

    def stop(self):
        workers = self.worker_pids()
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(15)
        try:
            wait_until(lambda: not any(map(is_running, workers)), 10, f"the workers {workers} have ended")
        finally:
            for pid in filter(is_running, workers):
                os.kill(pid, signal.SIGKILL)
            for conf in self.site_folder.rglob("me.conf"):
                kept_in_memory(ACCOUNT, conf).unlink(missing_ok=True)
            for folder in reversed(self.made):
                shutil.rmtree(folder, ignore_errors=True)


class Ftp:
    """The customer's FTP program."""

    def __init__(self, host: Host):
        self.host = host

    def upload_folder(self, folder: Path, name: str):
        """With all that is in it, in binary mode; permissions do not go along."""
        with self.host.ftp() as ftp:
            for path in [folder, *sorted(folder.rglob("*"))]:
                there = str(Path(name) / path.relative_to(folder))
                if path.is_dir():
                    ftp.mkd(there)
                else:
                    with path.open("rb") as file:
                        ftp.storbinary(f"STOR {there}", file)

    def upload(self, text: str, name: str):
        with tempfile.TemporaryFile() as file, self.host.ftp() as ftp:
            file.write(text.encode())
            file.seek(0)
            ftp.storbinary(f"STOR {name}", file)

    def download(self, name: str) -> str:
        parts = []
        with self.host.ftp() as ftp:
            ftp.retrbinary(f"RETR {name}", parts.append)
        return b"".join(parts).decode()

    def rename(self, old: str, new: str):
        with self.host.ftp() as ftp:
            ftp.rename(old, new)

    def set_permissions(self, mode: str, name: str):
        with self.host.ftp() as ftp:
            ftp.sendcmd(f"SITE CHMOD {mode} {name}")
