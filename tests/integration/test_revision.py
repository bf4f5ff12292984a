"""
users.revision and the triggers that move it: whoever changes what the resource shows moves it, no revision comes twice,
and the view revision_guard sees whatever would let a change get past.
"""

import random
import subprocess
import time
import uuid
from contextlib import contextmanager

import pymysql
import pytest
from hypothesis import strategies as st

from support.cgi import Program
from support.commands import quiet
from support.installation import Installation
from support.mariadb import PrivateMariaDB
from support.paths import clean_environment
from support.properties import holds
from support.together import at_once
from support.users import Users

# A column of each table that is shown, with values that it may have, and one that names the row besides the user.
TABLES = {
    "user_emails": ("id", "email", lambda n: f"address{n}@example.com"),
    "user_identities": ("id", "subject", lambda n: f"subject{n}"),
    "user_phone_numbers": ("id", "number", lambda n: f"+1415{n:07d}"),
    "user_badges": ("scope", "name", lambda n: f"badge{n}"),
    "user_fraud_information": ("user_id", "score", lambda n: n),
    "sessions": ("id", "expires_at", lambda n: f"2040-01-01 00:00:00.{n % 1000:03d}"),
}
ALL = ["users", *TABLES]
DEADLOCK, BUSY, NO_TRUNCATE, NO_DEFINER, OUT_OF_RANGE = 1213, 1442, 1701, 1449, 1690
LAST = 2**63 - 1  # that a revision can be


@pytest.fixture(scope="module")
def database(mariadb, tmp_path_factory):
    """An installation of its own, for the tests that change triggers and tables."""
    return Installation(mariadb, tmp_path_factory.mktemp("revision"), "me_revision").prepare_database()


@pytest.fixture
def writer(database):
    return Users(database)


def revision(database, user) -> int:
    rows = database.execute("SELECT revision FROM users WHERE id = %s", [user.row["id"].bytes])
    return rows[0][0] if rows else None


def guard(database) -> tuple:
    """Whether the triggers stand, and the epoch."""
    ((stands, epoch),) = database.execute("SELECT stands, epoch FROM revision_guard")
    return bool(stands), epoch


def error_of(database, sql, arguments=None) -> int:
    """Its number; 0 for none."""
    try:
        database.execute(sql, arguments)
    except pymysql.err.MySQLError as error:
        return error.args[0]
    return 0


def row_of(table, user, n) -> dict:
    """A new row of a user."""
    row = {"user_id": user.row["id"].bytes}
    key, column, value = TABLES[table]
    if key == "id":
        row["id"] = f"session{n}" if table == "sessions" else uuid.uuid4().bytes
    elif key == "scope":
        row["scope"] = f"scope{n}"
    if table == "user_identities":
        row |= {"issuer": "https://accounts.example.com", "provider": "example"}
    return {**row, column: value(n)}


def insert(execute, table, row):
    execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values()))


_numbers = iter(range(1, 10**7))


def add_rows(database, user, tables=tuple(TABLES)) -> dict:
    """One row in each table; by table."""
    rows = {table: row_of(table, user, next(_numbers)) for table in tables}
    for table, row in rows.items():
        insert(database.execute, table, row)
    return rows


def where(table, row) -> tuple:
    """The condition that finds a row by its whole key, and its arguments."""
    key, column, _ = TABLES[table]
    keys = ["user_id", "scope", "name"] if table == "user_badges" else ["user_id", key]
    return " AND ".join(f"{key} = %s" for key in keys), [row[key] for key in keys]


# ---- what moves it

@contextmanager
def moves(database, *users):
    before = [revision(database, user) for user in users]
    yield
    after = [revision(database, user) for user in users]
    assert all(new > old for old, new in zip(before, after, strict=True)), (before, after)


@contextmanager
def moves_not(database, *users):
    before = [revision(database, user) for user in users]
    yield
    assert [revision(database, user) for user in users] == before


@pytest.mark.parametrize("table", TABLES)
def test_each_kind_of_write_to_each_table_moves_it(database, writer, table):
    user, other = writer.add(), writer.add()
    column, value = TABLES[table][1:]
    with moves_not(database, other):
        with moves(database, user):
            row = add_rows(database, user, [table])[table]
        condition, arguments = where(table, row)
        with moves(database, user):
            database.execute(f"UPDATE {table} SET {column} = %s WHERE {condition}", [value(next(_numbers)), *arguments])
        with moves(database, user):
            database.execute(f"DELETE FROM {table} WHERE user_id = %s", [row["user_id"]])


@pytest.mark.parametrize("column, value", [
    ("status", "banned"), ("name", "Grace"), ("bio", "b"), ("avatar_url", "https://example.com/a"), ("locale", "nl"),
    ("timezone", "Europe/Amsterdam"), ("created_at", "2020-01-01"), ("updated_at", "2030-01-01")])
def test_each_column_of_users_moves_it(database, writer, column, value):
    user, other = writer.add(), writer.add()
    with moves(database, user), moves_not(database, other):
        writer.set_column(user, column, value)


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_goes_from_one_user_to_another_moves_both(database, writer, table):
    former, latter, other = writer.add(), writer.add(), writer.add()
    condition, arguments = where(table, add_rows(database, former, [table])[table])
    with moves(database, former, latter), moves_not(database, other):
        database.execute(f"UPDATE {table} SET user_id = %s WHERE {condition}", [latter.row["id"].bytes, *arguments])


def test_a_session_moves_it_by_what_is_shown_of_it_alone(database, writer):
    """A login system that notes in each request when a session was last used costs nothing."""
    user = writer.add()
    session = writer.add_session(user)
    writer.add_session(user, session_id="Session")
    with moves_not(database, user):
        for change in ("created_at = UTC_TIMESTAMP(3)", "expires_at = expires_at", "revoked_at = NULL", "id = id"):
            database.execute(f"UPDATE sessions SET {change} WHERE id = %s", [session])
    for change in ("expires_at = expires_at + INTERVAL 1000 MICROSECOND", "revoked_at = UTC_TIMESTAMP(3)",
                   "revoked_at = NULL"):
        with moves(database, user):
            database.execute(f"UPDATE sessions SET {change} WHERE id = %s", [session])
    with moves(database, user):  # the same but for its case: tokens of the former end
        database.execute("UPDATE sessions SET id = 'SESSION' WHERE id = 'Session' AND user_id = %s",
                         [user.row["id"].bytes])


def test_a_statement_that_fails_or_finds_nothing_moves_nothing(database, writer):
    user = writer.full()
    with moves_not(database, user):
        for sql in ("UPDATE user_emails SET email = '' WHERE user_id = %s", "DELETE FROM sessions WHERE user_id = %s"
                    " AND id = 'none'", "UPDATE users SET name = '' WHERE id = %s",
                    "INSERT INTO user_badges (user_id, scope, name) VALUES (%s, '', 'x')"):
            error_of(database, sql, [user.row["id"].bytes])


SHOWN = {
    "users": "SELECT status, name, bio, avatar_url, locale, timezone, created_at, updated_at FROM users WHERE id = %s",
    **{table: f"SELECT * FROM {table} WHERE user_id = %s" for table in TABLES if table != "sessions"},
    "sessions": "SELECT id, expires_at, revoked_at FROM sessions WHERE user_id = %s",
}


def shown(database, user) -> dict:
    """All that the resource, and the judgement of a token, are made of."""
    return {table: sorted(database.execute(sql, [user.row["id"].bytes]), key=str) for table, sql in SHOWN.items()}


def random_write(database, rng, users) -> tuple:
    """Runs one: those whose rows it touched, and whether it only looked as if."""
    table = rng.choice(ALL)
    user, other = rng.sample(users, 2)
    identity = user.row["id"].bytes
    if table == "users":
        column, value = rng.choice([("bio", str(rng.random())), ("locale", "nl"), ("name", "same")])
        database.execute(f"UPDATE users SET {column} = %s WHERE id = %s", [value, identity])
        return {user}
    column, value = TABLES[table][1:]
    rows = database.execute(f"SELECT * FROM {table} WHERE user_id = %s", [identity])
    there = {user} if rows else set()
    kind = rng.choice(["insert", "update", "same", "delete", "move", "one"])
    if kind == "insert":
        if table == "user_fraud_information" and rows:
            return set()
        insert(database.execute, table, row_of(table, user, next(_numbers)))
        return {user}
    if kind == "update":
        database.execute(f"UPDATE {table} SET {column} = %s WHERE user_id = %s LIMIT 1",
                         [value(next(_numbers)), identity])
        return there
    if kind == "same":
        database.execute(f"UPDATE {table} SET {column} = {column}, created_at = created_at + INTERVAL 1 SECOND"
                         " WHERE user_id = %s", [identity])
        return set() if table == "sessions" else there
    if kind == "move":
        if table == "user_fraud_information":
            database.execute(f"DELETE FROM {table} WHERE user_id = %s", [other.row["id"].bytes])
        taken = database.execute(f"SELECT COUNT(*) FROM {table} WHERE user_id = %s", [other.row["id"].bytes])[0][0]
        database.execute(f"UPDATE {table} SET user_id = %s WHERE user_id = %s", [other.row["id"].bytes, identity])
        return there | ({other} if there or not taken and table == "user_fraud_information" else set())
    limit = " LIMIT 1" if kind == "one" else ""
    database.execute(f"DELETE FROM {table} WHERE user_id = %s{limit}", [identity])
    return there


@holds(25, seed=st.integers(0, 2**32))
def test_it_rises_exactly_where_what_is_shown_may_have_changed(database, seed):
    rng = random.Random(seed)
    writer = Users(database)
    users = [writer.add() for _ in range(3)]
    for user in users:
        add_rows(database, user)
    for _ in range(12):
        before = {user: (revision(database, user), shown(database, user)) for user in users}
        in_transaction = rng.random() < 0.2
        if in_transaction:
            database.execute("START TRANSACTION")
        touched = random_write(database, rng, users)
        if in_transaction:
            database.execute("ROLLBACK")
            touched = set()
        for user in users:
            old, was = before[user]
            new, now = revision(database, user), shown(database, user)
            assert new > old or now == was, "something changed under an unmoved revision"
            if user in touched:
                assert new > old, (user, "was written to")
            elif now == was:
                assert new == old, (user, "was left alone")


# ---- what it becomes

def clock_us() -> int:
    return time.time_ns() // 1000


def assert_is_of_now(database, user):
    assert abs(revision(database, user) - clock_us()) < 60_000_000


@pytest.mark.parametrize("setting", ["time_zone = '-11:00'", "time_zone = '+13:00'", "timestamp = 1000000000"])
def test_it_is_of_the_clock_whatever_a_session_says(database, writer, setting):
    user = writer.add()
    database.execute(f"SET SESSION {setting}")
    try:
        writer.set_column(user, "bio", "b")
        assert_is_of_now(database, user)
        writer.add_badge(user, "a:b")
        assert_is_of_now(database, user)
        assert_is_of_now(database, writer.add())
    finally:
        database.execute("SET SESSION time_zone = '+00:00', timestamp = DEFAULT")


def test_an_old_row_that_is_written_back_gets_a_new_one(database, writer):
    """As an ORM does, which writes all the columns that it once read."""
    user = writer.add()
    read = revision(database, user)
    writer.set_column(user, "bio", "between")
    seen = {read, revision(database, user)}
    for _ in range(3):
        database.execute("UPDATE users SET name = 'ORM', revision = %s WHERE id = %s", [read, user.row["id"].bytes])
        assert revision(database, user) > max(seen)
        seen.add(revision(database, user))
    database.execute("INSERT INTO users (id, name, revision) VALUES (%s, 'ORM', %s) ON DUPLICATE KEY UPDATE"
                     " revision = %s", [user.row["id"].bytes, read, read])
    assert revision(database, user) > max(seen)


def test_a_higher_one_that_is_sent_is_taken(database, writer):
    """So a worker knows it, and need not look."""
    user = writer.add()
    sent = revision(database, user) + 12345
    database.execute("UPDATE users SET bio = 'b', revision = GREATEST(revision + 1, %s) WHERE id = %s",
                     [sent, user.row["id"].bytes])
    assert revision(database, user) == sent
    writer.add_badge(user, "a:b")
    assert revision(database, user) > sent


def test_one_that_is_ahead_of_the_clock_still_rises(database, writer):
    user = writer.add()
    ahead = clock_us() + 10**12
    database.execute("UPDATE users SET revision = %s WHERE id = %s", [ahead, user.row["id"].bytes])
    for change in (lambda: writer.set_column(user, "bio", "b"), lambda: writer.add_badge(user, "a:b")):
        with moves(database, user):
            change()
    assert revision(database, user) == ahead + 2


def test_what_was_rolled_back_is_not_given_to_another_change(database, writer):
    user = writer.add()
    committed = revision(database, user)
    seen = {committed}
    for write in (lambda: writer.set_column(user, "bio", "never"), lambda: writer.add_badge(user, "a:b")):
        database.execute("START TRANSACTION")
        write()
        seen.add(revision(database, user))
        database.execute("ROLLBACK")
        assert revision(database, user) == committed
    writer.set_column(user, "bio", "another")
    assert len(seen) == 3 and revision(database, user) not in seen


@pytest.mark.parametrize("sql", [
    "INSERT INTO users (id, name, revision) VALUES (%s, 'again', %s)",
    "REPLACE INTO users (id, name, revision) VALUES (%s, 'again', %s)"])
def test_a_user_who_is_made_again_does_not_get_a_former_one(database, writer, sql):
    """Not even where the application says which."""
    user = writer.full()
    former = revision(database, user)
    if sql.startswith("INSERT"):
        writer.delete(user)
    database.execute(sql, [user.row["id"].bytes, former])
    assert revision(database, user) > former
    assert_is_of_now(database, user)


# ---- at the same time

def concurrently(database, work, threads=6, isolation="REPEATABLE READ") -> list:
    """work(execute, number) of each thread on a connection of its own; the numbers of the errors."""
    def run(number):
        errors = []
        with database.server.connect(database=database.database) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")

            def execute(sql, arguments=None):
                try:
                    cursor.execute(sql, arguments)
                except pymysql.err.MySQLError as error:
                    errors.append(error.args[0])
            work(execute, number)
        return errors

    return sum(at_once([lambda number=number: run(number) for number in range(threads)]), [])


# An UPDATE locks users behind the row, and under REPEATABLE READ a gap with that row now and then: where the optimizer
# takes an index of the user's rows, and where InnoDB splits a page or clears away a row. An INSERT of the same user has
# users by then, and waits for the gap. What has no gaps, or locks users first, has no deadlock.
NO_GAPS = pytest.mark.parametrize("isolation, lock", [
    ("READ COMMITTED", ""), ("REPEATABLE READ", "SELECT id FROM users WHERE id = %s FOR UPDATE")])
CHILDREN = ("user_badges", "sessions", "user_emails")
ROUNDS, WRITERS = 25, 6
PATIENCE = 20


@contextmanager
def behind(lock, execute, user):
    """A transaction in which users is locked first; without a lock, each statement for itself."""
    if lock:
        execute("START TRANSACTION")
        execute(lock, [user.row["id"].bytes])
    yield
    execute("COMMIT")


def write_children(database, user, isolation, lock="") -> list:
    """New rows of three tables, each changed at once, by all writers; the numbers of the errors."""
    def work(execute, number):
        for _ in range(ROUNDS):
            for table in CHILDREN:
                column, value = TABLES[table][1:]
                row = row_of(table, user, next(_numbers))
                condition, arguments = where(table, row)
                insert(execute, table, row)
                with behind(lock, execute, user):
                    execute(f"UPDATE {table} SET {column} = %s WHERE {condition}", [value(next(_numbers)), *arguments])

    return concurrently(database, work, WRITERS, isolation)


def children_of(database, user) -> list:
    return [database.execute(f"SELECT COUNT(*) FROM {table} WHERE user_id = %s", [user.row["id"].bytes])[0][0]
            for table in CHILDREN]


def last_deadlock(database) -> str:
    status = database.execute("SHOW ENGINE INNODB STATUS")[0][2]
    return status.partition("LATEST DETECTED DEADLOCK")[2].partition("\nTRANSACTIONS\n")[0]


@NO_GAPS
def test_children_of_one_user_are_written_at_once_without_a_deadlock(database, writer, isolation, lock):
    user = writer.add()
    assert write_children(database, user, isolation, lock) == [], last_deadlock(database)
    assert children_of(database, user) == [ROUNDS * WRITERS] * len(CHILDREN)


def test_children_of_one_user_are_inserted_at_once_without_a_deadlock(database, writer):
    """With gaps, and no lock before."""
    user = writer.add()

    def work(execute, number):
        for _ in range(ROUNDS):
            for table in CHILDREN:
                insert(execute, table, row_of(table, user, next(_numbers)))

    assert concurrently(database, work, WRITERS) == [], last_deadlock(database)
    assert children_of(database, user) == [ROUNDS * WRITERS] * len(CHILDREN)


def test_children_of_one_user_that_are_changed_without_a_lock_have_hardly_a_deadlock(database, writer):
    """AFTER triggers have one at most of the writes."""
    user = writer.add()
    errors = write_children(database, user, "REPEATABLE READ")
    rows = ROUNDS * WRITERS * len(CHILDREN)
    told = last_deadlock(database)
    assert set(errors) <= {DEADLOCK} and len(errors) < rows * 2 / 100, told
    assert not errors or "insert intention waiting" in told, told
    assert rows - len(errors) <= sum(children_of(database, user)) <= rows


@NO_GAPS
def test_all_rows_of_a_user_are_written_at_once_without_a_deadlock(database, writer, isolation, lock):
    """As a login system that ends all sessions of a user while others begin."""
    user = writer.add()

    def work(execute, number):
        for _ in range(ROUNDS):
            with behind(lock, execute, user):
                execute("UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3) WHERE user_id = %s", [user.row["id"].bytes])
            insert(execute, "sessions", row_of("sessions", user, next(_numbers)))

    assert concurrently(database, work, isolation=isolation) == []


def test_with_triggers_after_the_insert_they_would_deadlock(database):
    """The control of the test before: the same writes, the same lock on the parent, but taken behind the child row."""
    database.execute("CREATE TABLE parent (id INT PRIMARY KEY, revision BIGINT NOT NULL)")
    database.execute("CREATE TABLE child (id INT PRIMARY KEY AUTO_INCREMENT, parent INT NOT NULL,"
                     " FOREIGN KEY (parent) REFERENCES parent (id))")
    try:
        database.execute("INSERT INTO parent VALUES (1, 0)")
        database.execute("CREATE TRIGGER child_insert AFTER INSERT ON child FOR EACH ROW"
                         " UPDATE parent SET revision = revision + 1 WHERE id = NEW.parent")
        errors = []
        for _ in range(PATIENCE):  # writers that come one after the other, as on a busy machine, hinder nobody
            errors = errors or concurrently(
                database, lambda execute, _: [execute("INSERT INTO child (parent) VALUES (1)") for _ in range(40)])
        assert set(errors) == {DEADLOCK}
    finally:
        database.execute("DROP TABLE child, parent")


def test_every_change_of_many_at_once_has_one_of_its_own(database, writer):
    user = writer.add()
    rows = []

    def work(execute, number):
        with database.server.connect(database=database.database) as connection, connection.cursor() as cursor:
            for _ in range(30):
                cursor.execute("START TRANSACTION")
                cursor.execute("UPDATE users SET bio = %s WHERE id = %s", [str(number), user.row["id"].bytes])
                cursor.execute("SELECT revision FROM users WHERE id = %s", [user.row["id"].bytes])
                rows.append(cursor.fetchone()[0])
                cursor.execute("COMMIT")

    assert concurrently(database, work) == []
    assert len(rows) == len(set(rows)) == 180


# ---- what applications have to know

@pytest.mark.parametrize("sql", [
    "INSERT INTO user_badges (user_id, scope, name) SELECT id, 'a', 'b' FROM users",
    "DELETE b FROM user_badges b JOIN users u ON u.id = b.user_id WHERE u.status = 'active'",
    "UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3) WHERE user_id IN (SELECT id FROM users WHERE status = 'banned')"])
def test_a_statement_that_writes_rows_cannot_read_users_besides(database, writer, sql):
    """What 0004_revision_triggers.sql says to those who connect an application."""
    writer.set_column(writer.full(), "status", "banned")
    writer.full()
    assert error_of(database, sql) == BUSY


def test_a_trigger_of_users_cannot_write_rows(database, writer):
    database.execute("CREATE TRIGGER mine AFTER INSERT ON users FOR EACH ROW"
                     " INSERT INTO user_badges (user_id, scope, name) VALUES (NEW.id, 'a', 'b')")
    try:
        with pytest.raises(pymysql.err.MySQLError, match=str(BUSY)):
            writer.add()
        assert guard(database)[0]
    finally:
        database.execute("DROP TRIGGER mine")


@pytest.mark.parametrize("table", ALL)
def test_truncate_is_refused(database, writer, table):
    user = writer.full()
    before = shown(database, user)
    assert error_of(database, f"TRUNCATE {table}") == NO_TRUNCATE
    assert shown(database, user) == before and all(before.values())


def test_no_row_can_be_where_truncate_is_kept_off(database, writer):
    """It would keep a user's rows from being deleted."""
    user = writer.full()
    assert error_of(database, "INSERT INTO revision_no_truncate VALUES (%s)", [user.row["id"].bytes]) == 4025
    writer.delete(user)
    assert not any(shown(database, user).values())


# ---- the guard

BODY = "FOR EACH ROW UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS" \
       " SIGNED)) WHERE id = NEW.user_id"

TAMPERINGS = {
    "a trigger is dropped": ["DROP TRIGGER user_badges_revision_delete"],
    "a trigger of users is dropped": ["DROP TRIGGER users_revision_update"],
    "a trigger does nothing": ["CREATE OR REPLACE TRIGGER user_emails_revision_insert BEFORE INSERT ON user_emails"
                               " FOR EACH ROW SET @nothing = 1"],
    "a trigger does nearly the same": [f"CREATE OR REPLACE TRIGGER user_emails_revision_insert BEFORE INSERT ON"
                                       f" user_emails {BODY} AND verified"],
    "a trigger is one of another event": ["DROP TRIGGER user_emails_revision_delete",
                                          "CREATE TRIGGER user_emails_revision_delete BEFORE UPDATE ON user_emails"
                                          " FOR EACH ROW UPDATE users SET revision = GREATEST(revision + 1,"
                                          " CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))"
                                          " WHERE id = OLD.user_id"],
    "a trigger comes after the row": ["DROP TRIGGER user_emails_revision_insert",
                                      f"CREATE TRIGGER user_emails_revision_insert AFTER INSERT ON user_emails {BODY}"],
    "another trigger puts the revision back": ["CREATE TRIGGER mine BEFORE UPDATE ON users FOR EACH ROW"
                                               " SET NEW.revision = OLD.revision"],
    "another trigger gives the row to somebody else": ["CREATE TRIGGER mine BEFORE INSERT ON sessions FOR EACH ROW"
                                                       " SET NEW.user_id = REPEAT('a', 16)"],
    "a table is emptied by a foreign key": ["CREATE TABLE scopes (scope VARCHAR(64) COLLATE utf8mb4_nopad_bin PRIMARY"
                                            " KEY) CHARSET utf8mb4",
                                            "DELETE FROM user_badges",
                                            "ALTER TABLE user_badges ADD CONSTRAINT of_scopes FOREIGN KEY (scope)"
                                            " REFERENCES scopes (scope) ON DELETE CASCADE"],
    "a column follows a foreign key": ["CREATE TABLE locales (tag VARCHAR(255) COLLATE utf8mb4_nopad_bin PRIMARY KEY)"
                                       " CHARSET utf8mb4",
                                       "UPDATE users SET locale = NULL",
                                       "ALTER TABLE users ADD CONSTRAINT of_locales FOREIGN KEY (locale)"
                                       " REFERENCES locales (tag) ON UPDATE CASCADE"],
    "rows go with another user too": ["ALTER TABLE user_badges ADD COLUMN given_by BINARY(16) NULL",
                                      "ALTER TABLE user_badges ADD CONSTRAINT of_givers FOREIGN KEY (given_by)"
                                      " REFERENCES users (id) ON DELETE CASCADE"],
    "nothing keeps TRUNCATE off": ["DROP TABLE revision_no_truncate"],
    "nothing keeps TRUNCATE off one table": ["ALTER TABLE revision_no_truncate DROP FOREIGN KEY"
                                             " revision_no_truncate_sessions"],
    "a view takes the place of a table": ["SET foreign_key_checks = 0", "RENAME TABLE user_badges TO elsewhere",
                                          "CREATE VIEW user_badges AS SELECT * FROM elsewhere"],
    "another table takes the place of one": ["SET foreign_key_checks = 0", "CREATE TABLE other LIKE user_badges",
                                             "RENAME TABLE user_badges TO elsewhere, other TO user_badges"],
    "a table is of an engine without transactions": ["CREATE TABLE other LIKE user_badges",
                                                     "ALTER TABLE other ENGINE = Aria",
                                                     "RENAME TABLE user_badges TO elsewhere, other TO user_badges"],
}


@pytest.fixture
def spoilt(mariadb, tmp_path, request):
    """A database of its own, to be spoilt."""
    return Installation(mariadb, tmp_path, f"me_spoilt{next(_numbers)}").prepare_database()


@pytest.mark.parametrize("change", TAMPERINGS)
def test_what_lets_a_change_get_past_is_seen(spoilt, change):
    assert guard(spoilt)[0]
    connection = spoilt.server.connect(database=spoilt.database)
    with connection, connection.cursor() as cursor:
        for sql in TAMPERINGS[change]:
            cursor.execute(sql)
    assert not guard(spoilt)[0]


@pytest.mark.parametrize("sql", [
    "CREATE TRIGGER mine AFTER UPDATE ON users FOR EACH ROW SET @seen = NEW.id",
    "ALTER TABLE users ADD COLUMN shop_id INT NULL, ADD KEY (shop_id)",
    "CREATE TABLE orders (id INT PRIMARY KEY, user_id BINARY(16), FOREIGN KEY (user_id) REFERENCES users (id)"
    " ON DELETE CASCADE)",
    "CREATE TRIGGER mine BEFORE UPDATE ON schema_migrations FOR EACH ROW SET @seen = 1"])
def test_what_lets_none_get_past_is_no_harm(spoilt, sql):
    spoilt.execute(sql)
    assert guard(spoilt)[0]


def test_it_stands_whatever_other_databases_have(spoilt, database):
    """They have tables and triggers of the same names."""
    spoilt.execute("DROP TRIGGER users_revision_update")
    assert guard(database)[0] and not guard(spoilt)[0]


def test_the_epoch_is_another_one_once_something_was_made_anew(spoilt):
    """Rows may have been changed in between, under revisions that did not move."""
    writer = Users(spoilt)
    epochs = [guard(spoilt)]
    user = writer.full()
    writer.set_column(user, "bio", "b")
    writer.delete(user)
    time.sleep(1.1)  # times of tables are whole seconds
    assert guard(spoilt) == epochs[0]
    show = spoilt.execute("SHOW CREATE TRIGGER sessions_revision_update")[0][2]
    spoilt.execute("DROP TRIGGER sessions_revision_update")
    spoilt.execute(show)
    epochs.append(guard(spoilt))
    spoilt.execute("ALTER TABLE user_badges MODIFY name VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL")
    epochs.append(guard(spoilt))
    quiet(spoilt.mectl("migrate", "--again"))
    epochs.append(guard(spoilt))
    assert all(stands for stands, _ in epochs) and len(set(epochs)) == len(epochs) == 4, epochs


def test_the_epoch_is_another_one_once_the_server_was_started(tmp_path):
    """Its files may have been put back meanwhile."""
    server = PrivateMariaDB(tmp_path / "mariadb").start()
    try:
        (tmp_path / "installation").mkdir()
        installation = Installation(server, tmp_path / "installation").prepare_database()
        assert server.execute("SELECT @@tmpdir") == [(str(tmp_path / "mariadb" / "tmp"),)]  # the guard's tables are there
        before = guard(installation)
        time.sleep(1.1)  # times of starts are whole seconds
        server.stop()
        server.start()
        after = guard(installation)
        assert before[0] and after[0] and before[1] != after[1]
    finally:
        server.stop()


# ---- dumps

def dump(database, *options) -> bytes:
    done = subprocess.run(
        ["mariadb-dump", "--no-defaults", f"--socket={database.server.socket}", "--user=root", *options,
         database.database], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=True,
        env=clean_environment())
    return done.stdout


def restore(database, text: bytes):
    subprocess.run(
        ["mariadb", "--no-defaults", f"--socket={database.server.socket}", "--user=root", database.database],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=True,
        env=clean_environment())


def test_a_restore_leaves_no_revision_that_was_there_before(spoilt):
    """What was there after the dump is forgotten; the changes after the restore must not look like it."""
    writer = Users(spoilt)
    user = writer.full()
    text = dump(spoilt)
    dumped, epoch = revision(spoilt, user), guard(spoilt)[1]
    seen = {dumped}
    for n in range(3):
        writer.set_column(user, "bio", f"lost {n}")
        seen.add(revision(spoilt, user))
    restore(spoilt, text)
    stands, now = guard(spoilt)
    assert stands and now != epoch
    assert revision(spoilt, user) == dumped
    for change in (lambda: writer.set_column(user, "bio", "new"), lambda: writer.add_badge(user, "new:badge")):
        change()
        assert revision(spoilt, user) not in seen
        seen.add(revision(spoilt, user))


def test_rows_that_are_put_back_into_tables_with_triggers_are_new(spoilt):
    """A dump of data alone."""
    writer = Users(spoilt)
    user = writer.full()
    text = dump(spoilt, "--no-create-info", "--skip-triggers", "--ignore-table=" + spoilt.database + ".schema_migrations",
                "--ignore-table=" + spoilt.database + ".revision_guard", "--skip-extended-insert")
    before = revision(spoilt, user)
    writer.delete(user)
    restore(spoilt, text)
    assert revision(spoilt, user) > before
    assert guard(spoilt)[0] and shown(spoilt, user)["user_emails"]


def test_a_restore_without_triggers_is_seen_and_mended(spoilt):
    user = Users(spoilt).full()
    text = dump(spoilt, "--skip-triggers")
    spoilt.server.execute(f"DROP DATABASE {spoilt.database}")
    spoilt.server.execute(f"CREATE DATABASE {spoilt.database}")
    restore(spoilt, text)
    assert not guard(spoilt)[0] and quiet(spoilt.mectl("migrate")) == ""
    assert quiet(spoilt.mectl("migrate", "--again")).split()[:2] == ["0004", "applied"]
    assert guard(spoilt)[0]
    with moves(spoilt, user):
        Users(spoilt).set_column(user, "bio", "b")


# ---- the end of the numbers

def refuses_every_change(database, user, rows):
    key = user.row["id"].bytes
    changes = [("UPDATE users SET bio = 'b' WHERE id = %s", [key]),
               ("UPDATE users SET bio = 'b', revision = 5 WHERE id = %s", [key])]
    for table, row in rows.items():
        of_row, arguments = where(table, row)
        changes += [(f"DELETE FROM {table} WHERE {of_row}", arguments),
                    (f"UPDATE {table} SET {TABLES[table][1]} = %s WHERE {of_row}",
                     [TABLES[table][2](next(_numbers)), *arguments])]
    before = shown(database, user)
    assert {error_of(database, *change) for change in changes} == {OUT_OF_RANGE}
    assert shown(database, user) == before and revision(database, user) == LAST


def test_after_the_last_one_there_is_no_change_and_what_to_do_is_said(spoilt):
    """Somebody has set it: the clock is 290,000 years from there."""
    user = Users(spoilt).add()
    rows = add_rows(spoilt, user)
    program, bearer = Program(spoilt.conf), spoilt.tokens.bearer(user)
    spoilt.execute("UPDATE users SET revision = %s WHERE id = %s", [LAST, user.row["id"].bytes])
    refuses_every_change(spoilt, user, rows)
    before = [program.get(bearer) for _ in range(2)]
    refused = program.patch(bearer, {"bio": "b"})
    assert refused.status == 500 and "mectl migrate --again" in str(refused.events("error"))
    assert {answer.body for answer in [*before, program.get(bearer)]} == {before[0].body}
    spoilt.execute("DROP TRIGGER users_revision_update")
    spoilt.execute("UPDATE users SET revision = 0 WHERE id = %s", [user.row["id"].bytes])
    quiet(spoilt.mectl("migrate", "--again"))
    assert guard(spoilt)[0]
    with moves(spoilt, user):
        assert program.patch(bearer, {"bio": "b"}).json["bio"] == "b"


# ---- the account whose triggers they are

def test_without_it_users_are_read_and_a_change_says_what_to_do(spoilt):
    user = Users(spoilt).add()
    program, bearer = Program(spoilt.conf), spoilt.tokens.bearer(user)
    spoilt.execute(f"DROP USER '{spoilt.admin_account}'@'localhost'")
    assert program.get(bearer).status == 200
    answer = program.patch(bearer, {"bio": "b"})
    assert answer.status == 503 and "mectl migrate --again" in str(answer.events("error"))
    assert error_of(spoilt, "UPDATE users SET bio = 'b'") == NO_DEFINER
    spoilt.grant("mectl")  # the same name again is all that it takes
    assert program.patch(bearer, {"bio": "b"}).status == 200 and guard(spoilt)[0]
