"""token.subject = identity: the pair of iss and sub in user_identities names the user."""

import json
import uuid

import pytest

from support.cgi import Program
from support.installation import ISSUER
from support.together import at_once

OTHER_ISSUER = "https://other.example.com"


@pytest.fixture(scope="module")
def conf(installation):
    return installation.write_conf(
        "identity.conf", token__subject="identity", token__issuer=f"{ISSUER}, {OTHER_ISSUER}")


@pytest.fixture(scope="module")
def by_identity(installation, conf):
    """me.fcgi as `cgi`, but with token.subject = identity."""
    return Program(conf, [installation.secret, installation.worker_password])


@pytest.fixture
def subject():
    """A subject of nobody else."""
    return f"auth0|{uuid.uuid4()}"


@pytest.fixture
def somebody(users, user, subject):
    """A user with this identity."""
    users.add_identity(user, subject, issuer=ISSUER)
    return user


def assert_refused(answer, reason):
    assert (answer.status, answer.code) == (401, "invalid_token"), answer
    assert answer.log[-1]["reason"] == reason, answer


# ---- whose token it is

def test_the_users_resource_is_served(by_identity, tokens, somebody, subject):
    answer = by_identity.get(tokens.bearer(subject))
    assert answer.status == 200 and answer.json == somebody.expected(), answer


def test_a_full_user_reads_as_by_its_id(cgi, by_identity, tokens, full_user):
    identity = full_user.identities[0]
    conf = {"ME_TOKEN_ISSUER": identity["issuer"]}
    answer = by_identity.get(tokens.bearer(identity["subject"], iss=identity["issuer"]), **conf)
    assert answer.status == 200 and answer.body == cgi.get(tokens.bearer(full_user)).body, answer


def test_a_change_is_the_users(by_identity, tokens, users, somebody, subject):
    answer = by_identity.patch(tokens.bearer(subject), {"name": "Grace", "bio": "b"})
    assert answer.status == 200 and answer.json["id"] == somebody.id, answer
    assert users.column(somebody, "name") == "Grace"
    assert by_identity.get(tokens.bearer(subject)).body == answer.body


def test_several_identities_may_be_one_users(by_identity, tokens, users, somebody, subject):
    users.add_identity(somebody, subject, issuer=OTHER_ISSUER)
    one = by_identity.get(tokens.bearer(subject))
    other = by_identity.get(tokens.bearer(subject, iss=OTHER_ISSUER))
    assert one.status == 200 and one.body == other.body


def test_the_same_subject_of_two_issuers_is_two_users(by_identity, tokens, users, somebody, subject):
    other = users.add("Other")
    users.add_identity(other, subject, issuer=OTHER_ISSUER)
    assert by_identity.get(tokens.bearer(subject)).json["id"] == somebody.id
    assert by_identity.get(tokens.bearer(subject, iss=OTHER_ISSUER)).json["id"] == other.id


def test_the_id_of_a_user_is_no_identity(by_identity, tokens, somebody):
    assert_refused(by_identity.get(tokens.bearer(somebody.id)), "user_unknown")


def test_a_subject_that_looks_like_an_id_is_an_identity(by_identity, tokens, users, user, reader):
    users.add_identity(user, reader.id, issuer=ISSUER)
    assert by_identity.get(tokens.bearer(reader.id)).json["id"] == user.id


NEARLY = {
    "another case": str.upper,
    "a blank behind": lambda subject: subject + " ",
    "a blank before": lambda subject: " " + subject,
    "a part": lambda subject: subject[:-1],
    "a percent sign": lambda subject: "%",
    "full-width digits": lambda subject: subject.replace("0", "\uff10"),
    "a zero-width space": lambda subject: subject + "\u200b",
    "an accent": lambda subject: subject.replace("a", "á"),
    "a quote": lambda subject: subject + "' OR '1'='1",
}


@pytest.mark.parametrize("change", NEARLY.values(), ids=NEARLY)
def test_a_subject_is_compared_bytewise(by_identity, tokens, somebody, subject, change):
    assert_refused(by_identity.get(tokens.bearer(change(subject))), "user_unknown")


@pytest.mark.parametrize("issuer", [ISSUER + "/", ISSUER.upper(), ISSUER + " ", "login.example.com"])
def test_an_issuer_is_compared_bytewise(by_identity, tokens, somebody, subject, issuer):
    answer = by_identity.get(tokens.bearer(subject, iss=issuer), ME_TOKEN_ISSUER=f'"{issuer}"')
    assert_refused(answer, "user_unknown")


ODD = ["42", "ü⟨王⟩ 👩", "x" * 255, "é" * 127, "a b", "'", "\\", "\u007f\n"]


@pytest.mark.parametrize("subject", ODD, ids=ascii)
def test_any_text_of_255_bytes_may_be_a_subject(by_identity, tokens, users, user, subject):
    users.add_identity(user, subject, issuer=ISSUER)
    try:
        assert by_identity.get(tokens.bearer(subject)).json["id"] == user.id
    finally:
        users.delete(user)


# ---- what is nobody's

@pytest.mark.parametrize("subject", ["x" * 256, "é" * 128, "x" * 3000], ids=len)
def test_a_subject_that_is_too_long_is_refused(by_identity, tokens, subject):
    assert_refused(by_identity.get(tokens.bearer(subject)), "bad_subject")


def test_an_issuer_that_is_too_long_is_refused(by_identity, tokens):
    answer = by_identity.get(tokens.bearer("s", iss="i" * 256), ME_TOKEN_ISSUER="")
    assert_refused(answer, "bad_issuer")


def test_an_empty_issuer_is_refused(by_identity, tokens):
    assert_refused(by_identity.get(tokens.bearer("s", iss=""), ME_TOKEN_ISSUER=""), "bad_issuer")


def test_a_token_without_issuer_is_refused(by_identity, tokens, somebody, subject):
    assert_refused(by_identity.get(tokens.bearer(subject, iss=None), ME_TOKEN_ISSUER=""), "no_issuer")


def test_a_nul_is_refused_before_it_can_cut_a_subject(by_identity, tokens, somebody, subject):
    token = tokens.forge({"alg": "HS256"}, tokens.claims(subject + "\0more"))
    assert_refused(by_identity.get({"Authorization": f"Bearer {token}"}), "payload_not_json")


def test_bytes_that_are_not_utf8_are_refused(by_identity, tokens):
    claims = json.dumps(tokens.claims("SUBJECT")).encode().replace(b"SUBJECT", b"\xff")
    token = tokens.forge({"alg": "HS256"}, claims)
    assert_refused(by_identity.get({"Authorization": f"Bearer {token}"}), "payload_not_json")


def test_all_refusals_read_the_same(by_identity, tokens):
    same = {"X-Request-Id": "same"}
    bodies = {by_identity.get({**tokens.bearer(subject), **same}).body for subject in ("nobody", "x" * 256)}
    bodies.add(by_identity.get({**tokens.bearer("s", iss=None), **same}, ME_TOKEN_ISSUER="").body)
    assert len(bodies) == 1


@pytest.mark.parametrize("subject", ["auth0|5f7c8ec7c33c6c004bbafe82", "42", "x" * 300])
def test_by_default_a_subject_is_the_id_of_a_user(cgi, tokens, subject):
    assert_refused(cgi.get(tokens.bearer(subject)), "subject_not_uuid")


# ---- judged on each request

@pytest.mark.parametrize("status, expected", [("banned", 403), ("deleted", 401)])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_the_status_is_judged(by_identity, tokens, users, somebody, subject, status, expected, method):
    bearer, body = tokens.bearer(subject), b"{}" if method == "PATCH" else None
    assert by_identity(method, headers=bearer, body=body).status == 200
    users.set_column(somebody, "status", status)
    assert by_identity(method, headers=bearer, body=body).status == expected


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_the_session_is_judged(by_identity, tokens, users, somebody, subject, method):
    session, other = users.add_session(somebody), users.add_session(users.add())
    body = b"{}" if method == "PATCH" else None
    bearer = tokens.bearer(subject, sid=session)
    assert by_identity(method, headers=bearer, body=body).status == 200
    assert_refused(by_identity(method, headers=tokens.bearer(subject, sid=other), body=body), "session_unknown")
    users.revoke_session(session)
    assert_refused(by_identity(method, headers=bearer, body=body), "session_revoked")


def test_a_worker_sees_an_identity_come_move_and_go(start_worker, installation, conf, tokens, users, user, subject):
    worker, other = start_worker(ME_CONF=str(conf)), users.add("Other")
    bearer = tokens.bearer(subject)
    assert worker.get(bearer).status == 401
    users.add_identity(user, subject, issuer=ISSUER)
    assert worker.get(bearer).json["id"] == user.id
    installation.execute(
        "UPDATE user_identities SET user_id = %s WHERE subject = %s", [other.row["id"].bytes, subject])
    assert worker.get(bearer).json["id"] == other.id
    assert worker.patch(bearer, {"bio": "other's"}).json["id"] == other.id
    assert users.column(user, "bio") is None
    installation.execute("DELETE FROM user_identities WHERE subject = %s", [subject])
    assert_refused(worker.get(bearer), "user_unknown")
    assert_refused(worker.patch(bearer, {"bio": "x"}), "user_unknown")


def test_of_several_patches_of_one_state_exactly_one_succeeds(by_identity, tokens, somebody, subject):
    bearer = tokens.bearer(subject)
    headers = {**bearer, "If-Match": by_identity.get(bearer).etag}
    answers = at_once([lambda n=n: by_identity.patch(headers, {"bio": f"by {n}"}) for n in range(8)])
    assert sorted(answer.status for answer in answers) == [200] + [412] * 7


# ---- mectl

def verify(mectl, tokens, subject, conf=None, **changes):
    token = tokens.mint(subject, **changes)
    done = mectl("token", "verify", "--json", "-", check=False, conf=conf, stdin=token + "\n")
    return done.returncode, json.loads(done.stdout)


def test_mectl_judges_the_subject_as_the_worker_does(mectl, conf, installation, tokens, reader):
    any_issuer = installation.write_conf("identity-any.conf", token__subject="identity", token__issuer=None)
    expected = [
        (verify(mectl, tokens, reader.id), 0, "valid"),
        (verify(mectl, tokens, "auth0|1"), 1, "subject_not_uuid"),
        (verify(mectl, tokens, "auth0|1", conf), 0, "valid"),
        (verify(mectl, tokens, "x" * 256, conf), 1, "bad_subject"),
        (verify(mectl, tokens, "s", any_issuer, iss=None), 1, "no_issuer"),
        (verify(mectl, tokens, "s", any_issuer, iss="i" * 256), 1, "bad_issuer"),
        (verify(mectl, tokens, "s", conf, exp=1), 1, "expired"),
    ]
    for (status, judgement), expected_status, code in expected:
        assert (status, judgement["code"], judgement["valid"]) == (expected_status, code, status == 0)
        assert judgement["message"] and ("claims" in judgement) == (code != "expired")


def test_mectl_says_it_in_words_too(mectl, tokens):
    done = mectl("token", "verify", tokens.mint("auth0|1"), check=False)
    assert done.returncode == 1 and done.stdout.startswith("subject_not_uuid: "), done
    assert "token.subject = identity" in done.stdout


def test_config_check_warns_of_identities_of_any_issuer(mectl, installation, conf):
    any_issuer = installation.write_conf("identity-any.conf", token__subject="identity", token__issuer=None)
    for file, expected in ((any_issuer, True), (conf, False)):
        findings = json.loads(mectl("config", "check", "--json", conf=file).stdout)
        warned = [f["what"] for f in findings if f["finding"] == "warning"]
        assert ("token.subject" in warned) == expected, findings


def test_a_user_is_given_an_identity_by_mectl(by_identity, mectl, tokens, user, subject):
    mectl("identity", "add", "--user", user.id, "--issuer", ISSUER, "--provider", "example", subject)
    assert by_identity.get(tokens.bearer(subject)).json["id"] == user.id
    mectl("identity", "remove", "--user", user.id, "--issuer", ISSUER, subject)
    assert_refused(by_identity.get(tokens.bearer(subject)), "user_unknown")
