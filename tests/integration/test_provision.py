"""token.provision = on: the first token of an identity that nobody has makes its user."""

import json
import uuid
from datetime import timedelta
from unittest.mock import ANY

import pymysql
import pytest

from support.answer import Answer
from support.cgi import Program
from support.installation import ISSUER, write_secret
from support.processes import wait_until
from support.together import at_once
from support.users import moment

HOST = "login.example.com"
SOON = timedelta(seconds=5)
ADDED = "a user was added from a token"
LEFT_OUT = "the email address of a new user is another user's: it was left out"


@pytest.fixture(scope="module")
def conf(installation):
    """Its account is made as the documentation says."""
    conf = installation.write_provisioning_conf()
    installation.grant("provision", conf)
    return conf


@pytest.fixture(scope="module")
def provision(installation, conf):
    """me.fcgi as `cgi`, but it adds users."""
    password = installation.provision_password_file.read_text().strip()
    return Program(conf, [installation.secret, installation.worker_password, password])


@pytest.fixture
def subject():
    return f"new|{uuid.uuid4()}"


@pytest.fixture
def address():
    return f"new.{uuid.uuid4().hex[:12]}@example.com"


def users_of(installation, subject) -> list:
    """The ids of the users who have this identity."""
    return [row[0] for row in installation.execute(
        "SELECT user_id FROM user_identities WHERE issuer = %s AND subject = %s", [ISSUER, subject])]


def count_users(installation) -> int:
    return installation.execute("SELECT COUNT(*) FROM users")[0][0]


@pytest.fixture
def nobody_is_added(installation):
    before = count_users(installation)
    yield
    assert count_users(installation) == before


def events(answer: Answer, name) -> list:
    return [event for event in answer.log if event["event"] == name]


# ---- the user

def test_the_first_token_makes_the_user(provision, tokens, subject, address):
    answer = provision.get(tokens.bearer(
        subject, name="Ada Lovelace", email=address, email_verified=True,
        picture="https://images.example.com/ada", locale="en-gb", zoneinfo="Europe/London",
        phone_number="+442079460000", phone_number_verified=True))
    assert answer.status == 200, answer
    shown = answer.json
    email, phone, identity = shown["emails"][0], shown["phoneNumbers"][0], shown["identities"][0]
    for row in (shown, email, phone, identity):
        assert row["createdAt"] == row["updatedAt"] and moment(row["createdAt"]) - moment(shown["createdAt"]) < SOON
    made, times = shown["id"], {"createdAt": ANY, "updatedAt": ANY}
    assert shown == {
        "id": made, "status": "active", "name": "Ada Lovelace", "activeSessions": 0, **times,
        "emails": [{
            "id": email["id"], "userId": made, "email": address, "verified": True, "passwordSet": False,
            "tokenSet": False, **times}],
        "defaultEmail": address,
        "identities": [{
            "id": subject, "name": "Ada Lovelace", "email": address,
            "avatarUrl": "https://images.example.com/ada", "provider": HOST, **times}],
        "avatarUrl": "https://images.example.com/ada",
        "phoneNumber": "+442079460000",
        "phoneNumbers": [{
            "id": phone["id"], "userId": made, "phoneNumber": "+442079460000", "verified": True,
            "primary": True, **times}],
        "locale": "en-GB", "timezone": "Europe/London", "badges": [],
    }
    assert [uuid.UUID(row["id"]).version for row in (shown, email, phone)] == [7, 7, 7]
    assert len({shown["id"], email["id"], phone["id"]}) == 3


def test_the_second_token_finds_the_user(provision, tokens, installation, subject):
    first = provision.get(tokens.bearer(subject, name="Ada"))
    second = provision.get(tokens.bearer(subject, name="Another Name", email="other@example.com"))
    assert (first.status, second.status) == (200, 200) and second.body == first.body
    assert events(first, ADDED) and not second.log
    assert len(users_of(installation, subject)) == 1


@pytest.mark.parametrize("method, headers, body, status", [
    ("GET", {}, None, 200), ("HEAD", {}, None, 200), ("PATCH", {}, {"bio": "first"}, 200),
    ("PATCH", {}, {}, 200), ("PATCH", {}, {"locale": "?"}, 422), ("PATCH", {}, b"{", 400),
    ("PATCH", {"Content-Type": "text/plain"}, b"x", 415), ("PATCH", {}, b"x" * 70000, 413),
    ("PATCH", {"If-Match": '"x"'}, {}, 412), ("GET", {"If-None-Match": '*'}, None, 304),
], ids=str)
def test_any_request_of_a_good_token_may_be_the_first(
        provision, tokens, installation, subject, method, headers, body, status):
    bearer = tokens.bearer(subject, name="Ada")
    answer = provision(method, headers={**bearer, **headers}, body=body)
    assert answer.status == status, answer
    assert len(users_of(installation, subject)) == 1
    shown = provision.get(bearer).json
    assert shown["name"] == "Ada" and shown.get("bio") == (body["bio"] if body == {"bio": "first"} else None)


def test_a_first_patch_may_need_if_match(provision, tokens, installation, subject):
    need = {"ME_REQUEST_REQUIRE_IF_MATCH": "on"}
    assert provision.patch(tokens.bearer(subject), {"bio": "x"}, **need).status == 428
    headers = {**tokens.bearer(subject), "If-Match": provision.get(tokens.bearer(subject)).etag}
    assert provision.patch(headers, {"bio": "x"}, **need).status == 200
    assert len(users_of(installation, subject)) == 1


def test_a_first_patch_answers_with_the_whole_user(provision, tokens, subject, address):
    answer = provision.patch(tokens.bearer(subject, name="Ada", email=address), {"name": "Grace"})
    assert answer.json["name"] == "Grace" and answer.json["defaultEmail"] == address
    assert answer.json["identities"][0]["name"] == "Ada"
    assert answer.json["updatedAt"] > answer.json["createdAt"]


def test_a_fastcgi_worker_adds_and_goes_on(start_worker, conf, tokens):
    worker = start_worker(ME_CONF=str(conf))
    people = [f"new|{uuid.uuid4()}" for _ in range(10)]
    ids = [worker.get(tokens.bearer(subject, name=subject)).json["id"] for subject in people]
    again = [worker.get(tokens.bearer(subject)).json for subject in people]
    assert [user["id"] for user in again] == ids and [user["name"] for user in again] == people
    assert len(set(ids)) == len(ids)


NAMES = [
    ({"name": "Ada Lovelace", "given_name": "X", "nickname": "Y"}, "Ada Lovelace"),
    ({"given_name": "Ada", "family_name": "Lovelace", "nickname": "al"}, "Ada Lovelace"),
    ({"nickname": "al", "preferred_username": "ada.l"}, "al"),
    ({"preferred_username": "ada.l"}, "ada.l"),
    ({}, "User"),
    ({"name": "\u0007", "given_name": " ", "nickname": ["x"], "preferred_username": "x" * 256}, "User"),
]


@pytest.mark.parametrize("claims, name", NAMES, ids=[name for _, name in NAMES])
def test_a_name_is_found(provision, tokens, subject, claims, name):
    assert provision.get(tokens.bearer(subject, **claims)).json["name"] == name


def test_the_name_may_be_that_of_the_address(provision, tokens, subject, address):
    assert provision.get(tokens.bearer(subject, email=address)).json["name"] == address.split("@", 1)[0]


INVALID = {
    "name": ["", " ", "a\u0000b", "a\nb", "x" * 256, 7, True, [], {}],
    "email": ["", "x", "x@", "a b@example.com", "x@example.com\r\nBcc: y@example.com", "ü@example.com",
              "x" * 65 + "@example.com", "x@example.com\u0000", 7, ["x@example.com"]],
    "picture": ["", "x", "javascript:alert(1)", "data:image/png;base64,AAAA", "https://u:p@example.com/",
                "https://example.com/" + "x" * 2048, "https://example.com/ x", 7],
    "locale": ["", "en_US", "x", "english language", "en-US-", 7, {"tag": "en"}],
    "zoneinfo": ["", "x", "../../../etc/passwd", "europe/london", "posixrules", 7],
    "phone_number": ["", "x", "+1 (425) 555-1212", "0612345678", "+0123", "+1" * 20, 7],
}
EACH_INVALID = [(claim, value) for claim, values in INVALID.items() for value in values]


@pytest.mark.parametrize("claim, value", EACH_INVALID, ids=[f"{c} {ascii(v)[:40]}" for c, v in EACH_INVALID])
def test_what_is_not_valid_is_left_out(provision, tokens, subject, claim, value):
    """Never a 500, never a refusal of a token that is good; a NUL alone is refused with the whole token."""
    answer = provision.get(tokens.bearer(subject, **{"nickname": "al", claim: value}))
    if "\u0000" in str(value):
        assert answer.status == 401, answer
        return
    assert answer.status == 200, answer
    shown = answer.json
    assert shown["name"] == "al" and shown["emails"] == [] and shown["phoneNumbers"] == []
    assert not {"avatarUrl", "locale", "timezone", "defaultEmail", "phoneNumber"} & set(shown)
    assert set(shown["identities"][0]) == {"id", "provider", "createdAt", "updatedAt"}
    assert events(answer, ADDED)[0]["left_out"] == claim


def test_everything_invalid_is_still_a_user(provision, tokens, subject):
    answer = provision.get(tokens.bearer(subject, **{claim: values[1] for claim, values in INVALID.items()}))
    assert answer.status == 200 and answer.json["name"] == "User", answer
    assert events(answer, ADDED)[0]["left_out"] == ", ".join(INVALID)


@pytest.mark.parametrize("flag, expected", [(True, True), (False, False), ("true", False), (1, False), (None, False)])
def test_only_the_boolean_verifies(provision, tokens, subject, address, flag, expected):
    answer = provision.get(tokens.bearer(
        subject, email=address, email_verified=flag, phone_number="+12025550123", phone_number_verified=flag))
    shown = answer.json
    assert [shown["emails"][0]["verified"], shown["phoneNumbers"][0]["verified"]] == [expected] * 2


def test_nothing_but_those_claims_is_taken(provision, tokens, subject):
    shown = provision.get(tokens.bearer(
        subject, name="Ada", status="banned", id=str(uuid.uuid4()), bio="b", badges=["a:b"], createdAt=1,
        userFraudInformation={"score": 1}, password_set=True)).json
    assert shown["status"] == "active" and shown["badges"] == [] and "bio" not in shown
    assert "userFraudInformation" not in shown


def test_the_log_has_nothing_of_the_person(start_worker, conf, tokens, subject, address):
    worker = start_worker(ME_CONF=str(conf), ME_LOG_LEVEL="debug")
    worker.get(tokens.bearer(subject, name="Ada Q. Lovelace", email=address, phone_number="+442079460123", locale="_"))
    worker.get(tokens.bearer(subject + "2", name="Ada Q. Lovelace", email=address))
    text = worker.log_file.read_text()
    assert ADDED in text and LEFT_OUT in text
    for hidden in (subject, "Lovelace", address, "+442079460123"):
        assert hidden not in text


# ---- whose address it is

@pytest.mark.parametrize("change", [str, str.upper, str.title], ids=["as it is", "upper case", "title case"])
@pytest.mark.parametrize("verified", [True, False])
def test_an_address_of_another_user_is_not_taken_over(
        provision, tokens, users, installation, subject, address, change, verified):
    owner = users.add("Owner")
    row = users.add_email(owner, address, is_default=True, verified=False)
    answer = provision.get(tokens.bearer(subject, name="New", email=change(address), email_verified=verified))
    assert answer.status == 200, answer
    shown = answer.json
    assert shown["id"] != owner.id and shown["emails"] == [] and "defaultEmail" not in shown
    assert shown["identities"][0]["email"] == change(address)
    warnings = events(answer, LEFT_OUT)
    assert len(warnings) == 1 and warnings[0]["level"] == "warning" and warnings[0]["user"] == shown["id"]
    assert warnings[0]["request_id"] == answer.headers["X-Request-Id"]
    assert installation.execute(
        "SELECT user_id, email, verified, is_default FROM user_emails WHERE email_key = %s", [address]
    ) == [(owner.row["id"].bytes, row["email"], 0, 1)]
    assert installation.execute(
        "SELECT COUNT(*) FROM user_identities WHERE user_id = %s", [owner.row["id"].bytes]) == [(0,)]


@pytest.mark.parametrize("status", ["banned", "deleted", "pending"])
def test_an_address_of_a_user_who_is_not_served_stays_there(provision, tokens, users, subject, address, status):
    users.add_email(users.add(status=status), address, is_default=True)
    assert provision.get(tokens.bearer(subject, email=address)).json["emails"] == []


def test_several_newcomers_with_one_address(provision, tokens, address):
    people = [f"new|{uuid.uuid4()}" for _ in range(8)]
    answers = at_once([
        lambda subject=subject: provision.get(tokens.bearer(subject, name="N", email=address)) for subject in people])
    assert [answer.status for answer in answers] == [200] * 8
    assert len({answer.json["id"] for answer in answers}) == 8
    assert sorted(len(answer.json["emails"]) for answer in answers) == [0] * 7 + [1]


# ---- several at once

def test_the_first_tokens_of_one_identity_make_one_user(provision, tokens, installation, address):
    for number in range(4):
        subject = f"new|{uuid.uuid4()}"
        bearer = tokens.bearer(subject, name="Ada", email=f"{number}.{address}", phone_number="+12025550123")
        answers = at_once([lambda: provision.get(bearer)] * 8)
        assert [answer.status for answer in answers] == [200] * 8, answers
        assert len({answer.body for answer in answers}) == 1
        assert sum(len(events(answer, ADDED)) for answer in answers) == 1
        assert len(users_of(installation, subject)) == 1


def test_so_do_those_of_several_workers(start_worker, conf, tokens, installation):
    before = count_users(installation)
    workers = [start_worker(ME_CONF=str(conf)) for _ in range(8)]
    for worker in workers:
        worker.get(tokens.bearer("a warm-up"))
    for number in range(12):
        subject = f"new|{uuid.uuid4()}"
        bearer = tokens.bearer(subject, name="Ada", email=f"{subject[4:]}@example.com")
        tasks = [
            (lambda w=worker: w.get(bearer)) if (index + number) % 3 else (lambda w=worker: w.patch(bearer, {}))
            for index, worker in enumerate(workers)]
        answers = at_once(tasks)
        assert [answer.status for answer in answers] == [200] * 8, answers
        assert len({answer.body for answer in answers}) == 1
        assert len(users_of(installation, subject)) == 1
    assert count_users(installation) == before + 12 + 1


# ---- who is not added

def test_without_provisioning_nobody_is_added(cgi, tokens, subject, nobody_is_added):
    answer = cgi.get(tokens.bearer(subject, name="Ada"), ME_TOKEN_SUBJECT="identity")
    assert answer.status == 401 and answer.log[-1]["reason"] == "user_unknown"


BAD = {
    "expired": {"exp": 1}, "not valid yet": {"nbf": 4102444800}, "no expiry": {"exp": None},
    "another issuer": {"iss": "https://evil.example.com"}, "no issuer": {"iss": None},
    "another audience": {"aud": "https://other.example.com"}, "another key": {"key": "x" * 64},
    "too long a subject": {"sub": "x" * 256}, "no subject": {"sub": ""},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_token_that_is_not_good_adds_nobody(provision, tokens, subject, method, changes, nobody_is_added):
    bearer = tokens.bearer(subject, **{"name": "Ada", **changes}) if "sub" not in changes else \
        tokens.bearer(changes["sub"], name="Ada")
    assert provision(method, headers=bearer, body=b"{}" if method == "PATCH" else None).status == 401


@pytest.mark.parametrize("method, path, status", [
    ("OPTIONS", "/me", 204), ("PUT", "/me", 405), ("GET", "/other", 404)])
def test_other_requests_add_nobody(provision, tokens, subject, method, path, status, nobody_is_added):
    assert provision(method, path, headers=tokens.bearer(subject)).status == status


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("status, expected", [("banned", 403), ("deleted", 401)])
def test_a_user_who_is_not_served_is_not_added_again(
        provision, tokens, users, user, subject, method, status, expected, nobody_is_added):
    users.add_identity(user, subject, issuer=ISSUER)
    users.set_column(user, "status", status)
    for _ in range(2):
        answer = provision(method, headers=tokens.bearer(subject), body=b"{}" if method == "PATCH" else None)
        assert answer.status == expected, answer


def test_a_user_whose_rows_are_gone_is_new_again(provision, tokens, installation, subject):
    first = provision.get(tokens.bearer(subject, name="Ada")).json["id"]
    installation.execute("DELETE FROM users WHERE id = %s", [uuid.UUID(first).bytes])
    assert provision.get(tokens.bearer(subject, name="Ada")).json["id"] != first


# ---- sessions: nobody is added by a token that names one

@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("mode", ["if-present", "required"])
def test_a_session_of_somebody_unknown_is_refused(
        provision, tokens, users, reader, subject, method, mode, nobody_is_added):
    for session in ("unknown", users.add_session(reader)):
        answer = provision(
            method, headers=tokens.bearer(subject, sid=session), body=b"{}" if method == "PATCH" else None,
            ME_TOKEN_SESSIONS=mode)
        assert answer.status == 401 and answer.log[-1]["reason"] == "user_unknown", answer
        assert "token.sessions = off" in answer.log[-1]["detail"]


@pytest.mark.parametrize("mode, claims, status", [
    ("off", {}, 200), ("off", {"sid": "unknown"}, 200), ("if-present", {}, 200), ("required", {}, 401)])
def test_a_newcomer_in_each_mode_of_sessions(provision, tokens, installation, subject, mode, claims, status):
    answer = provision.get(tokens.bearer(subject, **claims), ME_TOKEN_SESSIONS=mode)
    assert answer.status == status, answer
    assert len(users_of(installation, subject)) == (status == 200)


def test_a_session_that_is_written_later_counts(provision, tokens, mectl, subject):
    user = provision.get(tokens.bearer(subject)).json["id"]
    session = mectl("session", "add", "--user", user).stdout.strip()
    bearer, mode = tokens.bearer(subject, sid=session), {"ME_TOKEN_SESSIONS": "required"}
    assert provision.get(bearer, **mode).status == 200
    mectl("session", "revoke", "--user", user, "--all")
    assert provision.get(bearer, **mode).status == 401


# ---- the accounts

def test_the_workers_own_account_cannot_add_users(mariadb, installation):
    connection = mariadb.connect(installation.worker_account, installation.worker_password, installation.database)
    tables = ["users", "user_identities", "user_emails", "user_phone_numbers", "user_badges", "sessions"]
    with connection.cursor() as cursor:
        for table in tables:
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute(f"INSERT INTO {table} () VALUES ()")
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute(f"DELETE FROM {table}")
    connection.close()


def assert_unavailable(answer, *words):
    assert (answer.status, answer.code) == (503, "service_unavailable"), answer
    logged = str(answer.events("error"))
    for word in ("provisioning", *words):
        assert word in logged, answer


@pytest.fixture
def wrong_password(tmp_path):
    return str(write_secret(tmp_path / "wrong.password", "wrong\n"))


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_account_that_is_refused_is_an_unavailable_service(
        provision, tokens, subject, method, wrong_password, nobody_is_added):
    body = b"{}" if method == "PATCH" else None
    for wrong in ({"ME_PROVISION_PASSWORD_FILE": wrong_password}, {"ME_PROVISION_USER": "nobody_here"}):
        answer = provision(method, headers=tokens.bearer(subject), body=body, **wrong)
        assert_unavailable(answer, "Access denied", "--print-grants")


def test_who_is_there_is_served_whatever_becomes_of_that_account(
        provision, tokens, users, user, subject, wrong_password):
    users.add_identity(user, subject, issuer=ISSUER)
    answer = provision.get(tokens.bearer(subject), ME_PROVISION_PASSWORD_FILE=wrong_password)
    assert answer.status == 200


def test_an_account_without_rights_is_an_unavailable_service(
        provision, tokens, subject, mariadb, installation, conf, nobody_is_added):
    account = f"'{installation.provision_account}'@'localhost'"
    mariadb.execute(f"REVOKE INSERT (user_id, id, issuer, subject, provider, name, email, avatar_url, created_at,"
                    f" updated_at) ON {installation.database}.user_identities FROM {account}")
    try:
        assert_unavailable(provision.get(tokens.bearer(subject)), "denied")
    finally:
        installation.grant("provision", conf)


def connections(mariadb, user) -> int:
    return mariadb.execute("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = %s", [user])[0][0]


def test_the_second_connection_is_there_when_it_is_needed(
        start_worker, conf, tokens, users, user, subject, mariadb, installation):
    users.add_identity(user, subject, issuer=ISSUER)
    worker = start_worker(ME_CONF=str(conf), ME_DATABASE_IDLE_CLOSE_S="1")
    account = installation.provision_account
    wait_until(lambda: connections(mariadb, account) == 0, what="no other test's connection")
    assert worker.get(tokens.bearer(subject)).status == 200
    assert connections(mariadb, account) == 0
    assert worker.get(tokens.bearer(subject + " new")).status == 200
    assert connections(mariadb, account) == 1
    wait_until(lambda: connections(mariadb, account) == 0, what="the idle connection is closed")
    assert worker.get(tokens.bearer(subject + " newer")).status == 200


def test_a_second_connection_that_was_lost_is_opened_again(start_worker, conf, tokens, subject, mariadb, installation):
    worker = start_worker(ME_CONF=str(conf))
    assert worker.get(tokens.bearer(subject)).status == 200
    for (number,) in mariadb.execute(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE USER IN (%s, %s)",
            [installation.provision_account, installation.worker_account]):
        mariadb.execute(f"KILL {number}")
    assert worker.get(tokens.bearer(subject + " new")).status == 200


# ---- mectl

def test_the_rights_are_printed_where_use_is_made_of_them(mectl, installation, conf):
    account = f"'{installation.provision_account}'@'localhost'"
    assert account in mectl("migrate", "--print-grants", conf=conf).stdout
    assert "provision" not in mectl("migrate", "--print-grants").stdout
    printed = mectl("migrate", "--print-grants", "--for", "provision", conf=conf).stdout
    assert account in printed and "SELECT" not in printed and installation.worker_account not in printed


def test_without_an_account_there_are_no_rights_to_print(mectl):
    done = mectl("migrate", "--print-grants", "--for", "provision", check=False)
    assert done.returncode == 1 and "provision.user" in done.stderr and done.stdout == ""


def findings(mectl, conf, level) -> list:
    done = mectl("config", "check", "--json", conf=conf, check=False)
    return [finding["what"] for finding in json.loads(done.stdout) if finding["finding"] == level]


def test_config_check_warns_of_sessions(mectl, installation, conf):
    assert findings(mectl, conf, "warning") == []
    for mode in ("if-present", "required"):
        other = installation.write_provisioning_conf("provisioning-sessions.conf", token__sessions=mode)
        assert findings(mectl, other, "warning") == ["token.provision"]


def test_config_check_reads_the_password(mectl, installation, tmp_path):
    other = installation.write_provisioning_conf("provisioning-no.conf", provision__password_file=tmp_path / "missing")
    assert findings(mectl, other, "wrong") == ["password"]
