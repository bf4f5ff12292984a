"""mectl config check and config list."""

import itertools
import json
import subprocess

import pytest

from support.commands import assert_needs_its_output, assert_refused, objects, quiet
from support.installation import Installation, write_secret
from support.paths import clean_environment, program

_counter = itertools.count(1)


def findings(done):
    """What `config check --json` found, and that the plain text says the same."""
    assert done.stderr == "", done
    found = json.loads(done.stdout)
    for finding in found:
        assert list(finding) == ["finding", "what", "detail"]
        assert finding["finding"] in ("good", "warning", "wrong") and finding["what"] and finding["detail"]
    assert done.returncode == any(finding["finding"] == "wrong" for finding in found), done
    return found


def check(mectl, *arguments, **more):
    found = findings(mectl("config", "check", "--json", *arguments, check=False, **more))
    plain = mectl("config", "check", *arguments, check=False, **more)
    assert plain.stderr == "" and plain.stdout.splitlines() == [
        f"{one['finding']:<7}  {one['what']}: {one['detail']}" for one in found]
    assert plain.returncode == any(one["finding"] == "wrong" for one in found)
    return found


def assert_found(found, finding, what, *words):
    """Among the findings is this one, and all others are good."""
    (one,) = [each for each in found if each["finding"] != "good"]
    assert (one["finding"], one["what"]) == (finding, what), found
    for word in words:
        assert str(word) in one["detail"], one


# ---- check

def test_all_is_good(mectl, installation):
    found = check(mectl)
    assert {one["finding"] for one in found} == {"good"}
    assert [one["what"] for one in found] == ["settings", "key", "key", "locale", "timezone", "database"]
    details = [one["detail"] for one in found]
    assert details[0] == str(installation.conf)
    assert details[1] == f"HS256, 512 bits, {installation.secret_file}"
    assert details[2] == f"RS256, 2048 bits, {installation.public_key_file}"
    assert details[5] == "is reached and migrated"
    assert installation.secret not in str(found)


def test_without_a_file_it_says_where_the_settings_are_from(mectl, installation):
    found = findings(mectl("config", "check", "--offline", "--json", conf=False, check=False,
                           ME_TOKEN_SECRET_FILE=str(installation.secret_file)))
    assert found[0] == {"finding": "good", "what": "settings",
                        "detail": "defaults and environment (there is no me.conf)"}


@pytest.mark.parametrize("key", ["issuer", "audience"])
def test_a_rule_that_is_open_is_a_warning(mectl, installation, key):
    conf = installation.write_conf(f"open-{key}.conf", **{f"token__{key}": None})
    assert_found(check(mectl, conf=conf), "warning", f"token.{key}", "empty", "accepted")


def test_time_zones_that_are_not_there_are_a_warning(mectl, tmp_path):
    found = check(mectl, ME_PROFILE_ZONEINFO=str(tmp_path / "missing"))
    assert_found(found, "warning", "timezone", "apt-get install tzdata")


def missing_secret(folder):
    return {"token__secret_file": folder / "missing"}, folder / "missing"


def short_secret(folder):
    return {"token__secret_file": write_secret(folder / "short", "x")}, folder / "short"


def open_secret(folder):
    path = write_secret(folder / "open", "x" * 32)
    path.chmod(0o644)
    return {"token__secret_file": path}, "chmod"


def no_public_key(folder):
    return {"token__public_key_file": write_secret(folder / "key.pem", "rubbish")}, folder / "key.pem"


def no_key(_folder):
    return {"token__secret_file": None, "token__public_key_file": None}, "token.public_key_file"


@pytest.mark.parametrize("make", [missing_secret, short_secret, open_secret, no_public_key, no_key],
                         ids=lambda make: make.__name__.replace("_", " "))
def test_a_key_that_cannot_be_used_is_wrong(mectl, installation, tmp_path, make):
    changes, word = make(tmp_path)
    conf = installation.write_conf("key.conf", **changes)
    assert_found(check(mectl, conf=conf), "wrong", "key", word)


def test_a_database_that_is_away_is_wrong_and_offline_nobody_asks(mectl, tmp_path):
    away = str(tmp_path / "no.sock")
    assert_found(check(mectl, ME_DATABASE_HOST=away), "wrong", "database", away)
    found = check(mectl, "--offline", ME_DATABASE_HOST=away)
    assert [one["what"] for one in found] == ["settings", "key", "key", "locale", "timezone"]


def test_a_wrong_password_is_told_how_to_mend(mectl, installation, tmp_path):
    conf = installation.write_conf("password.conf", admin__password_file=write_secret(tmp_path / "password", "wrong"))
    assert_found(check(mectl, conf=conf), "wrong", "database", "1045", "mectl migrate --print-grants")


@pytest.mark.parametrize("state", ["nothing was migrated", "a migration was changed", "the database is newer"])
def test_a_schema_that_is_another_is_wrong(mariadb, tmp_path, state):
    installation = Installation(mariadb, tmp_path, f"config{next(_counter)}")
    installation.grant("mectl")
    if state != "nothing was migrated":
        installation.mectl("migrate")
        change = {
            "a migration was changed": "UPDATE schema_migrations SET checksum = REPEAT('0', 64) WHERE version = 1",
            "the database is newer": "INSERT INTO schema_migrations SELECT 9000, name, checksum, statements,"
                                     " statements_done, applied_at FROM schema_migrations WHERE version = 1",
        }[state]
        installation.execute(change)
    assert_found(check(installation.mectl), "wrong", "migrations", "mectl migrate --status")


def test_several_findings_are_told_at_once(mectl, installation, tmp_path):
    conf = installation.write_conf("several.conf", token__issuer=None, token__secret_file=tmp_path / "missing",
                                   database__host=tmp_path / "no.sock")
    found = [(one["finding"], one["what"]) for one in check(mectl, conf=conf)]
    assert [one for one in found if one not in (("good", "locale"), ("good", "timezone"))] == [("good", "settings"), ("wrong", "key"), ("warning", "token.issuer"), ("wrong", "database")]


def test_settings_that_cannot_be_read_are_one_sentence(mectl, installation, tmp_path):
    conf = installation.write_conf("broken.conf", log__level="loud")
    assert_refused(mectl("config", "check", conf=conf, check=False), conf, "log.level", "'loud'", "debug")
    missing = installation.write_conf("no-password.conf", admin__password_file=tmp_path / "missing")
    assert_refused(mectl("config", "check", conf=missing, check=False), tmp_path / "missing")


@pytest.mark.parametrize("arguments", [["check"], ["check", "--json"], ["check", "--offline"], ["list"],
                                       ["list", "--json"]], ids=" ".join)
def test_what_was_not_printed_is_no_success(installation, arguments):
    assert_needs_its_output("config", *arguments, conf=installation.conf)


# ---- list

def defaults_in_force(secret_file):
    """What me.fcgi has in force where nothing but a key is set, by section.key."""
    done = subprocess.run(
        [str(program("me.fcgi")), "--check-config"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=30, check=True, env=clean_environment(ME_TOKEN_SECRET_FILE=str(secret_file)))
    values, section = {}, None
    for line in done.stdout.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif " = " in line:
            key, _, value = line.partition(" = ")
            values[f"{section}.{key}"] = value.replace(", ", " ")
    return values


def test_list_tells_every_setting_and_the_default_in_force(mectl, installation):
    rows = objects(mectl("config", "list", "--json"))
    told = {f"{row['section']}.{row['key']}": row.get("default", "") for row in rows}
    assert told | {"token.secret_file": str(installation.secret_file)} == defaults_in_force(installation.secret_file)


def test_list_prints_json(mectl):
    rows = objects(mectl("config", "list", "--json"))
    for row in rows:
        assert list(row) == [name for name in ("section", "key", "type", "default", "min", "max", "unit", "choices",
                                               "secret", "help") if name in row]
        assert {"section", "key", "type", "secret", "help"} <= set(row) and row["help"].endswith(".")
        assert ("min" in row) == ("max" in row) == (row["type"] == "number")
        assert row["type"] != "choice" or row["choices"]
        assert "choices" not in row or row["type"] in ("choice", "list")
    assert len({(row["section"], row["key"]) for row in rows}) == len(rows)
    assert [f"{row['section']}.{row['key']}" for row in rows if row["secret"]] == ["database.password"]


@pytest.mark.parametrize("which", ["min", "max"])
def test_the_limits_are_those_that_are_kept(mectl, which):
    for row in objects(mectl("config", "list", "--json")):
        if row["type"] != "number":
            continue
        variable = f"ME_{row['section']}_{row['key']}".upper()
        quiet(mectl("user", "list", "--limit", "1", **{variable: str(row[which])}))
        beyond = row[which] + (1 if which == "max" else -1)
        assert_refused(mectl("user", "list", check=False, **{variable: str(beyond)}),
                       f"must be a number from {row['min']} to {row['max']} {row['unit']}")


def test_list_for_people(mectl):
    lines = quiet(mectl("config", "list")).splitlines()
    rows = objects(mectl("config", "list", "--json"))
    assert [line.partition(":")[0] for line in lines[::2]] == [f"{row['section']}.{row['key']}" for row in rows]
    assert [line.strip() for line in lines[1::2]] == [row["help"] for row in rows]
    assert "log.level: choice of error, warning, info, debug; the default is info" in lines
    assert "token.leeway_s: number from 0 to 600, in seconds; the default is 30" in lines
    assert "admin.user: text; unset by default" in lines
    assert "token.algorithms: list of HS256, RS256; the default is HS256 RS256" in lines
    assert "token.header: header name; unset by default" in lines


def test_list_needs_no_settings(mectl, tmp_path):
    broken = tmp_path / "me.conf"
    broken.write_text("rubbish\n")
    assert quiet(mectl("config", "list", conf=broken)) == quiet(mectl("config", "list"))
