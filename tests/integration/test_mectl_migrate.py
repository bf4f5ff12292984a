"""mectl migrate: from an empty server to a migrated database, and what it refuses."""

import itertools

import pymysql
import pytest

from support.commands import assert_needs_its_output, assert_refused, assert_usage, objects, only, quiet
from support.installation import Installation
from support.paths import SOURCE

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
        assert list(row) == ["version", "name", "state", "statements", "statementsDone"]
        assert row["state"] == "pending" and row["statementsDone"] == 0
    applied = objects(migrate(empty, "--json"))
    assert applied and all(row["state"] == "applied" for row in applied)
    for row, path in zip(objects(migrate(empty, "--status", "--json")), SCHEMA, strict=True):
        assert list(row) == ["version", "name", "state", "statements", "statementsDone", "appliedAt"]
        assert f"{row['version']:04d}_{row['name']}" == path.stem and row["state"] == "applied"
        assert row["statements"] == row["statementsDone"] > 0
        assert row["appliedAt"].endswith("Z")
    assert objects(migrate(empty, "--json")) == []


def test_the_folder_of_the_sources_is_what_is_built_in(empty):
    quiet(migrate(empty))
    assert quiet(migrate(empty, "--schema", SOURCE / "schema")) == ""


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
