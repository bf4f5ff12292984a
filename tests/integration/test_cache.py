"""A profile that was shown is shown again as long as its revision proves it right, and not longer."""

import time

import pytest

from support.installation import ISSUER
from support.together import at_once


@pytest.fixture
def caching(start_worker):
    """Starts workers that log each request, and where its representation came from."""
    return lambda **environment: start_worker(ME_LOG_LEVEL="debug", **environment)


def source(answer) -> str:
    """hit, miss or off; None where no representation was wanted."""
    return answer.log[-1].get("cache")


def twice(worker, bearer, **more):
    """The second of two answers, which has to come from what the first left."""
    first = worker.get(bearer, **more)
    second = worker.get(bearer, **more)
    assert (first.status, second.status) == (200, 200)
    assert source(second) == "hit", second.log
    assert second.body == first.body and second.etag == first.etag
    return second


def test_the_second_answer_is_the_first_one_kept(caching, tokens, full_user):
    worker = caching()
    bearer = tokens.bearer(full_user)
    assert source(worker.get(bearer)) in ("miss", "hit")
    assert twice(worker, bearer).json == full_user.expected()


def test_what_one_worker_kept_another_one_shows(caching, tokens, user):
    one, other = caching(), caching()
    bearer = tokens.bearer(user)
    assert source(one.get(bearer)) == "miss"
    assert source(other.get(bearer)) == "hit"


def test_a_cgi_program_shares_it(caching, cgi, tokens, user):
    worker = caching()
    bearer = tokens.bearer(user)
    kept = worker.get(bearer)
    shown = cgi.get(bearer, ME_LOG_LEVEL="debug")
    assert source(shown) == "hit" and shown.body == kept.body
    assert source(cgi.get(tokens.bearer(user), ME_LOG_LEVEL="debug", ME_CACHE_MODE="off")) == "off"


def test_conditions_are_judged_by_what_is_kept(caching, tokens, user):
    worker = caching()
    bearer = tokens.bearer(user)
    etag = twice(worker, bearer).etag
    known = worker.get({**bearer, "If-None-Match": etag})
    assert (known.status, known.etag, source(known)) == (304, etag, "hit")
    other = worker.get({**bearer, "If-Match": '"other"'})
    assert (other.status, other.etag, source(other)) == (412, etag, "hit")
    assert worker.get({**bearer, "If-Match": etag}).status == 200
    head = worker("HEAD", headers=bearer)
    assert (head.status, head.etag, source(head)) == (200, etag, "hit")


def test_off_keeps_nothing(caching, tokens, user):
    worker = caching(ME_CACHE_MODE="off")
    bearer = tokens.bearer(user)
    assert [source(worker.get(bearer)) for _ in range(3)] == ["off"] * 3


@pytest.mark.parametrize("addresses, expected", [(1, "hit"), (5, "hit"), (12, "hit"), (50, "hit"), (175, "hit"), (400, "miss")])
def test_each_size_up_to_64_kib_is_kept(caching, installation, cgi, tokens, user, addresses, expected):
    installation.execute(
        "INSERT INTO user_emails (user_id, id, email) SELECT %s, UNHEX(LPAD(seq, 32, '0')),"
        " CONCAT(seq, '.', HEX(%s), '.', REPEAT('x', 80), '@example.com') FROM seq_1_to_400 WHERE seq <= %s",
        [user.row["id"].bytes, user.row["id"].bytes, addresses])
    worker = caching()
    bearer = tokens.bearer(user)
    first, second = worker.get(bearer), worker.get(bearer)
    assert (len(first.body) > 65536) == (expected == "miss")
    assert source(second) == expected
    assert second.body == first.body == cgi.get(bearer, ME_CACHE_MODE="off").body
    changed = worker.patch(bearer, {"bio": "large"})
    assert source(changed) == expected and changed.body == cgi.get(bearer, ME_CACHE_MODE="off").body


# ---- what changes is seen by the next request

CHANGES = {
    "users": "UPDATE users SET bio = 'changed' WHERE id = %(id)s",
    "users to the same values": "UPDATE users SET name = name WHERE id = %(id)s",
    "user_emails": "INSERT INTO user_emails (user_id, id, email) VALUES (%(id)s, %(id)s, CONCAT(HEX(%(id)s), '@x.example'))",
    "user_identities": "INSERT INTO user_identities (user_id, id, issuer, subject, provider)"
                       " VALUES (%(id)s, %(id)s, 'i', HEX(%(id)s), 'p')",
    "user_phone_numbers": "INSERT INTO user_phone_numbers (user_id, id, number) VALUES (%(id)s, %(id)s, '+31201234567')",
    "user_badges": "INSERT INTO user_badges (user_id, scope, name) VALUES (%(id)s, 'a', 'b')",
    "user_fraud_information": "INSERT INTO user_fraud_information (user_id, score) VALUES (%(id)s, 7)",
    "sessions": "INSERT INTO sessions (user_id, id, expires_at) VALUES (%(id)s, 'new', '2999-01-01')",
}


@pytest.mark.parametrize("table", CHANGES)
def test_a_change_is_seen_at_once(caching, installation, cgi, tokens, user, table):
    worker = caching()
    bearer = tokens.bearer(user)
    twice(worker, bearer)
    installation.execute(CHANGES[table], {"id": user.row["id"].bytes})
    changed = worker.get(bearer)
    assert source(changed) == "miss"
    assert changed.body == cgi.get(bearer, ME_CACHE_MODE="off").body
    twice(worker, bearer)


def test_a_ban_and_a_deletion_count_at_once(caching, tokens, users, user):
    worker = caching()
    bearer = tokens.bearer(user)
    for status, expected in (("banned", 403), ("deleted", 401), ("active", 200)):
        users.set_column(user, "status", "active")
        twice(worker, bearer)
        users.set_column(user, "status", status)
        assert worker.get(bearer).status == expected
    users.delete(user)
    assert worker.get(bearer).status == 401


# ---- sessions

def test_a_session_has_to_be_one_of_those_that_are_active(caching, tokens, users, user):
    worker = caching()
    good, revoked = users.add_session(user), users.add_session(user, revoked=True)
    twice(worker, tokens.bearer(user, sid=good))
    for sid, reason in ((revoked, "session_revoked"), (good.upper(), "session_unknown"),
                        (good + " ", "session_unknown"), ("", None)):
        answer = worker.get(tokens.bearer(user, sid=sid))
        assert answer.status == 401
        assert reason in (None, answer.log[-1]["reason"])
    twice(worker, tokens.bearer(user))
    users.revoke_session(good)
    assert worker.get(tokens.bearer(user, sid=good)).status == 401


def test_a_session_that_expires_ends_what_is_kept(caching, tokens, users, user):
    worker = caching()
    users.add_session(user)
    short = users.add_session(user, expires_in_s=5)
    with_session, without = tokens.bearer(user, sid=short), tokens.bearer(user)
    assert twice(worker, with_session).json["activeSessions"] == 2
    time.sleep(5.1)
    assert worker.get(with_session).log[-1]["reason"] == "session_expired"
    shown = worker.get(without)
    assert (source(shown), shown.json["activeSessions"]) == ("miss", 1)


def test_a_user_with_more_sessions_than_are_kept_is_read_each_time(caching, installation, tokens, user):
    worker = caching()
    installation.execute(
        "INSERT INTO sessions (user_id, id, expires_at) SELECT %s, CONCAT('s', seq), '2999-01-01' FROM seq_1_to_257",
        [user.row["id"].bytes])
    for sid in ("s1", "s257"):
        answer = worker.get(tokens.bearer(user, sid=sid))
        assert (answer.status, source(answer), answer.json["activeSessions"]) == (200, "miss", 257)
    assert worker.get(tokens.bearer(user, sid="s258")).status == 401


# ---- identities

def test_an_identity_is_good_only_at_the_revision_it_was_read_at(caching, installation, tokens, users):
    worker = caching(ME_TOKEN_SUBJECT="identity")
    one, other = users.add("One"), users.add("Other")
    subject = users.add_identity(one, f"sub|{one.id}", issuer=ISSUER)["subject"]
    bearer = tokens.bearer(subject)
    assert twice(worker, bearer).json["id"] == one.id
    installation.execute("UPDATE user_identities SET user_id = %s WHERE issuer = %s AND subject = %s",
                         [other.row["id"].bytes, ISSUER, subject])
    assert worker.get(bearer).json["id"] == other.id
    assert twice(worker, bearer).json["id"] == other.id
    installation.execute("DELETE FROM user_identities WHERE issuer = %s AND subject = %s", [ISSUER, subject])
    assert worker.get(bearer).status == 401


# ---- PATCH

VALUES = {
    "name": "Grace \"Murray\" Hopper\u2028", "bio": "Zeile\n\ttab \\ 王", "avatarUrl": "https://example.com/x?a=1&b=2",
    "locale": "zh-Hant-TW", "timezone": "Europe/Amsterdam",
}


def read_whole(cgi, bearer):
    """What the database has, read by a program that keeps nothing."""
    return cgi.get(bearer, ME_CACHE_MODE="off")


@pytest.mark.parametrize("patch", [{member: value} for member, value in VALUES.items()]
                         + [VALUES, {member: None for member in VALUES if member != "name"}], ids=str)
@pytest.mark.parametrize("is_full", [True, False])
def test_a_change_of_what_is_kept_is_one_statement(caching, cgi, tokens, users, patch, is_full):
    user = users.full() if is_full else users.add()
    worker = caching()
    bearer = tokens.bearer(user)
    before = twice(worker, bearer)
    changed = worker.patch(bearer, patch)
    assert changed.status == 200
    assert source(changed) == "hit"
    whole = read_whole(cgi, bearer)
    assert (changed.body, changed.etag) == (whole.body, whole.etag)
    if changed.body != before.body:
        assert changed.json["updatedAt"] > before.json["updatedAt"]
    kept = worker.get(bearer)
    assert source(kept) == "hit" and kept.body == whole.body


def test_a_change_of_what_is_not_kept_is_kept(caching, cgi, tokens, user):
    worker = caching()
    bearer = tokens.bearer(user)
    changed = worker.patch(bearer, {"bio": "first"})
    assert source(changed) == "miss"
    kept = worker.get(bearer)
    assert source(kept) == "hit" and kept.body == changed.body == read_whole(cgi, bearer).body
    again = worker.patch(bearer, {"bio": "second"})
    assert source(again) == "hit" and again.body == read_whole(cgi, bearer).body


def test_without_the_right_to_set_the_revision_a_change_takes_the_transaction(caching, installation, cgi, tokens, user):
    """As of an account whose rights are those of the version before, but for the triggers' guard."""
    bearer = tokens.bearer(user)
    right = f"UPDATE (revision) ON {installation.database}.users"
    installation.execute(f"REVOKE {right} FROM {installation.worker_account}@localhost")
    try:
        worker = caching()
        twice(worker, bearer)
        for bio in ("first", "second"):
            changed = worker.patch(bearer, {"bio": bio})
            assert (changed.status, source(changed), changed.json["bio"]) == (200, "miss", bio)
            assert worker.get(bearer).body == changed.body == read_whole(cgi, bearer).body
    finally:
        installation.execute(f"GRANT {right} TO {installation.worker_account}@localhost")


def test_equal_values_write_nothing(caching, installation, tokens, user):
    worker = caching()
    bearer = tokens.bearer(user)
    before = twice(worker, bearer)
    revision = installation.execute("SELECT revision FROM users WHERE id = %s", [user.row["id"].bytes])
    for document in ({}, {"name": before.json["name"]}, {"bio": None}):
        same = worker.patch(bearer, document)
        assert (same.status, same.body, source(same)) == (200, before.body, "hit")
    assert installation.execute("SELECT revision FROM users WHERE id = %s", [user.row["id"].bytes]) == revision


def test_updated_at_is_later_than_it_was_whatever_the_clock_says(caching, cgi, users, tokens, user):
    worker = caching()
    bearer = tokens.bearer(user)
    users.installation.execute(
        "UPDATE users SET updated_at = '2999-01-01 00:00:00.999' WHERE id = %s", [user.row["id"].bytes])
    twice(worker, bearer)
    changed = worker.patch(bearer, {"bio": "x"})
    assert (changed.json["updatedAt"], source(changed)) == ("2999-01-01T00:00:01.000Z", "hit")
    assert changed.body == read_whole(cgi, bearer).body


@pytest.fixture
def audited(installation):
    """A me.conf with the audit on; the worker's account may write the trail for so long."""
    conf = installation.write_conf("audited.conf", audit__level="values")
    installation.grant("worker", conf=conf)
    yield conf
    installation.execute(
        "REVOKE INSERT (user_id, request_id, issuer, client, members, member_values) ON profile_changes"
        f" FROM '{installation.worker_account}'@'localhost'")


def test_an_audited_change_takes_the_transaction(caching, audited, installation, cgi, tokens, user):
    worker = caching(ME_CONF=str(audited))
    bearer = tokens.bearer(user)
    twice(worker, bearer)
    changed = worker.patch(bearer, {"bio": "seen"})
    assert (changed.status, source(changed)) == (200, "miss")
    assert worker.get(bearer).body == changed.body == read_whole(cgi, bearer).body
    count = installation.execute("SELECT COUNT(*) FROM profile_changes WHERE user_id = %s", [user.row["id"].bytes])
    assert count[0][0] == 1


def test_a_precondition_is_judged_by_what_there_is_then(caching, installation, tokens, user):
    worker = caching()
    bearer = tokens.bearer(user)
    old = twice(worker, bearer)
    installation.execute("UPDATE users SET bio = 'by another' WHERE id = %s", [user.row["id"].bytes])
    refused = worker.patch({**bearer, "If-Match": old.etag}, {"name": "Mine"})
    assert refused.status == 412 and refused.etag == worker.get(bearer).etag
    assert worker.patch({**bearer, "If-Match": '"none"'}, {"name": "Mine"}).status == 412
    done = worker.patch({**bearer, "If-Match": refused.etag}, {"name": "Mine"})
    assert (done.status, done.json["bio"], done.json["name"]) == (200, "by another", "Mine")


def test_a_ban_between_look_up_and_change_counts(caching, tokens, users, user):
    worker = caching()
    bearer = tokens.bearer(user, sid=users.add_session(user))
    twice(worker, bearer)
    users.set_column(user, "status", "banned")
    assert worker.patch(bearer, {"bio": "x"}).status == 403
    users.set_column(user, "status", "active")
    twice(worker, bearer)
    users.installation.execute("DELETE FROM sessions WHERE user_id = %s", [user.row["id"].bytes])
    assert worker.patch(bearer, {"bio": "x"}).status == 401
    assert users.column(user, "bio") is None


def test_a_session_that_expired_changes_nothing(caching, tokens, users, user):
    worker = caching()
    bearer = tokens.bearer(user, sid=users.add_session(user, expires_in_s=5))
    twice(worker, bearer)
    time.sleep(5.1)
    assert worker.patch(bearer, {"bio": "x"}).log[-1]["reason"] == "session_expired"
    assert users.column(user, "bio") is None


@pytest.mark.parametrize("workers", [8])
def test_of_several_changes_of_one_state_exactly_one_succeeds(caching, tokens, users, workers):
    crew = [caching() for _ in range(workers)]
    for _ in range(10):
        user = users.add()
        bearer = tokens.bearer(user)
        headers = {**bearer, "If-Match": twice(crew[0], bearer).etag}
        answers = at_once([lambda n=n, worker=worker: worker.patch(headers, {"bio": f"by {n}"})
                           for n, worker in enumerate(crew)])
        assert sorted(answer.status for answer in answers) == [200] + [412] * (workers - 1)
        winner = next(answer for answer in answers if answer.status == 200)
        assert {worker.get(bearer).body for worker in crew} == {winner.body}


def test_changes_of_different_members_lose_nothing(caching, tokens, users):
    crew = [caching() for _ in VALUES]
    for _ in range(5):
        user = users.add()
        bearer = tokens.bearer(user)
        twice(crew[0], bearer)
        answers = at_once([lambda worker=worker, member=member: worker.patch(bearer, {member: VALUES[member]})
                           for worker, member in zip(crew, VALUES)])
        assert [answer.status for answer in answers] == [200] * len(VALUES)
        shown = crew[0].get(bearer).json
        assert {member: shown[member] for member in VALUES} == VALUES
