"""The audit trail that PATCH leaves: a row for each that changed anything, or no change at all."""

import contextlib
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pymysql
import pytest

from support import audit
from support.cgi import Program
from support.fastcgi import Worker
from support.users import UPDATED, Users

MEMBERS = {  # member: column, a value, another value
    "name": ("name", "Grace Hopper", "Zoë 王 👩‍🚀"),
    "bio": ("bio", "Line one\n\tline two \"quoted\" \\ /", ""),
    "avatarUrl": ("avatar_url", "https://images.example.com/a.png?s=64#x", "http://[2001:db8::1]:8080/"),
    "locale": ("locale", "en-GB", "zh-Hant-TW"),
    "timezone": ("timezone", "Europe/Amsterdam", "America/Argentina/Buenos_Aires"),
}
CLEARABLE = [member for member in MEMBERS if member != "name"]
each_member = pytest.mark.parametrize("member", MEMBERS)


@pytest.fixture(scope="module")
def installation(mariadb, tmp_path_factory):
    """In place of that of the other tests: it keeps values."""
    return audit.install(mariadb, tmp_path_factory.mktemp("audit"), "audit", "values")


@pytest.fixture(scope="module")
def tokens(installation):
    return installation.tokens


@pytest.fixture(scope="module")
def users(installation):
    return Users(installation)


@pytest.fixture(scope="module")
def cgi(installation):
    return Program(installation.conf, [installation.secret, installation.worker_password])


@pytest.fixture
def set_user(users):
    """A user with all five members set."""
    return users.add(**{column: value for column, value, _ in MEMBERS.values()})


@pytest.fixture
def trail(installation):
    return lambda user: audit.trail(installation, user)


def values(row):
    """The old and new values of a row, once its two lists of members were seen to agree."""
    assert list(row["values"]) == row["members"], row
    assert all(list(pair) == ["old", "new"] for pair in row["values"].values()), row
    return {member: (pair["old"], pair["new"]) for member, pair in row["values"].items()}


# ---- what a change leaves

@each_member
def test_a_member_that_is_set(cgi, tokens, users, trail, member):
    user = users.add("Ada Lovelace")
    value = MEMBERS[member][1]
    assert cgi.patch(tokens.bearer(user), {member: value}).status == 200
    (row,) = trail(user)
    assert values(row) == {member: ("Ada Lovelace" if member == "name" else None, value)}


@each_member
def test_a_member_that_is_replaced(cgi, tokens, set_user, trail, member):
    _, old, new = MEMBERS[member]
    assert cgi.patch(tokens.bearer(set_user), {member: new}).status == 200
    (row,) = trail(set_user)
    assert values(row) == {member: (old, new)}


@pytest.mark.parametrize("member", CLEARABLE)
def test_a_member_that_is_cleared(cgi, tokens, set_user, trail, member):
    assert cgi.patch(tokens.bearer(set_user), {member: None}).status == 200
    (row,) = trail(set_user)
    assert values(row) == {member: (MEMBERS[member][1], None)}


def test_all_members_at_once_are_one_row(cgi, tokens, set_user, trail):
    patch = {member: new for member, (_, _, new) in reversed(MEMBERS.items())}
    assert cgi.patch(tokens.bearer(set_user), patch).status == 200
    (row,) = trail(set_user)
    assert row["members"] == list(MEMBERS)
    assert values(row) == {member: (old, new) for member, (_, old, new) in MEMBERS.items()}


def test_only_what_became_another_value_is_in_it(cgi, tokens, set_user, trail):
    patch = {"name": MEMBERS["name"][1], "bio": "new", "locale": "EN-gb", "timezone": None}
    assert cgi.patch(tokens.bearer(set_user), patch).status == 200
    (row,) = trail(set_user)
    assert values(row) == {"bio": (MEMBERS["bio"][1], "new"), "timezone": ("Europe/Amsterdam", None)}


def test_a_locale_is_there_as_it_was_stored(cgi, tokens, user, trail):
    assert cgi.patch(tokens.bearer(user), {"locale": "zh-hant-tw"}).json["locale"] == "zh-Hant-TW"
    assert values(trail(user)[0]) == {"locale": (None, "zh-Hant-TW")}


def test_the_longest_values(cgi, tokens, users, trail):
    old, new = "\x01" * 4096, "👩" * 4096
    user = users.add("\x01" * 255, bio=old, avatar_url="\x01" * 2048)
    patch = {"name": "👩" * 255, "bio": new, "avatarUrl": "https://example.com/" + "a" * 2028}
    assert cgi.patch(tokens.bearer(user), patch).status == 200
    assert values(trail(user)[0]) == {
        "name": ("\x01" * 255, "👩" * 255), "bio": (old, new), "avatarUrl": ("\x01" * 2048, patch["avatarUrl"])}


def test_what_another_application_stored_is_told_as_it_is(cgi, tokens, users, trail):
    user = users.add(bio="a\0b\x7f\u2028")
    assert cgi.patch(tokens.bearer(user), {"bio": "new"}).status == 200
    assert values(trail(user)[0]) == {"bio": ("a\0b\x7f\u2028", "new")}


def test_each_change_is_a_row_of_its_own(cgi, tokens, user, trail):
    for bio in ("one", "two", "two", "three"):
        assert cgi.patch(tokens.bearer(user), {"bio": bio}).status == 200
    rows = trail(user)
    assert [values(row)["bio"] for row in rows] == [(None, "one"), ("one", "two"), ("two", "three")]
    assert [row["changed_at"] for row in rows] == sorted(row["changed_at"] for row in rows)


def test_it_outlives_its_user(cgi, tokens, users, user, trail):
    assert cgi.patch(tokens.bearer(user), {"bio": "new"}).status == 200
    users.delete(user)
    assert len(trail(user)) == 1


# ---- who, when, by what

def test_time_and_request(cgi, tokens, user, trail):
    begin = datetime.now(timezone.utc) - timedelta(seconds=2)
    given = cgi.patch({**tokens.bearer(user), "X-Request-Id": "trace-7.b_C"}, {"bio": "one"})
    made = cgi.patch(tokens.bearer(user), {"bio": "two"})
    first, second = trail(user)
    assert first["request_id"] == given.headers["X-Request-Id"] == "trace-7.b_C"
    assert second["request_id"] == made.headers["X-Request-Id"]
    for row in (first, second):
        assert begin <= row["changed_at"] <= datetime.now(timezone.utc) + timedelta(seconds=2)


def test_the_time_is_the_databases_though_updated_at_is_ahead(cgi, tokens, users, trail):
    user = users.add(updated_at=datetime.now(timezone.utc) + timedelta(days=400))
    assert cgi.patch(tokens.bearer(user), {"bio": "new"}).status == 200
    assert trail(user)[0]["changed_at"] < datetime.now(timezone.utc) + timedelta(minutes=1)


@pytest.mark.parametrize("claims, client", [
    ({}, None),
    ({"azp": "web"}, "web"),
    ({"client_id": "app"}, "app"),
    ({"client_id": "app", "azp": "web"}, "web"),
    ({"azp": ["web"], "client_id": "app"}, "app"),
    ({"azp": 7}, None),
    ({"azp": ""}, None),
    ({"azp": "wéb\n\"x\""}, "wéb\n\"x\""),
    ({"azp": "x" * 4000}, "x" * 4000),
], ids=lambda value: str(value)[:40])
def test_issuer_and_client_of_the_token(cgi, tokens, user, trail, claims, client):
    answer = cgi.patch(tokens.bearer(user, algorithm="RS256", **claims), {"bio": "new"})
    assert answer.status == 200, answer
    (row,) = trail(user)
    assert (row["issuer"], row["client"]) == (tokens.issuer, client)


def test_a_token_without_issuer(cgi, tokens, user, trail):
    assert cgi.patch(tokens.bearer(user, iss=None), {"bio": "new"}, ME_TOKEN_ISSUER="").status == 200
    assert trail(user)[0]["issuer"] is None


def test_a_token_that_names_an_identity(cgi, tokens, users, user, trail):
    """The row is the user's, whatever the token calls them."""
    users.add_identity(user, "somebody", issuer=tokens.issuer)
    answer = cgi.patch(tokens.bearer("somebody"), {"bio": "new"}, ME_TOKEN_SUBJECT="identity")
    assert answer.status == 200, answer
    assert values(trail(user)[0]) == {"bio": (None, "new")}


def test_one_worker_keeps_its_requests_apart(installation, tokens, users, trail, tmp_path):
    """Also where it remembers the tokens and has the statement prepared."""
    ada, grace = users.add("Ada"), users.add("Grace")
    bearers = {ada: tokens.bearer(ada, azp="web"), grace: tokens.bearer(grace)}
    worker = Worker(installation, tmp_path)
    try:
        for n in range(3):
            for user, bearer in bearers.items():
                assert worker("PATCH", headers=bearer, body={"bio": f"{user.row['name']} {n}"}).status == 200
    finally:
        worker.end()
    for user, client in ((ada, "web"), (grace, None)):
        rows = trail(user)
        assert [row["client"] for row in rows] == [client] * 3
        assert [row["values"]["bio"]["new"] for row in rows] == [f"{user.row['name']} {n}" for n in range(3)]
    assert len({row["request_id"] for user in bearers for row in trail(user)}) == 6


# ---- what leaves nothing

@pytest.mark.parametrize("patch", [
    {}, {"name": "Ada Lovelace"}, {"bio": None}, {"locale": None, "timezone": None, "avatarUrl": None},
], ids=str)
def test_a_patch_that_changes_nothing(cgi, tokens, user, trail, patch):
    assert cgi.patch(tokens.bearer(user), patch).status == 200
    assert trail(user) == []


@pytest.mark.parametrize("status, request_of", [
    (422, {"body": {"bio": "good", "locale": "no locale"}}),
    (422, {"body": {"bio": "good", "status": "banned"}}),
    (400, {"body": b'{"bio":"good"'}),
    (400, {"body": b'{"bio":"good","bio":"twice"}'}),
    (415, {"body": {"bio": "good"}, "headers": {"Content-Type": "text/plain"}}),
    (412, {"body": {"bio": "good"}, "headers": {"If-Match": '"another"'}}),
    (412, {"body": {"bio": "good"}, "headers": {"If-None-Match": "*"}}),
], ids=str)
def test_a_patch_that_is_refused(cgi, tokens, user, trail, status, request_of):
    request_of = {**request_of, "headers": {**tokens.bearer(user), **request_of.get("headers", {})}}
    assert cgi("PATCH", **request_of).status == status
    assert trail(user) == []


@pytest.mark.parametrize("status, answer", [("deleted", 401), ("banned", 403)])
def test_whoever_may_not_be_served(cgi, tokens, users, trail, status, answer):
    user = users.add(status=status)
    assert cgi.patch(tokens.bearer(user), {"bio": "new"}).status == answer
    assert trail(user) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_other_methods(cgi, tokens, user, trail, method):
    assert cgi(method, headers=tokens.bearer(user)).status in (200, 204)
    assert trail(user) == []


# ---- levels

def test_members_alone(cgi, tokens, user, trail):
    answer = cgi.patch(tokens.bearer(user, azp="web"), {"bio": "new", "locale": "de"}, ME_AUDIT_LEVEL="members")
    assert answer.status == 200
    (row,) = trail(user)
    assert (row["members"], row["values"], row["client"]) == (["bio", "locale"], None, "web")


def test_off(cgi, tokens, user, trail):
    assert cgi.patch(tokens.bearer(user), {"bio": "new"}, ME_AUDIT_LEVEL="off").status == 200
    assert trail(user) == []


# ---- several at once

def at_once(tasks):
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def test_concurrent_changes_are_a_chain(cgi, tokens, users, trail):
    """Each row begins with what the one before it ended with."""
    user = users.add(bio="0")
    bearer = tokens.bearer(user)
    answers = at_once([lambda n=n: cgi.patch(bearer, {"bio": str(n)}) for n in range(1, 9)])
    assert [answer.status for answer in answers] == [200] * 8
    rows = trail(user)
    pairs = [values(row)["bio"] for row in rows]
    assert [old for old, _ in pairs] == ["0", *[new for _, new in pairs[:-1]]]
    assert sorted(new for _, new in pairs) == [str(n) for n in range(1, 9)]
    assert pairs[-1][1] == users.column(user, "bio")
    assert {row["request_id"] for row in rows} == {answer.headers["X-Request-Id"] for answer in answers}


def test_of_several_patches_of_one_state_the_one_that_succeeds_is_there(cgi, tokens, users, trail):
    user = users.add()
    bearer = tokens.bearer(user)
    headers = {**bearer, "If-Match": cgi.get(bearer).etag}
    answers = at_once([lambda n=n: cgi.patch(headers, {"bio": f"by {n}"}) for n in range(6)])
    (winner,) = [answer for answer in answers if answer.status == 200]
    (row,) = trail(user)
    assert row["request_id"] == winner.headers["X-Request-Id"]
    assert values(row) == {"bio": (None, winner.json["bio"])}


def test_a_transaction_that_is_tried_again_leaves_one_row(cgi, tokens, user, trail, mariadb, installation):
    holder = mariadb.connect(database=installation.database)
    holder.begin()
    with holder.cursor() as cursor:
        cursor.execute("SELECT name FROM users WHERE id = %s FOR UPDATE", [user.row["id"].bytes])
    release = threading.Timer(1.5, holder.commit)  # longer than one lock time-out
    release.start()
    try:
        answer = cgi.patch(tokens.bearer(user), {"bio": "new"}, ME_DATABASE_READ_TIMEOUT_S="2")
    finally:
        release.join()
        holder.close()
    assert answer.status == 200, answer
    assert len(trail(user)) == 1


# ---- no row, no change

SECRET = "nobody may read this 👩‍🚀 in a log"


def assert_nothing_changed(cgi, tokens, users, user, trail, answer):
    logged = str(answer.events("error"))
    assert logged != "[]", "nothing is in the log"
    assert "nobody may read" not in logged and "xF0" not in logged, logged
    assert users.column(user, "bio") is None
    assert users.column(user, "updated_at").replace(tzinfo=timezone.utc) == UPDATED
    assert trail(user) == []
    shown = cgi.get(tokens.bearer(user), ME_AUDIT_LEVEL="off")
    assert shown.status == 200 and shown.json == user.expected()
    return logged


@pytest.fixture
def other(mariadb, tmp_path):
    """An installation that was set up without an audit trail."""
    return audit.install(mariadb, tmp_path, f"audit_{uuid.uuid4().hex[:8]}", "off")


@pytest.mark.parametrize("level", ["members", "values"])
def test_without_the_right_to_add_rows(other, level):
    """Switched on in me.conf and forgotten in the database; 'mectl migrate --print-grants' mends it."""
    cgi, users, tokens = Program(other.conf), Users(other), other.tokens
    user = users.add()

    def patch(document):
        return cgi.patch(tokens.bearer(user), document, ME_AUDIT_LEVEL=level)

    answer = patch({"bio": SECRET})
    assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    logged = assert_nothing_changed(cgi, tokens, users, user, lambda user: audit.trail(other, user), answer)
    assert "profile_changes" in logged and "--print-grants" in logged
    assert patch({"bio": None}).status == 200, "what changes nothing needs no row"
    other.conf = other.write_conf("on.conf", audit__level=level)
    other.grant("worker")
    assert patch({"bio": SECRET}).status == 200
    assert len(audit.trail(other, user)) == 1


def test_without_the_table(cgi, tokens, users, user, trail, installation):
    installation.execute("RENAME TABLE profile_changes TO elsewhere")
    try:
        answer = cgi.patch(tokens.bearer(user), {"bio": SECRET})
    finally:
        installation.execute("RENAME TABLE elsewhere TO profile_changes")
    assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    assert_nothing_changed(cgi, tokens, users, user, trail, answer)


@contextlib.contextmanager
def another_table(installation, change):
    """An empty one in its place, of the same making but for the change."""
    installation.execute("RENAME TABLE profile_changes TO elsewhere")
    try:
        installation.execute("CREATE TABLE profile_changes LIKE elsewhere")
        installation.execute(f"ALTER TABLE profile_changes {change}")
        yield
    finally:
        installation.execute("DROP TABLE IF EXISTS profile_changes")
        installation.execute("RENAME TABLE elsewhere TO profile_changes")


def test_a_row_that_the_database_refuses(cgi, tokens, users, user, trail, installation):
    with another_table(installation, "ADD CONSTRAINT no_tests CHECK (members <> 'bio')"):
        answer = cgi.patch(tokens.bearer(user), {"bio": SECRET})
        assert trail(user) == []
    assert (answer.status, answer.code) == (500, "internal_error"), answer
    assert "no_tests" in assert_nothing_changed(cgi, tokens, users, user, trail, answer)


def test_a_value_that_does_not_fit_the_column_is_not_in_the_log(cgi, tokens, users, user, trail, installation):
    """Whatever of it the database's own message has."""
    with another_table(installation, "MODIFY member_values MEDIUMTEXT CHARACTER SET latin1"):
        answer = cgi.patch(tokens.bearer(user), {"bio": SECRET})
    assert (answer.status, answer.code) == (500, "internal_error"), answer
    assert_nothing_changed(cgi, tokens, users, user, trail, answer)


def test_a_row_that_somebody_holds_up(cgi, tokens, users, user, trail, mariadb, installation):
    """The table is locked for good: the change is given up, not made without its row."""
    holder = mariadb.connect(database=installation.database)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLES profile_changes WRITE")
    begin = time.monotonic()
    try:
        answer = cgi.patch(tokens.bearer(user), {"bio": SECRET}, ME_DATABASE_READ_TIMEOUT_S="2")
    finally:
        holder.close()
    assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    assert time.monotonic() - begin < 15
    assert_nothing_changed(cgi, tokens, users, user, trail, answer)


# ---- the worker's account

DENIED = [
    "SELECT COUNT(*) FROM profile_changes", "SELECT id FROM profile_changes LIMIT 0",
    "UPDATE profile_changes SET client = 'other'", "DELETE FROM profile_changes", "TRUNCATE profile_changes",
    "DROP TABLE profile_changes",
    "REPLACE INTO profile_changes (user_id, request_id, members) VALUES (REPEAT('a', 16), 'r', 'bio')",
    "INSERT INTO profile_changes (user_id, request_id, members) VALUES (REPEAT('a', 16), 'r', 'bio')"
    " ON DUPLICATE KEY UPDATE members = 'name'",
    "INSERT INTO profile_changes (user_id, request_id, members, id) VALUES (REPEAT('a', 16), 'r', 'bio', 1)",
    "INSERT INTO profile_changes (user_id, request_id, members, changed_at)"
    " VALUES (REPEAT('a', 16), 'r', 'bio', '2000-01-01')",
]


@pytest.mark.parametrize("sql", DENIED)
def test_the_worker_can_only_add(mariadb, installation, cgi, tokens, user, trail, sql):
    cgi.patch(tokens.bearer(user), {"bio": "new"})
    before = trail(user)
    connection = mariadb.connect(installation.worker_account, installation.worker_password, installation.database)
    with connection, connection.cursor() as cursor, pytest.raises(pymysql.err.MySQLError) as refusal:
        cursor.execute(sql)
    assert refusal.value.args[0] in (1142, 1143), refusal.value
    assert trail(user) == before and len(before) == 1


def test_rights_are_printed_only_where_it_is_on(installation):
    def printed(level, account="worker"):
        done = installation.mectl("migrate", "--print-grants", "--for", account, ME_AUDIT_LEVEL=level)
        return [line for line in done.stdout.splitlines() if "profile_changes" in line]

    assert printed("off") == []
    assert printed("members") == printed("values") == [
        f"GRANT INSERT (user_id, request_id, issuer, client, members, member_values) ON"
        f" `audit`.profile_changes TO '{installation.worker_account}'@'localhost';"]
    assert printed("values", "mectl") == [], "mectl's account has rights on the whole database"
