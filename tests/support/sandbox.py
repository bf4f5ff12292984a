"""What of the worker's sandbox this host has, as me.fcgi itself finds out."""

import functools
import re
import subprocess

from support.paths import clean_environment, program

NEVER_REQUIRED = {"network"}


@functools.cache
def missing_parts() -> set:
    done = subprocess.run([str(program("me.fcgi")), "--check-config"], capture_output=True, text=True, check=False,
                          timeout=60, env=clean_environment())
    (parts,) = re.findall(r"^# sandbox: (.+)$", done.stdout, re.MULTILINE)
    return {"all"} if parts == "none" else set(parts.partition("; without ")[2].split(", ")) - {""}


def strictest_mode() -> str:
    """`required` where the host has all of it, so that every test runs in the whole of the sandbox."""
    return "auto" if missing_parts() - NEVER_REQUIRED else "required"


# A program that takes Landlock away from the host, as some containers do, and becomes the one that it is given.
POOR = """
import ctypes, os, struct, sys
LANDLOCK, LOAD, EQUAL, RETURN = 444, 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000 | 38
rules = struct.pack("HBBI" * 4, LOAD, 0, 0, 0, EQUAL, 0, 1, LANDLOCK, RETURN, 0, 0, FAIL, RETURN, 0, 0, ALLOW)
kept = ctypes.create_string_buffer(rules)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(kept)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
"""
