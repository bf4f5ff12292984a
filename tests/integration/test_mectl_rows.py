"""mectl email, phone, identity, badge and fraud: add and remove."""

import json
import uuid

import pytest

from support.commands import assert_refused, quiet, run_on_full_disk

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ISSUER = "https://accounts.example.com"


class Kind:
    """A kind of child rows: how one is added and removed, and where the resource shows it."""

    def __init__(self, name, member, value, add=(), remove=(), shown=None, is_shared=False):
        self.name, self.member = name, member
        self._value, self._add, self._remove, self._shown = value, add, remove, shown
        self.is_shared = is_shared  # two users may have the same

    def new_value(self):
        return self._value.replace("*", uuid.uuid4().hex[:12])

    def add(self, user, value, *more):
        return [self.name, "add", "--user", user, *self._add, *more, "--", value]

    def remove(self, user, value):
        return [self.name, "remove", "--user", user, *self._remove, *([] if self.member is None else [value])]

    def is_shown(self, profile, value):
        if self.member is None:
            return "userFraudInformation" in profile
        return value in [row[self._shown] if self._shown else row for row in profile[self.member]]


KINDS = [
    Kind("email", "emails", "a*@example.com", shown="email"),
    Kind("phone", "phoneNumbers", "+4930123456", shown="phoneNumber", is_shared=True),
    Kind("identity", "identities", "subject-*", ["--issuer", ISSUER, "--provider", "example"],
         ["--issuer", ISSUER], shown="id"),
    Kind("badge", "badges", "example:*", is_shared=True),
    Kind("fraud", None, "7", is_shared=True),
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
each_unique_kind = pytest.mark.parametrize("kind", [k for k in KINDS if k.name != "fraud"], ids=lambda kind: kind.name)


def shown(mectl, user):
    return json.loads(quiet(mectl("user", "show", user)))


# ---- the same for all kinds

@each_kind
def test_a_row_comes_and_goes(mectl, cgi, tokens, user, kind):
    value = kind.new_value()
    assert quiet(mectl(*kind.add(user, value))) == ""
    profile = cgi.get(tokens.bearer(user)).json
    assert kind.is_shown(profile, value) and profile == shown(mectl, user)
    assert quiet(mectl(*kind.remove(user, value))) == ""
    assert not kind.is_shown(shown(mectl, user), value)


@each_kind
def test_an_unknown_user(mectl, kind):
    value = kind.new_value()
    for words in (kind.add(UNKNOWN, value), kind.remove(UNKNOWN, value)):
        assert_refused(mectl(*words, check=False), "there is no such user")


@each_kind
@pytest.mark.parametrize("user", ["", "ada", UNKNOWN[:-1], UNKNOWN + "0", "' OR 1"])
def test_what_is_no_user(mectl, kind, user):
    value = kind.new_value()
    for words in (kind.add(user, value), kind.remove(user, value)):
        assert_refused(mectl(*words, check=False), f"--user: '{user}' is not a UUID")


@each_kind
def test_a_row_that_is_not_there(mectl, user, kind):
    value = kind.new_value()
    named = user.id if kind.member is None else value
    assert_refused(mectl(*kind.remove(user, value), check=False), f"{named}: the user has no such " if kind.member
                   else f"{named}: the user has no fraud score")


@each_unique_kind
def test_a_row_that_is_there_already(mectl, user, kind):
    value = kind.new_value()
    mectl(*kind.add(user, value))
    before = shown(mectl, user)
    assert_refused(mectl(*kind.add(user, value), check=False), value, "already")
    assert shown(mectl, user) == before


@each_kind
def test_the_same_row_of_another_user(mectl, users, user, kind):
    other, value = users.add(), kind.new_value()
    mectl(*kind.add(other, value))
    if kind.is_shared:
        quiet(mectl(*kind.add(user, value)))
    else:
        assert_refused(mectl(*kind.add(user, value), check=False), value, "another")
        assert_refused(mectl(*kind.remove(user, value), check=False), value, "no such")
    assert kind.is_shown(shown(mectl, other), value)


@each_kind
def test_what_prints_nothing_does_not_mind_a_full_disk(installation, mectl, user, kind):
    value = kind.new_value()
    done = run_on_full_disk(*kind.add(user, value), conf=installation.conf)
    assert done.returncode == 0 and kind.is_shown(shown(mectl, user), value)


@each_kind
def test_a_database_that_is_away(mectl, tmp_path, kind):
    away = str(tmp_path / "no.sock")
    for words in (kind.add(UNKNOWN, kind.new_value()), kind.remove(UNKNOWN, kind.new_value())):
        assert_refused(mectl(*words, check=False, ME_DATABASE_HOST=away), away)


# ---- email

def test_the_flags_of_an_email(mectl, user):
    for flag, member in (("--verified", "verified"), ("--password-set", "passwordSet"), ("--token-set", "tokenSet")):
        address = f"{uuid.uuid4().hex}@example.com"
        mectl("email", "add", "--user", user, flag, address)
        (row,) = [row for row in shown(mectl, user)["emails"] if row["email"] == address]
        assert [name for name in ("verified", "passwordSet", "tokenSet") if row[name]] == [member]
        assert row["userId"] == user.id and uuid.UUID(row["id"]).version == 7


def test_a_new_default_email_takes_the_role(mectl, user):
    first, second = (f"{uuid.uuid4().hex}@example.com" for _ in range(2))
    mectl("email", "add", "--user", user, first)
    assert "defaultEmail" not in shown(mectl, user)
    mectl("email", "add", "--user", user, "--default", second)
    assert shown(mectl, user)["defaultEmail"] == second
    third = f"{uuid.uuid4().hex}@example.com"
    mectl("email", "add", "--user", user, "--default", third)
    assert shown(mectl, user)["defaultEmail"] == third
    mectl("email", "remove", "--user", user, third)
    assert "defaultEmail" not in shown(mectl, user)


def test_an_address_is_one_users_whatever_its_case(mectl, users, user):
    address = f"Ada.{uuid.uuid4().hex}@Example.com"
    mectl("email", "add", "--user", user, address)
    assert_refused(mectl("email", "add", "--user", users.add(), address.lower(), check=False), "already", "another")
    assert shown(mectl, user)["emails"][0]["email"] == address


def test_a_refused_default_leaves_the_role_where_it_is(mectl, users, user):
    taken, mine = (f"{uuid.uuid4().hex}@example.com" for _ in range(2))
    mectl("email", "add", "--user", users.add(), taken)
    mectl("email", "add", "--user", user, "--default", mine)
    assert_refused(mectl("email", "add", "--user", user, "--default", taken, check=False), "already")
    assert shown(mectl, user)["defaultEmail"] == mine


@pytest.mark.parametrize("address", ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@example.com\n",
                                     "x" * 255 + "@example.com"])
def test_what_is_no_address(mectl, user, address):
    assert_refused(mectl("email", "add", "--user", user, address, check=False), "ADDRESS: '", "email address")


# ---- phone

def test_a_new_primary_number_takes_the_role(mectl, user):
    mectl("phone", "add", "--user", user, "--primary", "+4930111111")
    mectl("phone", "add", "--user", user, "--verified", "+4930222222")
    assert shown(mectl, user)["phoneNumber"] == "+4930111111"
    mectl("phone", "add", "--user", user, "--primary", "--verified", "+4930333333")
    profile = shown(mectl, user)
    assert profile["phoneNumber"] == "+4930333333"
    assert {row["phoneNumber"]: (row["primary"], row["verified"]) for row in profile["phoneNumbers"]} == {
        "+4930111111": (False, False), "+4930222222": (False, True), "+4930333333": (True, True)}


@pytest.mark.parametrize("number", ["", "4930111111", "+0930111111", "+49 30 111111", "+1234567890123456", "+1"])
def test_what_is_no_number(mectl, user, number):
    assert_refused(mectl("phone", "add", "--user", user, "--", number, check=False), f"NUMBER: '{number}'", "E.164")


# ---- identity

def test_an_identity_with_everything(mectl, user):
    subject = f"auth0|{uuid.uuid4().hex} é"
    mectl("identity", "add", "--user", user, "--issuer", ISSUER, "--provider", "auth0", "--name", "Ada L.",
          "--email", "ada@example.org", "--avatar-url", "https://example.com/ada", subject)
    (row,) = shown(mectl, user)["identities"]
    assert {name: row[name] for name in ("id", "provider", "name", "email", "avatarUrl")} == {
        "id": subject, "provider": "auth0", "name": "Ada L.", "email": "ada@example.org",
        "avatarUrl": "https://example.com/ada"}


def test_a_subject_is_one_users_at_each_issuer_byte_by_byte(mectl, users, user):
    subject = f"Ada{uuid.uuid4().hex}"

    def add(whose, issuer, value):
        return mectl("identity", "add", "--user", whose, "--issuer", issuer, "--provider", "p", value, check=False)

    assert add(user, ISSUER, subject).returncode == 0
    for issuer, value in ((ISSUER, subject.lower()), (ISSUER, subject + " "), (ISSUER + "/", subject)):
        assert add(users.add(), issuer, value).returncode == 0
    assert_refused(add(users.add(), ISSUER, subject), subject, "already")


def test_an_identity_of_another_issuer_is_not_removed(mectl, user):
    subject = uuid.uuid4().hex
    mectl("identity", "add", "--user", user, "--issuer", ISSUER, "--provider", "p", subject)
    other = mectl("identity", "remove", "--user", user, "--issuer", ISSUER + "/", subject, check=False)
    assert_refused(other, subject, "no such identity")
    assert len(shown(mectl, user)["identities"]) == 1


@pytest.mark.parametrize("options, words", [
    ({"--issuer": ""}, ["--issuer", "1 to 255 bytes"]),
    ({"--issuer": "x" * 256}, ["--issuer", "1 to 255 bytes"]),
    ({"--provider": ""}, ["--provider", "1 to 64 bytes"]),
    ({"--provider": "x" * 65}, ["--provider", "1 to 64 bytes"]),
    ({"--name": " "}, ["--name", "white space"]),
    ({"--email": "ada"}, ["--email", "email address"]),
    ({"--avatar-url": "example.com/a"}, ["--avatar-url", "URL"]),
    ({"": ""}, ["SUBJECT", "1 to 255 bytes"]),
    ({"": "x" * 256}, ["SUBJECT", "1 to 255 bytes"]),
    ({"": "\udcff"}, ["SUBJECT", "UTF-8"]),
    ({"--issuer": "\udcff"}, ["--issuer", "UTF-8"]),
    ({"--provider": "\udcff"}, ["--provider", "UTF-8"]),
], ids=lambda value: "".join(value) if isinstance(value, dict) else None)
def test_an_identity_that_is_not_as_it_must_be(mectl, user, options, words):
    options = {"--issuer": ISSUER, "--provider": "p", **options}
    subject = options.pop("", "subject")
    given = [word for pair in options.items() for word in pair]
    assert_refused(mectl("identity", "add", "--user", user, *given, subject, check=False), *words)
    assert shown(mectl, user)["identities"] == []


# ---- badge

@pytest.mark.parametrize("badge", ["", "x", ":x", "x:", "a:b:c", "a b:c", "é:x", "x" * 65 + ":y", "x:" + "y" * 65])
def test_what_is_no_badge(mectl, user, badge):
    for verb in ("add", "remove"):
        assert_refused(mectl("badge", verb, "--user", user, badge, check=False), f"SCOPE:NAME: '{badge}'", "scope:name")


# ---- fraud

@pytest.mark.parametrize("score", ["0", "42", "-1", "2147483647", "-2147483648"])
def test_a_score_replaces_the_one_before(mectl, user, score):
    mectl("fraud", "add", "--user", user, "99")
    assert quiet(mectl("fraud", "add", "--user", user, score)) == ""
    assert shown(mectl, user)["userFraudInformation"] == {"score": int(score), "userId": user.id}


@pytest.mark.parametrize("score", ["", "x", "1.5", "2147483648", "-2147483649", "--5", "+1", "0x10"])
def test_what_is_no_score(mectl, user, score):
    assert_refused(mectl("fraud", "add", "--user", user, "--", score, check=False), f"SCORE: '{score}'",
                   "-2147483648 to 2147483647")
