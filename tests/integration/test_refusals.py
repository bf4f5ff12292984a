"""The table of refusals, row by row: what the client, the log and mectl are told of each."""

import re
import resource
import time

import pytest

from support.paths import SOURCE, is_sanitized
from support.templates import expand, SECRET
from support.tokens import as_json, base64url

HS256 = {"alg": "HS256"}
INVALID = "The access token is invalid"
TOLD = {"expired": "The access token expired", "not_yet_valid": "The access token is not valid yet"}


def table_of_refusals() -> dict:
    """The rows of src/token/verdict.c: code and detail."""
    text = (SOURCE / "src" / "token" / "verdict.c").read_text()
    rows = re.findall(r'\[JWT_\w+\] =\s*\{"(\w+)",\s*"([^"]*)",\s*(?:INVALID|"[^"]*")\}', text)
    assert len(rows) == text.count("[JWT_") - 1, "a row is not written as the others are"  # less reasons[JWT__MAX]
    return dict(rows)


TABLE = table_of_refusals()


def now():
    return int(time.time())


def withdrawn(folder):
    """A JWKS whose only key had its end."""
    path = folder / "withdrawn.jwks"
    path.write_text('{"keys":[{"kty":"oct","k":"%s","kid":"old","exp":%d}]}' % (SECRET, now() - 60))
    path.chmod(0o600)
    return path


def signed_by_a_withdrawn_key(tokens, sub):
    text = f'{base64url(as_json({**HS256, "kid": "old"}))}.{base64url(as_json(tokens.claims(sub)))}.@secret'
    return expand(text.encode()).decode()


# One token for each row, what else has to be so, and what the log may know more.
ROWS = {
    "too_long": (lambda t, s: t.mint(s, filler="x" * 300), {"ME_TOKEN_MAX_BYTES": "300"}, None),
    "not_compact": (lambda t, s: t.mint(s).rpartition(".")[0], {}, None),
    "encrypted": (lambda t, s: "e30.e30.e30.e30.e30", {}, None),
    "not_base64url": (lambda t, s: t.mint(s) + "=", {}, "the signature"),
    "header_not_json": (lambda t, s: t.forge(b'{"alg":"HS256","alg":"HS256"}', t.claims(s)), {},
                        "it has the same name twice in one object"),
    "header_type": (lambda t, s: t.forge({**HS256, "kid": 7}, t.claims(s)), {}, "kid is not a string"),
    "critical": (lambda t, s: t.forge({**HS256, "crit": ["x"]}, t.claims(s)), {}, "it is crit"),
    "unencoded": (lambda t, s: t.forge({**HS256, "b64": True}, t.claims(s)), {}, "it is b64"),
    "embedded_key": (lambda t, s: t.forge({**HS256, "x5c": []}, t.claims(s)), {}, "it is x5c"),
    "compressed": (lambda t, s: t.forge({**HS256, "zip": "DEF"}, t.claims(s)), {}, "it is zip"),
    "nested": (lambda t, s: t.forge({**HS256, "cty": "JWT"}, t.claims(s)), {}, None),
    "wrong_typ": (lambda t, s: t.forge({**HS256, "typ": "logout+jwt"}, t.claims(s)), {}, "typ is 'logout+jwt'"),
    "algorithm_none": (lambda t, s: t.forge({"alg": "none"}, t.claims(s)), {}, None),
    "algorithm_unknown": (lambda t, s: t.forge({"alg": "PS256"}, t.claims(s)), {}, "alg is 'PS256'"),
    "algorithm_not_allowed": (lambda t, s: t.mint(s), {"ME_TOKEN_ALGORITHMS": "RS256"}, "alg is 'HS256'"),
    "no_key": (lambda t, s: t.mint(s, algorithm="RS256", headers={"kid": "a\nb"}),
               {"ME_TOKEN_PUBLIC_KEY_FILE": ""}, "alg is RS256, kid is 'a?b'"),
    "bad_signature": (lambda t, s: t.mint(s, key="x" * 32), {}, "1 HS256 key was tried"),
    "payload_not_json": (lambda t, s: t.forge(HS256, b"{}x"), {}, "the payload has something after the JSON value"),
    "claim_type": (lambda t, s: t.forge(HS256, t.claims(s, exp="1")), {}, "exp is not a number"),
    "key_withdrawn": (signed_by_a_withdrawn_key, {"ME_TOKEN_JWKS_FILE": withdrawn}, None),
    "no_expiry": (lambda t, s: t.mint(s, exp=None), {}, None),
    "expired": (lambda t, s: t.mint(s, exp=now() - 3600), {}, None),
    "not_yet_valid": (lambda t, s: t.mint(s, nbf=now() + 3600), {}, None),
    "wrong_issuer": (lambda t, s: t.mint(s, iss="https://evil.example.com"), {}, "iss is 'https://evil.example.com'"),
    "wrong_audience": (lambda t, s: t.mint(s, aud=["a", "b"]), {}, "aud is 'a', 'b'"),
    "no_subject": (lambda t, s: t.mint(""), {}, None),
    "no_session": (lambda t, s: t.mint(s), {"ME_TOKEN_SESSIONS": "required"}, None),
}


def made(code, tokens, sub, folder):
    """The token of a row, and the environment that it needs."""
    make, environment, _ = ROWS[code]
    environment = {name: str(value(folder)) if callable(value) else value for name, value in environment.items()}
    return make(tokens, sub), environment


def bearer(token):
    return {"Authorization": f"Bearer {token}", "X-Request-Id": "same"}


def test_each_row_of_the_table_has_a_test():
    assert set(ROWS) | {"valid", "out_of_memory"} == set(TABLE)


@pytest.mark.parametrize("code", ROWS)
def test_what_the_client_is_told(cgi, tokens, reader, tmp_path, code):
    token, environment = made(code, tokens, reader, tmp_path)
    answer = cgi.get(bearer(token), **environment)
    description = TOLD.get(code, INVALID)
    assert answer.status == 401, answer
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="me", error="invalid_token", error_description="{description}"'), answer
    assert answer.json["code"] == "invalid_token" and "details" not in answer.json, answer


@pytest.mark.parametrize("code", ROWS)
def test_what_the_log_says(cgi, tokens, reader, tmp_path, code):
    token, environment = made(code, tokens, reader, tmp_path)
    (event,) = cgi.get(bearer(token), **environment).events()
    assert (event["level"], event["event"], event["status"]) == ("info", "request", "401"), event
    assert event["reason"] == code and event.get("detail") == ROWS[code][2], event


@pytest.mark.parametrize("code", ROWS)
def test_what_mectl_says(mectl, tokens, reader, tmp_path, code):
    token, environment = made(code, tokens, reader, tmp_path)
    done = mectl("token", "verify", token, check=False, **environment)
    detail = f": {ROWS[code][2]}" if ROWS[code][2] else ""
    assert done.returncode == 1 and done.stderr == "", done
    assert done.stdout == f"{code}: {TABLE[code]}{detail}\n"


def test_what_a_forger_sends_is_answered_alike(cgi, tokens, reader, tmp_path):
    """All but what the owner of a good token can mend."""
    answers = set()
    for code in set(ROWS) - set(TOLD):
        token, environment = made(code, tokens, reader, tmp_path)
        answer = cgi.get(bearer(token), **environment)
        answers.add((answer.status, tuple(answer.headers.fields), answer.body))
    assert len(answers) == 1


# ---- what only the database can tell of a good token

BEHIND = {
    "user_unknown": (lambda users: {"sub": "01890a5d-ac96-774b-bcce-b302099a8057"}, INVALID),
    "user_deleted": (lambda users: {"sub": users.add(status="deleted").id}, INVALID),
    "subject_not_uuid": (lambda users: {"sub": "ada"}, INVALID),
    "session_unknown": (lambda users: {"sub": users.add().id, "sid": "none"}, "The access token was revoked"),
    "session_revoked": (lambda users: session(users, revoked=True), "The access token was revoked"),
    "session_expired": (lambda users: session(users, expires_in_s=-1), "The session expired"),
}


def session(users, **more):
    user = users.add()
    return {"sub": user.id, "sid": users.add_session(user, **more)}


@pytest.mark.parametrize("code", BEHIND)
def test_a_good_token_of_somebody_who_is_not_served(cgi, tokens, users, code):
    make, description = BEHIND[code]
    answer = cgi.get(bearer(tokens.mint(**make(users))))
    assert answer.status == 401 and answer.json["code"] == "invalid_token", answer
    assert f'error="invalid_token", error_description="{description}"' in answer.headers["WWW-Authenticate"], answer
    assert answer.events()[-1]["reason"] == code, answer


def test_a_session_that_no_issuer_writes(cgi, tokens, reader):
    """As of Keycloak, which names one in every token: the log says what to set."""
    (event,) = cgi.get(bearer(tokens.mint(reader.id, sid="e3b0c442"))).events()
    assert event["reason"] == "session_unknown" and "set token.sessions = off" in event["detail"], event


@pytest.mark.parametrize("audience, shown", [
    ("account", "aud is 'account'"), ([], None),
    (list("abcde"), "aud is 'a', 'b', 'c', 'd' and more"), ("a\nb", "aud is 'a?b'"),
])
def test_the_log_names_the_audiences_of_others(cgi, tokens, reader, audience, shown):
    (event,) = cgi.get(bearer(tokens.mint(reader.id, aud=audience))).events()
    assert event["reason"] == "wrong_audience" and event.get("detail") == shown, event


# ---- the row that no token brings about

class Limited:
    """The worker with so much memory, and tokens of two sizes that are both expired: no database is asked."""

    def __init__(self, cgi, tokens, sub):
        self.cgi = cgi
        self.small = tokens.mint(sub, exp=1)
        self.large = tokens.mint(sub, exp=1, filler="x" * 48000)

    def get(self, token, limit):
        """The answer, or None where the worker cannot even start."""
        variables = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/me", "REQUEST_URI": "/me",
                     "HTTP_AUTHORIZATION": f"Bearer {token}", "ME_TOKEN_MAX_BYTES": "65536"}
        done = self.cgi.run(
            variables, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        return self.cgi.judge(done, variables) if done.returncode == 0 and done.stdout else None

    def is_enough(self, limit):
        answer = self.get(self.small, limit)
        return answer is not None and answer.status == 401

    def least(self):
        """What the small token needs, to the page or so."""
        low, high = 1 << 20, 1 << 30
        assert self.is_enough(high)
        while high - low > 4096:
            middle = (low + high) // 2
            low, high = (low, middle) if self.is_enough(middle) else (middle, high)
        return high


def reason_of(answer):
    return answer and answer.events()[-1].get("reason")


def test_short_memory_is_no_fault_of_the_token(cgi, tokens, reader):
    """Somewhere between what it takes to start and what the large token needs, its judgement has too little."""
    if is_sanitized():
        pytest.skip("the address sanitizer reserves terabytes")
    limited = Limited(cgi, tokens, reader)
    least = limited.least()
    for limit in range(least, least + (1 << 20), 8192):
        answer = limited.get(limited.large, limit)
        if reason_of(answer) in ("out_of_memory", "expired"):
            break
    assert reason_of(answer) == "out_of_memory", answer
    assert answer.status == 500 and answer.code == "internal_error", answer
    assert "WWW-Authenticate" not in answer.headers
    assert answer.events("error") and len(answer.events()) == 1
    assert reason_of(limited.get(limited.large, 1 << 30)) == "expired"
