"""PATCH /me: what a merge patch does to the resource."""

from datetime import datetime, timedelta, timezone

import pytest

from support.users import UPDATED, moment, rfc3339

MEMBERS = {  # member: column, a value, another value
    "name": ("name", "Grace Hopper", "Zoë 王 👩‍🚀"),
    "bio": ("bio", "Line one\n\tline two", "x" * 4096),
    "avatarUrl": ("avatar_url", "https://images.example.com/a.png?s=64#x", "http://[2001:db8::1]:8080/"),
    "locale": ("locale", "en-GB", "zh-Hant-TW"),
    "timezone": ("timezone", "Europe/Amsterdam", "America/Argentina/Buenos_Aires"),
}
CLEARABLE = [member for member in MEMBERS if member != "name"]
each_member = pytest.mark.parametrize("member", MEMBERS)
each_clearable = pytest.mark.parametrize("member", CLEARABLE)


@pytest.fixture
def set_user(users):
    """A user with all five members set."""
    return users.add(**{column: value for column, value, _ in MEMBERS.values()})


def changed(answer):
    """The resource without what every change moves."""
    assert answer.status == 200, answer
    return {name: value for name, value in answer.json.items() if name != "updatedAt"}


def without_update_time(user):
    return {name: value for name, value in user.expected().items() if name != "updatedAt"}


@each_member
def test_a_member_is_set(cgi, tokens, users, user, member):
    column, value, _ = MEMBERS[member]
    answer = cgi.patch(tokens.bearer(user), {member: value})
    assert changed(answer) == {**without_update_time(user), member: value}
    assert users.column(user, column) == value


@each_member
def test_a_member_is_replaced_and_the_others_stay(cgi, tokens, users, set_user, member):
    column, _, other = MEMBERS[member]
    answer = cgi.patch(tokens.bearer(set_user), {member: other})
    assert changed(answer) == {**without_update_time(set_user), member: other}
    assert users.column(set_user, column) == other


@each_clearable
def test_null_clears_a_member(cgi, tokens, users, set_user, member):
    answer = cgi.patch(tokens.bearer(set_user), {member: None})
    expected = without_update_time(set_user)
    del expected[member]
    assert changed(answer) == expected
    assert users.column(set_user, MEMBERS[member][0]) is None


def test_all_members_at_once(cgi, tokens, users, user):
    patch = {member: value for member, (_, value, _) in MEMBERS.items()}
    answer = cgi.patch(tokens.bearer(user), patch)
    assert changed(answer) == {**without_update_time(user), **patch}


def test_all_clearable_members_at_once(cgi, tokens, set_user):
    answer = cgi.patch(tokens.bearer(set_user), dict.fromkeys(CLEARABLE))
    assert not set(CLEARABLE) & set(changed(answer))


def test_setting_and_clearing_in_one_patch(cgi, tokens, set_user):
    answer = changed(cgi.patch(tokens.bearer(set_user), {"bio": None, "name": "New", "locale": "de"}))
    assert (answer.get("bio"), answer["name"], answer["locale"]) == (None, "New", "de")


def test_a_patch_answers_as_get_would(cgi, tokens, users):
    user = users.full()
    bearer = tokens.bearer(user)
    patched = cgi.patch(bearer, {"bio": "new"})
    got = cgi.get(bearer)
    assert patched.body == got.body and patched.etag == got.etag
    assert list(patched.json) == list(user.expected())


def test_the_members_order_does_not_matter(cgi, tokens, users):
    bodies = []
    for patch in (b'{"bio":"b","name":"n"}', b'{"name":"n","bio":"b"}'):
        user = users.add()
        bodies.append(changed(cgi.patch(tokens.bearer(user), patch)))
    for body in bodies:
        del body["id"]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("value", [
    "en", "\u0041", "a/b", '"\\', "\U0001f469", "\U0001d800", "\U0002d800\U0002dc00", "\U0010ffff",
], ids=ascii)
def test_escaped_text_is_the_same_text(cgi, tokens, user, value):
    escaped = "".join(f"\\u{unit:04x}" for unit in units_of(value)).encode()
    assert cgi.patch(tokens.bearer(user), b'{"bio":"' + escaped + b'"}').json["bio"] == value


def units_of(text):
    data = text.encode("utf-16-be")
    return [int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2)]


def test_an_escaped_member_name_is_the_same_name(cgi, tokens, user):
    assert cgi.patch(tokens.bearer(user), b'{"b\\u0069o":"x"}').json["bio"] == "x"


def test_text_is_not_normalised(cgi, tokens, user):
    decomposed = "e\u0301"
    assert cgi.patch(tokens.bearer(user), {"name": decomposed}).json["name"] == decomposed


# ---- updatedAt

def test_updated_at_moves_with_a_change(cgi, tokens, user):
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    answer = cgi.patch(tokens.bearer(user), {"bio": "new"})
    assert before <= moment(answer.json["updatedAt"]) <= datetime.now(timezone.utc) + timedelta(seconds=1)


def test_created_at_stays(cgi, tokens, user):
    answer = cgi.patch(tokens.bearer(user), {"bio": "new"})
    assert answer.json["createdAt"] == rfc3339(user.row["created_at"])


def test_updated_at_moves_forward_though_the_stored_one_is_ahead(cgi, tokens, users):
    ahead = datetime.now(timezone.utc).replace(microsecond=123000) + timedelta(days=1)
    user = users.add(updated_at=ahead)
    answer = cgi.patch(tokens.bearer(user), {"bio": "new"})
    assert moment(answer.json["updatedAt"]) > ahead


def test_each_of_several_changes_moves_it(cgi, tokens, user):
    bearer = tokens.bearer(user)
    times = [cgi.patch(bearer, {"bio": str(n)}).json["updatedAt"] for n in range(3)]
    assert times == sorted(set(times))


@pytest.mark.parametrize("patch", [
    {}, {"name": "Ada Lovelace"}, {"bio": None}, {"locale": None, "timezone": None, "avatarUrl": None},
], ids=str)
def test_a_patch_that_changes_nothing_leaves_updated_at(cgi, tokens, user, patch):
    answer = cgi.patch(tokens.bearer(user), patch)
    assert answer.status == 200 and answer.json == user.expected()
    assert answer.json["updatedAt"] == rfc3339(UPDATED)


@each_member
def test_an_equal_value_leaves_updated_at(cgi, tokens, set_user, member):
    answer = cgi.patch(tokens.bearer(set_user), {member: MEMBERS[member][1]})
    assert answer.json == set_user.expected()


def test_a_locale_that_differs_in_case_alone_changes_nothing(cgi, tokens, set_user):
    assert cgi.patch(tokens.bearer(set_user), {"locale": "EN-gb"}).json == set_user.expected()


def test_a_value_that_a_collation_would_take_for_equal_is_a_change(cgi, tokens, users):
    for before, after in (("Ada", "ada"), ("Ada", "Ada "), ("Zoe", "Zoë"), ("ss", "ß")):
        user = users.add(before)
        answer = cgi.patch(tokens.bearer(user), {"name": after})
        assert answer.json["name"] == after and answer.json["updatedAt"] != rfc3339(UPDATED)


def test_an_empty_bio_is_not_a_cleared_one(cgi, tokens, user):
    assert cgi.patch(tokens.bearer(user), {"bio": ""}).json["bio"] == ""


def test_nobody_else_is_changed(cgi, tokens, users, user):
    other = users.add()
    cgi.patch(tokens.bearer(user), {"name": "Changed"})
    assert cgi.get(tokens.bearer(other)).json == other.expected()
