"""mectl migrate: from an empty server to a migrated database, and what it refuses."""

import itertools

import pymysql
import pytest

from support.cgi import Program
from support.commands import assert_needs_its_output, assert_refused, assert_usage, objects, only, quiet
from support.installation import Installation
from support.mariadb import PrivateMariaDB
from support.paths import SOURCE
from support.users import Users

_counter = itertools.count(1)
SCHEMA = sorted((SOURCE / "schema").glob("*.sql"))
LAST = SCHEMA[-1].stem


@pytest.fixture
def empty(mariadb, tmp_path):
    """An installation whose database exists, with mectl's account and nothing in it."""
    installation = Installation(mariadb, tmp_path, f"migrate{next(_counter)}")
    installation.grant("mectl")
    return installation


@pytest.fixture
def schema(tmp_path):
    """A folder of migrations of our own: schema("0001_one", "CREATE ...;")."""
    folder = tmp_path / "schema"
    folder.mkdir()

    def write(name, *statements):
        (folder / f"{name}.sql").write_text("".join(f"{statement};\n" for statement in statements))
        return folder

    return write


def migrate(installation, *arguments, **more):
    return installation.mectl("migrate", *arguments, **more)


def tables(installation):
    return {row[0] for row in installation.execute("SHOW TABLES")}


# ---- the schema that is built in

def test_what_is_missing_is_applied_once(empty):
    names = [path.stem.partition("_") for path in SCHEMA]
    lines = quiet(migrate(empty)).splitlines()
    assert [line.split()[:3] for line in lines] == [[number, "applied", name] for number, _, name in names]
    assert {"users", "user_emails", "user_identities", "user_phone_numbers", "user_badges", "user_fraud_information",
            "sessions", "schema_migrations"} <= tables(empty)
    assert quiet(migrate(empty)) == ""


def test_status_applies_nothing(empty):
    before = quiet(migrate(empty, "--status")).splitlines()
    assert [line.split()[1] for line in before] == ["pending"] * len(SCHEMA) and tables(empty) == set()
    migrate(empty)
    after = quiet(migrate(empty, "--status")).splitlines()
    assert [line.split()[1] for line in after] == ["applied"] * len(SCHEMA)
    assert [line.split()[0] for line in before] == [line.split()[0] for line in after]


def test_json(empty):
    for row in objects(migrate(empty, "--status", "--json")):
        assert list(row) == ["version", "name", "state", "statements", "statementsDone", "optional"]
        assert row["state"] == "pending" and row["statementsDone"] == 0
    applied = objects(migrate(empty, "--json"))
    assert applied and all(row["state"] == "applied" for row in applied)
    for row, path in zip(objects(migrate(empty, "--status", "--json")), SCHEMA, strict=True):
        assert list(row) == ["version", "name", "state", "statements", "statementsDone", "optional", "appliedAt"]
        assert f"{row['version']:04d}_{row['name']}" == path.stem and row["state"] == "applied"
        assert row["statements"] == row["statementsDone"] > 0
        assert row["optional"] == path.read_text().startswith("-- optional:")
        assert row["appliedAt"].endswith("Z")
    assert objects(migrate(empty, "--json")) == []


def test_the_folder_of_the_sources_is_what_is_built_in(empty):
    quiet(migrate(empty))
    assert quiet(migrate(empty, "--schema", SOURCE / "schema")) == ""


# ---- what an account may not make

TRIGGERS = "0004_revision_triggers"


def revoke(installation, rights):
    installation.execute(f"REVOKE {rights} ON `{installation.database}`.* FROM '{installation.admin_account}'@'localhost'")


def assert_left_out(done, *words):
    """All else was applied; what is said of the one that was not names these words."""
    assert done.returncode == 0, done
    *others, last = done.stdout.splitlines()
    assert all(line.split()[1] == "applied" for line in others) and len(others) == len(SCHEMA) - 1
    assert last.split()[0] == "0004" and last.split()[1] in ("pending", "partial") and "optional" in last
    for word in (TRIGGERS, "workers read each profile anew", "as a database administrator", "mectl migrate\n", *words):
        assert word in done.stderr, (word, done.stderr)


def assert_stands(installation, stands=True):
    assert installation.execute("SELECT COALESCE(MAX(stands), 0) FROM revision_guard") == [(int(stands),)]


def state_of_triggers(installation):
    return objects(migrate(installation, "--status", "--json"))[3]


def serves(installation):
    """The worker reads and changes a profile there."""
    user = Users(installation).add()
    worker = Program(installation.conf)
    bearer = installation.tokens.bearer(user.id)
    assert worker.get(bearer).status == 200
    assert worker.patch(bearer, {"bio": "changed"}).json["bio"] == "changed"


@pytest.mark.parametrize("right", ["TRIGGER", "CREATE VIEW"])
def test_without_a_right_the_triggers_are_left_out_and_made_once_it_is_there(empty, right):
    revoke(empty, right)
    done = migrate(empty)
    assert_left_out(done, f"{right} command denied", "mectl migrate --print-grants --for mectl | mariadb")
    row = state_of_triggers(empty)
    assert row["state"] == ("pending" if right == "TRIGGER" else "partial") and row["optional"]
    assert_stands(empty, False)
    empty.grant("worker")  # before the view is there
    serves(empty)
    again = migrate(empty)
    assert again.stderr == done.stderr and len(again.stdout.splitlines()) == 1
    empty.grant("mectl")
    assert quiet(migrate(empty)).split()[:3] == ["0004", "applied", "revision_triggers"]
    assert_stands(empty)
    connection = login(empty, empty.worker_account, empty.worker_password_file)
    with connection, connection.cursor() as cursor:  # the right that was granted on what stood there before
        cursor.execute("SELECT stands FROM revision_guard")
        assert cursor.fetchall() == ((1,),)
    serves(empty)


def test_what_is_optional_may_fail_by_nothing_but_a_right(empty, schema):
    folder = schema("0001_one", "CREATE TABLE one (a INT)", "INSERT INTO absent VALUES (1)")
    file = folder / "0001_one.sql"
    file.write_text("-- optional: it is tried\n" + file.read_text())
    assert_refused(migrate(empty, "--schema", folder, check=False), "statement 2 of 2", "absent")


def test_what_stands_behind_one_that_is_left_out_is_applied(empty, schema):
    folder = schema("0002_two", "CREATE TABLE two (a INT)")
    schema("0001_one", "CREATE TABLE one (a INT)", "CREATE TABLE mysql.forbidden (a INT)")
    file = folder / "0001_one.sql"
    file.write_text("-- optional: one\n-- and two\n--\n-- three\n" + file.read_text())
    done = migrate(empty, "--schema", folder)
    assert done.stdout == ("0001  partial   one (1 of 2 statements, optional)\n"
                           "0002  applied   two (1 of 1 statements)\n")
    assert "left out 0001_one" in done.stderr and "  It is optional: one and two\n" in done.stderr


@pytest.fixture(scope="module")
def logging_server(tmp_path_factory):
    """One that writes a binary log and trusts nobody, as servers with replicas do."""
    server = PrivateMariaDB(tmp_path_factory.mktemp("logging"), ["--log-bin=log", "--server-id=1"]).start()
    yield server
    server.stop()


def test_a_server_with_a_binary_log_takes_its_setting(logging_server, tmp_path):
    installation = Installation(logging_server, tmp_path, "logging")
    installation.grant("mectl")
    done = migrate(installation)
    assert_left_out(done, "error 1419", "mariadb -e 'SET GLOBAL log_bin_trust_function_creators = 1'")
    installation.grant("worker")
    assert_stands(installation, False)
    serves(installation)
    for line in done.stderr.splitlines():  # what it says is typed
        if line.startswith("      mariadb -e "):
            logging_server.execute(line.split("'")[1])
        elif line.startswith("      mectl "):
            assert quiet(migrate(installation)).split()[:3] == ["0004", "applied", "revision_triggers"]
    assert_stands(installation)
    serves(installation)
    assert logging_server.execute("SELECT @@log_bin_trust_function_creators") == [(0,)]


def test_what_was_lost_is_made_again(empty):
    migrate(empty)
    empty.grant("worker")
    empty.execute("DROP TRIGGER user_emails_revision_update")
    empty.execute("DROP VIEW revision_guard")
    empty.execute("DROP TABLE revision_no_truncate")
    assert quiet(migrate(empty)) == ""
    lines = quiet(migrate(empty, "--again")).splitlines()
    assert [line.split()[:2] for line in lines] == [["0004", "applied"]]
    assert_stands(empty)
    assert quiet(migrate(empty, "--again")) != "" and quiet(migrate(empty)) == ""  # whatever is there
    assert_stands(empty)
    assert_usage(migrate(empty, "--status", "--again", check=False), "--again")
    serves(empty)


# ---- a folder

def test_a_folder_takes_their_place(empty, schema):
    schema("0002_two", "CREATE TABLE two (a INT)")
    folder = schema("0001_one", "CREATE TABLE one (a INT)", "CREATE TABLE more (a INT)")
    (folder / "README").write_text("no migration")
    assert quiet(migrate(empty, "--schema", folder)) == (
        "0001  applied   one (2 of 2 statements)\n0002  applied   two (1 of 1 statements)\n")
    assert tables(empty) == {"one", "more", "two", "schema_migrations"}
    schema("0010_ten", "CREATE TABLE ten (a INT)")
    assert quiet(migrate(empty, "--schema", folder)) == "0010  applied   ten (1 of 1 statements)\n"


def test_a_changed_migration_is_refused(empty, schema):
    folder = schema("0001_one", "CREATE TABLE one (a INT)")
    migrate(empty, "--schema", folder)
    schema("0001_one", "CREATE TABLE one (a INT, b INT)")
    schema("0002_two", "CREATE TABLE two (a INT)")
    assert_refused(migrate(empty, "--schema", folder, check=False), folder / "0001_one.sql", "changed")
    assert "two" not in tables(empty)
    states = [row["state"] for row in objects(migrate(empty, "--schema", folder, "--status", "--json"))]
    assert states == ["changed", "pending"]


def test_an_unknown_migration_is_refused(empty, schema):
    folder = schema("0002_two", "CREATE TABLE two (a INT)")
    schema("0001_one", "CREATE TABLE one (a INT)")
    migrate(empty, "--schema", folder)
    (folder / "0002_two.sql").unlink()
    schema("0003_three", "CREATE TABLE three (a INT)")
    assert_refused(migrate(empty, "--schema", folder, check=False), "0002_two", "newer")
    assert "three" not in tables(empty)
    states = {row["name"]: row["state"] for row in objects(migrate(empty, "--schema", folder, "--status", "--json"))}
    assert states == {"one": "applied", "two": "unknown", "three": "pending"}


def test_a_failure_in_the_middle_is_named_and_gone_on_with(empty, schema):
    good = ["CREATE TABLE first (a INT)", "INSERT INTO first VALUES (1)"]
    folder = schema("0001_one", *good, "INSERT INTO absent VALUES (1)", "CREATE TABLE last (a INT)")
    assert_refused(migrate(empty, "--schema", folder, check=False), f"{folder}/0001_one.sql:3", "statement 3 of 4",
                   "absent", "error 1146")
    row = only(migrate(empty, "--schema", folder, "--status", "--json"))
    assert (row["state"], row["statements"], row["statementsDone"]) == ("partial", 4, 2) and "appliedAt" not in row
    assert_refused(migrate(empty, "--schema", folder, check=False), "statement 3 of 4")
    schema("0001_one", *good, "INSERT INTO first VALUES (2)", "CREATE TABLE last (a INT)")
    assert quiet(migrate(empty, "--schema", folder)) == "0001  applied   one (4 of 4 statements)\n"
    assert empty.execute("SELECT a FROM first ORDER BY a") == [(1,), (2,)] and "last" in tables(empty)
    assert quiet(migrate(empty, "--schema", folder)) == ""


def test_the_part_that_was_done_may_not_change(empty, schema):
    folder = schema("0001_one", "CREATE TABLE first (a INT)", "INSERT INTO absent VALUES (1)")
    assert migrate(empty, "--schema", folder, check=False).returncode == 1
    schema("0001_one", "CREATE TABLE first (b INT)", "CREATE TABLE absent (a INT)")
    assert_refused(migrate(empty, "--schema", folder, check=False), "0001_one.sql", "in part")


def no_folder(folder):
    return folder / "missing", "No such file"


def empty_folder(folder):
    return folder, "NNNN_name.sql"


def bad_name(folder):
    (folder / "one.sql").write_text("SELECT 1;\n")
    return folder, "NNNN_name.sql"


def same_number(folder):
    (folder / "0001_one.sql").write_text("SELECT 1;\n")
    (folder / "0001_two.sql").write_text("SELECT 1;\n")
    return folder, "same number"


def no_end(folder):
    (folder / "0001_one.sql").write_text("SELECT 1;\n\nSELECT 2\n")
    return folder, "0001_one.sql:3"


def no_statement(folder):
    (folder / "0001_one.sql").write_text("-- nothing\n")
    return folder, "no statement"


@pytest.mark.parametrize("make", [no_folder, empty_folder, bad_name, same_number, no_end, no_statement],
                         ids=lambda make: make.__name__.replace("_", " "))
@pytest.mark.parametrize("status", [[], ["--status"]], ids=["apply", "status"])
def test_a_folder_that_is_not_as_it_must_be(empty, tmp_path, make, status):
    (tmp_path / "folder").mkdir()
    folder, word = make(tmp_path / "folder")
    assert_refused(migrate(empty, "--schema", folder, *status, check=False), folder, word)
    assert tables(empty) == set()


# ---- accounts

def login(installation, account, password_file):
    return installation.server.connect(account, password_file.read_text().strip(), installation.database)


def test_the_grants_make_both_accounts(mariadb, tmp_path):
    installation = Installation(mariadb, tmp_path, f"grants{next(_counter)}")
    sql = quiet(migrate(installation, "--print-grants", "--for", "mectl"))
    assert installation.admin_account in sql and installation.worker_account not in sql
    mariadb.run_script(sql)
    migrate(installation)
    sql = quiet(migrate(installation, "--print-grants", "--for", "worker"))
    assert installation.worker_account in sql and installation.admin_account not in sql
    mariadb.run_script(sql)
    both = quiet(migrate(installation, "--print-grants"))
    assert installation.admin_account in both and installation.worker_account in both
    mariadb.run_script(both)
    login(installation, installation.admin_account, installation.admin_password_file).close()
    login(installation, installation.worker_account, installation.worker_password_file).close()


def test_the_worker_may_do_little(installation):
    connection = login(installation, installation.worker_account, installation.worker_password_file)
    allowed = ["SELECT id FROM users", "SELECT id FROM sessions", "UPDATE users SET name = name, bio = bio WHERE 1 = 0"]
    denied = ["UPDATE users SET status = 'active' WHERE 1 = 0", "DELETE FROM users WHERE 1 = 0",
              "INSERT INTO user_badges (user_id, scope, name) VALUES ('', 'a', 'b')",
              "UPDATE sessions SET revoked_at = NULL WHERE 1 = 0", "DROP TABLE users", "SELECT * FROM schema_migrations",
              "SELECT user FROM mysql.user", "CREATE TABLE t (a INT)"]
    with connection, connection.cursor() as cursor:
        for sql in allowed:
            cursor.execute(sql)
        for sql in denied:
            with pytest.raises(pymysql.err.MySQLError) as refusal:
                cursor.execute(sql)
            assert refusal.value.args[0] in (1142, 1143), sql


def test_the_printed_sql_has_no_password_in_it(installation):
    sql = quiet(migrate(installation, "--print-grants"))
    for path in (installation.worker_password_file, installation.admin_password_file):
        assert path.read_text().strip() not in sql


def test_grants_set_the_password_of_now(mariadb, tmp_path):
    installation = Installation(mariadb, tmp_path, f"grants{next(_counter)}")
    installation.grant("mectl")
    installation.admin_password_file.write_text("another\n")
    assert_refused(migrate(installation, check=False), "--print-grants", "1045")
    installation.grant("mectl")
    quiet(migrate(installation))


def test_grants_need_no_database(installation, tmp_path):
    sql = quiet(migrate(installation, "--print-grants"))
    assert quiet(migrate(installation, "--print-grants", ME_DATABASE_HOST=str(tmp_path / "no.sock"))) == sql


def test_an_account_over_tcp_has_a_password(installation):
    conf = installation.write_conf("tcp.conf", database__host="db.example.com", database__password_file=None)
    assert_refused(migrate(installation, "--print-grants", "--for", "worker", conf=conf, check=False),
                   installation.worker_account, "password_file")
    sql = quiet(migrate(installation, "--print-grants", "--for", "mectl", conf=conf))
    assert "@'%'" in sql and "REQUIRE SSL" in sql


@pytest.mark.parametrize("arguments", [
    ["--for", "mectl"], ["--for", "worker", "--status"], ["--print-grants", "--status"], ["--print-grants", "--json"],
    ["--print-grants", "--schema", "schema"],
], ids=" ".join)
def test_options_that_do_not_go_together_apply_nothing(empty, arguments):
    assert_usage(migrate(empty, *arguments, check=False), "--print-grants")
    assert tables(empty) == set()


def test_there_are_two_accounts(installation):
    assert_usage(migrate(installation, "--print-grants", "--for", "root", check=False), "'root'", "mectl", "worker")


# ---- the database is not as it must be

def test_a_database_that_is_away(empty, tmp_path):
    away = tmp_path / "no.sock"
    for arguments in ([], ["--status"]):
        assert_refused(migrate(empty, *arguments, check=False, ME_DATABASE_HOST=str(away)), away)


def test_a_database_that_is_not_there(mariadb, tmp_path):
    installation = Installation(mariadb, tmp_path, f"absent{next(_counter)}")
    assert_refused(migrate(installation, check=False), "--print-grants")


@pytest.mark.parametrize("arguments", [
    ["user", "list"], ["user", "add", "--name", "Ada"], ["user", "show", "01890a5d-ac96-774b-bcce-b302099a8057"],
    ["session", "list", "--user", "01890a5d-ac96-774b-bcce-b302099a8057"],
])
def test_a_database_that_is_not_migrated(empty, arguments):
    assert_refused(empty.mectl(*arguments, check=False), "not migrated: run mectl migrate")


@pytest.mark.parametrize("arguments", [["--status"], ["--status", "--json"], ["--print-grants"]], ids=" ".join)
def test_what_was_not_printed_is_no_success(installation, arguments):
    assert_needs_its_output("migrate", *arguments, conf=installation.conf)
