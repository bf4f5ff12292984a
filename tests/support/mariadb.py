"""A private MariaDB, run by scripts/private-mariadb in a folder of the tests."""

import os
import signal
import subprocess
from pathlib import Path

import pymysql
from pymysql.constants import CLIENT

from support.paths import SOURCE
from support.processes import is_running, wait_until

SCRIPT = SOURCE / "scripts" / "private-mariadb"


class PrivateMariaDB:
    """One server; start() after stop() or kill() goes on with the same data. `options` are mariadbd's."""

    def __init__(self, folder: Path, options=()):
        self.folder = folder
        self.options = list(options)
        self.socket = None
        self._root = None

    def _script(self, command: str, *options, **environment) -> str:
        done = subprocess.run(
            [str(SCRIPT), command, str(self.folder), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=120, check=False, env={**os.environ, **environment},
        )
        if done.returncode != 0:
            log = self.folder / "mariadbd.log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{SCRIPT.name} {command} failed:\n{done.stderr}{done.stdout}\n{tail}")
        return done.stdout

    def start(self, *options, **environment) -> "PrivateMariaDB":
        """More options of mariadbd, for this time."""
        self._script("start", *self.options, *options, **environment)
        self.socket = self._script("socket").strip()
        return self

    def stop(self):
        self.forget_root()
        self._script("stop")

    def pid(self) -> int:
        return int((self.folder / "mariadbd.pid").read_text())

    def kill(self):
        """Ends the server as a crash would, and waits until it is gone."""
        self.forget_root()
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid), 10, "the killed server is gone")

    def connect(self, user="root", password="", database=None, **more):
        return pymysql.connect(
            unix_socket=self.socket, user=user, password=password, database=database,
            charset="utf8mb4", autocommit=True,
            init_command="SET time_zone = '+00:00'", **more,
        )

    @property
    def root(self):
        """A connection of root that is kept open for the small statements of the tests."""
        if self._root is None:
            self._root = self.connect()
        return self._root

    def forget_root(self):
        if self._root is not None:
            try:
                self._root.close()
            except pymysql.err.Error:
                pass
            self._root = None

    def execute(self, sql: str, arguments=None) -> list:
        """Runs one statement as root; returns its rows as a list of tuples."""
        with self.root.cursor() as cursor:
            cursor.execute(sql, arguments)
            return list(cursor.fetchall())

    def run_script(self, sql: str):
        """Runs a text of several statements as root, as `mariadb <file` would."""
        connection = self.connect(client_flag=CLIENT.MULTI_STATEMENTS)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                while cursor.nextset():
                    pass
        finally:
            connection.close()
