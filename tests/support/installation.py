"""An installed service without its web server: database, accounts, keys, me.conf."""

import secrets
import subprocess
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.paths import clean_environment, program
from support.sandbox import strictest_mode
from support.tokens import Tokens

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com"


def write_secret(path: Path, text: str) -> Path:
    """A file that nobody but its owner may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
    return path


def write_conf(path: Path, sections: dict) -> Path:
    """Writes a me.conf; keys with the value None are left out."""
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
    path.write_text("\n".join(lines) + "\n")
    return path


def mectl_command(arguments, conf) -> list:
    """mectl with these arguments and --config, which does not belong behind a `--`."""
    words = [str(argument) for argument in arguments]
    end = words.index("--") if "--" in words else len(words)
    named = [] if conf is False else ["--config", str(conf)]
    return [str(program("mectl")), *words[:end], *named, *words[end:]]


def rsa_pair() -> tuple:
    """A private key and its public key, both in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@lru_cache(maxsize=1)
def issuers_pair() -> tuple:
    """Those of the one issuer that all installations of a run trust; rsa_pair() is of another one."""
    return rsa_pair()


class Installation:
    """
    One me.conf with a database of its own on the given server. Several can share a server: the
    accounts are named after the database.
    """

    def __init__(self, server, folder: Path, database="me"):
        self.server = server
        self.folder = folder
        self.database = database
        self.worker_account = f"{database}_worker"
        self.admin_account = f"{database}_admin"
        self.provision_account = f"{database}_provision"
        self.worker_password = secrets.token_hex(16)
        self.secret = secrets.token_hex(32)
        private_pem, public_pem = issuers_pair()
        self.tokens = Tokens(self.secret, private_pem, public_pem, ISSUER, AUDIENCE)
        self._write_files(private_pem, public_pem)
        self.conf = self.write_conf("me.conf")

    def _write_files(self, private_pem: str, public_pem: str):
        self.worker_password_file = write_secret(
            self.folder / "worker.password", self.worker_password + "\n")
        self.admin_password_file = write_secret(
            self.folder / "admin.password", secrets.token_hex(16) + "\n")
        self.provision_password_file = write_secret(
            self.folder / "provision.password", secrets.token_hex(16) + "\n")
        self.secret_file = write_secret(self.folder / "hs256.secret", self.secret + "\n")
        self.private_key_file = write_secret(self.folder / "rs256.pem", private_pem)
        self.public_key_file = self.folder / "rs256.pub.pem"
        self.public_key_file.write_text(public_pem)

    def sections(self) -> dict:
        """The settings of me.conf, by section and key."""
        return {
            "database": {
                "host": self.server.socket,
                "name": self.database,
                "user": self.worker_account,
                "password_file": self.worker_password_file,
            },
            "admin": {
                "user": self.admin_account,
                "password_file": self.admin_password_file,
            },
            "token": {
                "algorithms": "HS256, RS256",
                "secret_file": self.secret_file,
                "public_key_file": self.public_key_file,
                "issuer": ISSUER,
                "audience": AUDIENCE,
                "sessions": "if-present",
            },
            "log": {"level": "info"},
            "process": {"sandbox": strictest_mode()},
        }

    def write_conf(self, name: str, **changes) -> Path:
        """A me.conf with the changes, named like token__issuer; None leaves a key out."""
        sections = self.sections()
        for change, value in changes.items():
            section, key = change.split("__")
            sections.setdefault(section, {})[key] = value
        sections.setdefault("cache", {"path": self.folder / f"{name}.cache", "size_mib": 4})
        return write_conf(self.folder / name, sections)

    def write_provisioning_conf(self, name="provisioning.conf", **changes) -> Path:
        """A me.conf by which the first token of an identity adds its user."""
        return self.write_conf(name, **{
            "token__subject": "identity", "token__provision": "on", "token__sessions": "off",
            "provision__user": self.provision_account,
            "provision__password_file": self.provision_password_file, **changes})

    def prepare_database(self) -> "Installation":
        """The documented way from an empty server to a migrated database with both accounts."""
        self.grant("mectl")
        self.mectl("migrate")
        self.grant("worker")
        return self

    def grant(self, who: str, conf=None):
        self.server.run_script(self.mectl("migrate", "--print-grants", "--for", who, conf=conf).stdout)

    def mectl(self, *arguments, check=True, conf=None, stdin="", **environment):
        """
        Runs mectl with this me.conf (or `conf`; False: none is named) and returns the completed
        process, its output as text. With `check` anything but exit status 0 is an error.
        """
        done = subprocess.run(
            mectl_command(arguments, self.conf if conf is None else conf), input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False, env=clean_environment(**environment),
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"mectl {' '.join(map(str, arguments))}: exit status {done.returncode}\n"
                f"{done.stderr}{done.stdout}"
            )
        return done

    def execute(self, sql: str, arguments=None) -> list:
        """One statement as root, in this database."""
        self.server.root.select_db(self.database)
        return self.server.execute(sql, arguments)
