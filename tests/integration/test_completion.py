"""Completion in bash: what is offered is what the table of commands has."""

import os
import pty
import re
import select
import shlex
import subprocess
import time

import pytest

from support.commands import all_commands
from support.paths import SOURCE, clean_environment, program

SCRIPT = SOURCE / "src" / "mectl" / "mectl.bash"
COMMANDS = all_commands()
STATUSES = {"pending", "active", "deleted", "invited", "banned"}
each_command = pytest.mark.parametrize("command", COMMANDS, ids=repr)


def offered(line, cwd=None) -> list:
    """What bash offers for the last word of the line; a blank at its end begins a new one."""
    words = [str(program("mectl")), *line.replace("=", " = ").split()]
    if line == "" or line.endswith(" "):
        words.append("")
    call = (f"source {shlex.quote(str(SCRIPT))}; COMP_WORDS=({shlex.join(words)}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
            '_mectl mectl; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-u", "-c", call], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, check=True, cwd=cwd, env=clean_environment())
    assert done.stderr == "", done
    return [word for word in done.stdout.split("\n") if word]


def test_first_words():
    names = list(dict.fromkeys(command.name.split()[0] for command in COMMANDS))
    assert offered("") == [*names, "help", "--help", "--version"]
    assert offered("use") == ["user"] and offered("xyzzy") == []


@each_command
def test_the_way_to_a_command(command):
    first, _, second = command.name.partition(" ")
    for prefix in ("", "help "):
        assert first in offered(prefix + first[:2])
        if second:
            assert second in offered(f"{prefix}{first} ") and second in offered(f"{prefix}{first} {second[:1]}")


@each_command
def test_all_options_of_a_command(command):
    assert set(offered(f"{command.name} --")) == {f"--{name}" for name in [*command.options, "config", "help"]}


@each_command
def test_an_option_is_offered_once(command):
    for name, value in command.options.items():
        for given in ([f"--{name} x", f"--{name}=x"] if value else [f"--{name}"]):
            assert f"--{name}" not in offered(f"{command.name} {given} --"), given


@each_command
def test_values(command, tmp_path):
    """Those that the table has; a file or folder where it wants one; nothing where nobody can know."""
    (tmp_path / "a file").touch()
    (tmp_path / "folder").mkdir()
    expected = {"FILE": {"a file", "folder"}, "DIR": {"folder"}, "STATUS": STATUSES, None: None}
    for name, value in {**command.options, "config": "FILE"}.items():
        if value is not None:
            values = expected.get(value, set(value.split("|")) if "|" in value else set())
            assert set(offered(f"{command.name} --{name} ", tmp_path)) == values, name
            assert set(offered(f"{command.name} --{name}=", tmp_path)) == values, name


def test_arguments():
    assert STATUSES <= set(offered("user status 01890a5d-ac96-774b-bcce-b302099a8057 "))
    assert offered("user status 01890a5d-ac96-774b-bcce-b302099a8057 ba") == ["banned"]
    assert not STATUSES & {*offered("user status "), *offered("user status x active ")}


def test_the_value_of_an_option_is_no_argument():
    assert STATUSES <= set(offered("user status --config FILE x "))
    assert STATUSES <= set(offered("user status --config=FILE x "))


def test_words_that_there_are_not():
    for line in ("xyzzy ", "user xyzzy ", "user xyzzy --", "help user add ", "user add --name "):
        assert offered(line) == [], line


def read_until(descriptor, pattern, timeout_s=20):
    text, end = "", time.monotonic() + timeout_s
    while not re.search(pattern, text):
        assert time.monotonic() < end, text
        if select.select([descriptor], [], [], 0.1)[0]:
            text += os.read(descriptor, 4096).decode()
    return text


def test_at_a_terminal(tmp_path):
    """The tab key itself."""
    (tmp_path / "rc").write_text(f"PS1='ready> '; PATH={program('mectl').parent}:$PATH; source {SCRIPT}\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve("/bin/bash", ["bash", "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"],
                  clean_environment(TERM="dumb", HOME=str(tmp_path)))
    try:
        read_until(terminal, "ready> ")
        os.write(terminal, b"mectl mig\t--pri\t--fo\tmec\t--he\t\r")
        text = read_until(terminal, "(?s)usage: mectl migrate.*ready> ")
        assert "mectl migrate --print-grants --for mectl --help" in text
    finally:
        os.write(terminal, b"exit\r")
        os.waitpid(pid, 0)
        os.close(terminal)
