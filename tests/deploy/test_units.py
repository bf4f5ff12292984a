"""The units of systemd among the examples: well-formed, tight, and right under a real systemd."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from support.answer import parse_cgi
from support.fastcgi import PARAMS, STDIN, Connection, begin, params, stream, variables_of
from support.installation import write_conf
from support.paths import program
from support.processes import wait_until
from support.servers import EXAMPLES
from support.steps import fill_in
from support.systemd import Systemd
from support.watch import samples, total

UNITS = ("me-fcgi.socket", "me-fcgi@.service")
WORKERS = [f"me-fcgi@{n}.service" for n in range(1, 5)]
EXPOSURE_MAX = 20  # in tenths, as systemd-analyze has it: 0 is best, 100 worst


def fill_in_units(folder: Path, **variables):
    for name in UNITS:
        (folder / name).write_text(fill_in((EXAMPLES / name).read_text(), variables))


@pytest.fixture
def units(tmp_path):
    fill_in_units(tmp_path, SOCKET=tmp_path / "w.sock", PROGRAM=program("me.fcgi"), ETC=tmp_path)
    return tmp_path


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], check=False, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def test_systemd_understands_the_units(units):
    """It tells what it does not know of the units, and of those that they name."""
    status, output = analyze("verify", "--man=no", units / "me-fcgi.socket", units / "me-fcgi@.service")
    assert status == 0 and "me-fcgi" not in output, output


def test_a_worker_may_do_little(units):
    status, output = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", units / "me-fcgi@.service")
    assert status == 0, output


# ---- under a real systemd

class Service:
    """The units in a folder that no sandbox hides, with the settings that the steps make readable for www-data."""

    def __init__(self, folder: Path, installation):
        self.folder = folder
        self.socket = folder / "w.sock"
        self.installation = installation
        shutil.copy(program("me.fcgi"), folder)
        (folder / "etc").mkdir()
        (folder / "units").mkdir()
        (folder / "db.sock").touch()
        self._write_settings(folder / "etc")
        fill_in_units(folder / "units", SOCKET=self.socket, PROGRAM=folder / "me.fcgi", ETC=folder / "etc")
        self.manager = Systemd(folder / "units", ["me-fcgi.socket", *WORKERS],
                               {installation.server.socket: folder / "db.sock"})
        subprocess.run(f"chown -R root:www-data {folder}/etc; chmod -R u=rwX,g=rX,o= {folder}/etc", shell=True,
                       check=True)

    def _write_settings(self, folder: Path):
        sections = self.installation.sections()
        del sections["admin"]
        for section, key in (("database", "password_file"), ("token", "secret_file"), ("token", "public_key_file")):
            shutil.copy2(sections[section][key], folder)
            sections[section][key] = sections[section][key].name
        sections["database"]["host"] = self.folder / "db.sock"
        sections["watch"] = {"metrics_path": "/metrics", "metrics_file": "/run/me-fcgi/metrics", "metrics_for": "anyone"}
        write_conf(folder / "me.conf", sections)

    def __call__(self, method, headers, body=None, path="/me"):
        variables, data = variables_of(method, path, headers, body)
        with Connection(self.socket) as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, data))
            return parse_cgi(connection.receive().stdout)

    def worker_pids(self) -> list:
        path = self.folder / "me.fcgi"
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _runs(process, path)]


def _runs(process: Path, path: Path) -> bool:
    try:
        return (process / "exe").stat().st_ino == path.stat().st_ino
    except OSError:
        return False


@pytest.fixture(scope="module")
def service(installation):
    if os.geteuid() != 0:
        pytest.skip("only root makes the namespaces for a systemd of its own")
    folder = Path(tempfile.mkdtemp(prefix="me-", dir="/srv"))
    folder.chmod(0o755)
    try:
        running = Service(folder, installation)
        reason = running.manager.why_impossible()
        if reason:
            pytest.skip(reason)
        with running.manager:
            yield running
    finally:
        shutil.rmtree(folder)


def wait_for_workers(service):
    wait_until(lambda: len(service.worker_pids()) == len(WORKERS), 20, f"{len(WORKERS)} workers run")


def test_the_workers_serve_in_their_sandbox(service, tokens, users, user):
    wait_for_workers(service)
    bearer = tokens.bearer(user)
    assert service("GET", bearer).json["id"] == user.id
    assert service("GET", tokens.bearer(user, algorithm="RS256")).json["id"] == user.id
    assert service("PATCH", bearer, {"timezone": "Europe/Amsterdam"}).json["timezone"] == "Europe/Amsterdam"
    assert users.column(user, "timezone") == "Europe/Amsterdam"


def test_they_are_www_data(service):
    wait_for_workers(service)
    folder = Path("/proc") / str(service.worker_pids()[0])
    assert folder.owner() == "www-data" and "NoNewPrivs:\t1" in (folder / "status").read_text()


def test_a_worker_that_was_killed_is_replaced(service, tokens, user):
    wait_for_workers(service)
    killed = service.worker_pids()[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in service.worker_pids(), 20, "it has gone")
    wait_for_workers(service)
    assert service("GET", tokens.bearer(user)).status == 200


def test_the_counts_outlive_a_worker_and_the_unit(service, tokens, user):
    """In the folder of the units, where the workers' own system is for reading alone."""
    def metrics():
        return samples(service("GET", {}, path="/metrics").body.decode())
    wait_for_workers(service)
    wait_until(lambda: metrics()["me_workers"] == len(WORKERS), what="all of them count")
    before = total(metrics(), "me_requests_total")
    assert service("GET", tokens.bearer(user)).status == 200
    os.kill(service.worker_pids()[0], signal.SIGKILL)
    wait_until(lambda: metrics()["me_workers"] == len(WORKERS), what="another one counts")
    start = time.monotonic()
    service.manager.systemctl("restart", *WORKERS)
    assert time.monotonic() - start < 15, "idle workers end at once"
    service.manager.systemctl("reset-failed", *WORKERS)  # systemd counts starts, and the next test restarts them, too
    wait_for_workers(service)
    assert total(metrics(), "me_requests_total") == before + 1


def read_until(over, service, bearer, statuses):
    while not over.is_set():
        try:
            statuses.append(service("GET", bearer).status)
        except (OSError, EOFError) as error:
            statuses.append(str(error))


def test_a_restart_of_the_workers_loses_no_request(service, tokens, user):
    wait_for_workers(service)
    over, statuses, before = threading.Event(), [], set(service.worker_pids())
    readers = [threading.Thread(target=read_until, args=(over, service, tokens.bearer(user), statuses))
               for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(3):
            service.manager.systemctl("restart", "me-fcgi@*")
            wait_for_workers(service)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert set(statuses) == {200} and not before & set(service.worker_pids())
