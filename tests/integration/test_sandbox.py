"""
Workers in their sandbox. Where the host has all of it, every other test runs in it too (support/sandbox.py); what can
still be done from within is tried by tests/unit/sandbox_test.c.
"""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from support import logfmt
from support.cgi import Program
from support.ground import free_port
from support.installation import Installation, write_secret
from support.issuer import Authority
from support.mariadb import PrivateMariaDB
from support.paths import clean_environment, program
from support.processes import wait_until
from support.sandbox import NEVER_REQUIRED, POOR, missing_parts
from support.users import Users

pytestmark = pytest.mark.skipif(bool(missing_parts() - NEVER_REQUIRED),
                                reason=f"this host or build lacks parts of the sandbox: {sorted(missing_parts())}")


def status_of(pid: int) -> dict:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def limits_of(pid: int) -> dict:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:25].strip(): tuple(line[25:].split()[:2]) for line in lines}


def sandbox_of(worker) -> str:
    """The parts that a worker of log level debug says it took."""
    found = []

    def look():
        found.extend(event["parts"] for event in worker.log() if event["event"] == "sandbox")
        return found

    wait_until(look, 10, "the worker has told of its sandbox")
    return found[0]


def test_the_kernel_says_so(start_worker):
    worker = start_worker(ME_LOG_LEVEL="debug")
    assert sandbox_of(worker).startswith("privileges, dumps, descriptors, limits, files, syscalls")
    status, limits = status_of(worker.pid), limits_of(worker.pid)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert limits["Max core file size"] == ("0", "0")
    assert limits["Max open files"] == ("64", "64")
    assert limits["Max processes"] == ("0", "0")


def test_off_leaves_it_all(start_worker, tokens, reader):
    worker = start_worker(ME_PROCESS_SANDBOX="off", ME_LOG_LEVEL="debug")
    assert sandbox_of(worker) == "none"
    assert worker.get(tokens.bearer(reader)).status == 200
    status = status_of(worker.pid)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("0", status_of(os.getpid())["Seccomp"])


def test_what_it_was_started_with_is_closed(start_worker, tokens, reader, tmp_path):
    (tmp_path / "open").touch()
    worker = start_worker(shell=f'exec 7<{tmp_path}/open; exec "$0"')
    assert worker.get(tokens.bearer(reader)).status == 200
    assert not Path(f"/proc/{worker.pid}/fd/7").exists()


def test_keys_and_zones_are_read_while_it_serves(start_worker, tokens, user, installation, tmp_path):
    """Both are beside what it read before: files that were not there when it began."""
    secret = write_secret(tmp_path / "key", installation.secret + "\n")
    zones = tmp_path / "zones"
    zones.mkdir()
    worker = start_worker(ME_TOKEN_SECRET_FILE=str(secret), ME_PROFILE_ZONEINFO=str(zones), ME_LOG_LEVEL="debug")
    assert worker.get(tokens.bearer(user)).status == 200
    secret.unlink()
    write_secret(tmp_path / "key", "0" * 64 + "\n")
    wait_until(lambda: worker.get(tokens.bearer(user)).status == 401, 10, "the new key is in force")
    write_secret(tmp_path / "other", installation.secret + "\n").rename(secret)
    wait_until(lambda: worker.get(tokens.bearer(user)).status == 200, 10, "the old key is in force again")
    (zones / "Moon").mkdir()
    (zones / "Moon" / "Tranquility").write_bytes(b"TZif2" + bytes(39))
    assert worker.patch(tokens.bearer(user), {"timezone": "Moon/Tranquility"}).status == 200


def test_the_check_of_the_settings_names_the_parts(installation):
    done = subprocess.run([str(program("me.fcgi")), "--check-config"], capture_output=True, text=True, check=True,
                          timeout=60, env=clean_environment(ME_CONF=str(installation.conf)))
    assert "\n# sandbox: privileges, dumps, descriptors, limits, files, syscalls" in done.stdout


# ---- the database by TCP


@pytest.fixture(scope="module")
def by_tcp(tmp_path_factory):
    """An installation whose database is reached by name, over TLS that is verified."""
    folder = tmp_path_factory.mktemp("tcp")
    authority = Authority(folder)
    certificate, key = authority.certify("localhost")
    port = free_port()
    server = PrivateMariaDB(folder / "database", [
        "--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}", f"--ssl-cert={certificate}",
        f"--ssl-key={key}"]).start()
    installation = Installation(server, folder)
    installation.conf = installation.write_conf("me.conf", database__host=f"localhost:{port}",
                                                database__tls_ca=authority.file)
    yield installation.prepare_database()
    server.stop()


@pytest.fixture
def tcp_user(by_tcp):
    return Users(by_tcp).add()


def test_a_database_is_found_by_name_and_trusted_by_its_certificate(start_worker, by_tcp, tcp_user):
    worker = start_worker(ME_CONF=str(by_tcp.conf), ME_LOG_LEVEL="debug")
    bearer = by_tcp.tokens.bearer(tcp_user)
    assert worker.get(bearer).status == 200
    assert worker.patch(bearer, {"bio": "over TCP"}).status == 200


def test_a_restarted_database_is_connected_to_again(start_worker, by_tcp, tcp_user):
    worker = start_worker(ME_CONF=str(by_tcp.conf))
    bearer = by_tcp.tokens.bearer(tcp_user)
    assert worker.get(bearer).status == 200
    by_tcp.server.stop()
    assert worker.get(bearer).status == 503
    by_tcp.server.start()
    wait_until(lambda: worker.get(bearer).status == 200, 20, "the worker has its database again")


def test_cgi_does_so_too(by_tcp, tcp_user):
    cgi = Program(by_tcp.conf, [by_tcp.secret, by_tcp.worker_password])
    assert cgi.get(by_tcp.tokens.bearer(tcp_user)).status == 200


# ---- hosts that lack something


def poor_command() -> str:
    return f'exec /usr/bin/python3 -c {shlex.quote(POOR)} "$0"'


def test_auto_goes_on_without_what_is_missing(start_worker, tokens, reader):
    worker = start_worker(shell=poor_command(), ME_PROCESS_SANDBOX="auto", ME_LOG_LEVEL="debug")
    assert "; without files" in sandbox_of(worker)
    assert worker.get(tokens.bearer(reader)).status == 200


def test_required_is_refused_and_says_what_is_missing(installation):
    done = subprocess.run(
        ["/usr/bin/python3", "-c", POOR, str(program("me.fcgi"))], capture_output=True, text=True, check=False, timeout=60,
        env=clean_environment(ME_CONF=str(installation.conf), ME_PROCESS_SANDBOX="required", REQUEST_METHOD="GET",
                              SCRIPT_NAME="/me"))
    assert done.stdout.startswith("Status: 500 ")
    assert "process.sandbox" not in done.stdout
    (event,) = logfmt.parse(done.stderr)
    assert event["event"] == "cannot start"
    assert "process.sandbox: is required, but cannot be had here: files (needs Landlock" in event["detail"]
