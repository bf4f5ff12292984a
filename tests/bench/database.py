"""The private MariaDB of the measurements, and databases of users in it that are made once and kept."""

import hashlib
import subprocess
from pathlib import Path

from processes import wait_until

SOURCE = Path(__file__).resolve().parents[2]
SCRIPT = SOURCE / "scripts" / "private-mariadb"
POPULATION = Path(__file__).with_name("population.sql")
ISSUER, AUDIENCE = "https://login.example.com/realms/main", "me"
# Room for all rows and indexes, commits durable: what a server of its own would be given.
OPTIONS = ("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=256M", "--max-connections=500",
           "--table-open-cache=1000")
HASTE = {"innodb_io_capacity_max": 20000, "innodb_io_capacity": 10000, "innodb_max_dirty_pages_pct_lwm": 0,
         "innodb_max_dirty_pages_pct": 0}
SETTLED_AT = 500  # pages, and changes that are kept for readers of old states
SETTLE_LIMIT_S = 900


class Database:
    """One server for the time of a run; its data stay."""

    def __init__(self, folder: Path, build: Path):
        self.folder = folder
        self.mectl = build / "mectl"
        self.keys = folder / "keys"

    def start(self) -> "Database":
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([SCRIPT, "start", self.folder / "database", *OPTIONS], check=True)
        done = subprocess.run([SCRIPT, "socket", self.folder / "database"], check=True, capture_output=True, text=True)
        self.socket = done.stdout.strip()
        self._make_keys()
        return self

    def stop(self):
        subprocess.run([SCRIPT, "stop", self.folder / "database"], check=True)

    @property
    def pid(self) -> int:
        return int((self.folder / "database" / "mariadbd.pid").read_text())

    def sql(self, text: str, database="") -> str:
        """What the statements print as root, columns apart by tabs."""
        command = ["mariadb", "--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4",
                   f"--socket={self.socket}", "-u", "root", database]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"mariadb: {done.stderr.strip()}")
        return done.stdout

    def _status(self, *names) -> dict:
        listed = ", ".join(f"'{name}'" for name in names)
        rows = self.sql(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({listed})")
        return {name: int(value) for name, value in (line.split("\t") for line in rows.splitlines())}

    def counters(self) -> dict:
        """The server's own counts of what it has done so far."""
        return self._status("Com_stmt_execute", "Handler_read_key", "Handler_read_next", "Questions")

    def settle(self):
        """Waits until what was written is on the disk and what it replaced is cleared away: both take CPU."""
        before = {name: self.sql(f"SELECT @@GLOBAL.{name};").strip() for name in reversed(HASTE)}
        self._set_globals(HASTE)
        wait_until(self._is_settled, "MariaDB has written all that is to be written", SETTLE_LIMIT_S, 0.5)
        self._set_globals(before)

    def _set_globals(self, values: dict):
        self.sql("SET " + ", ".join(f"GLOBAL {name} = {value}" for name, value in values.items()))

    def _is_settled(self) -> bool:
        left = self._status("Innodb_buffer_pool_pages_dirty", "Innodb_history_list_length")
        return all(count < SETTLED_AT for count in left.values())

    def _make_keys(self):
        self.keys.mkdir(exist_ok=True)
        self.keys.chmod(0o700)
        for name in ("hs256.secret", "worker.password", "mectl.password"):
            if not (self.keys / name).exists():
                self._run("keys", "generate", "--secret", name)
        if not (self.keys / "rs256.pub.pem").exists():
            self._run("keys", "generate", "--rsa", "rs256.pem", "--public", "rs256.pub.pem")

    def _run(self, *arguments) -> str:
        done = subprocess.run([self.mectl, *arguments], cwd=self.keys, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"mectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def password(self) -> str:
        return (self.keys / "worker.password").read_text().strip()


TABLES = ("users", "user_emails", "user_identities", "user_phone_numbers", "user_badges", "user_fraud_information",
          "sessions")
USERS_AT_ONCE = 20_000


class Population:
    """One database with so many users."""

    def __init__(self, database: Database, count: int):
        self.database = database
        self.count = count
        self.name = f"bench_{count}"
        self.folder = database.folder / self.name
        self.conf = self.folder / "me.conf"

    def recipe(self) -> str:
        """What the rows depend on."""
        digest = hashlib.sha256(f"{self.count} {self.database.socket}".encode())
        for path in [POPULATION, *sorted((SOURCE / "schema").glob("*.sql"))]:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def make(self, progress) -> "Population":
        self.folder.mkdir(exist_ok=True)
        self._write_conf()
        stamp = self.folder / "recipe"
        if not stamp.exists() or stamp.read_text() != self.recipe():
            stamp.unlink(missing_ok=True)
            self._prepare()
            self._fill(progress)
            stamp.write_text(self.recipe())
        progress.tell("waiting for MariaDB to have written it all")
        self.database.settle()
        return self

    def _write_conf(self):
        keys = self.database.keys
        self.conf.write_text(f"""\
[database]
host = "{self.database.socket}"
name = {self.name}
user = me_worker
password_file = "{keys}/worker.password"

[admin]
user = me_mectl
password_file = "{keys}/mectl.password"

[token]
secret_file = "{keys}/hs256.secret"
public_key_file = "{keys}/rs256.pub.pem"
issuer = {ISSUER}
audience = {AUDIENCE}
""")
        self.conf.chmod(0o600)

    def _grant(self, account: str):
        self.database.sql(self._mectl("migrate", "--print-grants", "--for", account))

    def _mectl(self, *arguments) -> str:
        return self.database._run(*arguments, "--config", self.conf)

    def _prepare(self):
        self.database.sql(f"DROP DATABASE IF EXISTS {self.name}; CREATE DATABASE {self.name};")
        self._grant("mectl")
        self._mectl("migrate")
        self._grant("worker")

    def _fill(self, progress):
        text = POPULATION.read_text()
        for first in range(1, self.count + 1, USERS_AT_ONCE):
            last = min(first + USERS_AT_ONCE - 1, self.count)
            progress.tell(f"{self.count:,} users, made once and kept", f"{last:,} of them")
            self.database.sql(text.replace("@FIRST@", str(first)).replace("@LAST@", str(last)), self.name)
        self.database.sql(f"ANALYZE TABLE {', '.join(TABLES)};", self.name)

    def sessions(self, count: int) -> str:
        """Lines of a user's id and the id of a session that is active. Their order has nothing to do with that of
        the rows, so that users who are warm lie on different pages."""
        rows = self.database.sql(
            "SELECT LOWER(CONCAT_WS('-', SUBSTR(h, 1, 8), SUBSTR(h, 9, 4), SUBSTR(h, 13, 4), SUBSTR(h, 17, 4),"
            " SUBSTR(h, 21))), session FROM (SELECT HEX(u.id) AS h, MIN(s.id) AS session FROM"
            f" (SELECT id FROM users ORDER BY CRC32(id), id LIMIT {count}) u JOIN sessions s ON s.user_id = u.id"
            " WHERE s.revoked_at IS NULL AND s.expires_at > UTC_TIMESTAMP(3) GROUP BY u.id"
            " ORDER BY CRC32(u.id), u.id) r;", self.name)
        return rows.replace("\t", " ")
