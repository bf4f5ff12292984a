"""scripts/schema-sql: one file for phpMyAdmin, which leaves what mectl migrate leaves."""

import re
import subprocess

import pytest

from support.commands import objects
from support.installation import Installation
from support.paths import SOURCE
from support.tenant import Tenant

MIGRATIONS = sorted((SOURCE / "schema").glob("[0-9]*.sql"))


def schema_sql(*files, check=True):
    return subprocess.run([str(SOURCE / "scripts" / "schema-sql"), *map(str, files)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=check)


@pytest.fixture(scope="module")
def loaded(mariadb, tmp_path_factory):
    """An installation whose database was made by the file, not by mectl."""
    folder = tmp_path_factory.mktemp("loaded")
    installation = Installation(mariadb, folder, database="me_loaded")
    file = folder / "schema.sql"
    file.write_text(schema_sql(*MIGRATIONS).stdout)
    Tenant(mariadb, "me_loaded").load(file)
    installation.grant("mectl")
    return installation


def test_mectl_agrees_that_all_is_done(loaded):
    rows = objects(loaded.mectl("migrate", "--status", "--json"))
    assert [row["state"] for row in rows] == ["applied"] * len(MIGRATIONS)
    assert all(row["statements"] == row["statementsDone"] and row["appliedAt"] for row in rows)
    assert loaded.mectl("migrate").stdout == ""


def shape(database):
    """All tables, triggers and views as the server tells them, but for what counts up, and for who made them."""
    def show(kind, name):
        row = database.execute(f"SHOW CREATE {kind} {name}")[0]
        text = next(part for part in row if str(part).startswith("CREATE "))
        return name, re.sub(r" AUTO_INCREMENT=\d+| DEFINER=`[^`]*`@`[^`]*`", "", text)

    tables = database.execute(
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1")
    triggers = database.execute(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1")
    return ([show("VIEW" if kind == "VIEW" else "TABLE", name) for name, kind in tables],
            [show("TRIGGER", name) for (name,) in triggers])


def test_the_tables_are_the_same(loaded, installation):
    assert shape(loaded) == shape(installation)
    records = "SELECT version, name, checksum, statements, statements_done FROM schema_migrations"
    assert loaded.execute(records) == installation.execute(records)
    stands = "SELECT stands FROM revision_guard"
    assert loaded.execute(stands) == installation.execute(stands) == [(1,)]


def test_statements_that_hold_semicolons(mariadb, tmp_path):
    """A trigger of several statements goes through the client, and mectl takes it for one statement."""
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "0001_table.sql").write_text("-- a comment;\nCREATE TABLE t (a INT, b INT); \n\n;\n")
    (folder / "0002_trigger.sql").write_text(
        "CREATE TRIGGER t_insert BEFORE INSERT ON t FOR EACH ROW BEGIN\n"
        "    SET NEW.b = NEW.a + 1; -- not the end\n    SET NEW.a = 7; /* nor this */\n    -- nor this;\nEND;\n"
        "INSERT INTO t VALUES (1, 0); -- 'x'\n;\n")
    installation = Installation(mariadb, tmp_path, database="me_semicolons")
    tenant = Tenant(mariadb, "me_semicolons")
    file = tmp_path / "all.sql"
    file.write_text(schema_sql(*sorted(folder.iterdir())).stdout)
    tenant.load(file)
    installation.grant("mectl")
    rows = objects(installation.mectl("migrate", "--status", "--json", "--schema", folder))
    assert [(row["state"], row["statements"]) for row in rows] == [("applied", 1), ("applied", 2)]
    assert tenant.execute("SELECT a, b FROM t") == [(7, 2)]


def test_a_later_migration_by_itself(mariadb, tmp_path):
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one (a INT);\n")
    (tmp_path / "0002_two.sql").write_text("CREATE TABLE two (a INT);\n")
    tenant = Tenant(mariadb, "me_later")
    for name in ("0001_one.sql", "0002_two.sql"):
        file = tmp_path / f"only-{name}"
        file.write_text(schema_sql(tmp_path / name).stdout)
        tenant.load(file)
    assert tenant.execute("SELECT version, statements_done FROM schema_migrations") == [(1, 1), (2, 1)]


def test_a_statement_without_an_end_is_refused(tmp_path):
    (tmp_path / "0001_open.sql").write_text("CREATE TABLE one (a INT)\n")
    done = schema_sql(tmp_path / "0001_open.sql", check=False)
    assert done.returncode != 0 and "has no end" in done.stderr
