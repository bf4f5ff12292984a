"""What happens to a service in its life: keys come and go, users are banned, workers end, the schema moves on."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import agreement
from chains import Chain
from context import Run
from database import SOURCE
from processes import children_of, started_at, wait_until

LOOK_S = 5.0  # a changed key file is seen within a second or two
RESTART_S = 10.0
FIRST_MIGRATION = 9001


class Service:
    """Our workers with key files of their own, one user who is about to be banned, and what is done to them."""

    def __init__(self, run: Run, folder: Path):
        self.run, self.folder = run, folder
        self.chain = None
        self.key = 0  # the number of the newest
        self.tokens = {}  # by the number of the key
        self.migrations = 0
        self.conf = folder / "me.conf"

    def prepare(self) -> "Service":
        keys = self.run.database.keys
        shutil.copy(keys / "rs256.pub.pem", self.folder)
        shutil.copytree(SOURCE / "schema", self.folder / "schema")
        text = self.run.population.conf.read_text()
        text = text.replace(str(keys / "rs256.pub.pem"), str(self.folder / "rs256.pub.pem"))
        self.conf.write_text(text.replace("[token]", f'[token]\njwks_file = "{self.folder / "jwks.json"}"'))
        self.conf.chmod(0o600)
        self.undo_migrations()
        self.user = self._mectl("user", "add", "--name", "Soak").strip()
        self._generate(0)
        self._publish(0)
        return self

    def start(self) -> Chain:
        self.chain = self.run.ours("soak")
        self.chain.environment |= {"ME_CONF": str(self.conf), "ME_PROCESS_SOCKET": "own"}
        return self.chain.start()

    def stop(self):
        if self.chain:
            self.chain.stop()
        self.undo_migrations()
        self._sql(f"DELETE FROM users WHERE id = UNHEX(REPLACE('{self.user}', '-', ''))")

    def _sql(self, text: str) -> str:
        return self.run.database.sql(text, self.run.population.name)

    def _mectl(self, *arguments) -> str:
        done = subprocess.run([self.run.options.build / "mectl", *map(str, arguments), "--config", self.conf],
                              cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"mectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    # ---- what is asked

    def status_of(self, key: int) -> int:
        return agreement.ask(self.chain, self.tokens[key])[0]

    def expect(self, status: int, key: int, when: str):
        found = self.status_of(key)
        if found != status:
            raise RuntimeError(f"{when}: {found}, not {status}")

    def become(self, status: int, key: int, what: str):
        """As often in turn as there are workers: any of them may not have looked yet."""
        count = len(self.workers())
        wait_until(lambda: all(self.status_of(key) == status for _ in range(count)), what, LOOK_S, 0.05)

    def workers(self) -> list:
        """The youngest is the last."""
        ages = [(started_at(pid), pid) for pid in children_of(self.chain.started[0].pid)]
        return [pid for start, pid in sorted(ages) if start]

    # ---- keys

    def _generate(self, key: int):
        self._mectl("keys", "generate", "--rsa", f"{key}.pem", "--public", f"{key}.pub.pem", "--jwks", f"{key}.jwks",
                    "--kid", f"soak-{key}")
        self.tokens[key] = self._mectl("token", "mint", "--user", self.user, "--key", f"{key}.pem",
                                       "--kid", f"soak-{key}", "--expires-in", 30 * 86400).strip()

    def _publish(self, *keys):
        sets = [json.loads((self.folder / f"{key}.jwks").read_text())["keys"] for key in keys]
        self._replace("jwks.json", json.dumps({"keys": sum(sets, [])}))

    def _replace(self, name: str, text: str):
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.replace(self.folder / name)

    def add_key(self):
        self._generate(self.key + 1)
        self._publish(self.key, self.key + 1)
        self.key += 1
        self.become(200, self.key, "a token of the new key is good")
        self.expect(200, self.key - 1, "a token of the key before it")

    def withdraw_key(self):
        self._publish(self.key)
        self.become(401, self.key - 1, "a token of the withdrawn key is refused")
        self.expect(200, self.key, "a token of the key that is left")

    def replace_key_files(self):
        """The keys are the same: what was verified is forgotten, and nobody refused."""
        self._replace("rs256.pub.pem", (self.folder / "rs256.pub.pem").read_text())
        self._publish(self.key)
        self.expect(200, self.key, "a token, the files being replaced")

    def break_key_file(self):
        self._replace("jwks.json", '{"keys": [')
        try:
            for _ in range(3 * len(self.workers())):
                self.expect(200, self.key, "a token, the key file being broken")
        finally:
            self._publish(self.key)

    # ---- the rest

    def ban(self):
        self.expect(200, self.key, "before the ban")
        self._mectl("user", "status", self.user, "banned")
        for _ in range(len(self.workers())):
            self.expect(403, self.key, "after the ban")
        self._mectl("user", "status", self.user, "active")
        self.expect(200, self.key, "after the end of the ban")

    def _restart(self, number: int):
        """The youngest, so that the others are watched for the whole time."""
        before = self.workers()
        os.kill(before[-1], number)
        wait_until(lambda: len(self.workers()) == len(before) and before[-1] not in self.workers(),
                   "another worker is there", RESTART_S, 0.02)

    def terminate_worker(self):
        self._restart(signal.SIGTERM)

    def kill_worker(self):
        self._restart(signal.SIGKILL)

    def migrate(self):
        number = FIRST_MIGRATION + self.migrations
        (self.folder / "schema" / f"{number}_soak.sql").write_text(
            f"ALTER TABLE users ADD COLUMN soak_{number} TINYINT NULL;\n"
            f"ALTER TABLE user_emails ADD COLUMN soak_{number} INT NOT NULL DEFAULT 0;\n")
        self.migrations += 1
        self._mectl("migrate", "--schema", self.folder / "schema")
        self.expect(200, self.key, "after the migration")

    def undo_migrations(self):
        """Those of a run before this one, too. Copied, else MariaDB keeps room for each column that ever was there."""
        columns = self._sql("SELECT table_name, column_name FROM information_schema.columns"
                            " WHERE table_schema = DATABASE() AND column_name LIKE 'soak\\_%'")
        for table, column in (line.split("\t") for line in columns.splitlines()):
            self._sql(f"ALTER TABLE {table} DROP COLUMN {column}, ALGORITHM = COPY")
        self._sql(f"DELETE FROM schema_migrations WHERE version >= {FIRST_MIGRATION}")


# In the order in which they come, again and again.
EVENTS = (
    ("key added", Service.add_key),
    ("ban", Service.ban),
    ("SIGTERM", Service.terminate_worker),
    ("key withdrawn", Service.withdraw_key),
    ("kill -9", Service.kill_worker),
    ("key files replaced", Service.replace_key_files),
    ("migration", Service.migrate),
    ("key file broken", Service.break_key_file),
)
# lighttpd gives each worker a socket of its own. What a worker had in hand when it was killed, and what waited in its
# socket, lighttpd answers with 500: so many at most, as there are connections. One that is told to end costs none.
EXPLAINS_5XX = ("kill -9",)
