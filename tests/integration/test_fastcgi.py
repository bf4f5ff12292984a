"""The FastCGI worker: many requests in one process, one after another."""

import contextlib
import ctypes
import os
import random
import signal
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import answer as answers
from support import fastcgi
from support.fastcgi import PARAMS, STDIN, begin, params, record, stream, variables_of
from support.paths import clean_environment, is_sanitized, program
from support.processes import is_running, wait_until


def assert_serves(worker, tokens, user):
    answer = worker.get(tokens.bearer(user))
    assert answer.status == 200 and answer.json["id"] == user.id, answer


# ---- one request leaves nothing behind for the next

def mixed_requests(tokens, users, count):
    """(method, path, headers, body, environment, status, user) in random order, always the same one."""
    people = [users.add(f"Person {n}", bio=f"bio {n}") for n in range(4)] + [users.full()]
    banned = users.add("Banned", status="banned")
    kinds = [
        lambda user: ("GET", "/me", tokens.bearer(user), None, {}, 200),
        lambda user: ("GET", "/me", tokens.bearer(user, algorithm="RS256"), None, {}, 200),
        lambda user: ("HEAD", "/me", tokens.bearer(user), None, {}, 200),
        lambda user: ("GET", "/me", {}, None, {}, 401),
        lambda user: ("GET", "/me", {"Authorization": "Bearer x.y.z"}, None, {}, 401),
        lambda user: ("GET", "/me", tokens.bearer(user, exp=1), None, {}, 401),
        lambda user: ("GET", "/me", tokens.bearer(banned), None, {}, 403),
        lambda user: ("GET", "/other", tokens.bearer(user), None, {}, 404),
        lambda user: ("PUT", "/me", tokens.bearer(user), b"body", {}, 405),
        lambda user: ("PATCH", "/me", tokens.bearer(user), {"locale": "?", user.row["name"]: 1}, {}, 422),
        lambda user: ("PATCH", "/me", tokens.bearer(user), b'{"bio":', {}, 400),
        lambda user: ("PATCH", "/me", tokens.bearer(user), b"x" * 70000, {}, 413),
        lambda user: ("PATCH", "/me", {**tokens.bearer(user), "If-Match": '"x"'}, {}, {}, 412),
        lambda user: ("PATCH", "/me", tokens.bearer(user), {"name": user.row["name"]}, {}, 200),
        lambda user: ("GET", "/me", {**tokens.bearer(user), "If-None-Match": "*"}, None, {}, 304),
        lambda user: ("OPTIONS", "/me", {}, None, {}, 204),
        lambda user: ("GET", "/me", {"X-Request-Id": user.id, "Accept": "application/problem+json"}, None, {}, 401),
    ]
    chance = random.Random(7)
    for _ in range(count):
        user = chance.choice(people)
        yield chance.choice(kinds)(user), user, people


def test_requests_of_many_kinds_do_not_touch_each_other(worker, tokens, users):
    for (method, path, headers, body, more, status), user, people in mixed_requests(tokens, users, 300):
        answer = worker(method, path, headers, body, **more)
        assert answer.status == status, answer
        for other in people:
            if other is not user:
                assert other.id.encode() not in answer.body, answer
                assert other.row["name"].encode() not in answer.body, answer
        if status == 200 and method == "GET":
            assert answer.json == user.expected()
        if status >= 400 and method != "HEAD" and "X-Request-Id" not in headers:
            assert answer.json["requestId"] != user.id


def test_the_same_request_has_the_same_answer_again_and_again(worker, tokens, full_user):
    bearer = tokens.bearer(full_user)
    assert len({worker.get(bearer).body for _ in range(100)}) == 1


def test_a_change_is_seen_by_the_next_request(worker, tokens, users, user):
    bearer = tokens.bearer(user)
    worker.get(bearer)
    users.set_column(user, "bio", "changed elsewhere")
    assert worker.get(bearer).json["bio"] == "changed elsewhere"


@pytest.mark.parametrize("status, expected", [("banned", 403), ("deleted", 401)])
def test_a_status_is_seen_by_the_next_request(worker, tokens, users, user, status, expected):
    bearer = tokens.bearer(user)
    assert worker.get(bearer).status == 200
    users.set_column(user, "status", status)
    assert worker.get(bearer).status == expected


def test_a_revocation_is_seen_by_the_next_request(worker, tokens, users, user):
    session = users.add_session(user)
    bearer = tokens.bearer(user, sid=session)
    assert worker.get(bearer).status == 200
    users.revoke_session(session)
    assert worker.get(bearer).status == 401


def test_a_token_expires_while_the_worker_lives(start_worker, tokens, reader):
    worker = start_worker(ME_TOKEN_LEEWAY_S="0")
    end = int(time.time()) + 2
    bearer = tokens.bearer(reader, exp=end)
    assert worker.get(bearer).status == 200
    time.sleep(max(0, end + 0.05 - time.time()))
    assert worker.get(bearer).status == 401


def test_two_workers_see_each_others_patches(start_worker, tokens, user):
    one, other = start_worker(), start_worker()
    bearer = tokens.bearer(user)
    for number in range(5):
        patched = one.patch(bearer, {"bio": str(number)})
        assert other.get(bearer).body == patched.body


def test_many_clients_at_once(worker, tokens, users):
    people = [users.add(f"Client {n}") for n in range(4)]

    def serve(number):
        user = people[number % len(people)]
        variables, data = variables_of(headers=tokens.bearer(user))
        with worker.connect() as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, data))
            return user.id, answers.parse_cgi(connection.receive().stdout)

    with ThreadPoolExecutor(8) as pool:
        for user_id, answer in pool.map(serve, range(80)):
            assert answer.status == 200 and answer.json["id"] == user_id


# ---- the protocol

def request_bytes(tokens, user, method="GET", body=None):
    variables, data = variables_of(method, headers=tokens.bearer(user), body=body)
    return begin() + stream(PARAMS, params(variables)) + stream(STDIN, data)


def test_a_body_in_many_records_is_one_body(worker, tokens, user):
    variables, data = variables_of("PATCH", headers=tokens.bearer(user), body={"bio": "in small pieces"})
    with worker.connect() as connection:
        connection.send(begin() + stream(PARAMS, params(variables)))
        for byte in data:
            connection.send(record(STDIN, bytes([byte])))
        connection.send(record(STDIN))
        assert worker.judge(connection.receive(), "PATCH").json["bio"] == "in small pieces"


def test_parameters_in_small_records_are_the_same_parameters(worker, tokens, reader):
    variables, _ = variables_of(headers=tokens.bearer(reader))
    data = params(variables)
    with worker.connect() as connection:
        connection.send(begin())
        connection.send(b"".join(record(PARAMS, data[i:i + 7]) for i in range(0, len(data), 7)))
        connection.send(record(PARAMS) + record(STDIN))
        assert worker.judge(connection.receive()).status == 200


@pytest.mark.parametrize("length", [None, "-1"])
def test_without_a_length_the_body_ends_with_the_stream(worker, tokens, user, length):
    """Caddy says -1 where there is none."""
    answer = worker.patch(tokens.bearer(user), {"bio": "chunked"}, CONTENT_LENGTH=length)
    assert answer.status == 200 and answer.json["bio"] == "chunked"


def test_a_body_that_breaks_off_is_refused(worker, tokens, users, user):
    answer = worker.patch(tokens.bearer(user), b'{"name":"x"}', CONTENT_LENGTH="40")
    assert (answer.status, answer.code) == (400, "invalid_body"), answer
    assert users.column(user, "name") == user.row["name"]


@pytest.mark.parametrize("length", [None, "-1", "40"])
def test_a_body_whose_connection_ends_is_refused(worker, tokens, users, user, length):
    """What there is of it is a whole document, but the server did not say that this is all."""
    variables, data = variables_of("PATCH", headers=tokens.bearer(user), body={"name": "x"}, CONTENT_LENGTH=length)
    with worker.connect() as connection:
        connection.send(begin() + stream(PARAMS, params(variables)) + record(STDIN, data))
        connection.socket.shutdown(socket.SHUT_WR)
        answer = worker.judge(connection.receive(), "PATCH")
    assert (answer.status, answer.code) == (400, "invalid_body"), answer
    assert users.column(user, "name") == user.row["name"]


def test_a_body_that_is_not_read_does_not_disturb_the_next_request(worker, tokens, reader):
    assert worker("PUT", headers=tokens.bearer(reader), body=b"x" * 300000).status == 405
    assert_serves(worker, tokens, reader)


ODDITIES = {
    "nothing": b"",
    "half a header": b"\x01\x01\x00",
    "rubbish": b"GET /me HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
    "another version": b"\x02" + begin()[1:],
    "begin alone": begin(),
    "parameters cut": begin() + stream(PARAMS, params({"REQUEST_METHOD": "GET"}))[:12],
    "a name longer than the stream": begin() + stream(PARAMS, struct.pack("!II", 0xFFFFFFFF, 0xFFFFFFFF) + b"x"),
    "a role that is not ours": record(fastcgi.BEGIN_REQUEST, struct.pack("!HB5x", 3, 0)),
    "an abort": begin() + record(fastcgi.ABORT_REQUEST),
    "a record of an unknown type": record(99, b"x"),
}


@pytest.mark.parametrize("data", ODDITIES.values(), ids=ODDITIES)
def test_a_broken_client_does_not_harm_the_worker(worker, tokens, reader, data):
    with worker.connect() as connection:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        connection.socket.settimeout(5)
        try:
            while connection.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert_serves(worker, tokens, reader)


def test_a_client_that_goes_before_the_answer_does_not_harm_the_worker(worker, tokens, full_user):
    for _ in range(5):
        with worker.connect() as connection:
            connection.send(request_bytes(tokens, full_user))
    assert_serves(worker, tokens, full_user)


# ---- connections that are kept open (FCGI_KEEP_CONN)

def ask_on(connection, worker, tokens, user):
    """A request after which the connection is to stay."""
    variables, data = variables_of(headers=tokens.bearer(user))
    connection.send(begin(flags=fastcgi.KEEP_CONNECTION) + stream(PARAMS, params(variables)) + stream(STDIN, data))
    assert worker.judge(connection.receive()).status == 200


def assert_closed(connection, within_s):
    connection.socket.settimeout(within_s)
    assert connection.socket.recv(1) == b""


def test_a_kept_connection_takes_one_request_after_the_other(worker, tokens, reader):
    with worker.connect() as connection:
        for pause_s in (0, 0, 0.05, 0.3):
            time.sleep(pause_s)
            ask_on(connection, worker, tokens, reader)


def test_a_kept_connection_that_rests_is_let_go(worker, tokens, reader):
    with worker.connect() as connection:
        ask_on(connection, worker, tokens, reader)
        begun = time.monotonic()
        assert_closed(connection, 5)
        assert time.monotonic() - begun > 0.5
    assert_serves(worker, tokens, reader)


@pytest.mark.parametrize("kept", [1, 5])
def test_nobody_waits_for_a_kept_connection_that_rests(worker, tokens, reader, kept):
    """Each takes the worker from the one before it, and keeps it."""
    connections = [worker.connect() for _ in range(kept)]
    try:
        begun = time.monotonic()
        for connection in connections:
            ask_on(connection, worker, tokens, reader)
        assert_serves(worker, tokens, reader)
        assert time.monotonic() - begun < 1 + kept
        for connection in connections:
            assert_closed(connection, 1)
    finally:
        for connection in connections:
            connection.socket.close()


def test_a_kept_connection_that_the_server_closes_is_none(worker, tokens, reader):
    for _ in range(3):
        with worker.connect() as connection:
            ask_on(connection, worker, tokens, reader)
        assert_serves(worker, tokens, reader)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_worker_with_a_kept_connection_ends_at_once(worker, tokens, reader, number):
    with worker.connect() as connection:
        ask_on(connection, worker, tokens, reader)
        worker.signal(number)
        assert worker.wait(3) == 0
        assert_closed(connection, 1)


# ---- its end

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("served", [0, 1], ids=["never used", "used"])
def test_an_idle_worker_ends_at_once(worker, tokens, reader, number, served):
    wait_until(worker.socket.exists)
    for _ in range(served):
        assert_serves(worker, tokens, reader)
    time.sleep(0.3)
    begun = time.monotonic()
    worker.signal(number)
    assert worker.wait(1) == 0
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_the_request_in_hand_is_finished_while_its_body_arrives(worker, tokens, users, user, number):
    assert_serves(worker, tokens, user)
    variables, data = variables_of("PATCH", headers=tokens.bearer(user), body={"bio": "finished"})
    with worker.connect() as connection:
        connection.send(begin() + stream(PARAMS, params(variables)) + record(STDIN, data[:5]))
        time.sleep(0.3)
        worker.signal(number)
        time.sleep(0.3)
        connection.send(record(STDIN, data[5:]) + record(STDIN))
        assert worker.judge(connection.receive(), "PATCH").status == 200
    assert worker.wait(3) == 0
    assert users.column(user, "bio") == "finished"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_the_request_in_hand_is_finished_while_the_database_works(worker, tokens, users, user, installation, number):
    holder = installation.server.connect(database=installation.database)
    holder.begin()
    with holder.cursor() as cursor:
        cursor.execute("SELECT name FROM users WHERE id = %s FOR UPDATE", [user.row["id"].bytes])
    with worker.connect() as connection:
        connection.send(request_bytes(tokens, user, "PATCH", {"bio": "finished"}))
        wait_for_lock(installation)
        worker.signal(number)
        time.sleep(0.3)
        assert worker.is_running()
        holder.commit()
        holder.close()
        assert worker.judge(connection.receive(), "PATCH").status == 200
    assert worker.wait(3) == 0
    assert users.column(user, "bio") == "finished"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_connection_whose_first_bytes_are_under_way_is_not_dropped(worker, tokens, reader, number):
    assert_serves(worker, tokens, reader)
    with worker.connect() as connection:
        time.sleep(0.3)
        worker.signal(number)
        time.sleep(0.3)
        connection.send(request_bytes(tokens, reader))
        assert worker.judge(connection.receive()).status == 200
    assert worker.wait(3) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_what_has_come_before_the_signal_is_answered(worker, tokens, reader, number):
    """The other workers of the socket were not woken for it."""
    assert_serves(worker, tokens, reader)
    worker.signal(signal.SIGSTOP)
    with worker.connect() as connection:
        connection.send(request_bytes(tokens, reader))
        worker.signal(number)
        worker.signal(signal.SIGCONT)
        assert worker.judge(connection.receive()).status == 200
    assert worker.wait(3) == 0


@pytest.fixture
def hold_row(installation):
    """Keeps every PATCH of a user waiting until the function that it gives back is called."""
    with contextlib.ExitStack() as stack:
        def hold(user):
            holder = stack.enter_context(installation.server.connect(database=installation.database))
            holder.begin()
            with holder.cursor() as cursor:
                cursor.execute("SELECT name FROM users WHERE id = %s FOR UPDATE", [user.row["id"].bytes])
            return holder.commit
        yield hold


def connect_all(worker, stack, count):
    return [stack.enter_context(worker.connect()) for _ in range(count)]


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGUSR1], [signal.SIGTERM, signal.SIGTERM]],
                         ids=["SIGTERM", "SIGUSR1", "SIGTERM twice"])
@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
def test_all_that_waits_behind_the_request_in_hand_is_answered(start_worker, tokens, user, reader, installation,
                                                               hold_row, signals, tcp):
    """Nobody else would: lighttpd gives each of its workers a socket of its own."""
    worker = start_worker(tcp=True) if tcp else start_worker()
    assert_serves(worker, tokens, reader)
    release = hold_row(user)
    with contextlib.ExitStack() as stack:
        in_hand, *waiting = connect_all(worker, stack, 21)
        in_hand.send(request_bytes(tokens, user, "PATCH", {"bio": "in hand"}))
        wait_for_lock(installation)
        for connection in waiting:
            connection.send(request_bytes(tokens, reader))
        for number in signals:
            worker.signal(number)
            time.sleep(0.2)
        release()
        with in_hand:  # libfcgi waits for a time until the other side closes
            assert worker.judge(in_hand.receive(), "PATCH").status == 200
        for connection in waiting:
            with connection:
                assert worker.judge(connection.receive()).json["id"] == reader.id
    assert worker.wait(3) == 0


def test_at_a_socket_of_its_own_what_waits_is_answered_and_what_comes_later_refused(
        start_worker, tokens, user, reader, installation, hold_row):
    """A web server takes what is refused to another worker."""
    worker = start_worker(ME_PROCESS_SOCKET="own")
    assert_serves(worker, tokens, reader)
    release = hold_row(user)
    with worker.connect() as in_hand, worker.connect() as waiting, worker.connect() as silent:
        in_hand.send(request_bytes(tokens, user, "PATCH", {"bio": "in hand"}))
        wait_for_lock(installation)
        worker.signal()
        waiting.send(request_bytes(tokens, reader))
        release()
        with in_hand:
            assert worker.judge(in_hand.receive(), "PATCH").status == 200
        with waiting:
            assert worker.judge(waiting.receive()).status == 200
        time.sleep(0.2)  # until it waits for the silent one
        assert worker.is_running()
        with pytest.raises(ConnectionRefusedError):
            worker.connect()
        silent.send(request_bytes(tokens, reader))
        assert worker.judge(silent.receive()).status == 200
    assert worker.wait(3) == 0


def test_at_a_socket_of_its_own_steady_load_does_not_keep_a_worker_and_nothing_is_lost(start_worker, tokens, reader):
    worker = start_worker(ME_PROCESS_SOCKET="own")
    data = request_bytes(tokens, reader)

    def ask_on():
        count = 0
        while True:
            try:
                connection = worker.connect()
            except ConnectionRefusedError:
                return count
            with connection:
                connection.send(data)
                assert answers.parse_cgi(connection.receive().stdout).status == 200
            count += 1

    assert_serves(worker, tokens, reader)
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask_on) for _ in range(8)]
        time.sleep(0.5)
        worker.signal(signal.SIGTERM)
        assert worker.wait(3) == 0
    assert all(thread.result() > 0 for thread in asking)


def test_what_waits_and_says_nothing_does_not_keep_a_worker(worker, tokens, reader):
    """Each takes 2 seconds, and none is begun with 5 seconds after the signal; other signals give no more of them."""
    assert_serves(worker, tokens, reader)
    worker.signal(signal.SIGSTOP)
    with contextlib.ExitStack() as stack:
        connect_all(worker, stack, 10)
        begun = time.monotonic()
        worker.signal(signal.SIGTERM)
        worker.signal(signal.SIGCONT)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM):
            time.sleep(1)
            worker.signal(number)
        assert worker.wait(10) == 0
        assert 3 <= time.monotonic() - begun < 8


def test_what_waits_behind_one_that_says_nothing_is_answered(worker, tokens, reader):
    assert_serves(worker, tokens, reader)
    worker.signal(signal.SIGSTOP)
    with worker.connect(), worker.connect() as connection:
        connection.send(request_bytes(tokens, reader))
        worker.signal(signal.SIGTERM)
        worker.signal(signal.SIGCONT)
        assert worker.judge(connection.receive()).status == 200
    assert worker.wait(3) == 0


def test_steady_load_does_not_keep_a_worker(worker, tokens, reader):
    """There is always one more that waits."""
    data = request_bytes(tokens, reader)

    def ask_on():
        with contextlib.suppress(OSError, EOFError):  # it has ended
            while True:
                with worker.connect() as connection:
                    connection.send(data)
                    connection.receive()

    assert_serves(worker, tokens, reader)
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask_on) for _ in range(8)]
        time.sleep(0.5)
        assert not any(thread.done() for thread in asking)
        worker.signal(signal.SIGTERM)
        assert worker.wait(8) == 0
    for thread in asking:
        thread.result()


def test_a_worker_that_is_killed_takes_no_connection_with_it(start_worker, tokens, reader):
    """
    The first of two is woken for a connection, and ends before it accepts: it gets no time of the processor, for it
    has to leave that to another process.
    """
    second = start_worker(shell='exec 3<&0; "$0" <&3 3<&- & sleep 0.5; exec "$0" 3<&-')
    assert_serves(second, tokens, reader)
    wait_until(lambda: len(children_of(second.pid)) == 1, what="the first worker is alone beside it")
    first = children_of(second.pid)[0]
    processor = min(os.sched_getaffinity(0))
    os.sched_setaffinity(first, {processor})
    os.sched_setscheduler(first, os.SCHED_IDLE, os.sched_param(0))
    time.sleep(0.3)
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as busy:
        try:
            os.sched_setaffinity(busy.pid, {processor})
            time.sleep(0.1)
            os.kill(first, signal.SIGKILL)
            begun = time.monotonic()
            assert_serves(second, tokens, reader)
            assert time.monotonic() - begun < 5
        finally:
            busy.kill()


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


PIDFD_GETFD = 438  # the number of the system call, which Python has no name for


def make_waiting(pid):
    """Takes O_NONBLOCK from the socket that a worker listens on, as systemd does when it starts another worker on it."""
    process = os.pidfd_open(pid)
    listener = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, 0, 0)
    os.close(process)
    if listener < 0:
        pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    assert not os.get_blocking(listener), "a worker does not wait in accept"
    os.set_blocking(listener, True)
    os.close(listener)


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
def test_a_worker_ends_at_once_though_its_socket_was_made_to_wait(start_worker, tokens, reader, tcp):
    worker = start_worker(tcp=True) if tcp else start_worker()
    assert worker.get(tokens.bearer(reader)).status == 200
    make_waiting(worker.pid)
    worker.signal()
    assert worker.wait(5) == 0


def test_over_tcp_it_serves_and_ends_too(start_worker, tokens, reader):
    worker = start_worker(tcp=True)
    for _ in range(3):
        assert_serves(worker, tokens, reader)
    worker.signal(signal.SIGTERM)
    assert worker.wait(1) == 0


def test_a_connection_that_stays_silent_is_given_up(worker, tokens, reader):
    with worker.connect() as silent:
        assert_serves(worker, tokens, reader)
        with pytest.raises(EOFError):
            silent.receive()


def wait_for_lock(installation):
    """Until a transaction waits for a row. The table is not refreshed while it is read more often."""
    def waits():
        time.sleep(0.15)
        return installation.execute("SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'")

    wait_until(waits, what="the worker waits for the row")


def test_after_the_signal_no_further_request_is_taken(worker, tokens, reader):
    assert_serves(worker, tokens, reader)
    worker.signal(signal.SIGTERM)
    assert worker.wait(1) == 0
    with pytest.raises(OSError):
        worker.connect().receive()


# ---- its connection to the database

def connections_of(installation):
    rows = installation.execute(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s", [installation.worker_account])
    return [row[0] for row in rows]


def test_it_connects_when_the_first_request_needs_it(worker, tokens, reader, installation):
    wait_until(lambda: not connections_of(installation), what="the connections of earlier tests go")
    assert worker("OPTIONS").status == 204 and worker.get({}).status == 401
    assert connections_of(installation) == []
    assert_serves(worker, tokens, reader)
    assert len(connections_of(installation)) == 1


def test_it_keeps_its_connection(worker, tokens, user, installation):
    assert_serves(worker, tokens, user)
    before = connections_of(installation)
    for number in range(5):
        assert worker.patch(tokens.bearer(user), {"bio": str(number)}).status == 200
    assert connections_of(installation) == before


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_killed_connection_is_opened_again(worker, tokens, user, installation, method):
    wait_until(lambda: not connections_of(installation), what="the connections of earlier tests go")
    assert_serves(worker, tokens, user)
    for connection in connections_of(installation):
        installation.execute(f"KILL {connection}")
    answer = worker(method, headers=tokens.bearer(user), body={"bio": "x"} if method == "PATCH" else None)
    assert answer.status == 200, answer


def test_a_killed_connection_in_the_middle_of_a_patch_reports_nothing_as_done(worker, tokens, users, user, installation):
    wait_until(lambda: not connections_of(installation), what="the connections of earlier tests go")
    holder = installation.server.connect(database=installation.database)
    holder.begin()
    with holder.cursor() as cursor:
        cursor.execute("SELECT name FROM users WHERE id = %s FOR UPDATE", [user.row["id"].bytes])
    with worker.connect() as connection:
        connection.send(request_bytes(tokens, user, "PATCH", {"bio": "done"}))
        wait_for_lock(installation)
        for victim in connections_of(installation):
            installation.execute(f"KILL {victim}")
        holder.commit()
        holder.close()
        answer = worker.judge(connection.receive(), "PATCH")
    stored = users.column(user, "bio")
    assert (answer.status, stored) in [(200, "done"), (503, None)], answer
    assert_serves(worker, tokens, user)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_database_that_was_restarted_serves_the_next_request(worker, tokens, user, mariadb, how):
    bearer = tokens.bearer(user)
    assert worker.patch(bearer, {"bio": "before"}).status == 200
    getattr(mariadb, how)()
    try:
        answer = worker.get(bearer)
        assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    finally:
        mariadb.start()
    answer = worker.get(bearer)
    assert answer.status == 200 and answer.json["bio"] == "before", answer
    assert worker.patch(bearer, {"bio": "after"}).status == 200


def test_an_idle_connection_is_closed(start_worker, tokens, reader, installation):
    wait_until(lambda: not connections_of(installation), what="the connections of earlier tests go")
    worker = start_worker(ME_DATABASE_IDLE_CLOSE_S="1")
    assert_serves(worker, tokens, reader)
    assert len(connections_of(installation)) == 1
    wait_until(lambda: not connections_of(installation), 20, "the idle connection goes")
    assert_serves(worker, tokens, reader)


def test_a_connection_in_use_is_not_idle(start_worker, tokens, reader, installation):
    wait_until(lambda: not connections_of(installation), what="the connections of earlier tests go")
    worker = start_worker(ME_DATABASE_IDLE_CLOSE_S="1")
    assert_serves(worker, tokens, reader)
    before = connections_of(installation)
    for _ in range(4):
        time.sleep(0.4)
        assert_serves(worker, tokens, reader)
    assert connections_of(installation) == before


@pytest.fixture
def init_connect(mariadb):
    """Sets what the server runs at the start of every connection that is not root's."""
    def set_to(sql):
        mariadb.execute("SET GLOBAL init_connect = %s", [sql])
    yield set_to
    set_to("")


SURPRISES = {
    "a transaction": "START TRANSACTION",
    "a transaction with a snapshot": "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    "no autocommit": "SET autocommit = 0",
    "serializable": "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "another time zone": "SET time_zone = '+09:00'",
    "a lax mode": "SET sql_mode = ''",
    "quotes as identifiers": "SET sql_mode = 'ANSI'",
    "latin1": "SET NAMES latin1",
    "three bytes for a character": "SET NAMES utf8mb3",
}


@pytest.mark.parametrize("sql", SURPRISES.values(), ids=SURPRISES)
def test_whatever_state_a_connection_begins_in(worker, tokens, users, init_connect, sql):
    """A connection that is inside a transaction would read an old snapshot, and a ban be missed."""
    init_connect(sql)
    user = users.add("Zoë 👩‍🚀")
    session = users.add_session(user)
    bearer = tokens.bearer(user, sid=session)
    assert worker.get(bearer).json == user.expected()
    patched = worker.patch(bearer, {"bio": "日本 👩‍🚀"})
    assert patched.status == 200 and users.column(user, "bio") == "日本 👩‍🚀"
    assert worker.get(bearer).body == patched.body
    users.set_column(user, "status", "banned")
    assert worker.get(bearer).status == 403


def test_no_transaction_stays_open(worker, tokens, user, installation):
    for document in ({"bio": "x"}, {}, {"locale": "?"}):
        worker.patch(tokens.bearer(user), document)
    worker.patch({**tokens.bearer(user), "If-Match": '"x"'}, {"bio": "y"})
    worker.get(tokens.bearer(user))
    assert installation.execute("SELECT trx_id FROM information_schema.INNODB_TRX") == []


# ---- the process

def test_no_secret_is_in_the_process_list(worker, tokens, reader, installation):
    assert_serves(worker, tokens, reader)
    process = Path(f"/proc/{worker.pid}")
    shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    for secret in (installation.worker_password, installation.secret):
        assert secret.encode() not in shown


@pytest.mark.parametrize("closing", ["2>&-", ">&-", ">&- 2>&-"])
def test_closed_descriptors_are_not_written_into(start_worker, tokens, user, closing):
    """Else the connection to the database gets the number of standard error, and the log goes into it."""
    worker = start_worker(shell=f'exec "$0" {closing}', ME_LOG_LEVEL="debug")
    for number in range(3):
        assert worker.patch(tokens.bearer(user), {"bio": str(number)}).status == 200
        assert worker.get({}).status == 401


def test_descriptors_do_not_grow_in_number(worker, tokens, user, installation):
    def count():
        return len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))

    assert_serves(worker, tokens, user)
    time.sleep(0.2)  # until the connection of that request is closed
    before = count()
    for _ in range(20):
        worker.patch(tokens.bearer(user), {"locale": "?"})
        assert_serves(worker, tokens, user)
    for connection in connections_of(installation):
        installation.execute(f"KILL {connection}")
    assert_serves(worker, tokens, user)
    wait_until(lambda: count() == before, what=f"{before} descriptors as before")


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps freed memory, and finds leaks by itself")
def test_memory_does_not_grow(start_worker, tokens, users, user):
    """A leak of a kilobyte for each request would show."""
    worker = start_worker()
    bearer = tokens.bearer(user)

    def resident_kib():
        status = Path(f"/proc/{worker.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def serve(count):
        for number in range(count):
            worker.get(bearer)
            worker.get({"Authorization": "Bearer x.y.z"})
            worker.patch(bearer, {"bio": "x" * 1000 + str(number), "locale": None})

    serve(60)
    before = resident_kib()
    serve(200)
    assert resident_kib() - before < 400


def test_the_log_says_what_was_answered(start_worker, tokens, reader):
    worker = start_worker(ME_LOG_LEVEL="debug")
    answer = worker.get({**tokens.bearer(reader), "X-Request-Id": "my-id"})
    lines = [event for event in answer.log if event.get("request_id") == "my-id"]
    assert len(lines) == 1
    assert (lines[0]["method"], lines[0]["path"], lines[0]["status"]) == ("GET", "/me", "200")


def test_spawn_fcgi_starts_it(installation, tokens, reader, tmp_path):
    """As an init script does: a socket made by spawn-fcgi, several workers behind it."""
    pid_file, path = tmp_path / "pid", tmp_path / "w.sock"
    subprocess.run(
        ["spawn-fcgi", "-s", str(path), "-P", str(pid_file), "-M", "0600", "-F", "2", "--",
         str(program("me.fcgi"))],
        check=True, timeout=30, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=clean_environment(ME_CONF=str(installation.conf)))
    pids = [int(pid) for pid in pid_file.read_text().split()]
    try:
        assert len(pids) == 2
        for _ in range(6):
            with fastcgi.Connection(path) as connection:
                connection.send(request_bytes(tokens, reader))
                assert answers.parse_cgi(connection.receive().stdout).status == 200
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not any(map(is_running, pids)), 20, "the workers have ended")
