"""The examples themselves, and what runs where one of them is followed."""

import os
import pwd
import re
import signal
import subprocess

import pytest

from support.paths import SOURCE
from support.processes import wait_until
from support.servers import EXAMPLES, WAYS
from support.steps import packages_of, variables_of

KEYS = ("me-keys.cron", "me-keys.service", "me-keys.timer")  # test_key_examples.py
INSTALLED = ("me-fcgi.logrotate", "me-fcgi.socket", "me-fcgi@.service")  # test_logrotate.py, test_debian_package.py
SQL = ("existing-users.sql",)  # tests/integration/test_existing_users.py
WATCH = ("me-alerts.yml", "me-dashboard.json", "me-prometheus.yml")  # tests/integration/test_watch_examples.py
OTHERS = {*INSTALLED, *SQL, *WATCH}
FILES = sorted({*KEYS, *(name for way in WAYS.values() for name in (way.example.name, *way.files))})
LINE_MAX = 120


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.iterdir()} == {*FILES, *OTHERS}


@pytest.mark.parametrize("name", FILES)
def test_an_example_explains_the_variables_that_it_has(name):
    used, explained = variables_of((EXAMPLES / name).read_text())
    assert used == explained


@pytest.mark.parametrize("name", FILES)
def test_the_lines_of_an_example_can_be_read(name):
    """But for what is to be typed."""
    lines = (EXAMPLES / name).read_text().splitlines()
    assert [line for line in lines if len(line) > LINE_MAX and not line.startswith("#        ")] == []


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_packages_of_an_example_are_installed_and_known(way):
    """Else the example works here by chance, or scripts/test does not install what it needs."""
    known = (SOURCE / "scripts" / "lib" / "packages.sh").read_text().partition("packages_servers=")[2]
    for package in packages_of(way.example):
        status = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], check=False, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        assert status == "installed" and re.search(rf"[ \"]{package}[ \"\n]", known), package


@pytest.mark.parametrize("path", ["/cgi-bin/me.fcgi", "/cgi-bin/me.fcgi/me"])
def test_the_program_by_its_name_is_the_resource_too(server, tokens, full_user, path):
    answer = server.site(path).get(tokens.bearer(full_user))
    assert answer.status == 200 and answer.json["id"] == full_user.id


@pytest.mark.parametrize("path,word", [("/health/live", "live"), ("/health/ready", "ready")])
def test_what_is_watched_is_reached_by_the_programs_name(server, path, word):
    answer = server.site().send(path=f"/cgi-bin/me.fcgi{path}")
    assert answer.status == 200 and answer.json == {"status": word}
    assert server.site().send(path="/cgi-bin/me.fcgi/metrics").status == 404


def serves(server, bearer):
    return server.site().send(headers=bearer).status == 200


def test_the_workers_that_were_asked_for_are_there(server, tokens, full_user):
    """One for each CGI request, and none in between; mod_fcgid has as many as it takes."""
    bearer, expected = tokens.bearer(full_user), server.way.workers

    def are_there():
        count = serves(server, bearer) and len(server.worker_pids())
        return 1 <= count <= server.way.at_once if expected is None else count == expected

    wait_until(are_there, what=f"{expected} workers")


BETWEEN = "of CGI there is no worker between two requests"


def test_the_workers_have_no_more_rights_than_they_need(server, tokens, full_user):
    if os.geteuid() != 0:
        pytest.skip("they are whoever runs the tests")
    if server.way.workers == 0:
        pytest.skip(BETWEEN)
    assert serves(server, tokens.bearer(full_user))
    owner = pwd.getpwnam(server.way.account).pw_uid
    assert {os.stat(f"/proc/{pid}").st_uid for pid in server.worker_pids()} == {owner}


def test_a_worker_that_was_killed_does_no_harm(server, tokens, full_user):
    """Another one is started, or the others go on."""
    if server.way.workers == 0:
        pytest.skip(BETWEEN)
    os.kill(server.worker_pids()[0], signal.SIGKILL)
    bearer = tokens.bearer(full_user)
    wait_until(lambda: all(serves(server, bearer) for _ in range(10)), 20, "the service answers again")


def test_the_log_of_the_workers_is_kept(server):
    """Else nobody can learn why a request failed."""
    request_id = f"logged-{os.urandom(8).hex()}"
    assert server.site().get({"X-Request-Id": request_id}).status == 401
    files = [path for path in server.log_files() if path != server.log]
    wait_until(lambda: any(request_id in path.read_text() for path in files), 20, f"{request_id} in one of {files}")


def test_nobody_else_reads_the_settings(server):
    """What the steps make of them."""
    if os.geteuid() != 0:
        pytest.skip("only root can give the settings away")
    folder = next(place.parent for place in (*server.site_folder.rglob("me.conf"), server.folder / "etc" / "me.conf"))
    settings = [path for path in folder.iterdir() if path.suffix in (".conf", ".secret", ".password")]
    assert len(settings) == 3 and all(path.stat().st_mode & 0o007 == 0 for path in settings)
