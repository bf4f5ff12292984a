"""
What mectl doctor can find, caused: a registry by the code of the finding, and the one who is examined. An ailment is a
function that causes it, sees it named (patient.suffers_from), does what the remedy says, and sees it gone
(patient.is_well).
"""

import itertools
import json
import os
import subprocess
from typing import NamedTuple

from support.installation import Installation
from support.paths import build, clean_environment

_counter = itertools.count(1)


class Ailment(NamedTuple):
    code: str
    on: str  # the real server that it is caused on
    cause: object

    def __str__(self):
        return f"{self.code}: {self.cause.__name__}"


AILMENTS = []


def ailment(code: str, on: str):
    """Registers a function as a way to suffer from the finding of that code."""
    def register(cause):
        AILMENTS.append(Ailment(code, on, cause))
        return cause
    return register


def findings_of(done) -> dict:
    """By code, what `mectl doctor --json` found, and that its exit status says the same."""
    assert done.stderr == "", done
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = [row for row in rows if row["finding"] in ("wrong", "warning")]
    assert all(row["finding"] in ("good", "note") for row in rows if row not in found), done
    assert done.returncode == bool(found), done
    return {row["code"]: row for row in found}


def lines_to_paste(remedy: str) -> str:
    """What is no comment."""
    return "\n".join(line for line in remedy.splitlines() if not line.startswith("#"))


class Patient:
    """An installation with a database of its own, examined again and again with the same arguments."""

    def __init__(self, server, folder, *arguments):
        self.installation = Installation(server, folder, f"doctor{next(_counter)}")
        self.folder = folder
        self.arguments = ["--only", "inside", *arguments]
        self.conf = self.installation.conf
        self.code = None

    def prepare(self) -> "Patient":
        self.installation.prepare_database()
        return self

    def prepare_as_is(self):
        """As prepare, with the settings that are written now."""
        self.grant("mectl")
        self.installation.mectl("migrate", conf=self.conf)
        self.grant("worker")

    def write_conf(self, **changes):
        self.conf = self.installation.write_conf("me.conf", **changes)

    def write_provisioning_conf(self, **changes):
        self.conf = self.installation.write_provisioning_conf("me.conf", **changes)

    def grant(self, who: str):
        """`mectl migrate --print-grants --for WHO | mariadb`"""
        self.installation.grant(who, self.conf)

    @property
    def account(self) -> str:
        return f"'{self.installation.worker_account}'@'localhost'"

    def examine(self) -> dict:
        return findings_of(self.installation.mectl("doctor", "--json", *self.arguments, conf=self.conf, check=False))

    def suffers_from(self, code: str, *words, also=()) -> dict:
        """The row of the finding, whose detail has the words in it; nothing else is found."""
        found = self.examine()
        assert set(found) == {code, *also}, found
        self.code = code
        for word in words:
            assert str(word) in found[code]["detail"], found[code]
        return found[code]

    def is_well(self):
        assert self.examine() == {}, f"{self.code} is not mended, or something else is wrong"

    def paste(self, row: dict):
        """Types what the remedy shows into a shell, which knows nothing of the installation."""
        lines = lines_to_paste(row["remedy"])
        assert lines.strip(), row
        subprocess.run(
            ["sh", "-e", "-c", lines], check=True, timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=clean_environment(PATH=f"{build()}:{os.environ['PATH']}"))

    def paste_sql(self, row: dict):
        """Types what the remedy shows into a client of the database, as its administrator."""
        lines = lines_to_paste(row["remedy"])
        assert lines.strip(), row
        self.installation.server.run_script(lines)

    def paste_settings(self, row: dict, section: str, **changes):
        """Puts the lines that the remedy shows into a section of me.conf."""
        for line in lines_to_paste(row["remedy"]).splitlines():
            key, _, value = line.partition(" = ")
            changes[f"{section}__{key}"] = value
        self.write_conf(**changes)


def says(row: dict, *words):
    """The remedy is one that a person takes: it names these."""
    for word in words:
        assert word in row["remedy"], row
