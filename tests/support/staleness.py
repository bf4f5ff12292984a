"""
Is any answer another one than the database's at the time?

Writers change all seven tables by SQL of their own, workers are killed, the file that they share is
scribbled on; readers compare each answer, byte for byte, with what they read from the database
themselves. A reader asks for the revisions of some users, has each of them answered, and asks again:
where a revision is the same before and after, the answer has to be the one of that revision. The
others prove nothing, and are not counted.
"""

import contextlib
import json
import multiprocessing
import os
import random
import socket
import subprocess
import time
import uuid
from collections import Counter
from datetime import timezone

from support import answer as answers
from support.fastcgi import PARAMS, STDIN, Connection, begin, params, stream, variables_of
from support.installation import ISSUER
from support.paths import clean_environment, program
from support.users import User, rfc3339

USERS, BATCH, WORKERS = 120, 30, 4
TEXTS = [None, "", "Ada", 'Zeile\n\t"quoted" \\ 王 👩‍🚀', "x" * 700]
SERVED = ["active", "pending", "invited"]


class Crew:
    """Workers at one socket, each of which can be killed."""

    def __init__(self, installation, folder, executable, **environment):
        self.socket = folder / "crew.sock"
        self.log = open(folder / "crew.log", "ab")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.socket))
        self.listener.listen(64)
        self.command = [str(program(executable))]
        self.environment = clean_environment(ME_CONF=str(installation.conf), **environment)
        self.workers = [self._start() for _ in range(WORKERS)]

    def _start(self):
        return subprocess.Popen(self.command, stdin=self.listener, stdout=subprocess.DEVNULL, stderr=self.log,
                                env=self.environment)

    def kill_one(self):
        place = random.randrange(len(self.workers))
        self.workers[place].kill()
        self.workers[place].wait()
        self.workers[place] = self._start()

    def end(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.listener.close()
        self.log.close()


# ---- what the database has

def _bool(row, *names):
    return {**row, **{name: bool(row[name]) for name in names}}


def _plain(columns, row) -> dict:
    """UUIDs and times as support.users has them."""
    plain = {}
    for name, value in zip(columns, row):
        if isinstance(value, bytes):
            value = uuid.UUID(bytes=value)
        elif hasattr(value, "microsecond"):
            value = value.replace(tzinfo=timezone.utc)
        plain[name] = value
    return plain


class Oracle:
    """Reads users whole, in one snapshot, and remembers them under their revision."""

    def __init__(self, connection):
        self.connection = connection
        self.memory = {}

    def _rows(self, sql, ids) -> list:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.format(",".join(["%s"] * len(ids))), ids)
            columns = [column[0] for column in cursor.description]
            return [_plain(columns, row) for row in cursor.fetchall()]

    def versions(self, ids) -> dict:
        """The revision of each user that is there; the database's clock under None."""
        rows = self._rows("SELECT id, revision, UTC_TIMESTAMP(3) AS now FROM users WHERE id IN ({})", ids)
        return {row["id"].bytes: row["revision"] for row in rows} | {None: self.now()}

    def now(self):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT UTC_TIMESTAMP(3)")
            return cursor.fetchone()[0].replace(tzinfo=timezone.utc)

    def load(self, ids):
        """Reads those users into the memory; the revisions that they had."""
        read = {}
        with self.connection.cursor() as cursor:
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        for row in self._rows("SELECT * FROM users WHERE id IN ({})", ids):
            read[row["id"].bytes] = User(row)
        self._load_children(read, ids)
        self.connection.commit()
        for key, user in read.items():
            self.memory[key, user.row["revision"]] = user
        return {key: user.row["revision"] for key, user in read.items()}

    def _load_children(self, read, ids):
        for row in self._rows("SELECT * FROM user_emails WHERE user_id IN ({})", ids):
            read[row["user_id"].bytes].emails.append(
                _bool(row, "verified", "password_set", "token_set", "is_default"))
        for row in self._rows("SELECT * FROM user_identities WHERE user_id IN ({})", ids):
            read[row["user_id"].bytes].identities.append(row)
        for row in self._rows("SELECT * FROM user_phone_numbers WHERE user_id IN ({})", ids):
            read[row["user_id"].bytes].phones.append(_bool(row, "verified", "is_primary"))
        for row in self._rows("SELECT * FROM user_badges WHERE user_id IN ({})", ids):
            read[row["user_id"].bytes].badges.append(f"{row['scope']}:{row['name']}")
        for row in self._rows("SELECT * FROM user_fraud_information WHERE user_id IN ({})", ids):
            read[row["user_id"].bytes].fraud_score = row["score"]
        for row in self._rows("SELECT * FROM sessions WHERE user_id IN ({})", ids):
            read[row["user_id"].bytes].sessions.append(row)


def expected(user: User, sid, start, end):
    """Status and body; None where a session ends between the two times."""
    live = [s for s in user.sessions if s["revoked_at"] is None and s["expires_at"] > start]
    if any(s["expires_at"] <= end for s in live):
        return None
    status = user.row["status"]
    if status == "deleted" or (sid is not None and sid not in [s["id"] for s in live]):
        return 401, None
    if status == "banned":
        return 403, None
    resource = user.expected(active_sessions=len(live))
    return 200, json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


# ---- who reads

class Reader:
    def __init__(self, run, seed):
        self.run = run
        self.random = random.Random(seed)
        self.oracle = Oracle(run.connect())
        self.counts, self.wrong = Counter(), []
        self.tokens = {}

    def bearer(self, key, sid):
        """Of both kinds of signature, since the workers share what they know of RS256."""
        if (key, sid) not in self.tokens:
            algorithm = self.random.choice(["HS256"] * 3 + ["RS256"])
            self.tokens[key, sid] = self.run.installation.tokens.bearer(
                str(uuid.UUID(bytes=key)), sid=sid, exp=int(time.time()) + 86400, algorithm=algorithm)
        return self.tokens[key, sid]

    def request(self, *arguments, **more):
        """None where the worker was killed meanwhile."""
        variables, body = variables_of(*arguments, **more)
        with contextlib.suppress(OSError, EOFError), Connection(self.run.crew.socket, 20) as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, body))
            return answers.parse_cgi(connection.receive().stdout)
        self.counts["broken off"] += 1
        return None

    def judge(self, what, key, sid, wanted, answer):
        self.counts["answers"] += 1
        self.counts[f"{what} {answer.status}"] += 1
        if (answer.status, answer.body if answer.status == 200 else None) != wanted:
            self.wrong.append(f"{what} of {uuid.UUID(bytes=key)}, session {sid}: {answer.status} {answer.body!r}"
                              f" in place of {wanted}")

    def choose_session(self, user):
        ids = [session["id"] for session in user.sessions] if user else []
        return self.random.choice([None, None, *ids, *ids, "none"])

    def read_some(self):
        keys = self.random.sample(self.run.keys, BATCH)
        before = self.oracle.versions(keys)
        unknown = [key for key in keys if key in before and (key, before[key]) not in self.oracle.memory]
        if unknown:
            self.oracle.load(unknown)
        asked = []
        for key in keys:
            user = self.oracle.memory.get((key, before.get(key)))
            sid = self.choose_session(user)
            asked.append((key, sid, user, self.request("GET", headers=self.bearer(key, sid))))
        after = self.oracle.versions(keys)
        for key, sid, user, answer in asked:
            if answer is None:
                continue
            wanted = user and before[key] == after.get(key) and expected(user, sid, before[None], after[None])
            if wanted:
                self.judge("GET", key, sid, wanted, answer)
            else:
                self.counts["not counted"] += 1

    def change_one(self):
        """A PATCH, whose answer has to be the row as it is behind it, where that is still its own."""
        key = self.random.choice(self.run.keys)
        member = self.random.choice(["name", "bio", "locale", "timezone", "avatarUrl"])
        value = {"name": f"N {self.random.random()}", "bio": self.random.choice(TEXTS), "locale": "de-DE",
                 "timezone": self.random.choice(["UTC", None]), "avatarUrl": "https://example.com/a/b?c"}[member]
        start = self.oracle.now()
        answer = self.request("PATCH", headers=self.bearer(key, None), body={member: value})
        if answer is None or answer.status != 200:
            self.counts["not counted"] += 1
            return
        revision = self.oracle.load([key]).get(key)
        user = self.oracle.memory.get((key, revision))
        wanted = user and rfc3339(user.row["updated_at"]) == answer.json["updatedAt"] and \
            expected(user, None, start, self.oracle.now())
        # The writers do not move updated_at: what they changed since is seen by the revision.
        if wanted and user.row["revision"] == self.revision_of(key, answer):
            self.judge("PATCH", key, None, wanted, answer)
        else:
            self.counts["not counted"] += 1

    def forge_one(self):
        """What one token says with the signature of another one: both may be known to be good."""
        one, other = self.random.sample(sorted(bearer["Authorization"] for bearer in self.tokens.values()), 2)
        token = one.rpartition(".")[0] + "." + other.rpartition(".")[2]
        answer = self.request("GET", headers={"Authorization": token})
        if answer is not None:
            self.judge("forged GET", bytes(16), None, (401, None), answer)

    def revision_of(self, key, answer):
        """Only where two GETs around it say the same: the one that is there."""
        again = self.request("GET", headers=self.bearer(key, None))
        if again is None or again.body != answer.body:
            return None
        return self.oracle.versions([key]).get(key)

    def work(self, stop, results):
        while not stop.is_set():
            self.read_some()
            for _ in range(BATCH // 10):
                self.change_one()
            self.forge_one()
            if len(self.oracle.memory) > 20000:
                self.oracle.memory.clear()
            with self.run.done.get_lock():
                self.run.done.value += BATCH
            if self.wrong:
                break
        results.put((self.counts, self.wrong[:3]))


# ---- who writes

class Writer:
    """One statement, or one transaction, of a random kind after the other."""

    def __init__(self, run, seed):
        self.run = run
        self.random = random.Random(seed)
        self.connection = run.connect()
        self.cursor = self.connection.cursor()

    def sql(self, text, *arguments):
        self.cursor.execute(text, arguments)

    def add_email(self, key):
        self.sql("INSERT INTO user_emails (user_id, id, email, verified) VALUES (%s, %s, %s, %s)", key, uuid.uuid4().bytes,
                 f"{uuid.uuid4().hex[:12]}@example.com", self.random.random() < 0.5)

    def turn_email(self, key):
        self.sql("UPDATE user_emails SET is_default = 0 WHERE user_id = %s", key)
        self.sql("UPDATE user_emails SET is_default = 1 WHERE user_id = %s LIMIT 1", key)

    def drop_email(self, key):
        self.sql("DELETE FROM user_emails WHERE user_id = %s ORDER BY id LIMIT 2", key)

    def give_email_away(self, key):
        self.sql("UPDATE user_emails SET user_id = %s WHERE user_id = %s AND NOT is_default LIMIT 1",
                 self.random.choice(self.run.keys), key)

    def add_identity(self, key):
        self.sql("INSERT INTO user_identities (user_id, id, issuer, subject, provider) VALUES (%s, %s, %s, %s, 'p')",
                 key, uuid.uuid4().bytes, ISSUER, uuid.uuid4().hex)

    def drop_identity(self, key):
        self.sql("DELETE FROM user_identities WHERE user_id = %s", key)

    def add_phone(self, key):
        self.sql("REPLACE INTO user_phone_numbers (user_id, id, number) VALUES (%s, %s, %s)", key, uuid.uuid4().bytes,
                 f"+31{self.random.randrange(10, 40)}")

    def verify_phones(self, key):
        self.sql("UPDATE user_phone_numbers SET verified = NOT verified WHERE user_id = %s", key)

    def add_badge(self, key):
        self.sql("INSERT IGNORE INTO user_badges (user_id, scope, name) VALUES (%s, 's', %s)", key,
                 f"b{self.random.randrange(5)}")

    def drop_badges(self, key):
        self.sql("DELETE FROM user_badges WHERE user_id = %s", key)

    def set_score(self, key):
        self.sql("INSERT INTO user_fraud_information (user_id, score) VALUES (%s, 1)"
                 " ON DUPLICATE KEY UPDATE score = score + 1", key)

    def drop_score(self, key):
        self.sql("DELETE FROM user_fraud_information WHERE user_id = %s", key)

    def add_session(self, key):
        self.sql("INSERT INTO sessions (user_id, id, expires_at) VALUES (%s, %s,"
                 " UTC_TIMESTAMP(3) + INTERVAL %s MICROSECOND)", key, uuid.uuid4().hex,
                 self.random.choice([200000, 900000, 3000000, 3600000000]))

    def revoke_sessions(self, key):
        self.sql("UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3) WHERE user_id = %s LIMIT 1", key)

    def drop_sessions(self, key):
        self.sql("DELETE FROM sessions WHERE user_id = %s AND (expires_at < UTC_TIMESTAMP(3) OR RAND() < 0.3)", key)

    def change_user(self, key):
        self.sql("UPDATE users SET bio = %s, name = %s WHERE id = %s", self.random.choice(TEXTS),
                 f"W {self.random.randrange(10)}", key)

    def set_status(self, key):
        self.sql("UPDATE users SET status = %s WHERE id = %s", self.random.choice([*SERVED, "banned", "deleted"]), key)
        self.sql("UPDATE users SET status = 'active' WHERE status IN ('banned', 'deleted') AND id = %s",
                 self.random.choice(self.run.keys))

    def write_back(self, key):
        """As an application does that keeps whole rows, the revision among them."""
        self.sql("SELECT * FROM users WHERE id = %s", key)
        names, row = [column[0] for column in self.cursor.description], self.cursor.fetchone()
        self.change_user(key)
        time.sleep(0.003)
        self.sql(f"UPDATE users SET {', '.join(f'{name} = %s' for name in names)} WHERE id = %s", *row, key)

    def take_back(self, key):
        self.connection.begin()
        for _ in range(2):
            self.random.choice([self.change_user, self.add_badge, self.add_session])(key)
        self.connection.rollback()

    def do_several(self, key):
        self.connection.begin()
        for _ in range(3):
            self.random.choice([self.change_user, self.add_email, self.drop_badges, self.set_score])(key)
        self.connection.commit()

    def make_anew(self, key):
        """Deleted, and there again, as a restore of one user would do it."""
        self.connection.begin()
        self.sql("SELECT * FROM users WHERE id = %s FOR UPDATE", key)
        names, row = [column[0] for column in self.cursor.description], self.cursor.fetchone()
        self.sql("DELETE FROM users WHERE id = %s", key)
        self.sql(f"INSERT INTO users ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(row))})", *row)
        self.connection.commit()

    KINDS = [add_email, turn_email, drop_email, give_email_away, add_identity, drop_identity, add_phone, verify_phones,
             add_badge, drop_badges, set_score, drop_score, add_session, add_session, revoke_sessions, drop_sessions,
             change_user, set_status, write_back, take_back, do_several, make_anew]

    def work(self, stop, results):
        counts = Counter()
        while not stop.is_set():
            try:
                self.random.choice(self.KINDS)(self, self.random.choice(self.run.keys))
                counts["writes"] += 1
            except Exception as error:  # deadlocks, and addresses that two users cannot both have
                self.connection.rollback()
                counts[f"write refused: {error.args[0]}"] += 1
            time.sleep(self.random.random() * 0.01)
        results.put((counts, []))


# ---- the whole

def scribble(path):
    """Another byte somewhere in the file, and now and then a page of them."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY)
        size = os.fstat(descriptor).st_size
        length = random.choice([1, 1, 1, 4096])
        os.pwrite(descriptor, os.urandom(length), random.randrange(4096, size - length))
        os.close(descriptor)


class Run:
    def __init__(self, installation, users, folder, executable="me.fcgi", **environment):
        self.installation = installation
        self.file = folder / "shared"
        self.keys = [users.add().row["id"].bytes for _ in range(USERS)]
        self.crew = Crew(installation, folder, executable, **{
            "ME_CACHE_PATH": str(self.file), "ME_CACHE_SIZE_MIB": "1", "ME_LOG_LEVEL": "debug", **environment})
        self.context = multiprocessing.get_context("fork")
        self.done = self.context.Value("q", 0)

    def connect(self):
        return self.installation.server.connect(database=self.installation.database)

    def _start(self, kind, seed):
        process = self.context.Process(target=lambda: kind(self, seed).work(self.stop, self.results), daemon=True)
        process.start()
        return process

    def __call__(self, answers_wanted, time_max_s, readers=2, writers=1, scribbles=20):
        """The counts, and the first wrong answers; ends early with one of them."""
        self.stop, self.results = self.context.Event(), self.context.Queue()
        kinds = [Reader] * readers + [Writer] * writers
        processes = [self._start(kind, number) for number, kind in enumerate(kinds)]
        end = time.monotonic() + time_max_s
        counts, wrong = Counter(), []
        while time.monotonic() < end and self.done.value < answers_wanted and self.results.empty():
            time.sleep(0.2)
            self.crew.kill_one()
            counts["kills"] += 1
            for _ in range(scribbles):
                scribble(self.file)
                counts["scribbles"] += 1
        self.stop.set()
        for _ in processes:
            more, found = self.results.get(timeout=60)
            counts += more
            wrong += found
        for process in processes:
            process.join(30)
        self.crew.end()
        return counts, wrong
