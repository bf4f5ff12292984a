"""Runs of mectl that are watched: on a terminal, and for the memory that they take."""

import os
import pty
import subprocess

from support.installation import mectl_command
from support.paths import clean_environment


def run(installation, *arguments, stderr=subprocess.PIPE, **more):
    """mectl to its end, with whatever subprocess.run takes."""
    return subprocess.run(mectl_command(arguments, installation.conf), stdin=subprocess.DEVNULL, timeout=120,
                          stdout=subprocess.PIPE, stderr=stderr, text=True, check=False,
                          env=clean_environment(), **more)


def run_on_terminal(installation, *arguments, status=0):
    """With a terminal as standard error: the process, and what was written to it."""
    ours, theirs = pty.openpty()
    try:
        done = run(installation, *arguments, stderr=theirs)
        os.close(theirs)
        assert done.returncode == status, done
        written = b""
        while part := _read(ours):
            written += part
        return done, written.decode()
    finally:
        os.close(ours)


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # EIO: the other end is closed
        return b""


def peak_kib(installation, *arguments):
    """Runs to the end; the most memory that it had."""
    process = subprocess.Popen(mectl_command(arguments, installation.conf), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
    output = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.stdout.close()
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output
    return used.ru_maxrss
