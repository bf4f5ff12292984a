"""mectl user import: JSON Lines and CSV, what it refuses, and that it can be run again."""

import json
import re
import signal
import subprocess
import time
import uuid

import pytest

from support.bulkless import Proxy
from support.cgi import Program
from support.children import run, run_on_terminal
from support.commands import assert_refused, assert_usage, quiet
from support.installation import mectl_command
from support.paths import clean_environment
from support.processes import wait_until
from support.records import (
    TABLES, counts, email, everything, id_of, identity, in_order, install, line, person, session, whole, write_lines,
)
from support.together import at_once


@pytest.fixture(scope="module")
def installation(mariadb, tmp_path_factory):
    """In place of that of the other tests: its database holds what a test has put there, and nothing else."""
    return install(mariadb, tmp_path_factory.mktemp("import"), "import")


@pytest.fixture(scope="module")
def mectl(installation):
    return installation.mectl


@pytest.fixture
def empty(installation):
    installation.execute("DELETE FROM users")
    return installation


class Import:
    """A run that ended: its counts, and its faults as (line, member, reason)."""

    def __init__(self, done, name="-"):
        self.done = done
        self.counts = counts(done.stdout) if done.stdout else None
        found = [re.fullmatch(r"(.*?):(\d+): (?:([^ :]+): )?(.*)", text) for text in done.stderr.splitlines()]
        self.faults = [(int(one[2]), one[3] or "", one[4]) for one in found if one and one[1] == name]
        self.others = [text for text, one in zip(done.stderr.splitlines(), found) if not one or one[1] != name]

    def assert_counts(self, **expected):
        """All that are not named are 0; the exit status goes by them."""
        assert self.counts == {
            "users": sum(expected.values()), "added": 0, "changed": 0, "unchanged": 0, "refused": 0, **expected}, self
        assert self.done.returncode == (1 if expected.get("refused") else 0), self
        return self

    def assert_faults(self, *expected):
        """(line, member, part of the reason), in this order."""
        assert len(self.faults) == len(expected) and self.others == [], self
        for (at, member, why), (line_expected, member_expected, part) in zip(self.faults, expected):
            assert (at, member) == (line_expected, member_expected) and part in why, self
        return self

    def __repr__(self):
        return f"{self.done}"


def give(installation, text, *arguments, **more) -> Import:
    """Imports what stands on standard input: a text, or users as lines."""
    if not isinstance(text, str):
        text = "".join(map(line, text))
    return Import(installation.mectl("user", "import", "-", *arguments, stdin=text, check=False, **more))


def give_csv(installation, table, *rows) -> Import:
    return give(installation, "".join(row + "\r\n" for row in rows), "--table", table)


def exported(installation, *arguments) -> list:
    """The users as they are, by export, which has tests of its own."""
    text = quiet(installation.mectl("user", "export", "-", *arguments))
    return [json.loads(one) for one in text.split("\n")[:-1]]


def names(installation) -> list:
    return [row[0] for row in installation.execute("SELECT name FROM users ORDER BY id")]


# ---- what is stored

def test_a_user_with_everything(empty):
    give(empty, [{**whole(7), "sessions": [session("s", revokedAt="2025-07-04T00:00:00.000Z")]}]).assert_counts(added=1)
    rows = everything(empty)
    assert [len(rows[table]) for table in rows] == [1, 2, 2, 2, 3, 1, 1]
    assert exported(empty, "--sessions") == [
        {**whole(7), "sessions": [session("s", revokedAt="2025-07-04T00:00:00.000Z")]}]
    scopes = empty.execute("SELECT scope, name FROM user_badges ORDER BY scope")
    assert scopes == [("a", "b"), ("a-b", "c"), ("messagebird", "cx")]


def test_the_worker_serves_who_was_imported(empty):
    give(empty, [whole(7)]).assert_counts(added=1)
    program = Program(empty.conf, [empty.secret, empty.worker_password])
    shown = program.get(empty.tokens.bearer(id_of("user", 7))).json
    assert shown["defaultEmail"] == "b7@example.com" and shown["phoneNumber"] == "+14150000007"
    assert shown["badges"] == ["a-b:c", "a:b", "messagebird:cx"] and shown["bio"] == whole(7)["bio"]


def test_what_is_not_told_is_made_up(empty):
    before = time.time()
    give(empty, [{"id": id_of("user", 1), "name": "Ada", "emails": [{"email": "a@example.com"}],
                  "phoneNumbers": [{"phoneNumber": "+14155550100"}]}]).assert_counts(added=1)
    (user,) = exported(empty)
    assert user["status"] == "active" and user["createdAt"] == user["updatedAt"] == user["emails"][0]["createdAt"]
    created = empty.execute("SELECT UNIX_TIMESTAMP(created_at) FROM users")[0][0]
    assert before - 2 < created < time.time() + 2
    for row in user["emails"] + user["phoneNumbers"]:
        assert uuid.UUID(row["id"]).version == 7
    assert user["emails"][0]["default"] is False and user["phoneNumbers"][0]["primary"] is False


def test_values_in_another_form_are_stored_in_the_one_form(empty):
    give(empty, [person(1, id=id_of("user", 1).upper(), locale="EN-us", createdAt="2025-07-03 04:14:22.0949+02:00")])
    (user,) = exported(empty)
    assert (user["id"], user["locale"], user["createdAt"]) == (id_of("user", 1), "en-US", "2025-07-03T02:14:22.094Z")


@pytest.mark.parametrize("text", [
    line(person(1)).rstrip("\n"), "\n \n" + line(person(1)) + "\r\n\n", line(person(1)).replace("\n", "\r\n"),
    "\ufeff" + line(person(1)), " " + line(person(1)),
], ids=["no line end", "blank lines", "CR LF", "byte order mark", "blanks"])
def test_lines_as_other_programs_write_them(empty, text):
    give(empty, text).assert_counts(added=1)


def test_an_empty_file(empty):
    give(empty, "").assert_counts()


# ---- again, and changed

def test_the_same_again_changes_nothing(empty, tmp_path):
    """Nor do lines that leave out what was made up the first time."""
    users = [{**whole(n), "sessions": [session(f"s{n}")]} for n in range(300)] + [
        {"id": id_of("user", n), "name": "Ada", "emails": [{"email": f"x{n}@example.com", "default": True}],
         "identities": [{"id": f"x{n}", "issuer": "i", "provider": "p"}], "badges": ["a:b"],
         "phoneNumbers": [{"phoneNumber": "+14155550100"}], "userFraudInformation": {"score": 1}}
        for n in range(300, 400)]
    path = write_lines(tmp_path / "users.jsonl", users)
    done = empty.mectl("user", "import", path)
    assert counts(done.stdout) == {"users": 400, "added": 400, "changed": 0, "unchanged": 0, "refused": 0}
    before = everything(empty)
    done = empty.mectl("user", "import", path)
    assert counts(done.stdout) == {"users": 400, "added": 0, "changed": 0, "unchanged": 400, "refused": 0}
    assert everything(empty) == before


def test_only_what_differs_is_written(empty):
    """
    Seen by triggers, in the database: an update that changes nothing would fire one, too. Each write of a row updates
    users once, for its revision, and that of the score twice: it is an INSERT ... ON DUPLICATE KEY UPDATE.
    """
    users = [whole(n) for n in range(10)]
    give(empty, users).assert_counts(added=10)
    empty.execute("CREATE TABLE seen (what VARCHAR(64))")
    tables = ("users", "user_emails", "user_identities", "user_phone_numbers", "user_badges", "user_fraud_information")
    try:
        for table in tables:
            for event in ("INSERT", "UPDATE", "DELETE"):
                empty.execute(f"CREATE TRIGGER seen_{table}_{event} AFTER {event} ON {table} FOR EACH ROW"
                              f" INSERT INTO seen VALUES ('{event} {table}')")
        users[3]["bio"] = "another"
        users[4]["emails"][1]["verified"] = True
        users[5]["badges"].remove("a:b")
        users[6]["userFraudInformation"]["score"] = 99
        give(empty, users).assert_counts(changed=4, unchanged=6)
        assert sorted(row[0] for row in empty.execute("SELECT what FROM seen")) == [
            "DELETE user_badges", "DELETE user_emails", "INSERT user_emails", "UPDATE user_fraud_information",
            *["UPDATE users"] * (1 + 1 + 2 + 2)]
    finally:
        for table in tables:
            for event in ("INSERT", "UPDATE", "DELETE"):
                empty.execute(f"DROP TRIGGER IF EXISTS seen_{table}_{event}")
        empty.execute("DROP TABLE seen")
    assert exported(empty) == users


def test_a_user_is_made_what_its_line_says(empty):
    give(empty, [whole(1)]).assert_counts(added=1)
    after = person(1, name="Ada", emails=[email(1, "new@example.com", default=True)], badges=["x:y"], updatedAt="2026-01-01T00:00:00.000Z")
    give(empty, [after]).assert_counts(changed=1)
    assert exported(empty) == [after]


def test_an_array_that_is_not_there_leaves_its_rows(empty):
    give(empty, [{**whole(1), "sessions": [session("s")]}]).assert_counts(added=1)
    left = {name: value for name, value in whole(1).items() if name not in ("emails", "badges", "phoneNumbers", "identities")}
    give(empty, [{**left, "name": "Ada"}]).assert_counts(changed=1)
    assert exported(empty, "--sessions") == [in_order({**whole(1), "name": "Ada", "sessions": [session("s")]})]


def test_the_time_of_a_change_moves_unless_it_is_told(empty):
    give(empty, [person(1)])
    told = person(1)["updatedAt"]
    give(empty, [person(1, bio="x")]).assert_counts(changed=1)
    assert exported(empty)[0]["updatedAt"] == told
    give(empty, [person(1, bio="y", updatedAt=None)]).assert_counts(changed=1)
    assert exported(empty)[0]["updatedAt"] > told and exported(empty)[0]["createdAt"] == person(1)["createdAt"]


def test_a_default_can_move_and_numbers_can_change_places(empty):
    user = whole(1)
    give(empty, [user])
    first, second = user["emails"]
    first["default"], second["default"] = False, True
    one, two = user["phoneNumbers"]
    one["phoneNumber"], two["phoneNumber"] = two["phoneNumber"], one["phoneNumber"]
    give(empty, [user]).assert_counts(changed=1)
    (after,) = exported(empty)
    assert after["emails"] == [second, first] and after["phoneNumbers"] == [one, two]


def test_an_address_can_move_from_one_user_to_another(empty):
    give(empty, [person(1, emails=[email(1, "a@example.com")]), person(2, emails=[email(2, "b@example.com")])])
    give(empty, [person(1, emails=[email(1, "B@example.com")]), person(2, emails=[email(2, "a@example.com")])]).assert_counts(
        changed=2)
    assert [user["emails"][0]["email"] for user in exported(empty)] == ["B@example.com", "a@example.com"]


def test_a_user_may_have_several_lines(empty):
    """They count one after the other, in one batch or not."""
    give(empty, [person(1, name="one"), person(2), person(1, name="two")]).assert_counts(added=2, changed=1)
    assert names(empty)[0] == "two"
    give(empty, [person(1, name="three"), *(person(n) for n in range(2, 400)), person(1, name="four")]).assert_counts(
        added=397, changed=2, unchanged=1)
    assert names(empty)[0] == "four"


# ---- what is refused

def test_only_the_bad_ones_are_left_out(empty):
    """In the middle of batches, and told in the order of their lines where they can be read."""
    users = [whole(n) for n in range(700)]
    users[100]["name"] = " "
    users[300]["emails"][0]["email"] = "b299@example.com"
    users[301]["locale"] = "xx_YY"
    users[699]["identities"][0] = identity(699, "5|é")
    done = give(empty, users).assert_counts(added=696, refused=4)
    done.assert_faults((101, "name", "white space"), (302, "locale", "BCP 47"),
                       (301, "emails[0].email", f"belongs to another user, {id_of('user', 299)}"),
                       (700, "identities[0].id", f"belongs to another user, {id_of('user', 5)}"))
    assert exported(empty) == [user for n, user in enumerate(users) if n not in (100, 300, 301, 699)]


def test_nothing_is_half_done_for_one_user(empty):
    give(empty, [whole(1), person(2, emails=[email(2, "free@example.com"), email(2, "b1@example.com")], badges=["a:b"])]
         ).assert_counts(added=1, refused=1)
    assert [user["id"] for user in exported(empty)] == [id_of("user", 1)]
    give(empty, [person(1, name="changed", emails=[email(1, "x@example.com", default=True), email(1, "y@example.com", default=True)])]
         ).assert_counts(refused=1)
    assert exported(empty) == [whole(1)]


BAD = [
    ('{"id"', "", "column 6: is not JSON"),
    ("[]", "", "column 1: is not a JSON object"),
    ('{"id":1,"id":2}', "", "column 9: "),
    ('{"a":"\\ud800"}', "", "surrogate"),
    ('{"a":"\udcff"}', "", "UTF-8"),
    ('{"id":"1","name":"Ada"}', "id", "is not a UUID"),
    (line(person(1, nick="x")), "nick", "is not known here"),
    (line(person(1, defaultEmail="a@example.com")), "defaultEmail", "made of other members"),
    (line(person(1, emails=[email(1, "a@example.com"), email(1, "b")])), "emails[1].email", "is not an email address"),
    (line(person(1, emails=[email(1, "a@example.com", default=True), email(1, "b@example.com", default=True)])),
     "emails[1].default", "second default"),
    (line(person(1, emails=[email(1, "a@example.com"), {"email": "A@EXAMPLE.com"}])), "emails[1]", "is there twice"),
    (line(person(1, emails=[email(2, "a@example.com")])), "emails[0].userId", "is not the id of this user"),
    (line(person(1, timezone="Europe/Nowhere")), "timezone", "IANA"),
    (line(person(1, **{"\u009b\n\"": 1})), '\\xc2\\x9b\\x0a"', "is not known here"),
]


@pytest.mark.parametrize("text, member, part", BAD, ids=range(len(BAD)))
def test_a_bad_line_is_told_and_the_others_go_on(empty, text, member, part):
    lines = line(person(7)) + "\n" + text.rstrip("\n") + "\n" + line(person(8))
    done = subprocess.run(mectl_command(["user", "import", "-"], empty.conf), input=lines, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="surrogateescape", timeout=60, check=False,
                          env=clean_environment())
    Import(done).assert_counts(added=2, refused=1).assert_faults((3, member, part))
    assert names(empty) == ["User 7", "User 8"]


def test_all_faults_of_a_line_at_once(empty):
    give(empty, [person(1, name="", bio=7, emails=[{}, {"email": "x"}])]).assert_counts(refused=1).assert_faults(
        (1, "name", "is empty"), (1, "bio", "is not a string"), (1, "emails[0].email", "is missing"),
        (1, "emails[1].email", "is not an email"))


def test_a_line_that_is_too_long(empty):
    give(empty, line(person(1)) + '{"id":"' + "x" * (5 * 1024 * 1024) + '"}\n' + line(person(2))).assert_counts(
        added=2, refused=1).assert_faults((2, "", "longer than 4 MiB"))


def test_what_the_database_alone_refuses(empty):
    """A constraint that this program knows nothing of."""
    empty.execute("ALTER TABLE users ADD CONSTRAINT users_no_eve CHECK (name <> 'Eve')")
    try:
        done = give(empty, [person(n, name="Eve" if n == 5 else f"User {n}") for n in range(20)])
    finally:
        empty.execute("ALTER TABLE users DROP CONSTRAINT users_no_eve")
    done.assert_counts(added=19, refused=1).assert_faults((6, "record_user_add", "users_no_eve"))


def test_who_is_named_belongs_to_the_database_as_it_is_then(empty):
    """The first of two in one file has the address."""
    give(empty, [person(1, emails=[email(1, "a@example.com")]), person(2, emails=[email(2, "A@example.com")])]).assert_counts(
        added=1, refused=1).assert_faults((2, "emails[0].email", id_of("user", 1)))


def test_stop_on_error(empty):
    users = [person(n) for n in range(1000)]
    users[600]["name"] = ""
    give(empty, users, "--stop-on-error").assert_counts(added=600, refused=1).assert_faults((601, "name", "is empty"))
    users[600]["name"] = "Ada"
    users[700]["emails"] = [email(700, "a@example.com")]
    users[701]["emails"] = [email(701, "a@example.com")]
    done = give(empty, users, "--stop-on-error").assert_faults((702, "emails[0].email", "another user"))
    assert done.counts["refused"] == 1 and done.counts["unchanged"] == 600 and done.done.returncode == 1
    assert len(names(empty)) <= 1000 - 298 + 255, "it went on"


def test_a_dry_run_tells_everything_and_writes_nothing(empty):
    give(empty, [whole(1), person(2)])
    before = everything(empty)
    done = give(empty, [whole(1), person(2, bio="x"), person(3), person(4, emails=[email(4, "b1@example.com")]), person(5, name="")],
                "--dry-run")
    done.assert_counts(added=1, changed=1, unchanged=1, refused=2)
    done.assert_faults((5, "name", "is empty"), (4, "emails[0].email", "belongs to another user"))
    assert done.done.stdout.endswith("; nothing was written\n") and everything(empty) == before


def test_the_report_is_a_file_of_ones_own(empty, mectl, tmp_path):
    report, path = tmp_path / "report", write_lines(tmp_path / "users", [person(1, name=""), person(2)])
    done = mectl("user", "import", path, "--report", report, check=False)
    assert done.returncode == 1 and done.stderr == ""
    text = report.read_text()
    assert text.startswith(f"{path}:1: name: is empty") and text.count("\n") == 1
    assert report.stat().st_mode & 0o777 == 0o600
    done = mectl("user", "import", write_lines(path, [person(1)]), "--report", report)
    assert report.read_text() == "", "the one before is gone"


def test_a_report_that_cannot_be_written_is_no_success(empty, mectl, tmp_path):
    path = write_lines(tmp_path / "users", [person(1, name="")])
    done = mectl("user", "import", path, "--report", tmp_path / "no" / "report", check=False)
    assert_refused(done, "report", "No such file")
    done = mectl("user", "import", path, "--report", "/dev/full", check=False)
    assert done.returncode == 1 and done.stderr == "mectl: /dev/full: cannot be written\n"


def test_counts_as_json(empty):
    done = give_json(empty, [person(1), person(2, name="")])
    assert done == {"added": 1, "changed": 0, "unchanged": 0, "refused": 1, "dryRun": False}
    assert give_json(empty, [person(3)], "--dry-run") == {
        "added": 1, "changed": 0, "unchanged": 0, "refused": 0, "dryRun": True}


def give_json(installation, users, *arguments) -> dict:
    done = installation.mectl("user", "import", "-", "--json", *arguments, stdin="".join(map(line, users)), check=False)
    return json.loads(done.stdout)


def test_what_was_not_printed_is_no_success(empty, tmp_path):
    path = write_lines(tmp_path / "users", [person(1)])
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(mectl_command(["user", "import", path], empty.conf), stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False, env=clean_environment())
    assert done.returncode == 1 and done.stderr == "mectl: standard output cannot be written\n"


@pytest.mark.parametrize("path, words", [
    ("/no/such/file", ["/no/such/file", "No such file"]), ("/", ["/: ", "directory"]),
])
def test_a_file_that_cannot_be_read(empty, mectl, path, words):
    done = mectl("user", "import", path, check=False)
    assert done.returncode == 1 and all(word in done.stderr for word in words), done


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--table", "people"], ["--table", "emails", "--format", "jsonl"]])
def test_refuses_a_bad_option(empty, mectl, arguments):
    assert_refused(mectl("user", "import", "-", *arguments, check=False), arguments[0])


def test_a_file_is_needed(mectl):
    assert_usage(mectl("user", "import", check=False), "FILE is missing")


# ---- broken off, and at the same time

def start(installation, path, **more):
    return subprocess.Popen(mectl_command(["user", "import", path], installation.conf), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(), **more)


def wait_for_some(installation, process):
    wait_until(lambda: len(names(installation)) > 0 or process.poll() is not None, 60, "the first batch")
    assert process.poll() is None, "it was done before it could be broken off"


def test_killed_and_run_again(empty, tmp_path):
    users = [whole(n) for n in range(4000)]
    path = write_lines(tmp_path / "users", users)
    process = start(empty, path)
    wait_for_some(empty, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = exported(empty)
    assert found == users[:len(found)] and 0 < len(found) < 4000 and len(found) % 256 == 0
    done = Import(empty.mectl("user", "import", path))
    done.assert_counts(added=4000 - len(found), unchanged=len(found))
    assert exported(empty) == users


def test_a_database_that_goes_away(empty, tmp_path):
    users = [whole(n) for n in range(4000)]
    path = write_lines(tmp_path / "users", users)
    process = start(empty, path)
    wait_for_some(empty, process)
    empty.server.kill()
    try:
        stdout, stderr = process.communicate(timeout=60)
    finally:
        empty.server.start()
    assert process.returncode == 1 and "stopped near line" in stderr and "run the same command again" in stderr, stderr
    done = counts(stdout)
    # the last batch may have been written all the same, where the answer was lost
    assert done["added"] <= len(names(empty)) < 4000 and done["refused"] == 0
    Import(empty.mectl("user", "import", path))
    assert exported(empty) == users


def test_two_of_the_same_file_at_once(empty, tmp_path):
    users = [whole(n) for n in range(1500)]
    path = write_lines(tmp_path / "users", users)
    results = at_once([lambda: empty.mectl("user", "import", path, check=False)] * 2)
    done = [counts(result.stdout) for result in results]
    assert [result.returncode for result in results] == [0, 0], results
    assert done[0]["added"] + done[1]["added"] == 1500 and done[0]["unchanged"] + done[1]["unchanged"] == 1500
    assert exported(empty) == users


def test_a_row_that_is_held_too_long_stops_it(empty):
    give(empty, [person(1)])
    holder = empty.server.connect(database=empty.database)
    try:
        with holder.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            cursor.execute("SELECT id FROM users FOR UPDATE")
            done = give(empty, [person(1, name="x")], ME_DATABASE_READ_TIMEOUT_S="3")
    finally:
        holder.close()
    assert done.done.returncode == 1 and "1205" in done.done.stderr and names(empty) == ["User 1"]
    assert counts(done.done.stdout)["users"] == 0


def test_a_database_that_is_not_migrated(empty, mectl):
    empty.execute("RENAME TABLE user_badges TO elsewhere")
    try:
        done = mectl("user", "import", "-", stdin=line(whole(1)), check=False)
    finally:
        empty.execute("RENAME TABLE elsewhere TO user_badges")
    assert done.returncode == 1 and "mectl migrate" in done.stderr and names(empty) == []


def test_a_server_that_takes_one_row_at_a_time(empty, tmp_path):
    """A proxy that hides bulk execution: the same is done, only slower."""
    proxy = Proxy(empty.server.socket, tmp_path / "proxy.sock")
    try:
        users = [whole(n) for n in range(300)]
        users[150]["emails"][0]["email"] = "b3@example.com"
        done = give(empty, users, ME_DATABASE_HOST=proxy.path)
        done.assert_counts(added=299, refused=1).assert_faults((151, "emails[0].email", id_of("user", 3)))
        users[150] = whole(150)
        give(empty, users, ME_DATABASE_HOST=proxy.path).assert_counts(added=1, unchanged=299)
        assert exported(empty) == users and proxy.connections == 2
    finally:
        proxy.close()


# ---- CSV

def test_users_by_columns_that_are_told(empty):
    give_csv(empty, "users", "name,id", f"Ada,{id_of('user', 1)}", f'"Bob ""B"" Bee",{id_of("user", 2)}').assert_counts(added=2)
    give_csv(empty, "users", "id,bio,locale", f'{id_of("user", 1)},"one\r\ntwo, three",', f'{id_of("user", 2)},"",en-us').assert_counts(
        refused=1, changed=1).assert_faults((2, "bio", "control character"))
    give_csv(empty, "users", "id,bio,locale", f'{id_of("user", 1)},"one\ntwo, three",de').assert_counts(changed=1)
    one, two = exported(empty)
    assert (one["name"], one["bio"], one["locale"], one["status"]) == ("Ada", "one\ntwo, three", "de", "active")
    assert (two["name"], two["bio"], two["locale"]) == ('Bob "B" Bee', "", "en-US")
    give_csv(empty, "users", "id,bio,locale", f"{id_of('user', 1)},,").assert_counts(changed=1)
    assert not {"bio", "locale"} & set(exported(empty)[0])


def test_a_new_user_needs_a_name(empty):
    give_csv(empty, "users", "id,bio", f"{id_of('user', 1)},x").assert_counts(refused=1).assert_faults((2, "name", "is missing"))


def test_child_rows_are_added_and_changed_and_none_is_removed(empty):
    give(empty, [whole(1), person(2)])
    give_csv(empty, "emails", "userId,email,verified", f"{id_of('user', 1)},a1@example.com,1",
             f"{id_of('user', 2)},c@example.com,false").assert_counts(changed=2)
    one, two = exported(empty)
    assert [(row["email"], row["verified"], row["tokenSet"]) for row in one["emails"]] == [
        ("b1@example.com", True, False), ("a1@example.com", True, True)]
    assert [(row["email"], row["verified"]) for row in two["emails"]] == [("c@example.com", False)]
    give_csv(empty, "userFraudInformation", "userId,score", f"{id_of('user', 2)},-5").assert_counts(changed=1)
    give_csv(empty, "badges", "userId,badge", f"{id_of('user', 2)},a:b", f"{id_of('user', 2)},a:c").assert_counts(changed=1)
    give_csv(empty, "sessions", "userId,id,expiresAt", f"{id_of('user', 2)},s,2030-01-01").assert_counts(changed=1)
    two = exported(empty, "--sessions")[1]
    assert two["userFraudInformation"]["score"] == -5 and two["badges"] == ["a:b", "a:c"]
    assert two["sessions"][0]["expiresAt"] == "2030-01-01T00:00:00.000Z"


def test_the_rows_of_a_user_stand_or_fall_together(empty):
    give(empty, [person(n) for n in range(1, 5)])
    one, two, three, four = (id_of("user", n) for n in range(1, 5))
    done = give_csv(empty, "emails", "userId,email,default", f"{one},a@example.com,t", f"{one},b@example.com,f",
                    f"{two},c@example.com,f", f"{two},x,f", f"{two},d@example.com,f",
                    f"{three},e@example.com,t", f"{three},f@example.com,t", f"{four},A@example.com,f", f"{four},g@example.com,f")
    done.assert_counts(changed=1, refused=3)
    done.assert_faults((5, "email", "is not an email"), (7, "default", "second default"), (9, "email", f"belongs to another user, {one}"))
    assert [[row["email"] for row in user["emails"]] for user in exported(empty)] == [
        ["a@example.com", "b@example.com"], [], [], []]


def test_rows_of_nobody(empty):
    give_csv(empty, "badges", "userId,badge", f"{id_of('user', 1)},a:b").assert_counts(refused=1).assert_faults(
        (2, "userId", "names no user"))


def test_many_rows_of_one_user_over_several_reads_of_the_file(empty):
    give(empty, [person(1), person(2)])
    rows = [f"{id_of('user', 1)},s:{n:06d}" for n in range(6000)] + [f"{id_of('user', 2)},a:b"]
    give_csv(empty, "badges", "userId,badge", *rows).assert_counts(changed=2)
    assert empty.execute("SELECT COUNT(*) FROM user_badges") == [(6001,)]


@pytest.mark.parametrize("rows, fault", [
    (["id,name", "{},a\"b"], (2, "", "a quote inside")),
    (["id,name", "{},\"a\"b"], (2, "", "closing quote")),
    (["id,name", "{}"], (2, "", "not as many fields")),
    (["id,name", "{},a,b"], (2, "", "not as many fields")),
    (["id,name", "x,a"], (2, "id", "is not a UUID")),
    (["id,name", ",a"], (2, "id", "is missing")),
])
def test_a_bad_line_of_csv_is_told_and_the_others_go_on(empty, rows, fault):
    rows = [row.format(id_of("user", 1)) for row in rows] + [f"{id_of('user', 2)},Bob"]
    give_csv(empty, "users", *rows).assert_counts(added=1, refused=1).assert_faults(fault)
    assert names(empty) == ["Bob"]


def test_a_quote_that_is_never_closed(empty):
    give_csv(empty, "users", "id,name", f"{id_of('user', 1)},Ada", f'{id_of("user", 2)},"Bob', f"{id_of('user', 3)},Eve").assert_counts(
        added=1, refused=1).assert_faults((3, "", "never closed"))
    done = give_csv(empty, "users", "id,name", f'{id_of("user", 4)},Ada', f'{id_of("user", 5)},"' + "x\n" * 3_000_000)
    assert done.done.returncode == 1 and "-:3: is longer than 4 MiB: is a quote never closed?" in done.done.stderr


@pytest.mark.parametrize("text, words", [
    ("", ["no header line"]),
    ("id,nick\n", ["nick: is no column"]),
    ("name\nAda\n", ["id: is a column that has to be there"]),
    ("id,name,id\n", ["id: is there twice"]),
    ('id,"name\n', ["never closed"]),
])
def test_a_header_that_is_no_use(empty, mectl, text, words):
    done = mectl("user", "import", "-", "--format", "csv", stdin=text, check=False)
    assert done.returncode == 1 and "nothing was imported" in done.stderr and names(empty) == []
    for word in words:
        assert word in done.stderr


def test_a_byte_order_mark_and_line_feeds(empty):
    text = f"\ufeffid,name\n\n{id_of('user', 1)},Ada\n{id_of('user', 2)},Bob"
    give(empty, text, "--table", "users").assert_counts(added=2)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_known_by_its_name(empty, mectl, table):
    done = give(empty, ",".join(TABLES[table]) + "\r\n", "--table", table)
    done.assert_counts()


def test_a_file_named_csv_is_csv(empty, mectl, tmp_path):
    path = tmp_path / "users.csv"
    path.write_text(f"id,name\n{id_of('user', 1)},Ada\n")
    quiet(mectl("user", "import", path))
    assert names(empty) == ["Ada"]


# ---- progress

def test_progress_on_a_terminal(empty, tmp_path):
    users = [person(n) for n in range(600)]
    path = write_lines(tmp_path / "users", users)
    done, written = run_on_terminal(empty, "user", "import", str(path))
    assert counts(done.stdout)["added"] == 600
    last = written.rstrip("\r\n").split("\r")[-1]
    assert re.fullmatch(r"mectl: imported 600 users \[#{20}\] 100 %, \d+ a second\x1b\[K", last), written
    assert run(empty, "user", "import", str(path)).stderr == ""
    told = run(empty, "user", "import", str(path), "--progress").stderr.splitlines()
    assert re.fullmatch(r"mectl: imported 256 users \[#{8}-{12}\] 4\d %, \d+ a second, some \d+ s left", told[0]), told


def test_of_a_pipe_the_length_is_not_known(empty):
    told = give(empty, [person(n) for n in range(600)], "--progress").done.stderr.splitlines()
    assert re.fullmatch(r"mectl: imported 256 users, \d+ a second", told[0]), told
    assert re.fullmatch(r"mectl: imported 600 users, \d+ a second", told[-1]), told


def test_faults_and_progress_on_one_terminal(empty, tmp_path):
    """The line of the progress makes way."""
    users = [person(n) for n in range(600)]
    users[400]["name"] = ""
    path = write_lines(tmp_path / "users", users)
    _, written = run_on_terminal(empty, "user", "import", str(path), status=1)
    assert f"\r\x1b[K{path}:401: name: is empty" in written, written
