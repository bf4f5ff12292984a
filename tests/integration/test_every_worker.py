"""Bans and log-outs by mectl: they count at the very next request, on every worker, in every mode."""

import json
import uuid

import pytest

from support.installation import ISSUER
from support.processes import wait_until

MODES = ["off", "if-present", "required"]
WORKERS = 3


@pytest.fixture(params=["user", "identity"])
def subject_mode(request):
    """What token.subject is."""
    return request.param


@pytest.fixture
def named(users, user, subject_mode):
    """How a token names the user: by its id, or by an identity that it has then."""
    if subject_mode == "user":
        return user.id
    return users.add_identity(user, f"sub|{uuid.uuid4()}", issuer=ISSUER)["subject"]


@pytest.fixture
def workers(start_worker, subject_mode):
    """Starts some with these settings: workers(ME_TOKEN_SESSIONS="off")."""
    return lambda **environment: [
        start_worker(ME_TOKEN_SUBJECT=subject_mode, **environment) for _ in range(WORKERS)]


def statuses(workers, bearer, method="GET") -> set:
    return {worker(method, headers=bearer, body=b"{}" if method == "PATCH" else None).status for worker in workers}


def assert_everywhere(workers, bearer, status):
    assert statuses(workers, bearer) == {status}
    assert statuses(workers, bearer, "PATCH") == {status}
    assert statuses(workers, bearer) == {status}


# ---- log-outs

@pytest.mark.parametrize("mode", ["if-present", "required"])
def test_all_sessions_are_revoked(workers, tokens, users, user, named, mectl, mode):
    crew = workers(ME_TOKEN_SESSIONS=mode)
    bearers = [tokens.bearer(named, sid=users.add_session(user)) for _ in range(2)]
    for bearer in bearers:
        assert_everywhere(crew, bearer, 200)
    assert mectl("session", "revoke", "--user", user.id, "--all").stdout == "2 revoked\n"
    for bearer in bearers:
        assert_everywhere(crew, bearer, 401)
    assert {worker.get(bearers[0]).log[-1]["reason"] for worker in crew} == {"session_revoked"}


def test_one_session_is_revoked(workers, tokens, users, user, named, mectl):
    crew = workers()
    one, other = users.add_session(user), users.add_session(user)
    assert_everywhere(crew, tokens.bearer(named, sid=one), 200)
    mectl("session", "revoke", "--user", user.id, one)
    assert_everywhere(crew, tokens.bearer(named, sid=one), 401)
    assert_everywhere(crew, tokens.bearer(named, sid=other), 200)


def test_sessions_of_others_live_on(start_worker, tokens, users, user, mectl):
    worker, other = start_worker(), users.add()
    session = users.add_session(user)
    users.add_session(other, session_id=session)
    mectl("session", "revoke", "--user", user.id, "--all")
    assert worker.get(tokens.bearer(user, sid=session)).status == 401
    assert worker.get(tokens.bearer(other, sid=session)).status == 200


def test_a_new_session_after_all_were_revoked(workers, tokens, user, named, mectl):
    crew = workers(ME_TOKEN_SESSIONS="required")
    mectl("session", "revoke", "--user", user.id, "--all")
    session = mectl("session", "add", "--user", user.id).stdout.strip()
    assert_everywhere(crew, tokens.bearer(named, sid=session), 200)


def test_a_session_ends_while_the_workers_live(workers, tokens, user, named, mectl):
    crew = workers()
    bearer = tokens.bearer(named, sid=mectl("session", "add", "--user", user.id, "--expires-in", "3").stdout.strip())
    assert statuses(crew, bearer) == {200}
    wait_until(lambda: crew[0].get(bearer).status == 401, what="the session ends")
    assert_everywhere(crew, bearer, 401)


def test_with_sessions_off_a_revocation_changes_nothing(workers, tokens, users, user, named, mectl):
    crew = workers(ME_TOKEN_SESSIONS="off")
    bearer = tokens.bearer(named, sid=users.add_session(user))
    mectl("session", "revoke", "--user", user.id, "--all")
    assert_everywhere(crew, bearer, 200)


# ---- bans

@pytest.mark.parametrize("mode", MODES)
def test_a_ban_and_its_end(workers, tokens, users, user, named, mectl, mode):
    crew = workers(ME_TOKEN_SESSIONS=mode)
    bearer = tokens.bearer(named, sid=users.add_session(user))
    assert_everywhere(crew, bearer, 200)
    for status, expected in (("banned", 403), ("active", 200), ("deleted", 401), ("active", 200)):
        mectl("user", "status", user.id, status)
        assert_everywhere(crew, bearer, expected)
        assert json.loads(mectl("user", "show", user.id).stdout)["status"] == status


def test_a_ban_of_one_is_none_of_another(workers, tokens, users, user, subject_mode, mectl):
    crew, other = workers(), users.add()
    name = other.id if subject_mode == "user" else \
        users.add_identity(other, f"sub|{uuid.uuid4()}", issuer=ISSUER)["subject"]
    mectl("user", "status", user.id, "banned")
    assert_everywhere(crew, tokens.bearer(name), 200)


# ---- every state of a session in every mode

SESSIONS = {
    "none": lambda users, user: None,
    "live": lambda users, user: users.add_session(user),
    "unknown": lambda users, user: "no-such-session",
    "another user's": lambda users, user: users.add_session(users.add()),
    "revoked": lambda users, user: users.add_session(user, revoked=True),
    "expired": lambda users, user: users.add_session(user, expires_in_s=-1),
}
REASONS = {
    "unknown": "session_unknown", "another user's": "session_unknown", "revoked": "session_revoked",
    "expired": "session_expired",
}


def expected_reason(mode, kind):
    """None: it is served."""
    if mode == "off" or kind == "live":
        return None
    return {"if-present": None, "required": "no_session"}[mode] if kind == "none" else REASONS[kind]


@pytest.mark.parametrize("mode", MODES)
def test_every_session_in_this_mode(workers, tokens, users, user, named, mode):
    crew = workers(ME_TOKEN_SESSIONS=mode)
    for kind, make in SESSIONS.items():
        bearer, reason = tokens.bearer(named, sid=make(users, user)), expected_reason(mode, kind)
        assert_everywhere(crew, bearer, 401 if reason else 200)
        for worker in crew:
            log = worker.get(bearer).log
            assert (log[-1]["reason"] if log else None) == reason, (kind, log)
