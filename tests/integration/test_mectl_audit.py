"""mectl audit list, export and prune, and what config check says of the audit trail."""

import json
import os
import re
import resource
import signal
import stat
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from support import audit
from support.cgi import Program
from support.children import peak_kib, run, run_on_terminal
from support.commands import assert_needs_its_output, assert_refused, assert_usage, objects, quiet
from support.installation import write_secret
from support.paths import is_measured, is_sanitized
from support.users import Users, rfc3339

BEGIN = datetime(2025, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def installation(mariadb, tmp_path_factory):
    """In place of that of the other tests: it keeps values."""
    return audit.install(mariadb, tmp_path_factory.mktemp("audit"), "audit_tool", "values")


@pytest.fixture(scope="module")
def mectl(installation):
    return installation.mectl


@pytest.fixture
def empty(installation):
    """A trail without rows, whose ids begin with 1."""
    installation.execute("TRUNCATE profile_changes")
    return installation


def add_rows(installation, count, first_id=1):
    """One each second from 2025 on, of three users in turn; returns the users' ids."""
    installation.execute(
        "INSERT INTO profile_changes (id, user_id, request_id, issuer, client, members, member_values, changed_at)"
        " SELECT seq, REPEAT(CHAR(seq % 3 + 1), 16), CONCAT('r-', seq), 'https://login.example.com',"
        " IF(seq % 2, 'web', NULL), 'bio', JSON_OBJECT('bio', JSON_OBJECT('old', NULL, 'new', CONCAT('text ', seq))),"
        f" '2025-01-01' + INTERVAL (seq - 1) SECOND FROM seq_{first_id}_to_{first_id + count - 1}")
    return [str(uuid.UUID(bytes=bytes([n]) * 16)) for n in (1, 2, 3)]


def after(seconds):
    return rfc3339(BEGIN + timedelta(seconds=seconds))


def ids(rows):
    return [row["id"] for row in rows]


def listed(mectl, *arguments):
    return objects(mectl("audit", "list", "--json", *arguments))


def exported(mectl, *arguments):
    return objects(mectl("audit", "export", *arguments, "-"))


def row_count(installation):
    return installation.execute("SELECT COUNT(*) FROM profile_changes")[0][0]


# ---- list

def test_what_a_patch_left(empty, mectl):
    user = Users(empty).add("Ada", locale="en-GB")
    bearer = empty.tokens.bearer(user, azp="web")
    answer = Program(empty.conf).patch(bearer, {"name": "Ada L.", "locale": None})
    (row,) = audit.trail(empty)
    assert listed(mectl) == exported(mectl) == [{
        "id": row["id"], "changedAt": rfc3339(row["changed_at"]), "userId": user.id,
        "requestId": answer.headers["X-Request-Id"], "issuer": empty.tokens.issuer, "client": "web",
        "members": ["name", "locale"],
        "values": {"name": {"old": "Ada", "new": "Ada L."}, "locale": {"old": "en-GB", "new": None}},
    }]
    assert quiet(mectl("audit", "list")) == "  ".join([
        rfc3339(row["changed_at"]), user.id, "name,locale", "web", empty.tokens.issuer,
        answer.headers["X-Request-Id"]]) + "\n"


def test_what_is_not_known_is_left_out(empty, mectl):
    user = Users(empty).add()
    Program(empty.conf).patch(empty.tokens.bearer(user), {"bio": "x"}, ME_AUDIT_LEVEL="members")
    (row,) = listed(mectl)
    assert list(row) == ["id", "changedAt", "userId", "requestId", "issuer", "members"]
    assert "  bio  -  " in quiet(mectl("audit", "list"))


def test_an_empty_trail(empty, mectl, tmp_path):
    assert listed(mectl) == exported(mectl) == []
    assert quiet(mectl("audit", "list")) == ""
    assert quiet(mectl("audit", "export", tmp_path / "file")) == ""
    assert (tmp_path / "file").read_text() == ""
    assert quiet(mectl("audit", "prune", "--older-than", "0")) == "0 removed\n"


def test_the_newest_come_first_and_not_all(empty, mectl):
    add_rows(empty, 150)
    assert ids(listed(mectl)) == list(range(150, 50, -1))
    assert ids(listed(mectl, "--limit", "3")) == [150, 149, 148]
    assert ids(listed(mectl, "--limit", "1000")) == list(range(150, 0, -1))


def test_by_user_and_time(empty, mectl):
    two, three, one = add_rows(empty, 12)[1], add_rows(empty, 12, 13)[2], "01010101-0101-0101-0101-010101010101"
    assert ids(listed(mectl, "--since", after(20))) == [24, 23, 22, 21]
    assert ids(listed(mectl, "--until", after(2))) == [2, 1]
    assert ids(listed(mectl, "--since", after(5), "--until", after(8))) == [8, 7, 6]
    assert ids(listed(mectl, "--user", one, "--limit", "2")) == [24, 21]
    assert ids(listed(mectl, "--user", two, "--since", after(20))) == [22]
    assert ids(exported(mectl, "--user", three, "--since", after(5), "--until", after(13))) == [8, 11]
    assert listed(mectl, "--user", "00000000-0000-4000-8000-000000000000") == []
    assert listed(mectl, "--since", after(8), "--until", after(5)) == []


@pytest.mark.parametrize("time_text, first", [
    ("2025-01-01T00:00:05Z", 6), ("2025-01-01T02:00:05+02:00", 6), ("2024-12-31T23:00:05.000-01:00", 6),
    ("2025-01-01T00:00:04.001Z", 6), ("2025-01-01 00:00:05z", 6), ("2025-01-01", 1), ("2025-01-02", None),
    ("0001-01-01", 1), ("9999-12-31T23:59:59Z", None), ("9999-12-31T23:59:59-23:59", None),
])
def test_times_as_rfc_3339_has_them(empty, mectl, time_text, first):
    add_rows(empty, 8)
    expected = list(range(first, 9)) if first else []
    assert ids(exported(mectl, "--since", time_text)) == expected
    assert ids(exported(mectl, "--until", time_text)) == [n for n in range(1, 9) if n not in expected]


@pytest.mark.parametrize("option", ["since", "until"])
@pytest.mark.parametrize("text", ["", "now", "1751508862", "2025-02-29", "2025-01-01T00:00:00", "x" * 5000],
                         ids=lambda text: text[:20])
@pytest.mark.parametrize("command", [["list"], ["export", "-"]], ids=lambda words: words[0])
def test_what_is_no_time(mectl, command, option, text):
    done = mectl("audit", *command, f"--{option}", text, check=False)
    assert_refused(done, f"--{option}", f"'{text[:100]}", "2025-07-03")
    assert len(done.stderr) < 600


@pytest.mark.parametrize("arguments, word", [
    (["--user", "ada"], "UUID"), (["--limit", "0"], "--limit"), (["--limit", "many"], "--limit"),
    (["--limit", "1000001"], "1000000"),
])
def test_values_that_are_none(mectl, arguments, word):
    assert_refused(mectl("audit", "list", *arguments, check=False), word)


def test_texts_of_a_token_do_not_steer_the_terminal(empty, mectl):
    user = Users(empty).add()
    client = "web\x1b[2J\n2025 forged\u009b\x7f"
    Program(empty.conf).patch(empty.tokens.bearer(user, azp=client), {"bio": "x"})
    line = quiet(mectl("audit", "list"))
    assert line.count("\n") == 1 and r"web\x1b[2J\x0a2025 forged\xc2\x9b\x7f" in line
    assert listed(mectl)[0]["client"] == client


@pytest.mark.parametrize("text", ['{"bio":{"old":1,"new":2},"bio":3}', '[1]', '"text"', '{"bio":"\\u0000"}', '{\n}'])
def test_values_that_the_worker_does_not_write_stop_nothing(empty, mectl, text):
    """Whoever has the worker's account can add them, and must not be able to hide what comes behind."""
    add_rows(empty, 1)
    empty.execute("INSERT INTO profile_changes (user_id, request_id, members, member_values)"
                  " VALUES (REPEAT('a', 16), 'r', 'bio', %s)", [text])
    add_rows(empty, 1, 3)
    by_id = {row["id"]: row for row in exported(mectl)}
    assert set(by_id) == {1, 2, 3}
    assert by_id[2]["values"] in (text, {})
    assert quiet(mectl("audit", "export", "-")).count("\n") == 3


# ---- export

def test_a_file_for_its_owner_alone(empty, mectl, tmp_path):
    add_rows(empty, 700)
    path = tmp_path / "changes.jsonl"
    before = os.umask(0)
    try:
        assert quiet(mectl("audit", "export", path)) == ""
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert ids(rows) == list(range(1, 701))
    assert rows == listed(mectl, "--limit", "1000")[::-1] == exported(mectl)
    assert [entry.name for entry in tmp_path.iterdir()] == ["changes.jsonl"]


def test_nothing_is_overwritten(empty, mectl, tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    assert_refused(mectl("audit", "export", path, check=False), path, "overwritten")
    (tmp_path / "link").symlink_to(path)
    assert_refused(mectl("audit", "export", tmp_path / "link", check=False), "overwritten")
    assert_refused(mectl("audit", "export", "/dev/null", check=False), "/dev/null")
    assert path.read_text() == "mine" and not os.path.exists("/dev/null.new")


def test_another_export_is_not_disturbed(empty, mectl, tmp_path):
    (tmp_path / "file.new").write_text("half of it")
    assert_refused(mectl("audit", "export", tmp_path / "file", check=False), tmp_path / "file.new", "remove it")
    assert (tmp_path / "file.new").read_text() == "half of it" and not (tmp_path / "file").exists()


def test_a_folder_that_is_not_there(empty, mectl, tmp_path):
    assert_refused(mectl("audit", "export", tmp_path / "no" / "file", check=False), tmp_path / "no", "No such file")


def test_a_name_that_is_too_long(empty, mectl, tmp_path):
    assert_refused(mectl("audit", "export", tmp_path / ("x" * 255), check=False), "File name too long")
    assert_refused(mectl("audit", "export", "x" * 5000, check=False), "the name of the file is too long")


def allow_only_small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.skipif(is_measured(), reason="what is counted is written under the same limit")
def test_a_file_that_cannot_be_written_to_the_end_is_not_there(empty, tmp_path):
    add_rows(empty, 1000)
    done = run(empty, "audit", "export", str(tmp_path / "file"), preexec_fn=allow_only_small_files)
    assert_refused(done, tmp_path / "file", "File too large")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_fails_leaves_no_file(empty, mectl, tmp_path):
    empty.execute("RENAME TABLE profile_changes TO elsewhere")
    try:
        assert_refused(mectl("audit", "export", tmp_path / "file", check=False), "mectl migrate")
        assert_refused(mectl("audit", "list", check=False), "mectl migrate")
        assert_refused(mectl("audit", "prune", "--older-than", "1", "--dry-run", check=False), "mectl migrate")
    finally:
        empty.execute("RENAME TABLE elsewhere TO profile_changes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [
    ["list"], ["list", "--json"], ["export", "-"], ["prune", "--before", "2000-01-01"],
    ["prune", "--before", "2030-01-01", "--dry-run"],
], ids=" ".join)
def test_what_was_not_printed_is_no_success(empty, arguments):
    add_rows(empty, 2000)
    assert_needs_its_output("audit", *arguments, conf=empty.conf)


# ---- prune

def test_before_a_time(empty, mectl):
    add_rows(empty, 2500)
    assert quiet(mectl("audit", "prune", "--before", after(2300), "--dry-run")) == "2300 would be removed\n"
    assert row_count(empty) == 2500
    assert quiet(mectl("audit", "prune", "--before", after(2300))) == "2300 removed\n"
    assert ids(exported(mectl)) == list(range(2301, 2501))
    assert quiet(mectl("audit", "prune", "--before", after(2300))) == "0 removed\n"


def test_older_than_some_days(empty, mectl):
    for hours in (1, 23, 25, 47, 49):
        empty.execute("INSERT INTO profile_changes (user_id, request_id, members, changed_at) VALUES"
                      " (REPEAT('a', 16), %s, 'bio', UTC_TIMESTAMP(3) - INTERVAL %s HOUR)", [f"h{hours}", hours])
    for days, removed, left in ((2, 1, "h47"), (1, 2, "h23"), (0, 2, None)):
        would = quiet(mectl("audit", "prune", "--older-than", str(days), "--dry-run"))
        assert would == f"{removed} would be removed\n"
        assert quiet(mectl("audit", "prune", "--older-than", str(days))) == f"{removed} removed\n"
        rows = exported(mectl)
        assert (rows[0]["requestId"] if rows else None) == left


def test_what_is_of_one_user(empty, mectl):
    """As somebody may demand of whoever keeps data on them."""
    one, two, three = add_rows(empty, 30)
    assert quiet(mectl("audit", "prune", "--user", two, "--older-than", "0", "--dry-run")) == "10 would be removed\n"
    assert quiet(mectl("audit", "prune", "--user", two, "--older-than", "0")) == "10 removed\n"
    assert {row["userId"] for row in exported(mectl)} == {one, three} and row_count(empty) == 20


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["--before", "2025-01-01", "--older-than", "3"]], ids=str)
def test_it_is_said_what_to_remove(empty, mectl, arguments):
    add_rows(empty, 1)
    assert_usage(mectl("audit", "prune", *arguments, check=False), "--before", "--older-than")
    assert row_count(empty) == 1


@pytest.mark.parametrize("arguments, word", [
    (["--before", "tomorrow"], "--before"), (["--older-than", "-1"], "--older-than"),
    (["--older-than", "1.5"], "--older-than"), (["--older-than", "36601"], "36600"),
    (["--older-than", ""], "--older-than"), (["--older-than", "0", "--user", "ada"], "UUID"),
])
def test_what_cannot_be_understood_removes_nothing(empty, mectl, arguments, word):
    add_rows(empty, 1)
    assert_refused(mectl("audit", "prune", *arguments, check=False), word)
    assert row_count(empty) == 1


# ---- progress

PROGRESS = r"mectl: {} (\d+) of (\d+) rows(?: \[#*-*\] \d+ %)?(?:, \d+ a second)?(?:, some \d+ s left)?"


def progress_of(lines, verb):
    found = [re.fullmatch(PROGRESS.format(verb), line) for line in lines]
    assert found and all(found), lines
    return [(int(line[1]), int(line[2])) for line in found]


@pytest.mark.parametrize("arguments, verb", [
    (["export", "-"], "exported"), (["prune", "--older-than", "0"], "removed")], ids=lambda value: value[0])
def test_progress_where_it_is_wanted(empty, arguments, verb):
    add_rows(empty, 3000)
    assert run(empty, "audit", *arguments).stderr == ""
    empty.execute("TRUNCATE profile_changes")
    add_rows(empty, 3000)
    done = run(empty, "audit", *arguments, "--progress")
    assert done.returncode == 0
    told = progress_of(done.stderr.splitlines(), verb)
    assert told[-1] == (3000, 3000) and len(told) >= 2 and told[0][0] < 3000
    assert told == sorted(told) and {total for _, total in told} == {3000}


def test_progress_on_a_terminal_is_one_line(empty, tmp_path):
    add_rows(empty, 3000)
    _, written = run_on_terminal(empty, "audit", "export", str(tmp_path / "file"))
    assert written.endswith("\r\n") and written.count("\n") == 1, written
    shown = [part.removesuffix("\x1b[K") for part in written.rstrip("\r\n").split("\r") if part]
    assert progress_of(shown, "exported")[-1] == (3000, 3000)


def test_an_empty_trail_on_a_terminal(empty):
    done, written = run_on_terminal(empty, "audit", "prune", "--older-than", "1")
    assert done.stdout == "0 removed\n" and "removed 0 of 0 rows" in written


# ---- a hundred thousand rows

MANY = 100_000


def test_many_rows_take_no_more_memory_than_few(empty, mectl, tmp_path):
    add_rows(empty, 1000)
    few = peak_kib(empty, "audit", "export", str(tmp_path / "few"))
    add_rows(empty, MANY - 1000, 1001)
    begin = time.monotonic()
    many = peak_kib(empty, "audit", "export", str(tmp_path / "many"))
    assert time.monotonic() - begin < 60
    with open(tmp_path / "many", encoding="utf-8") as file:
        assert all(json.loads(line)["id"] == n for n, line in enumerate(file, 1)) and file.tell() > 10_000_000
    begin = time.monotonic()
    pruned = peak_kib(empty, "audit", "prune", "--before", after(MANY - 500))
    assert time.monotonic() - begin < 120
    assert ids(exported(mectl)) == list(range(MANY - 499, MANY + 1))
    if not is_sanitized():  # whose allocator keeps what was freed
        assert max(many, pruned) < few + 2048, (few, many, pruned)


def test_the_most_recent_of_many_are_listed_at_once(empty, mectl):
    add_rows(empty, MANY)
    begin = time.monotonic()
    assert ids(listed(mectl, "--limit", "5")) == [MANY - n for n in range(5)]
    assert time.monotonic() - begin < 5


# ---- accounts

def test_without_an_account_of_its_own_mectl_has_the_workers_rights(empty, mectl):
    conf = empty.write_conf("worker-only.conf", admin__user=None, admin__password_file=None, audit__level="values")
    for arguments in (["list"], ["export", "-"], ["prune", "--older-than", "0"]):
        done = mectl("audit", *arguments, conf=conf, check=False)
        assert done.returncode == 1 and "denied" in done.stderr and "--print-grants" in done.stderr, done


# ---- config check

def audit_finding(mectl, **more):
    done = mectl("config", "check", "--json", check=False, **more)
    found = json.loads(done.stdout)
    assert done.returncode == any(one["finding"] == "wrong" for one in found), done
    rows = [(one["finding"], one["detail"]) for one in found if one["what"] == "audit"]
    assert len(rows) <= 1
    return rows[0] if rows else None


@pytest.mark.parametrize("level", ["members", "values"])
def test_check_is_content_where_rows_can_be_added(empty, mectl, level):
    assert audit_finding(mectl, ME_AUDIT_LEVEL=level) == ("good", "the worker can add rows")
    assert row_count(empty) == 0, "it adds none to see"


def test_check_says_nothing_where_it_is_off(empty, mectl):
    assert audit_finding(mectl, ME_AUDIT_LEVEL="off") is None


def test_check_says_nothing_offline(installation):
    done = installation.mectl("config", "check", "--offline", "--json")
    assert not [one for one in json.loads(done.stdout) if one["what"] == "audit"]


def test_check_finds_that_the_right_is_missing(mariadb, tmp_path):
    other = audit.install(mariadb, tmp_path, f"audit_{uuid.uuid4().hex[:8]}", "off")
    finding, detail = audit_finding(other.mectl, ME_AUDIT_LEVEL="members")
    assert finding == "wrong"
    for word in ("every PATCH that changes something will fail", "denied", "profile_changes", "--print-grants"):
        assert word in detail


def test_check_finds_that_the_table_is_missing(empty, mectl):
    empty.execute("RENAME TABLE profile_changes TO elsewhere")
    try:
        finding, detail = audit_finding(mectl)
    finally:
        empty.execute("RENAME TABLE elsewhere TO profile_changes")
    assert finding == "wrong" and "profile_changes" in detail and "mectl migrate" in detail


def test_check_cannot_judge_an_account_that_it_cannot_use(empty, mectl, tmp_path):
    """As that of a worker that logs in as a user of the system."""
    conf = empty.write_conf("wrong.conf", audit__level="values",
                            database__password_file=write_secret(tmp_path / "wrong", "wrong"))
    finding, detail = audit_finding(mectl, conf=conf)
    assert finding == "note" and "cannot be seen from here" in detail and "1045" in detail


def test_check_names_a_password_file_that_cannot_be_read(empty, mectl, tmp_path):
    conf = empty.write_conf("missing.conf", audit__level="values", database__password_file=tmp_path / "missing")
    found = json.loads(mectl("config", "check", "--json", conf=conf, check=False).stdout)
    (wrong,) = [one for one in found if one["finding"] == "wrong"]
    assert wrong["what"] == "password" and str(tmp_path / "missing") in wrong["detail"]
    assert audit_finding(mectl, conf=conf) is None
