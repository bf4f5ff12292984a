"""mectl user export, and that import reads it back."""

import csv
import json
import os
import subprocess
import time

import pytest

from support.children import peak_kib, run, run_on_terminal
from support.commands import assert_needs_its_output, assert_refused, assert_usage, quiet
from support.installation import mectl_command
from support.paths import clean_environment, is_sanitized
from support.records import (
    SQL_TABLES, TABLES, everything, id_of, in_order, install, line, person, session, whole, write_lines,
)
from support.users import Users


@pytest.fixture(scope="module")
def installation(mariadb, tmp_path_factory):
    """In place of that of the other tests: its database holds what a test has put there, and nothing else."""
    return install(mariadb, tmp_path_factory.mktemp("export"), "export")


@pytest.fixture(scope="module")
def mectl(installation):
    return installation.mectl


@pytest.fixture
def empty(installation):
    installation.execute("DELETE FROM users")
    return installation


ODD = [
    *[person(n, status=status) for n, status in enumerate(["pending", "active", "deleted", "invited", "banned"])],
    person(10, name="n" * 255, bio=""),
    person(11, name="=1+1", bio="b" * 4096),
    person(12, name="\"quoted\", and so on", bio="\"\n\"\",\"\n"),
    person(13, name="🙂" * 255, bio="é" * 4096),
    person(14, createdAt="0001-01-01T00:00:00.000Z", updatedAt="9999-12-31T23:59:59.999Z"),
    person(15, locale="x-whatever", timezone="Etc/GMT+12", avatarUrl="http://[::1]:8080/a"),
    person(16, userFraudInformation={"score": 0, "userId": id_of("user", 16)}),
    *[whole(n) for n in range(20, 23)],
]

def imported(installation, tmp_path, users):
    done = installation.mectl("user", "import", write_lines(tmp_path / "given.jsonl", map(in_order, users)))
    assert " 0 refused" in done.stdout, done


def exported(installation, *arguments) -> str:
    return quiet(installation.mectl("user", "export", "-", *arguments))


# ---- JSON Lines

def test_nobody(empty):
    assert exported(empty) == ""


def test_what_import_reads_export_writes(empty, tmp_path):
    imported(empty, tmp_path, ODD)
    assert exported(empty) == "".join(line(in_order(user)) for user in ODD)


def test_there_and_back_again_byte_for_byte(empty, tmp_path):
    """Export, import into an empty database, export: the same file, and the same rows but what is in no file."""
    imported(empty, tmp_path, [{**user, "sessions": [session(f"s{n}"), session("ß", revokedAt="2025-07-04T00:00:00.000Z")]}
                               for n, user in enumerate(ODD)])
    first = tmp_path / "first.jsonl"
    quiet(empty.mectl("user", "export", first, "--sessions"))
    before = everything(empty)
    empty.execute("DELETE FROM users")
    quiet(empty.mectl("user", "import", first))
    second = tmp_path / "second.jsonl"
    quiet(empty.mectl("user", "export", second, "--sessions"))
    assert first.read_bytes() == second.read_bytes() and first.stat().st_size > 10000
    after = everything(empty)
    for rows in (before, after):
        rows["users"] = [row[:-1] for row in rows["users"]]  # without the revision
    for table in set(SQL_TABLES) - {"user_identities", "user_badges", "user_fraud_information"}:
        assert before[table] == after[table], table


def test_what_other_programs_wrote(empty):
    """The members are those of the resource, but for the ones that are made of others."""
    users = Users(empty)
    user = users.full()
    resource = user.expected()
    given = json.loads(exported(empty))
    for name in ("activeSessions", "defaultEmail", "phoneNumber"):
        resource.pop(name)
    default = user.expected()["defaultEmail"]
    assert [email.pop("default") for email in given["emails"]] == [
        email["email"] == default for email in resource["emails"]]
    for shown, stored in zip(given["identities"], resource["identities"], strict=True):
        assert shown.pop("issuer") in {row["issuer"] for row in user.identities}
        assert shown == stored
    assert list(given.items()) == list(resource.items())


def test_sessions_only_when_asked(empty):
    users = Users(empty)
    user = users.add()
    users.add_session(user, session_id="b")
    users.add_session(user, session_id="a", revoked=True)
    assert "sessions" not in json.loads(exported(empty))
    sessions = json.loads(exported(empty, "--sessions"))["sessions"]
    assert {one["id"]: sorted(one) for one in sessions} == {
        "a": ["createdAt", "expiresAt", "id", "revokedAt"], "b": ["createdAt", "expiresAt", "id"]}


def test_more_than_a_page_in_the_order_of_ids(empty, tmp_path):
    users = [whole(n) for n in range(1, 600)]
    imported(empty, tmp_path, users[::-1])
    assert exported(empty) == "".join(map(line, users))


@pytest.mark.parametrize("count", [255, 256, 257, 512])
def test_the_end_of_a_page(empty, tmp_path, count):
    imported(empty, tmp_path, [person(n) for n in range(count)])
    assert exported(empty).count("\n") == count


def test_one_moment(empty, tmp_path):
    """What is changed while it is written is not in it: the reader takes nothing until then."""
    imported(empty, tmp_path, [whole(n) for n in range(1, 1000)])
    expected = exported(empty)
    with subprocess.Popen(mectl_command(["user", "export", "-"], empty.conf), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        first = process.stdout.read(1)
        empty.execute("UPDATE users SET name = 'changed'")
        empty.execute("DELETE FROM user_badges")
        empty.execute("DELETE FROM users ORDER BY id DESC LIMIT 100")
        assert first + process.stdout.read() == expected
    assert process.returncode == 0
    assert exported(empty).count('"name":"changed"') == 899


# ---- CSV

def columns_of(table: str, user: dict) -> list:
    """The rows that a user has in a table, as dictionaries of texts; None where nothing stands."""
    if table == "users":
        rows = [user]
    elif table == "userFraudInformation":
        rows = [user[table]] if table in user else []
    else:
        rows = [{"badge": row} if table == "badges" else row for row in user.get(table, [])]
    return [{name: _text(user["id"] if name == "userId" else row.get(name)) for name in TABLES[table]} for row in rows]


def _text(value):
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


@pytest.mark.parametrize("table", TABLES)
def test_each_table_as_csv(empty, tmp_path, table):
    imported(empty, tmp_path, [{**user, "sessions": [session(f"s{n}")]} for n, user in enumerate(ODD)])
    path = tmp_path / "table.csv"
    quiet(empty.mectl("user", "export", path, "--table", table))
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == TABLES[table]
    expected = [list(row.values()) for n, user in enumerate(ODD)
                for row in columns_of(table, {**user, "sessions": [session(f"s{n}")]})]
    assert rows == [[value or "" for value in row] for row in expected] and rows
    raw = path.read_bytes()
    assert raw.count(b"\r\n") == len(rows) + 1 and raw.endswith(b"\r\n")


def test_all_tables_there_and_back_again(empty, tmp_path):
    imported(empty, tmp_path, [{**user, "sessions": [session(f"s{n}")]} for n, user in enumerate(ODD)])
    expected = exported(empty, "--sessions")
    for table in TABLES:
        quiet(empty.mectl("user", "export", tmp_path / f"{table}.csv", "--table", table))
    empty.execute("DELETE FROM users")
    for table in TABLES:
        quiet(empty.mectl("user", "import", tmp_path / f"{table}.csv", "--table", table))
    assert exported(empty, "--sessions") == expected
    for table in TABLES:
        done = empty.mectl("user", "import", tmp_path / f"{table}.csv", "--table", table)
        assert ", 0 changed" in done.stdout and ": 0 added" in done.stdout, done


def test_the_format_goes_by_the_name_or_by_what_is_said(empty, tmp_path):
    imported(empty, tmp_path, [person(1)])
    quiet(empty.mectl("user", "export", tmp_path / "a.csv"))
    quiet(empty.mectl("user", "export", tmp_path / "b.csv", "--format", "jsonl"))
    quiet(empty.mectl("user", "export", tmp_path / "c.jsonl", "--format", "csv"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "c.jsonl").read_bytes()
    assert (tmp_path / "b.csv").read_text() == line(person(1))


# ---- the file

def test_nobody_else_may_read_it(empty, tmp_path):
    quiet(empty.mectl("user", "export", tmp_path / "file"))
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


def test_nothing_is_overwritten(empty, mectl, tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    assert_refused(mectl("user", "export", path, check=False), path, "overwritten")
    assert path.read_text() == "mine"


def test_what_was_not_printed_is_no_success(empty, tmp_path):
    imported(empty, tmp_path, [whole(n) for n in range(300)])
    assert_needs_its_output("user", "export", "-", conf=empty.conf)
    assert_needs_its_output("user", "export", "-", "--table", "emails", conf=empty.conf)


def test_a_database_that_fails_leaves_no_file(empty, mectl, tmp_path):
    imported(empty, tmp_path, [person(1)])
    empty.execute("RENAME TABLE user_badges TO elsewhere")
    try:
        assert_refused(mectl("user", "export", tmp_path / "file", check=False), "mectl migrate")
    finally:
        empty.execute("RENAME TABLE elsewhere TO user_badges")
    assert os.listdir(tmp_path) == ["given.jsonl"]


def test_a_date_that_is_none_is_told(empty, mectl, tmp_path):
    """As an application whose sql_mode is not strict may store it."""
    imported(empty, tmp_path, [person(1)])
    empty.server.run_script(f"USE {empty.database}; SET sql_mode = ''; UPDATE users SET created_at = 0")
    assert_refused(mectl("user", "export", tmp_path / "file", check=False), "created_at", "is not a date")
    assert os.listdir(tmp_path) == ["given.jsonl"]


@pytest.mark.parametrize("arguments, words", [
    (["--format", "xml"], ["--format", "'xml'", "jsonl and csv"]),
    (["--format", "CSV"], ["'CSV'"]),
    (["--table", "people"], ["--table", "'people'", *TABLES]),
    (["--table", "emails", "--format", "jsonl"], ["--table", "csv"]),
    (["--sessions", "--format", "csv"], ["--sessions", "--table sessions"]),
])
def test_refuses(empty, mectl, tmp_path, arguments, words):
    assert_refused(mectl("user", "export", tmp_path / "file", *arguments, check=False), *words)
    assert os.listdir(tmp_path) == []


def test_a_file_is_needed(mectl):
    assert_usage(mectl("user", "export", check=False), "FILE is missing")


# ---- progress

def test_progress_on_a_terminal(empty, tmp_path):
    imported(empty, tmp_path, [person(n) for n in range(600)])
    done, written = run_on_terminal(empty, "user", "export", str(tmp_path / "file"))
    assert done.stdout == "" and written.count("\n") == 1
    last = written.rstrip("\r\n").split("\r")[-1]
    assert last.startswith("mectl: exported 600 of 600 users [####################] 100 %, ") and "a second" in last
    assert run(empty, "user", "export", "-").stderr == ""
    told = run(empty, "user", "export", "-", "--progress").stderr.splitlines()
    assert told[0].startswith("mectl: exported 256 of 600 users [########------------] 42 %, ")


# ---- many

MANY, FEW = 50_000, 1000


def fill(installation, count):
    """Users with an email, an identity, a phone number and two badges, made by the database."""
    for statement in (
        "INSERT INTO users (id, name, bio, status) SELECT UNHEX(MD5(seq)), CONCAT('User ', seq), REPEAT('b', 200), 'active' FROM {}",
        "INSERT INTO user_emails (user_id, id, email, is_default) SELECT UNHEX(MD5(seq)), UNHEX(MD5(seq)),"
        " CONCAT(seq, '@example.com'), 1 FROM {}",
        "INSERT INTO user_identities (user_id, id, issuer, subject, provider) SELECT UNHEX(MD5(seq)), UNHEX(MD5(seq)),"
        " 'https://i.example.com', seq, 'p' FROM {}",
        "INSERT INTO user_phone_numbers (user_id, id, number) SELECT UNHEX(MD5(seq)), UNHEX(MD5(seq)),"
        " CONCAT('+1415', 1000000 + seq) FROM {}",
        "INSERT INTO user_badges (user_id, scope, name) SELECT UNHEX(MD5(seq)), 'a', 'b' FROM {}",
    ):
        installation.execute(statement.format(f"seq_1_to_{count}"))


def test_many_users_take_no_more_memory_than_few(empty, tmp_path):
    """Both ways: export, import into an empty database, import of the same again."""
    peaks = {}
    for count in (FEW, MANY):
        empty.execute("DELETE FROM users")
        fill(empty, count)
        path = tmp_path / f"{count}.jsonl"
        begin = time.monotonic()
        peaks["export", count] = peak_kib(empty, "user", "export", str(path))
        assert time.monotonic() - begin < 120
        empty.execute("DELETE FROM users")
        peaks["import", count] = peak_kib(empty, "user", "import", str(path))
        peaks["again", count] = peak_kib(empty, "user", "import", str(path))
        assert empty.execute("SELECT COUNT(*) FROM users")[0][0] == count
    assert exported(empty) == path.read_text()
    if not is_sanitized():  # whose allocator keeps what was freed
        for what in ("export", "import", "again"):
            assert peaks[what, MANY] < peaks[what, FEW] + 4096, peaks
