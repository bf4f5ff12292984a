"""What could make a kept profile stale, each by itself. They have a database that nobody else uses."""

import subprocess
import time

import pymysql
import pytest

from support.cutting import CuttingProxy, error_packet
from support.installation import Installation
from support.processes import wait_until
from support.users import Users

OF_THE_CLIENT_LIBRARY = 2998  # an error that it may have in another version: what it means nobody knows
LOOK_S = 1.1  # the triggers are looked at once a second
TABLES = ("users", "user_emails", "user_identities", "user_phone_numbers", "user_badges", "user_fraud_information",
          "sessions")


@pytest.fixture(scope="module")
def installation(mariadb, tmp_path_factory):
    """In place of that of the other tests."""
    return Installation(mariadb, tmp_path_factory.mktemp("hazards"), "hazards").prepare_database()


@pytest.fixture(scope="module")
def tokens(installation):
    return installation.tokens


@pytest.fixture
def user(installation):
    return Users(installation).full()


@pytest.fixture
def worker(start_worker):
    return start_worker(ME_LOG_LEVEL="debug")


@pytest.fixture
def other(start_worker):
    """One that keeps nothing, to be compared with."""
    return start_worker(ME_CACHE_MODE="off")


def source(answer) -> str:
    return answer.log[-1].get("cache")


def keep(worker, bearer):
    """What comes from what is kept: after a test that turned it off that may take a second."""
    wait_until(lambda: source(worker.get(bearer)) != "off", 2 * LOOK_S, "profiles are kept again")
    answer = worker.get(bearer)
    assert (answer.status, source(answer)) == (200, "hit")
    return answer


def assert_right(worker, other, bearer, *sources):
    answer = worker.get(bearer)
    assert answer.body == other.get(bearer).body
    assert source(answer) in (sources or ("miss",))
    return answer


def revision_of(installation, user):
    return installation.execute("SELECT revision FROM users WHERE id = %s", [user.row["id"].bytes])[0][0]


def test_an_application_that_writes_an_old_row_back(installation, worker, other, tokens, user):
    """It keeps whole rows, the revision among their columns."""
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    name, bio, revision = installation.execute("SELECT name, bio, revision FROM users WHERE id = %s", [key])[0]
    installation.execute("INSERT INTO user_badges (user_id, scope, name) VALUES (%s, 'new', 'one')", [key])
    keep(worker, bearer)
    installation.execute("UPDATE users SET name = %s, bio = %s, revision = %s WHERE id = %s", [name, bio, revision, key])
    assert revision_of(installation, user) > revision
    assert_right(worker, other, bearer)


def test_a_change_that_is_rolled_back_leaves_what_was(installation, worker, other, tokens, user):
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    before = keep(worker, bearer)
    connection = installation.server.connect(database=installation.database)
    for _ in range(3):
        connection.begin()
        connection.cursor().execute("UPDATE users SET bio = 'never' WHERE id = %s", [key])
        connection.cursor().execute("DELETE FROM user_emails WHERE user_id = %s", [key])
        assert worker.get(bearer).body == before.body
        connection.rollback()
        assert assert_right(worker, other, bearer, "hit").body == before.body
    connection.close()


def test_a_users_row_that_is_made_again(installation, worker, other, tokens, user):
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    installation.execute("DELETE FROM users WHERE id = %s", [key])
    assert worker.get(bearer).status == 401
    installation.execute("INSERT INTO users (id, status, name, revision) VALUES (%s, 'active', 'New', 1)", [key])
    assert assert_right(worker, other, bearer).json["name"] == "New"


@pytest.mark.parametrize("table", TABLES)
def test_truncate_is_refused(installation, worker, other, tokens, user, table):
    keep(worker, tokens.bearer(user))
    with pytest.raises(pymysql.err.Error) as refused:
        installation.execute(f"TRUNCATE TABLE {table}")
    assert refused.value.args[0] == 1701
    assert_right(worker, other, tokens.bearer(user), "hit")


# ---- triggers and tables that are made anew

def trigger_of(installation, name) -> str:
    return installation.execute(f"SHOW CREATE TRIGGER {name}")[0][2]


def test_a_trigger_that_is_dropped_turns_it_off(installation, worker, other, tokens, user):
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    text = trigger_of(installation, "user_badges_revision_insert")
    installation.execute("DROP TRIGGER user_badges_revision_insert")
    try:
        time.sleep(LOOK_S)
        installation.execute("INSERT INTO user_badges (user_id, scope, name) VALUES (%s, 'un', 'seen')", [key])
        assert "un:seen" in assert_right(worker, other, bearer, "off").json["badges"]
        assert source(worker.patch(bearer, {"bio": "off"})) == "off"
    finally:
        installation.execute(text)
    time.sleep(LOOK_S)
    assert "un:seen" in assert_right(worker, other, bearer).json["badges"]
    keep(worker, bearer)


@pytest.fixture
def proxy(installation, tmp_path):
    proxy = CuttingProxy(installation.server.socket, tmp_path / "proxy.sock")
    yield proxy
    proxy.close()


def test_a_look_at_the_triggers_that_got_no_answer_says_nothing_to_others(start_worker, proxy, tokens, user):
    bearer = tokens.bearer(user)
    one, another = (start_worker(ME_DATABASE_HOST=proxy.path, ME_LOG_LEVEL="debug") for _ in range(2))
    keep(one, bearer)
    time.sleep(LOOK_S)
    proxy.cut(2, b"revision_guard")
    assert (source(another.get(bearer)), proxy.cuts_left) == ("off", 0)
    assert source(one.get(bearer)) == "hit"


def test_a_look_at_the_triggers_is_about_the_connection_that_answered_it(start_worker, proxy, tokens, user):
    bearer = tokens.bearer(user)
    worker = start_worker(ME_DATABASE_HOST=proxy.path, ME_LOG_LEVEL="debug")
    keep(worker, bearer)
    time.sleep(LOOK_S)
    proxy.cut(1)
    assert (source(worker.get(bearer)), proxy.cuts_left) == ("hit", 0)


def test_a_change_that_may_have_been_done_is_not_tried_again(start_worker, proxy, tokens, user):
    """The client library fails after the statement was sent: a second try would meet what the first has done."""
    bearer = tokens.bearer(user)
    worker = start_worker(ME_DATABASE_HOST=proxy.path, ME_LOG_LEVEL="debug")
    etag = keep(worker, bearer).headers["ETag"]
    proxy.forge(b"done already", error_packet(OF_THE_CLIENT_LIBRARY))
    answer = worker.patch({**bearer, "If-Match": etag}, {"bio": "done already"})
    assert (answer.status, proxy.cuts_left) == (503, 0)
    assert worker.get(bearer).json["bio"] == "done already"


def test_what_was_kept_before_a_trigger_was_made_anew_is_not_shown(installation, worker, other, tokens, user):
    """Within the second in which nobody looked: the revision is the same, the rows are not."""
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    revision = revision_of(installation, user)
    text = trigger_of(installation, "user_badges_revision_insert")
    installation.execute("DROP TRIGGER user_badges_revision_insert")
    installation.execute("INSERT INTO user_badges (user_id, scope, name) VALUES (%s, 'un', 'seen')", [key])
    installation.execute(text)
    assert revision_of(installation, user) == revision
    time.sleep(LOOK_S)
    assert "un:seen" in assert_right(worker, other, bearer).json["badges"]


def test_a_trigger_of_another_text_is_none(installation, worker, tokens, user):
    text = trigger_of(installation, "user_emails_revision_update")
    keep(worker, tokens.bearer(user))
    installation.execute("CREATE OR REPLACE TRIGGER user_emails_revision_update BEFORE UPDATE ON user_emails"
                         " FOR EACH ROW UPDATE users SET revision = revision + 0 WHERE id = NEW.user_id")
    try:
        time.sleep(LOOK_S)
        assert source(worker.get(tokens.bearer(user))) == "off"
    finally:
        installation.execute("DROP TRIGGER user_emails_revision_update")
        installation.execute(text)


def test_a_table_that_is_restored(installation, worker, other, tokens, user):
    """As a dump does it: the table is dropped and filled before it has triggers. The revision stays what it was."""
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    installation.execute("CREATE TABLE dumped AS SELECT * FROM user_badges")
    installation.execute("DELETE FROM user_badges WHERE user_id = %s", [key])
    assert keep(worker, bearer).json["badges"] == []
    revision = revision_of(installation, user)
    names = [f"user_badges_revision_{event}" for event in ("insert", "update", "delete")]
    texts = [trigger_of(installation, name) for name in names]
    table = installation.execute("SHOW CREATE TABLE user_badges")[0][1]
    connection = installation.server.connect(database=installation.database)
    cursor = connection.cursor()
    for statement in ["SET foreign_key_checks = 0", "DROP TABLE user_badges", table,
                      "INSERT INTO user_badges SELECT * FROM dumped", *texts, "DROP TABLE dumped"]:
        cursor.execute(statement)
    connection.close()
    assert revision_of(installation, user) == revision
    time.sleep(LOOK_S)
    assert assert_right(worker, other, bearer).json["badges"] != []
    keep(worker, bearer)


def test_all_is_restored_to_what_it_was(installation, worker, other, tokens, user):
    """The revision goes back, and then comes to where it was before, by another change."""
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    old = installation.execute("SELECT * FROM users WHERE id = %s", [key])[0]
    installation.execute("UPDATE users SET bio = 'after the dump', revision = revision + 1 WHERE id = %s", [key])
    keep(worker, bearer)
    text = trigger_of(installation, "users_revision_update")
    installation.execute("DROP TRIGGER users_revision_update")
    installation.execute("UPDATE users SET bio = %s, revision = %s WHERE id = %s", [old[3], revision_before(old), key])
    installation.execute(text)
    installation.execute("UPDATE users SET bio = 'another change', revision = revision + 1 WHERE id = %s", [key])
    time.sleep(LOOK_S)
    assert assert_right(worker, other, bearer).json["bio"] == "another change"


def revision_before(row) -> int:
    """It is the last column of users."""
    return row[-1]


def test_a_server_that_was_started_again_begins_anew(installation, worker, other, tokens, user):
    bearer = tokens.bearer(user)
    keep(worker, bearer)
    installation.server.stop()
    time.sleep(1)
    installation.server.start()
    assert_right(worker, other, bearer, "miss", "off")
    time.sleep(LOOK_S)
    worker.get(bearer)
    keep(worker, bearer)


# ---- clocks and transactions

EARLIER_S = 3


@pytest.fixture
def earlier(start_worker):
    """One whose clock for durations is behind that of the others, as it is when the host was started anew."""
    if subprocess.run(["unshare", "--time", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a clock of one's own takes root, and a kernel with time namespaces")
    return start_worker(shell=f'exec unshare --time --monotonic -{EARLIER_S} "$0"', ME_LOG_LEVEL="debug")


def test_a_look_at_the_triggers_is_old_though_its_time_comes_again(installation, worker, earlier, other, tokens, user):
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    time.sleep(LOOK_S)
    looked_s = time.monotonic()
    keep(worker, bearer)
    text = trigger_of(installation, "user_badges_revision_insert")
    installation.execute("DROP TRIGGER user_badges_revision_insert")
    try:
        installation.execute("INSERT INTO user_badges (user_id, scope, name) VALUES (%s, 'un', 'seen')", [key])
        time.sleep(max(looked_s + EARLIER_S + 0.3 - time.monotonic(), 0))
        assert "un:seen" in assert_right(earlier, other, bearer, "off").json["badges"]
    finally:
        installation.execute(text)


def set_up_connections(installation, statement):
    """What the server runs on each new connection that is not root's; the old ones are ended."""
    installation.execute("SET GLOBAL init_connect = %s", [statement])
    for (number,) in installation.execute("SELECT id FROM information_schema.PROCESSLIST WHERE user = %s",
                                          [installation.worker_account]):
        installation.execute(f"KILL {number}")


@pytest.fixture
def on_connect(installation):
    yield lambda statement: set_up_connections(installation, statement)
    set_up_connections(installation, "")


# Each connection's clock stands at its own second, so no session may end about there; one of the user's ends in an hour.
@pytest.mark.parametrize("offset_s", [-3600, 2700])
def test_a_clock_that_was_set(installation, worker, other, tokens, user, on_connect, offset_s):
    """What was rendered later than now is not shown, nor what counts sessions that have ended by now."""
    users = Users(installation)
    users.add_session(user, expires_in_s=1800)
    bearer = tokens.bearer(user)
    before = keep(worker, bearer)
    on_connect(f"SET timestamp = UNIX_TIMESTAMP() + {offset_s}")
    time.sleep(0.1)
    answer = worker.get(bearer)
    assert answer.body == other.get(bearer).body
    if offset_s > 0:
        assert answer.json["activeSessions"] < before.json["activeSessions"]
    changed = worker.patch(bearer, {"bio": "by another clock"})
    assert changed.status == 200 and changed.body == other.get(bearer).body


def test_a_user_banned_on_another_connection_is_seen_whatever_the_server_sets_up(
        installation, worker, tokens, user, on_connect):
    """autocommit and the isolation level are the worker's own."""
    on_connect("SET autocommit = 0, tx_isolation = 'REPEATABLE-READ'")
    bearer = tokens.bearer(user)
    keep(worker, bearer)
    Users(installation).set_column(user, "status", "banned")
    assert worker.get(bearer).status == 403


def test_a_member_that_the_kept_profile_lacks_is_not_lost(installation, worker, other, tokens, user):
    """A change by another, a moment before the PATCH: the condition does not hold, the transaction does it."""
    bearer, key = tokens.bearer(user), user.row["id"].bytes
    keep(worker, bearer)
    installation.execute("UPDATE users SET locale = 'nl' WHERE id = %s", [key])
    changed = worker.patch(bearer, {"bio": "mine"})
    assert (changed.json["locale"], changed.json["bio"], source(changed)) == ("nl", "mine", "miss")
    assert assert_right(worker, other, bearer, "hit").body == changed.body
