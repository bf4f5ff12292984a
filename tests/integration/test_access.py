"""Who may be served: the user's status and the token's session, judged on each request."""

import uuid

import pytest

BOTH = pytest.mark.parametrize("method", ["GET", "PATCH"])


def request(cgi, method, headers, **environment):
    return cgi(method, headers=headers, body=b"{}" if method == "PATCH" else None, **environment)


def assert_refused(answer):
    assert (answer.status, answer.code) == (401, "invalid_token"), answer
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


# ---- users

@BOTH
def test_a_banned_user_is_forbidden(cgi, tokens, users, method):
    answer = request(cgi, method, tokens.bearer(users.add(status="banned")))
    assert (answer.status, answer.code) == (403, "user_banned"), answer


@BOTH
def test_a_deleted_user_is_no_user(cgi, tokens, users, method):
    assert_refused(request(cgi, method, tokens.bearer(users.add(status="deleted"))))


@BOTH
def test_an_unknown_user_is_refused(cgi, tokens, method):
    assert_refused(request(cgi, method, tokens.bearer(uuid.uuid4())))


def test_a_deleted_user_reads_like_an_unknown_one(cgi, tokens, users):
    same = {"X-Request-Id": "same"}
    deleted = cgi.get({**tokens.bearer(users.add(status="deleted")), **same})
    unknown = cgi.get({**tokens.bearer(uuid.uuid4()), **same})
    assert deleted.body == unknown.body


@pytest.mark.parametrize("status", ["pending", "active", "invited"])
def test_this_user_may_change_the_profile(cgi, tokens, users, status):
    answer = cgi.patch(tokens.bearer(users.add(status=status)), {"bio": "x"})
    assert answer.status == 200 and answer.json["status"] == status


@pytest.mark.parametrize("status, expected", [("banned", 403), ("deleted", 401)])
def test_a_change_of_status_counts_on_the_next_request(cgi, tokens, users, user, status, expected):
    bearer = tokens.bearer(user)
    assert cgi.get(bearer).status == 200
    users.set_column(user, "status", status)
    assert cgi.get(bearer).status == expected
    users.set_column(user, "status", "active")
    assert cgi.get(bearer).status == 200


def test_a_removed_row_counts_on_the_next_request(cgi, tokens, users, user):
    bearer = tokens.bearer(user)
    assert cgi.get(bearer).status == 200
    users.delete(user)
    assert_refused(cgi.get(bearer))


@pytest.mark.parametrize("status", ["banned", "deleted"])
def test_a_user_who_is_not_served_is_not_changed(cgi, tokens, users, status):
    user = users.add(status=status)
    cgi.patch(tokens.bearer(user), {"name": "Changed"})
    assert users.column(user, "name") == user.row["name"]


# ---- sessions

def of_another_user(users, user):
    return users.add_session(users.add())


def with_an_accent(users, user):
    return users.add_session(user, session_id=f"e-{uuid.uuid4()}").replace("e", "é", 1)


SESSIONS = {
    "live": (lambda users, user: users.add_session(user), 200),
    "unknown": (lambda users, user: "no-such-session", 401),
    "another user's": (of_another_user, 401),
    "revoked": (lambda users, user: users.add_session(user, revoked=True), 401),
    "expired": (lambda users, user: users.add_session(user, expires_in_s=-1), 401),
    "revoked before its end": (lambda users, user: users.add_session(user, expires_in_s=-1, revoked=True), 401),
    "a blank behind": (lambda users, user: users.add_session(user) + " ", 401),
    "another case": (lambda users, user: users.add_session(user).upper(), 401),
    "a percent sign": (lambda users, user: users.add_session(user) and "%", 401),
    "an accent more": (with_an_accent, 401),
}


@pytest.mark.parametrize("mode", ["if-present", "required"])
@pytest.mark.parametrize("make, status", SESSIONS.values(), ids=SESSIONS)
def test_the_session_of_the_token_is_judged(cgi, tokens, users, user, mode, make, status):
    answer = cgi.get(tokens.bearer(user, sid=make(users, user)), ME_TOKEN_SESSIONS=mode)
    assert answer.status == status, answer
    if status == 401:
        assert_refused(answer)


@pytest.mark.parametrize("make", [m for m, _ in SESSIONS.values()], ids=SESSIONS)
def test_with_sessions_off_no_session_matters(cgi, tokens, users, user, make):
    answer = cgi.get(tokens.bearer(user, sid=make(users, user)), ME_TOKEN_SESSIONS="off")
    assert answer.status == 200, answer


@pytest.mark.parametrize("mode, status", [("off", 200), ("if-present", 200), ("required", 401)])
def test_a_token_without_a_session(cgi, tokens, reader, mode, status):
    assert cgi.get(tokens.bearer(reader), ME_TOKEN_SESSIONS=mode).status == status


@pytest.mark.parametrize("mode", ["if-present", "required"])
@pytest.mark.parametrize("value", [7, True, [], ["x"], {"id": "x"}, ""], ids=repr)
def test_a_session_claim_that_is_no_text_is_refused(cgi, tokens, reader, mode, value):
    assert_refused(cgi.get(tokens.bearer(reader, sid=value), ME_TOKEN_SESSIONS=mode))


def test_a_null_session_claim_is_never_served_as_a_session(cgi, tokens, reader):
    token = tokens.forge({"alg": "HS256"}, {**tokens.claims(reader), "sid": None})
    answer = cgi.get({"Authorization": f"Bearer {token}"}, ME_TOKEN_SESSIONS="required")
    assert_refused(answer)


@BOTH
def test_a_revocation_counts_on_the_next_request(cgi, tokens, users, user, method):
    session = users.add_session(user)
    bearer = tokens.bearer(user, sid=session)
    assert request(cgi, method, bearer).status == 200
    users.revoke_session(session)
    assert_refused(request(cgi, method, bearer))


def test_a_removed_session_counts_on_the_next_request(cgi, tokens, users, user, installation):
    session = users.add_session(user)
    bearer = tokens.bearer(user, sid=session)
    assert cgi.get(bearer).status == 200
    installation.execute("DELETE FROM sessions WHERE id = %s", [session])
    assert_refused(cgi.get(bearer))


def test_another_claim_can_name_the_session(cgi, tokens, users, user):
    claim = {"ME_TOKEN_SESSION_CLAIM": "session_id"}
    live, revoked = users.add_session(user), users.add_session(user, revoked=True)
    assert cgi.get(tokens.bearer(user, session_id=live, sid=revoked), **claim).status == 200
    assert cgi.get(tokens.bearer(user, session_id=revoked, sid=live), **claim).status == 401


def test_a_session_id_may_be_any_text(cgi, tokens, users, user):
    session = users.add_session(user, session_id=f"⟨{uuid.uuid4()}⟩ ü=&")
    assert cgi.get(tokens.bearer(user, sid=session)).status == 200


def test_two_users_may_have_sessions_of_the_same_id(cgi, tokens, users):
    one, other = users.add(), users.add()
    session = users.add_session(one)
    users.add_session(other, session_id=session, revoked=True)
    assert cgi.get(tokens.bearer(one, sid=session)).status == 200
    assert cgi.get(tokens.bearer(other, sid=session)).status == 401


def test_a_banned_user_with_a_revoked_session_is_not_told_of_the_ban(cgi, tokens, users):
    """The token is judged before what its user may do: 401 comes before 403."""
    user = users.add(status="banned")
    session = users.add_session(user, revoked=True)
    assert_refused(cgi.get(tokens.bearer(user, sid=session)))
