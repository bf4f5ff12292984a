"""mectl session add, list and revoke."""

import time
import uuid
from datetime import datetime, timezone

import pytest

from support.commands import assert_needs_its_output, assert_refused, assert_usage, objects, only, quiet
from support.users import moment

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def added(mectl, user, *arguments):
    return quiet(mectl("session", "add", "--user", user, *arguments)).rstrip("\n")


def listed(mectl, user):
    return objects(mectl("session", "list", "--user", user, "--json"))


def seconds_from_now(text):
    return (moment(text) - datetime.now(timezone.utc)).total_seconds()


def status_with(cgi, tokens, user, session):
    return cgi.get(tokens.bearer(user, sid=session)).status


# ---- add

def test_a_new_session_has_a_new_id_and_lasts_an_hour(mectl, cgi, tokens, user):
    session = added(mectl, user)
    assert uuid.UUID(session).version == 7
    (row,) = listed(mectl, user)
    assert row["id"] == session and row["state"] == "active"
    assert abs(seconds_from_now(row["createdAt"])) < 30 and abs(seconds_from_now(row["expiresAt"]) - 3600) < 30
    assert status_with(cgi, tokens, user, session) == 200


@pytest.mark.parametrize("session", ["a", "one two", "é" * 127, "x" * 255, "sess|1/2"], ids=lambda s: s[:8])
def test_a_session_has_the_id_that_the_issuer_gave_it(mectl, cgi, tokens, user, session):
    assert added(mectl, user, "--id", session) == session
    assert status_with(cgi, tokens, user, session) == 200


def test_add_prints_json(mectl, user):
    printed = only(mectl("session", "add", "--user", user, "--json"))
    assert printed == {"id": listed(mectl, user)[0]["id"]}
    assert only(mectl("session", "add", "--user", user, "--id", 'a"b', "--json")) == {"id": 'a"b'}


@pytest.mark.parametrize("seconds, state", [("-60", "expired"), ("60", "active"), ("315360000", "active")])
def test_the_end_is_from_now(mectl, cgi, tokens, user, seconds, state):
    session = added(mectl, user, "--expires-in", seconds)
    (row,) = listed(mectl, user)
    assert row["state"] == state and abs(seconds_from_now(row["expiresAt"]) - int(seconds)) < 30
    assert status_with(cgi, tokens, user, session) == (200 if state == "active" else 401)


def test_a_session_ends_by_itself(mectl, cgi, tokens, user):
    session = added(mectl, user, "--expires-in", "1")
    time.sleep(1.1)
    assert listed(mectl, user)[0]["state"] == "expired"
    assert status_with(cgi, tokens, user, session) == 401


def test_two_users_may_have_sessions_of_one_id(mectl, users, user):
    other = users.add()
    added(mectl, user, "--id", "same")
    added(mectl, other, "--id", "same")
    assert_refused(mectl("session", "add", "--user", user, "--id", "same", check=False), "same", "already")
    assert len(listed(mectl, user)) == len(listed(mectl, other)) == 1


@pytest.mark.parametrize("arguments, words", [
    (["--id", ""], ["--id", "1 to 255 bytes"]),
    (["--id", "x" * 256], ["--id", "1 to 255 bytes"]),
    (["--id", "\udcff"], ["--id", "UTF-8"]),
    (["--expires-in", "soon"], ["--expires-in: 'soon'", "-315360000 to 315360000"]),
    (["--expires-in", "315360001"], ["--expires-in"]),
    (["--expires-in", ""], ["--expires-in"]),
])
def test_add_refuses_a_bad_value(mectl, user, arguments, words):
    assert_refused(mectl("session", "add", "--user", user, *arguments, check=False), *words)
    assert listed(mectl, user) == []


# ---- list

def test_list_by_creation(mectl, users, user):
    active = users.add_session(user, session_id="first")
    expired = users.add_session(user, session_id="second", expires_in_s=-60)
    revoked = users.add_session(user, session_id="third", revoked=True)
    rows = listed(mectl, user)
    assert {row["id"]: row["state"] for row in rows} == {active: "active", expired: "expired", revoked: "revoked"}
    for row in rows:
        members = ["id", "state", "createdAt", "expiresAt"]
        assert list(row) == members + (["revokedAt"] if row["state"] == "revoked" else [])
    lines = quiet(mectl("session", "list", "--user", user)).splitlines()
    assert lines == [f"{row['state']:<7}  {row['createdAt']}  {row['expiresAt']}  {row['id']}" for row in rows]
    assert sorted(rows, key=lambda row: (row["createdAt"], row["id"])) == rows


def test_a_user_without_sessions_is_no_failure(mectl, user):
    assert quiet(mectl("session", "list", "--user", user)) == ""
    assert listed(mectl, user) == []


def test_an_id_does_not_reach_the_terminal_as_it_is(mectl, users, user):
    users.add_session(user, session_id="\x1b[2J\x9b\nx")
    assert quiet(mectl("session", "list", "--user", user)).endswith(r"  \x1b[2J\xc2\x9b\x0ax" + "\n")


# ---- revoke

def test_a_revoked_session_counts_from_the_next_request_on(mectl, cgi, tokens, user):
    session, other = added(mectl, user), added(mectl, user)
    assert quiet(mectl("session", "revoke", "--user", user, session)) == "1 revoked\n"
    assert status_with(cgi, tokens, user, session) == 401
    assert status_with(cgi, tokens, user, other) == 200
    states = {row["id"]: row["state"] for row in listed(mectl, user)}
    assert states == {session: "revoked", other: "active"}


def test_a_session_is_revoked_once(mectl, user):
    session = added(mectl, user)
    mectl("session", "revoke", "--user", user, session)
    before = listed(mectl, user)
    assert quiet(mectl("session", "revoke", "--user", user, session)) == "0 revoked\n"
    assert listed(mectl, user) == before


def test_all_sessions_of_a_user_are_revoked(mectl, cgi, tokens, users, user):
    other = users.add()
    mine, others = [added(mectl, user) for _ in range(3)], added(mectl, other)
    mectl("session", "revoke", "--user", user, mine[0])
    assert quiet(mectl("session", "revoke", "--user", user, "--all")) == "2 revoked\n"
    assert quiet(mectl("session", "revoke", "--user", user, "--all")) == "0 revoked\n"
    assert [status_with(cgi, tokens, user, session) for session in mine] == [401, 401, 401]
    assert status_with(cgi, tokens, other, others) == 200


def test_a_session_that_is_not_the_users(mectl, users, user):
    other = users.add()
    session = added(mectl, other)
    for unknown in (session, session.upper(), session + " ", "", "\udcff"):
        assert_refused(mectl("session", "revoke", "--user", user, unknown, check=False), "no such session")
    assert listed(mectl, other)[0]["state"] == "active"


@pytest.mark.parametrize("arguments", [[], ["--all", "one"]], ids=["neither", "both"])
def test_revoke_takes_one_or_all(mectl, user, arguments):
    session = added(mectl, user, "--id", "one")
    assert_usage(mectl("session", "revoke", "--user", user, *arguments, check=False), "one session", "--all")
    assert [(row["id"], row["state"]) for row in listed(mectl, user)] == [(session, "active")]


# ---- the same for all

CALLS = [["session", "add"], ["session", "list"], ["session", "list", "--json"], ["session", "revoke", "--all"],
         ["session", "revoke", "one"]]
each_call = pytest.mark.parametrize("words", CALLS, ids=" ".join)


@each_call
def test_an_unknown_user(mectl, words):
    assert_refused(mectl(*words, "--user", UNKNOWN, check=False), "there is no such user")


@each_call
def test_what_is_no_user(mectl, words):
    assert_refused(mectl(*words, "--user", "ada", check=False), "--user: 'ada' is not a UUID")


@each_call
def test_a_database_that_is_away(mectl, tmp_path, words):
    away = str(tmp_path / "no.sock")
    assert_refused(mectl(*words, "--user", UNKNOWN, check=False, ME_DATABASE_HOST=away), away)


@each_call
def test_what_was_not_printed_is_no_success(installation, mectl, user, words):
    added(mectl, user, "--id", "one")
    assert_needs_its_output(*words, "--user", user, conf=installation.conf)
