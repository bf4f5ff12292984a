"""
The man pages say what the tables in the code say, and the other way round. (The codes of the worker's answers:
tests/unit/manual_test.c.)
"""

import json
import re
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import RSAAlgorithm

from support import manual, records
from support.commands import all_commands, objects, quiet
from support.fetcher import Fetcher, run_fetch
from support.installation import write_secret
from support.issuer import Authority, Issuer
from support.keys import SigningKey, jwks
from support.paths import clean_environment, program

COMMANDS = {command.name: command for command in all_commands()}


@pytest.fixture(scope="module")
def settings(mectl):
    """The table of settings, by section."""
    by_section = {}
    for row in objects(mectl("config", "list", "--json")):
        by_section.setdefault(row["section"], []).append(row)
    return by_section


# ---- me.conf(5)

def kind_of(row):
    """How the page tells what a setting may be."""
    return {
        "text": "Text", "path": "A path", "list of paths": "A list of paths", "header name": "The name of a header",
        "list": "A list of {allowed}" if "choices" in row else "A list",
        "number": "A number from {min} to {max}, in {unit}", "choice": "One of {allowed}",
    }[row["type"]].format(**row, allowed=", ".join(row.get("choices", [])))


def test_the_sections_of_the_settings(settings):
    assert manual.headings("me.conf.5", ".Ss", within=".Sh SECTIONS") == list(settings)


def test_every_setting_with_its_default_and_limits(settings):
    for section, rows in settings.items():
        described = manual.items(manual.section("me.conf.5", f".Ss {section}"))
        assert [item.head for item in described] == [f"Cm {row['key']}" for row in rows]
        for row, item in zip(rows, described, strict=True):
            fallback = f"the default is '{row['default']}'." if "default" in row else "unset by default."
            assert item.text.startswith(row["help"]), f"{section}.{row['key']}: {item.text}"
            assert f" {kind_of(row)}; {fallback}" in item.text, f"{section}.{row['key']}: {item.text}"


def key_set(public_pem):
    """As an issuer publishes it."""
    key = serialization.load_pem_public_key(public_pem.encode())
    return json.dumps({"keys": [{**json.loads(RSAAlgorithm.to_jwk(key)), "alg": "RS256"}]})


def test_the_examples_are_configurations(settings, tmp_path, installation):
    files = {
        "worker.password": installation.worker_password_file.read_text(),
        "mectl.password": installation.admin_password_file.read_text(),
        "provisioning.password": installation.provision_password_file.read_text(),
        "login.pem": installation.public_key_file.read_text(),
        "keycloak.jwks": key_set(installation.public_key_file.read_text()),
    }
    for name, text in files.items():
        write_secret(tmp_path / name, text)
    examples = manual.displays(manual.section("me.conf.5", ".Sh EXAMPLES"))
    assert len(examples) == 2
    for text in examples:
        conf = tmp_path / "me.conf"
        conf.write_text(text)
        assert "warning" not in quiet(installation.mectl("config", "check", "--offline", conf=conf))


@pytest.mark.parametrize("page", manual.PAGES)
def test_no_page_names_a_setting_that_there_is_not(settings, page):
    known = {f"{row['section']}.{row['key']}" for rows in settings.values() for row in rows}
    named = re.findall(rf"(?<![\w-])((?:{'|'.join(settings)})\.[a-z_]+)\b", manual.PAGES[page].read_text())
    assert set(named) - {"me.conf"} <= known


# ---- mectl(8)

def help_of(command):
    """The summary, and for each option and its value the meaning, as --help tells them."""
    done = subprocess.run([str(program("mectl")), *command.split(), "--help"], stdout=subprocess.PIPE, text=True,
                          timeout=30, check=True, env=clean_environment())
    lines = done.stdout.splitlines()
    options = {line.strip(): lines[at + 1].strip() for at, line in enumerate(lines) if line.startswith("  --")}
    del options["--config FILE"]
    return lines[1], options


def head_of(command):
    """The head of a command's item: `Cm session revoke Op Ar SID`."""
    optional = "Op " if command.may_lack_word else ""
    return f"Cm {command.name}" + "".join(f" {optional}Ar {word}" for word in command.words)


def commands_described():
    return manual.items(manual.section("mectl.8", ".Sh COMMANDS"))


def test_every_command_in_its_order():
    assert [item.head for item in commands_described()] == [head_of(command) for command in COMMANDS.values()]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command(name):
    summary, options = help_of(name)
    (item,) = [item for item in commands_described() if item.head == head_of(COMMANDS[name])]
    assert item.text.startswith(summary)
    described = {option.head.replace("Fl ", "-", 1).replace(" Ar ", " "): option.text for option in item.items}
    assert list(described) == list(options)
    for option, meaning in options.items():
        assert described[option].startswith(meaning), option


def test_every_finding_of_the_doctor(mectl):
    described = {item.head: item.text for item in manual.items(manual.section("mectl.8", ".Sh FINDINGS"))}
    assert described == {
        f"Cm {row['code']}": f"{row['finding'].capitalize()}: {row['what']}. {row['why']}"
        for row in objects(mectl("doctor", "--list", "--json"))}


def test_the_options_without_a_command():
    synopsis = " ".join(manual.section("mectl.8", ".Sh SYNOPSIS"))
    assert ".Fl -help | -version" in synopsis and ".Op Fl -config Ar file" in synopsis
    for option in ("--help", "--version"):
        subprocess.run([str(program("mectl")), option], stdout=subprocess.DEVNULL, timeout=30, check=True)


def documented_json():
    """By command, the members that are always there and those that may be."""
    table = {}
    for item in manual.items(manual.section("mectl.8", ".Sh JSON")):
        words = re.sub(r" \([^)]*\)", "", item.text).split(", ")
        table[item.head.removeprefix("Cm ")] = ([word for word in words if word[0] != "["],
                                                [word.strip("[]") for word in words if word[0] == "["])
    return table


def printed_json(mectl, users, tokens):
    """By command, objects that show each member at least once."""
    user = users.add()
    users.add_email(user, is_default=True)
    users.add_session(user, revoked=True)
    users.add_change(user)

    def values(*arguments):
        done = mectl(*arguments, "--json", check=False)
        parsed = [json.loads(line) for line in done.stdout.split("\n") if line]  # names may hold other separators
        return parsed[0] if arguments[0:2] == ("config", "check") else parsed

    return {
        "migrate": values("migrate", "--status"),
        "user add": values("user", "add", "--name", "Ada"),
        "user list": values("user", "list"),
        "user import": values("user", "import", "-"),
        "session add": values("session", "add", "--user", user),
        "session list": values("session", "list", "--user", user),
        "token mint": values("token", "mint", "--user", user),
        "token verify": values("token", "verify", tokens.mint(user)) + values("token", "verify", tokens.mint(user, iss="x")),
        "audit list": values("audit", "list"),
        "config check": values("config", "check"),
        "config list": values("config", "list"),
        "doctor": values("doctor") + values("doctor", "--list"),
    }


@pytest.fixture
def printed_json_of_keys(mectl, tmp_path):
    """The same of the commands that have to do with keys."""
    authority = Authority(tmp_path)
    issuer = Issuer(authority.certify())
    key = SigningKey("key")
    issuer.publish(key)
    fetch = Fetcher(tmp_path, authority, issuer)
    fetch.file.write_text("{}")
    certificate = tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "private.pem"),
         "-out", str(certificate), "-subj", "/CN=test"], check=True, capture_output=True, timeout=60)
    printed = {"keys fetch": [run_fetch(fetch.conf)]}
    issuer.stop()
    fetch.file.write_bytes(jwks(key, key.jwk(kid="old", exp=1000000000), {"kty": "EC"}, key.private_jwk()))
    printed["keys list"] = objects(mectl("keys", "list", "--json", ME_TOKEN_JWKS_FILE=str(fetch.file),
                                         ME_TOKEN_PUBLIC_KEY_FILE=str(certificate)))
    return printed


def test_every_member_of_the_json(mectl, users, tokens, printed_json_of_keys):
    documented, printed = documented_json(), {**printed_json(mectl, users, tokens), **printed_json_of_keys}
    assert set(documented) == {name for name, command in COMMANDS.items() if "json" in command.options}
    assert set(documented) - set(printed) == {"user show"}
    for name, rows in printed.items():
        always, perhaps = documented[name]
        assert rows and {member for row in rows for member in row} <= {*always, *perhaps}, name
        for row in rows:
            assert set(always) <= set(row), name
    for name in set(printed) - {"migrate"}:
        shown = {member for row in printed[name] for member in row}
        assert set(documented[name][1]) <= shown, f"{name}: a member that never comes"


def test_every_column_of_the_files_of_users(mectl):
    described = {item.head.removeprefix("Cm "): item.text.split(", ")
                 for item in manual.items(manual.section("mectl.8", ".Sh FILES OF USERS"))}
    assert list(described) == list(records.TABLES)
    for table, columns in described.items():
        header = mectl("user", "export", "-", "--table", table).stdout.splitlines()[0]
        assert header.split(",") == columns == records.TABLES[table]


# ---- me.fcgi(8)

def test_every_option_of_the_worker():
    done = subprocess.run([str(program("me.fcgi")), "--help"], stdout=subprocess.PIPE, text=True, timeout=30,
                          check=True, env=clean_environment())
    told = re.findall(r"--[a-z-]+", done.stdout)
    described = [item.head.replace("Fl ", "-", 1)
                 for item in manual.items(manual.section("me.fcgi.8", ".Sh DESCRIPTION"))]
    assert described == told
    synopsis = " ".join(manual.section("me.fcgi.8", ".Sh SYNOPSIS"))
    assert synopsis.endswith(".Fl " + " | ".join(option[1:] for option in told))


def test_every_member_of_the_profile(full_user):
    heads = [item.head.partition(" Ta ")[0].split(" , ")
             for item in manual.items(manual.section("me.fcgi.8", ".Sh THE PROFILE")) if " Ta " in item.head]
    assert [member for head in heads for member in head] == list(full_user.expected())
