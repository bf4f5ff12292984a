"""How long a verification takes does not tell how much of a forged HMAC is right: tests/faults/timing.c measures."""

import re
import subprocess

from support import summary
from support.paths import program

LIMIT = 4.5


def measured() -> tuple:
    """|t| of the verification, and of the control that stops at the first byte that differs."""
    done = subprocess.run([str(program("tests/faults/timing"))], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    found = re.search(r"hmac_verify:.*t = (-?[\d.]+)\ncontrol:.*t = (-?[\d.]+)\n", done.stdout)
    assert found, done.stdout
    return abs(float(found[1])), abs(float(found[2]))


def test_the_place_of_a_wrong_byte_cannot_be_heard():
    ours, control = measured()
    summary.lines.append(f"|t| of an HMAC wrong in its first byte against its last: {ours}, of a control {control}")
    assert control > LIMIT, "the control was not caught: the machine is too noisy, or the test"
    assert ours < LIMIT
