"""mectl user add, show, list and status."""

import json
import uuid

import pytest

from support.commands import assert_needs_its_output, assert_refused, assert_usage, objects, only, quiet

UNKNOWN = "00000000-0000-4000-8000-000000000000"
STATUSES = ["pending", "active", "deleted", "invited", "banned"]


def shown(mectl, user):
    return json.loads(quiet(mectl("user", "show", user)))


def added(mectl, *arguments):
    return quiet(mectl("user", "add", *arguments)).rstrip("\n")


# ---- add

def test_a_user_with_a_name_is_active_and_has_a_new_id(mectl):
    user = added(mectl, "--name", "Ada")
    assert uuid.UUID(user).version == 7 and user == user.lower()
    profile = shown(mectl, user)
    assert (profile["id"], profile["name"], profile["status"]) == (user, "Ada", "active")
    assert profile["createdAt"] == profile["updatedAt"] and not {"bio", "avatarUrl", "locale"} & set(profile)


def test_every_member_can_be_given(mectl):
    user = str(uuid.uuid4())
    assert added(
        mectl, "--name", "Zoë 王", "--id", user, "--status", "invited", "--bio", "one\n\ttwo", "--avatar-url",
        "https://example.com/a?b#c", "--locale", "EN-us", "--timezone", "Asia/Calcutta") == user
    profile = shown(mectl, user)
    assert {name: profile[name] for name in ("name", "status", "bio", "avatarUrl", "locale", "timezone")} == {
        "name": "Zoë 王", "status": "invited", "bio": "one\n\ttwo", "avatarUrl": "https://example.com/a?b#c",
        "locale": "en-US", "timezone": "Asia/Calcutta"}


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_can_be_given(mectl, status):
    assert shown(mectl, added(mectl, "--name", "Ada", "--status", status))["status"] == status


def test_add_prints_json(mectl):
    printed = only(mectl("user", "add", "--name", "Ada", "--json"))
    assert list(printed) == ["id"] and shown(mectl, printed["id"])["name"] == "Ada"


def test_an_id_in_upper_case_is_the_same_id(mectl):
    user = str(uuid.uuid4())
    assert added(mectl, "--name", "Ada", "--id", user.upper()) == user


def test_a_second_user_of_an_id_is_refused(mectl, user):
    assert_refused(mectl("user", "add", "--name", "Eve", "--id", user, check=False), user, "already")
    assert shown(mectl, user)["name"] == user.row["name"]


@pytest.mark.parametrize("arguments, words", [
    (["--name", ""], ["--name", "is empty"]),
    (["--name", "  "], ["--name", "white space"]),
    (["--name", "a\n\x1b\u009bb"], ["--name", r"'a\x0a\x1b\xc2\x9bb'", "control character"]),
    (["--name", "é" * 256], ["--name", "'" + "é" * 100 + "...'", "too long", "255"]),
    (["--name", "é\udcffé"], ["--name", r"'é\xffé'", "UTF-8"]),
    (["--name", "\udc80" * 300], ["--name", "'...'", "UTF-8"]),
    (["--name", "Ada", "--id", "1"], ["--id", "'1'", "UUID"]),
    (["--name", "Ada", "--id", "{01890a5d-ac96-774b-bcce-b302099a8057}"], ["--id", "UUID"]),
    (["--name", "Ada", "--status", "gone"], ["'gone'", *STATUSES]),
    (["--name", "Ada", "--status", "Active"], ["'Active'"]),
    (["--name", "Ada", "--bio", "\x07"], ["--bio", "control character"]),
    (["--name", "Ada", "--bio", "x" * 4097], ["--bio", "x...' is too long", "4096"]),
    (["--name", "Ada", "--avatar-url", "ftp://example.com/"], ["--avatar-url", "http"]),
    (["--name", "Ada", "--locale", "en_US"], ["--locale", "'en_US'", "BCP 47"]),
    (["--name", "Ada", "--timezone", "europe/berlin"], ["--timezone", "'europe/berlin'", "exact case"]),
    (["--name", "Ada", "--timezone", "../../etc/passwd"], ["--timezone"]),
], ids=lambda value: None)
def test_a_bad_value_is_told_and_nothing_stored(mectl, installation, arguments, words):
    count = installation.execute("SELECT COUNT(*) FROM users")
    assert_refused(mectl("user", "add", *arguments, check=False), *words)
    assert installation.execute("SELECT COUNT(*) FROM users") == count


# ---- show

def test_show_prints_the_resource(mectl, full_user):
    for json_too in ([], ["--json"]):
        text = quiet(mectl("user", "show", full_user, *json_too))
        assert text.endswith("}\n") and text.count("\n") == 1
        assert list(json.loads(text).items()) == list(full_user.expected().items())


@pytest.mark.parametrize("status", STATUSES)
def test_show_whatever_the_status(mectl, users, status):
    assert shown(mectl, users.add(status=status))["status"] == status


def test_show_of_nobody(mectl):
    assert_refused(mectl("user", "show", UNKNOWN, check=False), UNKNOWN, "there is no such user")
    assert_refused(mectl("user", "show", "ada", check=False), "'ada'", "UUID")


# ---- list: the database holds the users of other tests as well

@pytest.fixture(scope="module")
def three(users):
    """Three users whose ids come one after the other, the last of all."""
    first = "ffffffff-ffff-4fff-8fff-0000000000"
    made = [users.add(f"Listed {n}", id=uuid.UUID(f"{first}0{n}"), status=status)
            for n, status in ((1, "active"), (2, "banned"), (3, "active"))]
    users.add_email(made[1], "second@list.example.com", is_default=True)
    users.add_email(made[2], "third@list.example.com")
    yield made
    for user in made:
        users.delete(user)


BEFORE_THEM = "ffffffff-ffff-4fff-8fff-000000000000"


def test_list_by_id(mectl, three):
    lines = quiet(mectl("user", "list", "--after", BEFORE_THEM)).splitlines()
    assert lines == [
        f"{three[0]}  active    Listed 1  -",
        f"{three[1]}  banned    Listed 2  second@list.example.com",
        f"{three[2]}  active    Listed 3  -",
    ]
    everybody = quiet(mectl("user", "list")).removesuffix("\n").split("\n")  # names may hold other separators
    assert everybody[-3:] == lines and everybody == sorted(everybody, key=lambda line: line.split()[0])


def test_list_prints_json(mectl, three):
    rows = objects(mectl("user", "list", "--after", BEFORE_THEM, "--json"))
    assert [row["id"] for row in rows] == [user.id for user in three]
    assert list(rows[0]) == ["id", "status", "name", "createdAt", "updatedAt"]
    assert list(rows[1]) == ["id", "status", "name", "defaultEmail", "createdAt", "updatedAt"]
    expected = three[1].expected()
    assert rows[1] == {name: expected[name] for name in rows[1]}


def test_list_in_parts(mectl, three):
    def part(*arguments):
        return [row["id"] for row in objects(mectl("user", "list", "--json", *arguments))]

    assert part("--after", BEFORE_THEM, "--limit", "2") == [three[0].id, three[1].id]
    assert part("--after", three[1]) == [three[2].id]
    assert part("--after", three[2]) == []
    assert part("--after", BEFORE_THEM, "--status", "active") == [three[0].id, three[2].id]
    assert part("--after", BEFORE_THEM, "--status", "active", "--limit", "1") == [three[0].id]
    assert part("--after", BEFORE_THEM, "--status", "invited") == []


def test_an_empty_list_is_no_failure(mectl, three):
    assert quiet(mectl("user", "list", "--after", three[2])) == ""


def test_what_another_application_stored_does_not_reach_the_terminal(mectl, users):
    user = users.add("a\x1b[31m\u009b0m\x7f\nb", id=uuid.UUID("ffffffff-ffff-4fff-8fff-000000000009"))
    try:
        line = quiet(mectl("user", "list", "--after", "ffffffff-ffff-4fff-8fff-000000000008"))
        assert line == f"{user}  active    a\\x1b[31m\\xc2\\x9b0m\\x7f\\x0ab  -\n"
        (row,) = objects(mectl("user", "list", "--after", "ffffffff-ffff-4fff-8fff-000000000008", "--json"))
        assert row["name"] == user.row["name"]
    finally:
        users.delete(user)


@pytest.mark.parametrize("arguments, words", [
    (["--after", "x"], ["--after", "'x'", "UUID"]),
    (["--status", "gone"], ["'gone'", *STATUSES]),
    (["--limit", "0"], ["--limit", "'0'", "1 to 1000000"]),
    (["--limit", "1000001"], ["--limit"]),
    (["--limit", "-1"], ["--limit", "'-1'"]),
    (["--limit", "ten"], ["--limit", "'ten'"]),
    (["--limit", "1 "], ["--limit"]),
])
def test_list_refuses_a_bad_value(mectl, arguments, words):
    assert_refused(mectl("user", "list", *arguments, check=False), *words)


# ---- status

@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_set(mectl, users, user, status):
    assert quiet(mectl("user", "status", user, status)) == ""
    assert users.column(user, "status") == status


def test_a_status_counts_at_once(mectl, cgi, tokens, user):
    assert cgi.get(tokens.bearer(user)).status == 200
    mectl("user", "status", user, "banned")
    assert cgi.get(tokens.bearer(user)).status == 403
    mectl("user", "status", user, "deleted")
    assert cgi.get(tokens.bearer(user)).status == 401
    mectl("user", "status", user, "active")
    assert cgi.get(tokens.bearer(user)).status == 200


def test_the_time_moves_only_with_the_status(mectl, users, user):
    before = users.column(user, "updated_at")
    mectl("user", "status", user, "active")
    assert users.column(user, "updated_at") == before
    mectl("user", "status", user, "banned")
    assert users.column(user, "updated_at") > before


@pytest.mark.parametrize("words, told", [
    ([UNKNOWN, "banned"], [UNKNOWN, "there is no such user"]),
    (["x", "banned"], ["'x'", "UUID"]),
    ([UNKNOWN, "gone"], ["'gone'", *STATUSES]),
    ([UNKNOWN, ""], ["''", *STATUSES]),
])
def test_status_refuses(mectl, words, told):
    assert_refused(mectl("user", "status", *words, check=False), *told)


# ---- output

@pytest.mark.parametrize("arguments", [
    ["user", "add", "--name", "Ada"], ["user", "add", "--name", "Ada", "--json"], ["user", "list"],
    ["user", "list", "--json"],
], ids=" ".join)
def test_what_was_not_printed_is_no_success(installation, user, arguments):
    assert_needs_its_output(*arguments, conf=installation.conf)


def test_a_profile_that_was_not_printed_is_no_success(installation, user):
    assert_needs_its_output("user", "show", user, conf=installation.conf)


@pytest.mark.parametrize("arguments", [["user", "status", UNKNOWN], ["user", "add"], ["user", "show"]])
def test_what_is_missing_is_wrong_usage(mectl, arguments):
    assert_usage(mectl(*arguments, check=False), "is missing", "usage: mectl user")
