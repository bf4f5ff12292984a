"""The examples that run mectl keys fetch by itself: what they say is well-formed, and what they run works."""

import re
import shutil
import subprocess

import pytest

from support.fetcher import Fetcher
from support.issuer import Authority, Issuer
from support.keys import SigningKey
from support.paths import clean_environment, program
from support.servers import EXAMPLES
from support.steps import fill_in

UNITS = ("me-keys.service", "me-keys.timer")


@pytest.fixture
def fetch(tmp_path):
    authority = Authority(tmp_path)
    issuer = Issuer(authority.certify())
    issuer.publish(SigningKey("listed"))
    yield Fetcher(tmp_path, authority, issuer)
    issuer.stop()


def filled(name, fetch) -> str:
    return fill_in((EXAMPLES / name).read_text(), {"MECTL": program("mectl"), "CONF": fetch.conf})


def run_shell(command) -> subprocess.CompletedProcess:
    return subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60, env=clean_environment())


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_unit(fetch, tmp_path, name):
    """It tells what it does not know of the units of this folder, and of those that they name."""
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: apt-get install systemd"
    for unit in UNITS:
        (tmp_path / unit).write_text(filled(unit, fetch))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 0 and str(tmp_path) not in done.stderr and "me-keys" not in done.stderr, done


def test_the_service_brings_the_file_up_to_date(fetch):
    command = re.search(r"^ExecStart=(.+)$", filled("me-keys.service", fetch), re.MULTILINE)[1]
    done = run_shell(command)
    assert done.returncode == 0 and list(fetch.kids()) == ["listed"], done


def cron_line(fetch) -> list:
    """Five fields of time, the account, the command, as in /etc/cron.d."""
    text = filled("me-keys.cron", fetch)
    assert text.endswith("\n"), "cron passes over a last line without an end"
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == 1, lines
    return lines[0].split(None, 6)


def test_the_cron_line_is_one(fetch):
    *times, account, command = cron_line(fetch)
    assert re.fullmatch(r"\*/\d+", times[0]) and times[1:] == ["*"] * 4
    assert re.fullmatch(r"[a-z-]+", account) and "%" not in command


def test_the_cron_line_brings_the_file_up_to_date_and_is_silent(fetch):
    done = run_shell(cron_line(fetch)[6])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(fetch.kids()) == ["listed"]


def test_the_cron_line_tells_what_failed(fetch):
    fetch.conf.write_text(fetch.conf.read_text().replace("https:", "http:"))
    done = run_shell(cron_line(fetch)[6])
    assert done.returncode == 1 and done.stdout == "" and "https address" in done.stderr, done
