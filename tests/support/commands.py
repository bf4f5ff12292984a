"""What must be true of every command of mectl that ended, and what it printed."""

import json
import re
import subprocess

from support.installation import mectl_command
from support.paths import clean_environment, program


def assert_refused(done, *words, status=1):
    """It failed with one sentence that has the words in it, and printed nothing else."""
    assert done.returncode == status, done
    assert done.stdout == "", done
    assert done.stderr.startswith("mectl: ") and done.stderr.count("\n") == 1, done
    for word in words:
        assert str(word) in done.stderr, f"nothing of {word!r}: {done.stderr}"


def assert_usage(done, *words):
    """Exit status 2, and how the command is to be called."""
    assert_refused(done, *words, status=2)


def quiet(done):
    """What it printed, where it had nothing to complain about."""
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def objects(done) -> list:
    """The JSON values of a command that prints one a line."""
    text = quiet(done)
    assert text == "" or text.endswith("\n"), done
    return [json.loads(line, object_pairs_hook=_without_duplicates) for line in text.splitlines()]


def only(done):
    """The one JSON value that was printed."""
    (value,) = objects(done)
    return value


def _without_duplicates(pairs) -> dict:
    members = dict(pairs)
    assert len(members) == len(pairs), f"a member is there twice: {pairs}"
    return members


def run_on_full_disk(*arguments, conf, **environment):
    """mectl with a standard output that takes nothing."""
    with open("/dev/full", "w", encoding="ascii") as full:
        return subprocess.run(
            mectl_command(arguments, conf), stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False, env=clean_environment(**environment),
        )


def assert_needs_its_output(*arguments, conf, **environment):
    """What could not be printed is no success."""
    done = run_on_full_disk(*arguments, conf=conf, **environment)
    assert done.returncode == 1, done
    assert done.stderr == "mectl: standard output cannot be written\n", done


_PART = re.compile(r"\[--([a-z-]+)(?: (\S+))?\]|--([a-z-]+) (\S+)|\[(\S+)\]|(\S+)")


class Command:
    """A row of the table of commands, as `mectl --help` tells it."""

    def __init__(self, line: str):
        name = re.match(r"mectl ((?:[a-z]+ ?)+)", line)
        self.name = name[1].strip()
        self.options = {}  # by name: what the help calls the value, None for a flag
        self.required, self.words, self.may_lack_word = [], [], False
        for optional, value, required, needed, word, last in _PART.findall(line[name.end():]):
            if optional:
                self.options[optional] = value or None
            elif required:
                self.options[required] = needed
                self.required.append(required)
            else:
                self.words.append(word or last)
                self.may_lack_word = bool(word)

    def __repr__(self):
        return self.name


def all_commands() -> list:
    """The table of commands."""
    done = subprocess.run(
        [str(program("mectl")), "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=30, check=True, env=clean_environment(),
    )
    return [Command(line.strip()) for line in done.stdout.splitlines() if line.startswith("  mectl ")]
