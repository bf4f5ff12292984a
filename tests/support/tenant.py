"""A customer of a shared host: one database, one account for it, and the folder of the bundle filled in."""

import re
import secrets
import subprocess
from pathlib import Path

from support.installation import AUDIENCE, ISSUER, issuers_pair, write_secret
from support.paths import clean_environment
from support.tokens import Tokens


def edit(text: str, **values) -> str:
    """A me.conf with these keys set, each in the one line that it has there, or else in a comment that shows it."""
    for key, value in values.items():
        mark = "" if re.search(rf"(?m)^{key} =", text) else "#"
        text, count = re.subn(rf"(?m)^{mark}{key} =.*$", lambda _, key=key, value=value: f"{key} = {value}", text)
        assert count == 1, f"{key} is there {count} times"
    return text


class Tenant:
    """What the host's panel makes: a database, and an account that has all rights in it and nowhere else."""

    def __init__(self, server, name: str):
        self.server = server
        self.name = name
        self.password = secrets.token_hex(8)
        self.secret = secrets.token_hex(32)
        self.tokens = Tokens(self.secret, *issuers_pair(), ISSUER, AUDIENCE)
        server.execute(f"CREATE DATABASE {name}")
        for account in self.accounts:
            server.execute(f"GRANT ALL ON {name}.* TO {account} IDENTIFIED BY '{self.password}'")

    @property
    def accounts(self) -> list:
        """The same by socket and by TCP."""
        return [f"'{self.name}'@'localhost'", f"'{self.name}'@'%'"]

    def limit_connections(self, count: int):
        for account in self.accounts:
            self.server.execute(f"ALTER USER {account} WITH MAX_USER_CONNECTIONS {count}")

    def execute(self, sql: str, arguments=None) -> list:
        """One statement as root, in this database."""
        self.server.root.select_db(self.name)
        return self.server.execute(sql, arguments)

    def connections(self) -> int:
        """How many the account has."""
        return self.server.execute(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE user = %s", [self.name])[0][0]

    def load(self, file: Path):
        """As the database's owner, with the client of MariaDB."""
        done = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.server.socket}", f"--user={self.name}",
             f"--password={self.password}", self.name], input=file.read_text(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60, check=False, env=clean_environment())
        assert done.returncode == 0, done.stdout

    def fill_in(self, folder: Path, **values):
        """Me.conf and the key, as the instructions have it; `values` are more lines of me.conf to set."""
        conf = folder / "me.conf"
        conf.write_text(edit(conf.read_text(), **{
            "name": self.name, "user": self.name, "password": self.password, "issuer": ISSUER, "audience": AUDIENCE,
            **values}))
        write_secret(folder / "hs256.secret", self.secret + "\n")
