"""What mectl makes of the words of its command line, the same for all commands."""

import subprocess

import pytest

from support.commands import all_commands, assert_needs_its_output, assert_refused, assert_usage, quiet
from support.paths import clean_environment, program

COMMANDS = all_commands()
each_command = pytest.mark.parametrize("command", COMMANDS, ids=repr)


def run(*arguments):
    """mectl without --config, which help and mistakes must not need."""
    return subprocess.run(
        [str(program("mectl")), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=30, check=False, env=clean_environment(),
    )


def call_of(command, without=()):
    """The words of a call that lacks nothing, or only what is named."""
    words = command.name.split()
    for name in command.required:
        words += [] if name in without else [f"--{name}", "x"]
    return words + ["x" for word in command.words if word not in without]


def listed(text):
    """The names of the commands whose usage lines are in the text."""
    rows = [line for line in text.splitlines() if line.startswith("  mectl ")]
    return [command.name for command in COMMANDS for row in rows
            if row.startswith(f"  mectl {command.name} ") or row == f"  mectl {command.name}"]


# ---- help

def test_the_table_has_what_issues_name():
    names = {command.name for command in COMMANDS}
    assert {"migrate", "user add", "user show", "user list", "user status", "session add", "session list",
            "session revoke", "token mint", "token verify", "audit list", "audit export", "audit prune",
            "config check"} <= names
    for thing in ("email", "phone", "identity", "badge", "fraud"):
        assert {f"{thing} add", f"{thing} remove"} <= names


def test_without_words_it_tells_how_it_is_called():
    done = run()
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("usage: mectl COMMAND"), done
    assert listed(done.stderr) == [command.name for command in COMMANDS]


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_help(word):
    text = quiet(run(word))
    assert text.startswith("usage: mectl COMMAND") and "--config" in text
    assert listed(text) == [command.name for command in COMMANDS]


def test_version():
    assert quiet(run("--version")).startswith("mectl ")


@each_command
def test_help_of_a_command_tells_every_option_of_its_row(command):
    text = quiet(run(*command.name.split(), "--help"))
    usage, summary, *lines = text.splitlines()
    assert usage.startswith(f"usage: mectl {command.name}") and summary.endswith(".")
    told = [line.strip() for line in lines if line.startswith("  --")]
    assert told == [f"--{name} {value}" if value else f"--{name}" for name, value in command.options.items()] + [
        "--config FILE"]
    meanings = [line.strip() for line in lines if line.startswith("        ")]
    assert len(meanings) == len(told) and all(meaning.endswith(".") for meaning in meanings)
    for word in command.words:
        assert word in usage


@each_command
def test_help_is_reached_in_each_way(command):
    text = quiet(run(*command.name.split(), "--help"))
    for words in (["help", *command.name.split()], [*command.name.split(), "-h"], [*call_of(command), "--help"],
                  ["--help", *command.name.split()]):
        assert quiet(run(*words)) == text


@pytest.mark.parametrize("words", [["help", "user"], ["user", "--help"], ["user", "-h"], ["--help", "user"]])
def test_help_of_a_group(words):
    assert listed(quiet(run(*words))) == [
        "user add", "user show", "user list", "user status", "user import", "user export"]


@pytest.mark.parametrize("words", [["--help"], ["help"], ["--version"], ["user", "--help"], ["user", "add", "--help"]])
def test_help_that_was_not_printed_is_no_success(installation, words):
    assert_needs_its_output(*words, conf=installation.conf)


# ---- mistyped

@pytest.mark.parametrize("words, meant", [
    ("usr add", "user add"), ("user ad", "user add"), ("User Add", "user add"), ("useradd", "user add"),
    ("user-add", "user add"), ("user_add Ada", "user add"), ("migrat", "migrate"), ("migrate-db", "migrate"),
    ("migarte --status", "migrate"), ("sesion list", "session list"), ("session lst --user x", "session list"),
    ("badge ad x:y", "badge add"), ("config chekc", "config check"),
    ("emial remove", "email remove"), ("tokne mint", "token mint"), ("conf check", "config check"),
    ("usr", "user"), ("sesions", "session"), ("usr xyzzy", "user"), ("help usr", "user"), ("usr --help", "user"),
    ("help user ad", "user add"), ("user ad --help", "user add"),
])
def test_a_mistyped_command_names_the_nearest(words, meant):
    done = run(*words.split())
    assert done.returncode == 2 and done.stdout == "", done
    first, *rest = done.stderr.splitlines()
    assert first.startswith("mectl: there is no command '") and first.endswith(f": did you mean '{meant}'?")
    assert listed("\n".join(rest)) == [command.name for command in COMMANDS
                                       if command.name == meant or command.name.startswith(f"{meant} ")]


@pytest.mark.parametrize("words, group", [("user", "user"), ("user xyzzy", "user"), ("fraud replace 7", "fraud")])
def test_a_known_group_lists_its_commands(words, group):
    done = run(*words.split())
    assert done.returncode == 2 and done.stdout == "" and "did you mean" not in done.stderr, done
    assert listed(done.stderr) == [command.name for command in COMMANDS if command.name.startswith(f"{group} ")]


@pytest.mark.parametrize("words", ["xyzzy", "x", "", "frobnicate the database", "a" * 5000])
def test_a_word_that_is_near_to_nothing_lists_all_commands(words):
    done = run(*words.split(" "))
    assert done.returncode == 2 and done.stdout == "" and "did you mean" not in done.stderr, done
    assert listed(done.stderr) == [command.name for command in COMMANDS]


@pytest.mark.parametrize("words", [["--config", "me.conf", "user", "list"], ["--json"], ["-x"], ["--"]])
def test_an_option_ahead_of_the_command_is_told_where_it_belongs(words):
    assert_usage(run(*words), words[0], "behind")


@pytest.mark.parametrize("words, meant", [
    ("user add --nmae x", "--name"), ("user add --nmae=x", "--name"), ("user add --avatar-ur x", "--avatar-url"),
    ("user list --jsn", "--json"), ("token mint --expires 5", "--expires-in"), ("user list --confg x", "--config"),
    ("email add --usr x", "--user"), ("migrate --print-grant", "--print-grants"), ("user list --halp", "--help"),
    ("email add --password_set", "--password-set"),
])
def test_a_mistyped_option_names_the_nearest(words, meant):
    done = run(*words.split())
    assert_usage(done, "is no option of this command", f": did you mean '{meant}'?", "usage: mectl ")


@each_command
def test_an_unknown_option_tells_the_usage(command):
    done = run(*call_of(command), "--xyzzy")
    assert_usage(done, "--xyzzy is no option of this command; usage: mectl " + command.name)


# ---- options and words that are missing, or too many

@each_command
def test_what_is_missing_is_named(command):
    for name in command.required:
        assert_usage(run(*call_of(command, without=[name])), f"--{name} is missing", f"usage: mectl {command.name}")
    if not command.may_lack_word:
        for word in command.words:
            assert_usage(run(*call_of(command, without=command.words[command.words.index(word):])),
                         f"{word} is missing", f"usage: mectl {command.name}")


@each_command
def test_a_word_too_many_is_named(command):
    assert_usage(run(*call_of(command), "surplus"), "surplus is one word too many")


@each_command
def test_options_are_given_once_and_as_they_are_described(command):
    needed = call_of(command)
    for name, value in {**command.options, "config": "FILE"}.items():
        rest = [word for at, word in enumerate(needed) if f"--{name}" not in needed[max(at - 1, 0):at + 1]]
        if value is None:
            assert_usage(run(*rest, f"--{name}=x"), f"--{name} takes no value")
            assert_usage(run(*rest, f"--{name}", f"--{name}"), f"--{name} is given twice")
        else:
            assert_usage(run(*rest, f"--{name}"), f"--{name} needs a value")
            assert_usage(run(*rest, f"--{name}=x", f"--{name}", "x"), f"--{name} is given twice")


@each_command
def test_a_mistake_is_told_before_anything_is_read(command, tmp_path):
    """Neither settings nor database are needed to say that a word is wrong."""
    done = run(*call_of(command), "--config", str(tmp_path / "missing.conf"), "--xyzzy")
    assert_usage(done, "--xyzzy")


def test_both_ways_of_a_value_and_any_order(mectl, user):
    for words in (["user", "status", user.id, "active"], ["user", "status", "--", user.id, "active"]):
        quiet(mectl(*words[:2], "--config", mectl.__self__.conf, *words[2:], conf=False))
        quiet(mectl(*words[:2], f"--config={mectl.__self__.conf}", *words[2:], conf=False))


def test_two_hyphens_end_the_options(mectl):
    done = mectl("user", "show", f"--config={mectl.__self__.conf}", "--", "--json", conf=False, check=False)
    assert_refused(done, "'--json' is not a UUID")


# ---- settings

def test_a_settings_file_that_is_not_there(mectl, tmp_path):
    missing = tmp_path / "missing.conf"
    assert_refused(mectl("user", "list", conf=missing, check=False), missing, "--config")
    assert_refused(mectl("user", "list", conf=False, check=False, ME_CONF=str(missing)), missing, "ME_CONF")


def test_config_wins_over_the_environment(mectl, installation, tmp_path):
    quiet(mectl("user", "list", "--limit", "1", ME_CONF=str(tmp_path / "missing.conf")))
    quiet(mectl("user", "list", "--limit", "1", conf=False, ME_CONF=str(installation.conf)))


def test_a_mistake_in_the_settings_is_told_with_its_place(mectl, installation):
    conf = installation.write_conf("mistake.conf")
    conf.write_text(conf.read_text() + "[log]\ncolour = red\n")
    line = len(conf.read_text().splitlines())
    assert_refused(mectl("user", "list", conf=conf, check=False), f"{conf}:{line}", "log.colour")
