"""The database away, overloaded, slow or not migrated: 503, and nothing internal in it."""

import socket
import threading
import time

import pytest

from support.installation import write_secret
from support.plugins import PluginServer
from support.together import at_once


def assert_unavailable(answer):
    assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    assert answer.events("error"), "nothing is in the log"


def request(cgi, tokens, user, method="GET", **environment):
    body = {"bio": "x"} if method == "PATCH" else None
    return cgi(method, headers=tokens.bearer(user), body=body, **environment)


BOTH = pytest.mark.parametrize("method", ["GET", "PATCH"])


@BOTH
def test_no_socket(cgi, tokens, reader, tmp_path, method):
    host = tmp_path / "nothing.sock"
    answer = request(cgi, tokens, reader, method, ME_DATABASE_HOST=str(host))
    assert_unavailable(answer)
    assert str(host) in str(answer.events("error")), "the log does not name the host"


def test_a_refused_tcp_port(cgi, tokens, reader):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = request(cgi, tokens, reader, ME_DATABASE_HOST=f"127.0.0.1:{port}", ME_DATABASE_TLS="off")
    assert_unavailable(answer)
    assert "is reached by the path of that" in str(answer.events("error"))


def test_retry_after_is_a_setting(cgi, tokens, reader, tmp_path):
    answer = request(cgi, tokens, reader, ME_DATABASE_HOST=str(tmp_path / "no"), ME_REQUEST_RETRY_AFTER_S="17")
    assert answer.headers["Retry-After"] == "17"


def test_the_next_host_is_tried(cgi, tokens, reader, installation, tmp_path):
    hosts = f"{tmp_path / 'nothing.sock'}, {installation.server.socket}"
    assert request(cgi, tokens, reader, ME_DATABASE_HOST=hosts).status == 200


def test_a_wrong_password(cgi, tokens, reader, tmp_path):
    wrong = write_secret(tmp_path / "wrong.password", "wrong\n")
    answer = request(cgi, tokens, reader, ME_DATABASE_PASSWORD_FILE=str(wrong))
    assert_unavailable(answer)


def test_an_account_that_needs_a_plugin(cgi, tokens, reader, tmp_path):
    """The library's own error says less, and with the number of what came of it."""
    server = PluginServer(tmp_path / "plugin.sock", "no_such_plugin")
    try:
        answer = request(cgi, tokens, reader, ME_DATABASE_HOST=str(tmp_path / "plugin.sock"))
    finally:
        server.stop()
    assert_unavailable(answer)
    assert "IDENTIFIED VIA mysql_native_password" in str(answer.events("error"))


def test_what_each_of_several_hosts_said_is_logged(cgi, tokens, reader, installation):
    """The last one is the one that matters: it is there, and refuses."""
    missing = [f"/nonexistent/run/mysqld/mysqld{n}.sock" for n in range(4)]
    hosts = ", ".join([*missing, str(installation.server.socket)])
    answer = request(cgi, tokens, reader, ME_DATABASE_HOST=hosts, ME_DATABASE_USER="nobody_here")
    assert_unavailable(answer)
    said = str(answer.events("error"))
    assert all(host in said for host in missing) and "Access denied" in said and "--print-grants" in said


def test_an_unknown_account(cgi, tokens, reader):
    assert_unavailable(request(cgi, tokens, reader, ME_DATABASE_USER="nobody_here"))


def test_an_unknown_database(cgi, tokens, reader):
    assert_unavailable(request(cgi, tokens, reader, ME_DATABASE_NAME="no_such_database"))


@pytest.fixture(scope="module")
def worker_account(mariadb, installation):
    """The worker's account as SQL names it."""
    rows = mariadb.execute(
        "SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user WHERE User = %s", [installation.worker_account])
    assert len(rows) == 1, "the worker has one account"
    return rows[0][0]


@pytest.mark.parametrize("change, back, advice", [
    ("ACCOUNT LOCK", "ACCOUNT UNLOCK", "ACCOUNT UNLOCK"), ("PASSWORD EXPIRE", "IDENTIFIED BY %s", "--print-grants"),
])
def test_an_account_that_is_to_do_nothing(
        cgi, tokens, reader, mariadb, installation, worker_account, change, back, advice):
    mariadb.execute(f"ALTER USER {worker_account} {change}")
    try:
        answer = request(cgi, tokens, reader)
    finally:
        mariadb.execute(f"ALTER USER {worker_account} {back}", [installation.worker_password] if "%s" in back else None)
    assert_unavailable(answer)
    assert advice in str(answer.events("error"))


def test_a_worker_outlives_the_expiry_of_its_password(worker, tokens, reader, mariadb, installation, worker_account):
    """A connection that was made meanwhile would refuse everything for as long as requests keep it."""
    bearer = tokens.bearer(reader)
    mariadb.execute(f"ALTER USER {worker_account} PASSWORD EXPIRE")
    try:
        assert [worker.get(bearer).status for _ in range(2)] == [503, 503]
    finally:
        mariadb.execute(f"ALTER USER {worker_account} IDENTIFIED BY %s", [installation.worker_password])
    assert worker.get(bearer).status == 200


def test_a_server_that_cuts_results_short(cgi, tokens, full_user, mariadb):
    """Rows that are missing would be a profile that is wrong, or a session that nobody knows."""
    bearer = tokens.bearer(full_user)
    whole = cgi.get(bearer, ME_CACHE_MODE="off").json
    mariadb.execute("SET GLOBAL sql_select_limit = 1")
    try:
        assert cgi.get(bearer, ME_CACHE_MODE="off").json == whole
    finally:
        mariadb.execute("SET GLOBAL sql_select_limit = DEFAULT")


def test_no_more_prepared_statements(cgi, tokens, reader, mariadb):
    mariadb.execute("SET GLOBAL max_prepared_stmt_count = 0")
    try:
        answer = request(cgi, tokens, reader)
    finally:
        mariadb.execute("SET GLOBAL max_prepared_stmt_count = DEFAULT")
    assert_unavailable(answer)
    assert "max_prepared_stmt_count" in str(answer.events("error"))


@pytest.fixture(scope="module")
def empty_database(mariadb, worker_account):
    """Its name; the worker may use it for so long."""
    mariadb.execute("CREATE DATABASE me_empty")
    mariadb.execute(f"GRANT SELECT, UPDATE ON me_empty.* TO {worker_account}")
    yield "me_empty"
    mariadb.execute(f"REVOKE SELECT, UPDATE ON me_empty.* FROM {worker_account}")
    mariadb.execute("DROP DATABASE me_empty")


@BOTH
def test_a_database_that_is_not_migrated(cgi, tokens, reader, empty_database, method):
    answer = request(cgi, tokens, reader, method, ME_DATABASE_NAME=empty_database)
    assert_unavailable(answer)
    assert "migrate" in str(answer.events("error")), "the log does not say what to do"


@pytest.fixture
def limit(mariadb, worker_account):
    """Sets how many connections the worker's account may have at once."""
    def set_limit(count):
        mariadb.execute(f"ALTER USER {worker_account} WITH MAX_USER_CONNECTIONS {count}")

    yield set_limit
    set_limit(0)


@pytest.fixture
def held(mariadb, installation, limit):
    """The one connection that the account may have; close() lets go."""
    limit(1)
    connection = mariadb.connect(installation.worker_account, installation.worker_password, installation.database)
    yield connection
    if connection.open:
        connection.close()


@BOTH
def test_too_many_connections_of_the_account(cgi, tokens, reader, held, method):
    begin = time.monotonic()
    answer = request(cgi, tokens, reader, method)
    assert_unavailable(answer)
    assert answer.headers["Retry-After"] == "5"
    assert "fewer workers" in str(answer.events("error")), "the log does not say what to do"
    assert time.monotonic() - begin < 5


def test_a_connection_that_becomes_free_is_waited_for(cgi, tokens, reader, held):
    release = threading.Timer(0.3, held.close)
    release.start()
    try:
        assert request(cgi, tokens, reader).status == 200
    finally:
        release.join()


def test_many_processes_at_the_limit_of_the_account(cgi, tokens, users, limit):
    """As on shared hosting, where each request is a process and an account has few connections."""
    people = [users.add(f"Client {n}") for n in range(8)]
    limit(2)
    answers = at_once([lambda user=user: request(cgi, tokens, user) for user in people])
    statuses = {answer.status for answer in answers}
    assert 200 in statuses and statuses <= {200, 503}, answers
    assert all("Retry-After" in answer.headers for answer in answers if answer.status == 503)


@pytest.fixture
def silent_server(tmp_path):
    """Accepts connections and never says a word."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        yield path


def test_a_server_that_says_nothing(cgi, tokens, reader, silent_server):
    begin = time.monotonic()
    answer = request(cgi, tokens, reader, ME_DATABASE_HOST=str(silent_server), ME_DATABASE_CONNECT_TIMEOUT_S="1")
    assert_unavailable(answer)
    assert time.monotonic() - begin < 5


def locked(mariadb, installation, statement):
    """A connection of root that holds a lock; closing it lets go."""
    connection = mariadb.connect(database=installation.database)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    return connection


def test_a_read_that_takes_too_long(cgi, tokens, reader, mariadb, installation):
    holder = locked(mariadb, installation, "LOCK TABLES users WRITE")
    try:
        begin = time.monotonic()
        assert_unavailable(request(cgi, tokens, reader, ME_DATABASE_READ_TIMEOUT_S="1"))
        assert time.monotonic() - begin < 10
    finally:
        holder.close()
    assert request(cgi, tokens, reader).status == 200


@pytest.fixture
def locked_row(user, mariadb, installation):
    """A transaction that holds the user's row; commit() or close() lets go."""
    holder = mariadb.connect(database=installation.database)
    holder.begin()
    with holder.cursor() as cursor:
        cursor.execute("SELECT name FROM users WHERE id = %s FOR UPDATE", [user.row["id"].bytes])
    yield holder
    holder.close()


@pytest.mark.parametrize("held_s, environment", [
    pytest.param(0.5, {}, id="for a moment"),
    pytest.param(1.5, {"ME_DATABASE_READ_TIMEOUT_S": "2"}, id="longer than one lock time-out"),
])
def test_a_patch_waits_for_a_row_that_is_locked(cgi, tokens, user, locked_row, held_s, environment):
    release = threading.Timer(held_s, locked_row.commit)
    release.start()
    try:
        answer = request(cgi, tokens, user, "PATCH", **environment)
    finally:
        release.join()
    assert answer.status == 200 and answer.json["bio"] == "x", answer


def test_a_row_that_stays_locked_is_given_up(cgi, tokens, users, user, locked_row):
    begin = time.monotonic()
    answer = request(cgi, tokens, user, "PATCH", ME_DATABASE_READ_TIMEOUT_S="2")
    assert_unavailable(answer)
    assert time.monotonic() - begin < 10
    assert users.column(user, "bio") is None


def test_a_reader_does_not_wait_for_a_locked_row(cgi, tokens, user, locked_row):
    begin = time.monotonic()
    assert request(cgi, tokens, user).status == 200
    assert time.monotonic() - begin < 1


def test_a_refused_write_is_not_reported_as_done(cgi, tokens, users, user, installation):
    """A constraint that somebody added; the program does not know it."""
    installation.execute("ALTER TABLE users ADD CONSTRAINT no_tests CHECK (bio IS NULL OR bio <> 'forbidden')")
    try:
        answer = cgi.patch(tokens.bearer(user), {"bio": "forbidden"})
        assert answer.status == 500 and answer.code == "internal_error", answer
        assert answer.events("error"), "nothing is in the log"
        assert users.column(user, "bio") is None
    finally:
        installation.execute("ALTER TABLE users DROP CONSTRAINT no_tests")
