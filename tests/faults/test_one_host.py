"""What goes wrong on one host, one thing after another, and what the client sees of it."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support import faketime, summary
from support.fastcgi import PARAMS, STDIN, begin, params, stream, variables_of
from support.ground import free_port
from support.installation import Installation, write_secret
from support.issuer import Authority
from support.mariadb import PrivateMariaDB
from support.processes import wait_until
from support.users import Users

IS_LONG = "ME_LONG" in os.environ
ROUNDS = 20 if IS_LONG else 3
PATIENCE = {"ME_DATABASE_READ_TIMEOUT_S": "1", "ME_DATABASE_CONNECT_TIMEOUT_S": "1", "ME_DATABASE_WRITE_TIMEOUT_S": "1"}


def assert_unavailable(answer):
    assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    assert int(answer.headers["Retry-After"]) > 0


def assert_served(worker, tokens, user):
    answer = worker.get(tokens.bearer(user))
    assert answer.status == 200 and answer.json["id"] == user.id, answer


# ---- nothing that was acknowledged is lost, and nothing is stored by half

class Writer(threading.Thread):
    """A client that changes one user again and again, two members at once, and knows what was acknowledged."""

    def __init__(self, tokens, user, worker_of):
        super().__init__()
        self.bearer, self.user, self.worker_of = tokens.bearer(user), user, worker_of
        self.sent = self.acknowledged = self.acknowledgements = 0
        self.others, self.longest_gap_s = {}, 0.0
        self.over = threading.Event()

    def run(self):
        last = time.monotonic()
        while not self.over.is_set():
            self.sent += 1
            if self._send(self.sent):
                self.acknowledged = self.sent
                self.acknowledgements += 1
                self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - last)
                last = time.monotonic()
            else:
                time.sleep(0.01)

    def _send(self, number: int) -> bool:
        variables, body = variables_of("PATCH", "/me", self.bearer, {"name": f"name {number}", "bio": f"bio {number}"})
        try:
            with self.worker_of().connect(20) as connection:
                connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, body))
                status = re.match(rb"Status: (\d+)", connection.receive().stdout)[1].decode()
        except (OSError, EOFError):
            status = "none"
        if status != "200":
            self.others[status] = self.others.get(status, 0) + 1
        return status == "200"

    def judge(self, users):
        """Only the last one that was acknowledged may be there, or one that was sent after it and got no answer."""
        name, bio = users.column(self.user, "name"), users.column(self.user, "bio")
        assert name.rpartition(" ")[2] == bio.rpartition(" ")[2], f"stored by half: {name}, {bio}"
        stored = int(name.rpartition(" ")[2])
        assert self.acknowledged <= stored <= self.sent, f"{self.acknowledged} was acknowledged, and {stored} is there"
        assert set(self.others) <= {"none", "503"}, self.others


class Writers:
    def __init__(self, tokens, users, worker_of, count=3):
        self.users = users
        self.all = [Writer(tokens, users.add(name="name 0", bio="bio 0"), worker_of) for _ in range(count)]

    def __enter__(self):
        for writer in self.all:
            writer.start()
        return self

    def __exit__(self, *unused):
        for writer in self.all:
            writer.over.set()
        for writer in self.all:
            writer.join()

    def acknowledged(self) -> int:
        return sum(writer.acknowledgements for writer in self.all)

    def wait_for_more(self, count=20, timeout_s=30):
        until = self.acknowledged() + count
        wait_until(lambda: self.acknowledged() >= until, timeout_s, f"{count} more are acknowledged")

    def judge(self, fault: str):
        for writer in self.all:
            writer.judge(self.users)
        sent, gap_s = sum(writer.sent for writer in self.all), max(writer.longest_gap_s for writer in self.all)
        summary.lines.append(f"{fault}: {sent} PATCH sent, {self.acknowledged()} acknowledged, 0 lost, longest gap {gap_s:.2f} s")


def test_workers_that_are_killed_lose_nothing(start_worker, tokens, users):
    """kill -9: the client that was being served has no answer, the next one is served by another worker."""
    current = [start_worker()]
    with Writers(tokens, users, lambda: current[0]) as writers:
        for round_ in range(ROUNDS * 3):
            writers.wait_for_more(7 + round_ % 5)
            killed, current[0] = current[0], start_worker()
            killed.signal(signal.SIGKILL)
            assert killed.wait(10) == -signal.SIGKILL
            killed.end = lambda: None
        writers.wait_for_more()
    writers.judge("kill -9 of workers")


def test_a_database_that_is_killed_loses_nothing(start_worker, tokens, users, mariadb):
    """kill -9 of MariaDB: 503 while it is away, and all that was acknowledged is there when it is back."""
    worker = start_worker(**PATIENCE)
    with Writers(tokens, users, lambda: worker) as writers:
        for _ in range(ROUNDS):
            writers.wait_for_more()
            mariadb.kill()
            time.sleep(0.1)
            mariadb.start()
        writers.wait_for_more()
    writers.judge("kill -9 of MariaDB")
    assert any("503" in writer.others for writer in writers.all), "nobody saw it away"


# ---- shortages

@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A file system of its own, whose room is soon filled."""
    folder = tmp_path_factory.mktemp("disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=700", "tmpfs", str(folder)], check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def elsewhere(small_disk, tmp_path_factory):
    """Another installation, whose database is on the small disk and speaks TLS over TCP."""
    folder = tmp_path_factory.mktemp("elsewhere")
    authority = Authority(folder)
    certificate, key = authority.certify("localhost")
    port = free_port()
    server = PrivateMariaDB(small_disk / "mariadb", [
        "--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}", f"--ssl-cert={certificate}", f"--ssl-key={key}"])
    server.start()
    try:
        installation = Installation(server, folder).prepare_database()
        installation.port, installation.authority = port, authority
        yield installation
    finally:
        server.stop()


def fill(folder: Path, spare_kb=0) -> Path:
    """Takes all the room that is left but a little."""
    space = os.statvfs(folder)
    path = folder / "filling"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(space.f_bavail * space.f_frsize - spare_kb * 1024, 1))
    return path


def test_a_full_disk_refuses_writes_and_serves_reads(elsewhere, small_disk, start_worker_of):
    """A PATCH that finds no room is a 503 and stores nothing; GET goes on; once there is room all is as before."""
    users, tokens = Users(elsewhere), elsewhere.tokens
    people = [users.add(f"Person {number}") for number in range(12)]
    worker = start_worker_of(elsewhere, **PATIENCE)
    assert_served(worker, tokens, people[0])
    filling, acknowledged, statuses = fill(small_disk), {}, []
    try:
        for number in range(400):
            user, bio = people[number % len(people)], chr(0x1F600 + number % 64) * 4000
            answer = worker.patch(tokens.bearer(user), {"bio": bio})
            statuses.append(answer.status)
            if answer.status == 200:
                acknowledged[user] = bio
            else:
                assert_unavailable(answer)
                assert users.column(user, "bio") == acknowledged.get(user), "what was refused was stored"
            if statuses.count(503) >= 3:
                break
        assert worker.get(tokens.bearer(people[1])).status == 200
    finally:
        filling.unlink()
    assert 503 in statuses, f"the disk never was full: {len(statuses)} were stored"
    wait_until(lambda: worker.patch(tokens.bearer(people[0]), {"bio": "room"}).status == 200, 20, "there is room")
    for user, bio in acknowledged.items():
        assert user is people[0] or users.column(user, "bio") == bio, "what was acknowledged is lost"


def descriptors_of(worker) -> list:
    """What the open ones lead to; one that is closed in the meantime is none."""
    found = []
    for number in Path(f"/proc/{worker.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(number))
    return found


def set_limit(worker, what, soft):
    hard = resource.prlimit(worker.pid, what)[1]
    resource.prlimit(worker.pid, what, (soft, hard))


def test_without_descriptors_a_client_waits_or_is_told_to(worker, tokens, users, user):
    """None for the database: 503. None for the connection: the client waits, and is served once there is one."""
    wait_until(lambda: "anon_inode:[eventpoll]" in descriptors_of(worker), 10, "it waits for clients")
    opened = len(descriptors_of(worker))
    set_limit(worker, resource.RLIMIT_NOFILE, opened + 1)  # one for the client
    assert_unavailable(worker.get(tokens.bearer(user)))
    patched = worker.patch(tokens.bearer(user), {"bio": "x"})
    assert_unavailable(patched)
    assert users.column(user, "bio") is None
    set_limit(worker, resource.RLIMIT_NOFILE, opened)
    lift = threading.Timer(1.0, set_limit, (worker, resource.RLIMIT_NOFILE, opened + 8))
    lift.start()
    start = time.monotonic()
    assert_served(worker, tokens, user)
    assert time.monotonic() - start > 0.8, "it was served without a descriptor"
    lift.join()


@pytest.fixture
def heavy_user(users):
    """One whose profile takes some megabytes."""
    user = users.add("Heavy")
    for number in range(40):
        rows = ", ".join(f"(UNHEX('{user.row['id'].hex}'), 's{number}', '{n:050}')" for n in range(250))
        users.installation.execute(f"INSERT INTO user_badges (user_id, scope, name) VALUES {rows}")
    return user


def size_of(worker) -> int:
    return int(re.search(r"VmSize:\s+(\d+)", Path(f"/proc/{worker.pid}/status").read_text())[1]) * 1024


def test_without_memory_a_request_fails_and_the_next_is_served(worker, tokens, users, user, heavy_user):
    """A limit as ulimit -v sets it: 500 or 503 for what does not fit, 200 for what does."""
    assert_served(worker, tokens, user)
    set_limit(worker, resource.RLIMIT_AS, size_of(worker) + 256 * 1024)
    answer = worker.get(tokens.bearer(heavy_user))
    assert answer.status in (500, 503), answer
    patched = worker.patch(tokens.bearer(heavy_user), {"bio": "x"})
    assert patched.status in (500, 503), patched
    assert users.column(heavy_user, "bio") is None
    assert_served(worker, tokens, user)
    set_limit(worker, resource.RLIMIT_AS, resource.RLIM_INFINITY)
    assert len(worker.get(tokens.bearer(heavy_user)).json["badges"]) == 10000


def test_when_all_connections_of_the_server_are_taken(start_worker, tokens, user, mariadb, installation):
    """503 with Retry-After, and 200 as soon as one is free."""
    usual = mariadb.execute("SELECT @@max_connections")[0][0]
    mariadb.execute("SET GLOBAL max_connections = 10")
    held = []
    try:
        with pytest.raises(Exception, match="Too many connections"):
            for _ in range(20):
                held.append(mariadb.connect(installation.worker_account, installation.worker_password))
        worker = start_worker(**PATIENCE)
        assert_unavailable(worker.get(tokens.bearer(user)))
        assert_unavailable(worker.patch(tokens.bearer(user), {"bio": "x"}))
        held.pop().close()
        assert_served(worker, tokens, user)
    finally:
        for connection in held:
            connection.close()
        mariadb.execute(f"SET GLOBAL max_connections = {usual}")


# ---- a database that does not answer

@pytest.fixture
def stopped(mariadb):
    """Stops the database in the middle of whatever it does, and lets it go on."""
    pid = mariadb.pid()
    yield lambda: os.kill(pid, signal.SIGSTOP), lambda: os.kill(pid, signal.SIGCONT)
    os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("is_connected", [False, True], ids=["a new connection", "an open connection"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_database_that_hangs_is_given_up_in_time(start_worker, tokens, users, user, stopped, method, is_connected):
    """503 with Retry-After within the time-outs, and the worker is free again."""
    worker, (stop, go_on) = start_worker(**PATIENCE), stopped
    if is_connected:
        assert_served(worker, tokens, user)
    stop()
    start = time.monotonic()
    answer = worker(method, "/me", tokens.bearer(user), {"bio": "x"} if method == "PATCH" else None)
    took_s = time.monotonic() - start
    go_on()
    assert_unavailable(answer)
    assert took_s < 8, f"it took {took_s} s"
    assert_served(worker, tokens, user)
    assert worker.patch(tokens.bearer(user), {"bio": "y"}).json["bio"] == "y"


# ---- clocks

def test_the_clock_of_a_worker_is_set_forth_and_back(start_worker, tokens, users, user, tmp_path):
    """A token ends and begins by the worker's clock as it is at each request; what is stored has the database's."""
    if not os.path.exists(faketime.LIBRARY):
        pytest.skip("libfaketime is missing: scripts/test installs it")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    worker = start_worker(
        ME_PROCESS_SANDBOX="off",  # which would keep it from the file with the time
        LD_PRELOAD=faketime.LIBRARY, FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1",
        DONT_FAKE_MONOTONIC="1")
    now = int(time.time())
    bearer = tokens.bearer(user, nbf=now - 60, exp=now + 3600)
    seen = []
    for offset, status in [("+0", 200), ("+2h", 401), ("+0", 200), ("-2h", 401), ("-20y", 401), ("+20y", 401), ("+0", 200)]:
        clock.write_text(offset)
        answer = worker.get(bearer)
        assert answer.status == status, f"{offset}: {answer}"
        if status == 200:
            seen.append(worker.patch(bearer, {"bio": offset + str(len(seen))}).json["updatedAt"])
    assert seen == sorted(set(seen))


def test_the_clock_of_the_database_is_set_back(start_worker, tokens, user, mariadb):
    """updatedAt never goes back."""
    bearer = tokens.bearer(user)
    before = start_worker().patch(bearer, {"bio": "now"}).json["updatedAt"]
    mariadb.execute("SET GLOBAL init_connect = 'SET timestamp = 1000000000'")
    try:
        worker = start_worker()
        after = [worker.patch(bearer, {"bio": str(number)}).json["updatedAt"] for number in range(3)]
    finally:
        mariadb.execute("SET GLOBAL init_connect = ''")
    assert sorted({before, *after}) == [before, *after]


# ---- logs

@pytest.fixture
def full_pipe(tmp_path):
    """One with a reader that does not read."""
    path = tmp_path / "log"
    os.mkfifo(path)
    ends = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(ends, b"x" * 4096)
    except BlockingIOError:
        yield path
    finally:
        os.close(ends)


def test_a_log_that_nobody_reads_holds_nobody_up(start_worker, tokens, user, full_pipe):
    """Standard error is a pipe that is full: requests are answered all the same."""
    worker = start_worker(shell=f'exec "$0" 2>{full_pipe}', ME_LOG_LEVEL="debug")
    start = time.monotonic()
    for _ in range(5):
        assert_served(worker, tokens, user)
        assert worker.get({}).status == 401
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("path", ["/dev/full"])
def test_a_log_that_takes_nothing_is_no_failure(start_worker, tokens, user, path):
    worker = start_worker(shell=f'exec "$0" 2>{path}')
    assert worker.get({}).status == 401
    assert_served(worker, tokens, user)


# ---- clients

def request_of(tokens, user, method="GET", body=None) -> bytes:
    variables, data = variables_of(method, "/me", tokens.bearer(user), body)
    return begin() + stream(PARAMS, params(variables)) + stream(STDIN, data)


def test_a_client_that_does_not_read_its_answer_and_goes(worker, tokens, user, heavy_user):
    """The worker waits for it as long as it is there; the next client is served once it has gone."""
    for _ in range(3):
        with worker.connect() as connection:
            connection.send(request_of(tokens, heavy_user))
            time.sleep(0.1)
        start = time.monotonic()
        assert_served(worker, tokens, user)
        assert time.monotonic() - start < 5


def test_a_client_that_sends_byte_by_byte_is_served(worker, tokens, users, user):
    sent = request_of(tokens, user, "PATCH", {"bio": "slowly"})
    with worker.connect() as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for at in range(0, len(sent), 7):
            connection.send(sent[at:at + 7])
            time.sleep(0.002)
        assert connection.receive().stdout.startswith(b"Status: 200")
    assert users.column(user, "bio") == "slowly"


def test_a_client_that_vanishes_in_the_middle_changes_nothing(worker, tokens, users, user):
    sent = request_of(tokens, user, "PATCH", {"bio": "never"})
    for part in (1, 8, 20, len(sent) // 2, len(sent) - 9):
        with worker.connect() as connection:
            connection.send(sent[:part])
        assert_served(worker, tokens, user)
    assert users.column(user, "bio") is None


def test_a_full_backlog_refuses_and_what_was_in_it_is_served(worker, tokens, user):
    """While the worker hangs, connections wait in the backlog, more are refused at once; all that waited are served."""
    assert_served(worker, tokens, user)
    worker.signal(signal.SIGSTOP)
    waiting = []
    try:
        for _ in range(200):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(str(worker.socket))
            except BlockingIOError:
                client.close()
                break
            client.setblocking(True)
            client.settimeout(20)
            client.sendall(request_of(tokens, user))
            waiting.append(client)
        assert 0 < len(waiting) < 200, "the backlog has no end"
    finally:
        worker.signal(signal.SIGCONT)
    for client in waiting:
        with client, client.makefile("rb") as answer:
            assert b"Status: 200" in answer.read()
    assert_served(worker, tokens, user)


# ---- the operator

def test_tables_that_are_altered_while_they_serve(start_worker, tokens, users, installation):
    """DDL: requests wait, or are told to come again; nothing that was acknowledged is lost."""
    worker = start_worker()
    reader = users.add()
    statuses = []
    with Writers(tokens, users, lambda: worker, 2) as writers:
        for number in range(ROUNDS):
            installation.execute(f"ALTER TABLE users ADD COLUMN extra{number} INT NOT NULL DEFAULT 7, ALGORITHM=COPY")
            statuses.append(worker.get(tokens.bearer(reader)).status)
            installation.execute(f"ALTER TABLE users DROP COLUMN extra{number}, ALGORITHM=COPY")
            statuses.append(worker.get(tokens.bearer(reader)).status)
        writers.wait_for_more()
    writers.judge("ALTER TABLE")
    assert set(statuses) <= {200, 503}, statuses


@pytest.fixture
def password(mariadb, installation):
    """Changes the password of the worker's account, and gives back the old one."""
    account = mariadb.execute(
        "SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user WHERE User = %s", [installation.worker_account])[0][0]

    def change(to):
        mariadb.execute(f"ALTER USER {account} IDENTIFIED BY '{to}'")

    yield change
    change(installation.worker_password)


def test_a_password_that_is_rotated(start_worker, tokens, user, installation, password, tmp_path):
    """An open connection lives on; a new one is refused, 503, until the file has the new password."""
    file = write_secret(tmp_path / "worker.password", installation.worker_password + "\n")
    worker = start_worker(ME_DATABASE_PASSWORD_FILE=str(file))
    assert_served(worker, tokens, user)
    password("another one")
    assert_served(worker, tokens, user)
    fresh = start_worker(ME_DATABASE_PASSWORD_FILE=str(file))
    answer = fresh.get(tokens.bearer(user))
    assert_unavailable(answer)
    assert "Access denied" in str(answer.events("error"))
    file.write_text("another one\n")
    assert_served(fresh, tokens, user)


@pytest.fixture
def over_tls(elsewhere, start_worker_of):
    """A worker that reaches its database over TCP, as localhost, and trusts that authority's certificates."""
    def start(authority, host="localhost"):
        return start_worker_of(
            elsewhere, ME_DATABASE_HOST=f"{host}:{elsewhere.port}", ME_DATABASE_TLS_CA=str(authority.file), **PATIENCE)

    return start


def test_a_certificate_of_the_database_that_is_wrong(elsewhere, over_tls, tmp_path):
    """503 where it is of another authority or name; the password does not get out."""
    user = Users(elsewhere).add()
    assert_served(over_tls(elsewhere.authority), elsewhere.tokens, user)
    for worker in (over_tls(Authority(tmp_path, "Another CA")), over_tls(elsewhere.authority, "127.0.0.1")):
        answer = worker.get(elsewhere.tokens.bearer(user))
        assert_unavailable(answer)
        assert re.search("TLS|SSL|certificate", str(answer.events("error"))), answer
