"""The examples themselves."""

import os
import re
import signal

import pytest

from support.processes import wait_until
from support.servers import EXAMPLES, KINDS, WORKERS


KEYS = ("me-keys.cron", "me-keys.service", "me-keys.timer")  # test_key_examples.py
INSTALLED = ("me-fcgi.logrotate", "me-fcgi.socket", "me-fcgi@.service")  # test_logrotate.py, test_debian_package.py
SQL = ("existing-users.sql",)  # test_existing_users.py
OTHERS = {*KEYS, *INSTALLED, *SQL}


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.iterdir()} == {kind.example.name for kind in KINDS.values()} | OTHERS


@pytest.mark.parametrize("example", sorted({kind.example.name for kind in KINDS.values()} | OTHERS))
def test_an_example_explains_the_variables_that_it_has(example):
    lines = (EXAMPLES / example).read_text().splitlines()
    comments = "\n".join(line for line in lines if line.startswith("#"))
    used = set(re.findall(r"@[A-Z]+@", "\n".join(lines)))
    explained = set(re.findall(r"(@[A-Z]+@) {2,}\w", comments))
    assert used == explained


@pytest.mark.parametrize("path", ["/cgi-bin/me.fcgi", "/cgi-bin/me.fcgi/me"])
def test_the_program_by_its_name_is_the_resource_too(server, tokens, full_user, path):
    answer = server.site(path).get(tokens.bearer(full_user))
    assert answer.status == 200 and answer.json["id"] == full_user.id


def test_the_workers_that_were_asked_for_are_there(server):
    """One for each CGI request, and none in between."""
    expected = 0 if server.kind.example.stem == "lighttpd-cgi" else WORKERS
    wait_until(lambda: len(server.worker_pids()) == expected, what=f"{expected} workers")


def test_a_worker_that_was_killed_does_no_harm(server, tokens, full_user):
    """lighttpd starts another; behind spawn-fcgi the others go on."""
    if server.kind.example.stem == "lighttpd-cgi":
        return
    os.kill(server.worker_pids()[0], signal.SIGKILL)

    def answers_ten_times():
        return all(server.site().send(headers=tokens.bearer(full_user)).status == 200 for _ in range(10))

    wait_until(answers_ten_times, 20, "the service answers again")


def test_the_log_of_the_workers_is_kept(server):
    """Else nobody can learn why a request failed."""
    request_id = f"logged-{os.urandom(8).hex()}"
    assert server.site().get({"X-Request-Id": request_id}).status == 401
    files = [path for path in (server.folder / "log").iterdir()]
    wait_until(lambda: any(request_id in path.read_text() for path in files), 2, f"{request_id} in one of {files}")
