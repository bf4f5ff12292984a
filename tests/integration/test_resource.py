"""GET /me: the resource itself."""

import json
import uuid
from datetime import timedelta

import pytest

from support.users import CREATED, moment


def members_in_order(value):
    """The same value with objects as lists, so that a comparison sees the order of members."""
    if isinstance(value, dict):
        return [(name, members_in_order(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [members_in_order(item) for item in value]
    return value


def get(cgi, tokens, user):
    answer = cgi.get(tokens.bearer(user))
    assert answer.status == 200, answer
    return answer.json


def test_a_user_with_everything_is_shown_whole_and_in_order(cgi, tokens, full_user):
    shown = get(cgi, tokens, full_user)
    assert members_in_order(shown) == members_in_order(full_user.expected(active_sessions=2))


def test_a_user_with_nothing_has_only_the_required_members(cgi, tokens, reader):
    assert list(get(cgi, tokens, reader)) == [
        "id", "status", "name", "activeSessions", "createdAt", "updatedAt", "emails",
        "identities", "phoneNumbers", "badges",
    ]


def test_a_user_with_nothing_is_shown_as_stored(cgi, tokens, reader):
    assert members_in_order(get(cgi, tokens, reader)) == members_in_order(reader.expected())


def test_the_body_is_compact_utf8_json(cgi, tokens, full_user):
    body = cgi.get(tokens.bearer(full_user)).body
    assert "王小明".encode() in body and "👩‍🚀".encode() in body
    assert body == json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()


def test_ids_are_in_lower_case(cgi, tokens, users):
    user = users.add(id=uuid.UUID("ABCDEF12-3456-4789-ABCD-" + uuid.uuid4().hex[:12]))
    assert get(cgi, tokens, user)["id"] == user.id == user.id.lower()


@pytest.mark.parametrize("time", [
    "1970-01-01T00:00:01.000Z", "2024-02-29T23:59:59.999Z", "2025-07-03T02:14:22.094Z",
    "2038-01-19T03:14:08.007Z", "9999-12-31T23:59:59.999Z",
])
def test_times_have_milliseconds_and_z(cgi, tokens, users, time):
    user = users.add(created_at=moment(time), updated_at=moment(time))
    shown = get(cgi, tokens, user)
    assert (shown["createdAt"], shown["updatedAt"]) == (time, time)


@pytest.mark.parametrize("status", ["pending", "active", "invited"])
def test_these_users_are_served(cgi, tokens, users, status):
    assert get(cgi, tokens, users.add(status=status))["status"] == status


@pytest.mark.parametrize("column, member, value", [
    ("bio", "bio", "x"), ("avatar_url", "avatarUrl", "https://example.com/"),
    ("locale", "locale", "en"), ("timezone", "timezone", "UTC"),
])
def test_an_optional_member_is_there_only_when_set(cgi, tokens, users, column, member, value):
    assert get(cgi, tokens, users.add(**{column: value})).get(member) == value
    assert member not in get(cgi, tokens, users.add())


def test_no_default_email_without_a_default_row(cgi, tokens, users):
    user = users.add()
    users.add_email(user)
    shown = get(cgi, tokens, user)
    assert "defaultEmail" not in shown and len(shown["emails"]) == 1


def test_no_phone_number_without_a_primary_row(cgi, tokens, users):
    user = users.add()
    users.add_phone(user)
    shown = get(cgi, tokens, user)
    assert "phoneNumber" not in shown and len(shown["phoneNumbers"]) == 1


def test_emails_of_the_same_time_are_ordered_by_id(cgi, tokens, users):
    user = users.add()
    ids = [uuid.uuid4() for _ in range(6)]
    for email_id in ids:
        users.add_email(user, id=email_id)
    assert [e["id"] for e in get(cgi, tokens, user)["emails"]] == [str(i) for i in sorted(ids)]


def test_the_default_email_is_first_though_it_is_the_newest(cgi, tokens, users):
    user = users.add()
    users.add_email(user)
    default = users.add_email(user, is_default=True, created_at=CREATED + timedelta(days=1))
    assert get(cgi, tokens, user)["emails"][0]["email"] == default["email"]


def test_badges_are_sorted_bytewise(cgi, tokens, users):
    user = users.add()
    for badge in ("b:a", "a:z", "a:b", "a-b:c", "B:a"):
        users.add_badge(user, badge)
    assert get(cgi, tokens, user)["badges"] == ["B:a", "a-b:c", "a:b", "a:z", "b:a"]


@pytest.mark.parametrize("score", [0, -5, 2147483647])
def test_fraud_information_has_the_score_and_the_user(cgi, tokens, users, score):
    user = users.add()
    users.set_fraud_score(user, score)
    assert get(cgi, tokens, user)["userFraudInformation"] == {"score": score, "userId": user.id}


def test_only_live_sessions_count(cgi, tokens, users):
    user = users.add()
    users.add_session(user)
    users.add_session(user, expires_in_s=2)
    users.add_session(user, expires_in_s=-1)
    users.add_session(user, revoked=True)
    users.add_session(user, expires_in_s=-1, revoked=True)
    users.add_session(users.add())
    assert get(cgi, tokens, user)["activeSessions"] == 2


def test_a_revoked_session_counts_no_more(cgi, tokens, users):
    user = users.add()
    session = users.add_session(user)
    assert get(cgi, tokens, user)["activeSessions"] == 1
    users.revoke_session(session)
    assert get(cgi, tokens, user)["activeSessions"] == 0


def test_many_children_are_all_there(cgi, tokens, users):
    user = users.add()
    for number in range(120):
        users.add_email(user, created_at=CREATED + timedelta(seconds=119 - number))
    users.add_badge(user, "many:children")
    assert get(cgi, tokens, user) == user.expected()


def test_long_values_are_not_cut(cgi, tokens, users):
    user = users.add("ñ" * 255, bio="👍" * 4096, avatar_url="https://example.com/" + "a" * 2028)
    shown = get(cgi, tokens, user)
    assert (shown["name"], shown["bio"], shown["avatarUrl"]) == (
        user.row["name"], user.row["bio"], user.row["avatar_url"])


@pytest.mark.parametrize("text", [
    'quote " backslash \\ slash /', "tab\tline\nend", "\u2028\u2029\ufeff", "\U0010ffff", "</script>",
    "e\u0301 is not \u00e9", "  spaces kept  ", "null", "%s%n",
])
def test_text_comes_back_as_stored(cgi, tokens, users, text):
    assert get(cgi, tokens, users.add(bio=text))["bio"] == text


def test_nobody_elses_rows_are_shown(cgi, tokens, users, full_user):
    user = users.add("Somebody else")
    users.add_badge(user, "own:badge")
    assert get(cgi, tokens, user) == user.expected()
