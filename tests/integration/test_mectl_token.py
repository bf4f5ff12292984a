"""mectl token mint and token verify."""

import json
import time
import uuid

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from support.commands import assert_needs_its_output, assert_refused, assert_usage, only, quiet
from support.installation import rsa_pair, write_secret
from support.tokens import Tokens, base64url

USER = "01890a5d-ac96-774b-bcce-b302099a8057"


def minted(mectl, *arguments, **more):
    return quiet(mectl("token", "mint", *arguments, **more)).rstrip("\n")


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def assert_in(seconds, claim):
    """A time so many seconds from now, give or take the time that the test took."""
    assert abs(claim - time.time() - seconds) < 30


# ---- mint

def test_a_token_of_the_first_secret(mectl, installation):
    token = minted(mectl, "--user", USER)
    claims = jwt.decode(token, installation.secret, algorithms=["HS256"], audience=installation.tokens.audience)
    assert list(claims) == ["iss", "sub", "aud", "iat", "exp", "jti"]
    assert claims["iss"] == installation.tokens.issuer and claims["sub"] == USER
    assert claims["exp"] - claims["iat"] == 3600 and uuid.UUID(claims["jti"])
    assert_in(0, claims["iat"])
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_no_two_tokens_have_the_same_id(mectl):
    tokens = [minted(mectl, "--user", USER) for _ in range(2)]
    assert len({claims_of(token)["jti"] for token in tokens}) == 2


def test_a_private_key_signs_rs256(mectl, installation):
    token = minted(mectl, "--user", USER, "--key", installation.private_key_file)
    claims = jwt.decode(token, installation.tokens.public_pem, algorithms=["RS256"],
                        audience=installation.tokens.audience)
    assert claims["sub"] == USER


def test_text_around_a_private_key_is_no_secret(mectl, installation, tmp_path):
    key = write_secret(tmp_path / "key.pem", "Bag Attributes\n" + installation.tokens.private_pem)
    assert jwt.get_unverified_header(minted(mectl, "--user", USER, "--key", key))["alg"] == "RS256"


@pytest.mark.parametrize("arguments, claim, value", [
    (["--subject", "any text"], "sub", "any text"),
    (["--user", USER.upper()], "sub", USER.upper()),
    (["--user", USER, "--issuer", "https://other.example.com"], "iss", "https://other.example.com"),
    (["--user", USER, "--audience", "other"], "aud", "other"),
    (["--user", USER, "--session", "one/two"], "sid", "one/two"),
])
def test_an_option_sets_its_claim(mectl, arguments, claim, value):
    assert claims_of(minted(mectl, *arguments))[claim] == value


def test_the_session_claim_has_the_configured_name(mectl):
    claims = claims_of(minted(mectl, "--user", USER, "--session", "x", ME_TOKEN_SESSION_CLAIM="session_id"))
    assert claims["session_id"] == "x" and "sid" not in claims


def test_without_issuer_and_audience_the_claims_are_left_out(mectl, installation):
    conf = installation.write_conf("any.conf", token__issuer=None, token__audience=None)
    assert not {"iss", "aud"} & set(claims_of(minted(mectl, "--user", USER, conf=conf)))


@pytest.mark.parametrize("option, claim", [("--expires-in", "exp"), ("--not-before-in", "nbf")])
@pytest.mark.parametrize("seconds", ["0", "7200", "-7200", "315360000", "-315360000"])
def test_times_are_from_now(mectl, option, claim, seconds):
    for arguments in ([option, seconds], [f"{option}={seconds}"]):
        assert_in(int(seconds), claims_of(minted(mectl, "--user", USER, *arguments))[claim])


def test_a_kid_stands_in_the_header(mectl):
    token = minted(mectl, "--user", USER, "--kid", "2026-11")
    assert jwt.get_unverified_header(token)["kid"] == "2026-11"


def test_mint_prints_json(mectl):
    printed = only(mectl("token", "mint", "--user", USER, "--json"))
    assert list(printed) == ["token"] and claims_of(printed["token"])["sub"] == USER


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=repr)
def test_a_secret_is_read_as_the_worker_reads_it(mectl, cgi, installation, user, tmp_path, ending):
    """An editor's one line end is none of the secret."""
    secret = tmp_path / "other.secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef" + ending.encode())
    secret.chmod(0o600)
    token = minted(mectl, "--user", user, "--key", secret)
    answer = cgi.get({"Authorization": f"Bearer {token}"}, ME_TOKEN_SECRET_FILE=str(secret))
    assert answer.status == 200, answer


@pytest.mark.parametrize("arguments", [[], ["--user", USER, "--subject", "x"]], ids=["neither", "both"])
def test_mint_takes_a_user_or_a_subject(mectl, arguments):
    assert_usage(mectl("token", "mint", *arguments, check=False), "--user", "--subject")


@pytest.mark.parametrize("arguments, words", [
    (["--user", "ada"], ["--user", "'ada'", "UUID"]),
    (["--user", USER, "--expires-in", "soon"], ["--expires-in", "'soon'", "315360000"]),
    (["--user", USER, "--expires-in", "315360001"], ["--expires-in", "'315360001'"]),
    (["--user", USER, "--not-before-in", "-315360001"], ["--not-before-in", "'-315360001'"]),
    (["--user", USER, "--not-before-in", ""], ["--not-before-in", "''"]),
])
def test_mint_refuses_a_bad_value(mectl, arguments, words):
    assert_refused(mectl("token", "mint", *arguments, check=False), *words)


def missing_key(folder):
    return folder / "missing", "No such file"


def short_secret(folder):
    return write_secret(folder / "short", "x" * 31), "32"


def open_secret(folder):
    path = write_secret(folder / "open", "x" * 32)
    path.chmod(0o644)
    return path, "chmod"


def public_key(folder):
    return write_secret(folder / "public.pem", rsa_pair()[1]), "private key"


@pytest.mark.parametrize("make", [missing_key, short_secret, open_secret, public_key],
                         ids=lambda make: make.__name__.replace("_", " "))
def test_mint_says_what_is_wrong_with_a_key(mectl, tmp_path, make):
    path, word = make(tmp_path)
    assert_refused(mectl("token", "mint", "--user", USER, "--key", path, check=False), path, word)


def test_mint_without_any_key_names_the_ways_to_one(mectl, installation):
    conf = installation.write_conf("no-secret.conf", token__secret_file=None)
    assert_refused(mectl("token", "mint", "--user", USER, conf=conf, check=False), "--key", "token.secret_file")


@pytest.mark.parametrize("arguments", [["--user", USER], ["--user", USER, "--json"]])
def test_a_token_that_was_not_printed_is_no_success(installation, arguments):
    assert_needs_its_output("token", "mint", *arguments, conf=installation.conf)


# ---- verify

@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_good_token_and_its_claims(mectl, tokens, algorithm):
    token = tokens.mint(USER, algorithm=algorithm, sid="one")
    verdict, _, claims = quiet(mectl("token", "verify", token)).partition("\n")
    assert verdict == "valid: the token is valid"
    assert json.loads(claims) == claims_of(token)
    printed = only(mectl("token", "verify", token, "--json"))
    assert printed == {"valid": True, "code": "valid", "message": "the token is valid", "claims": claims_of(token)}


REFUSED = {
    "expired": lambda t: t.mint(USER, exp=int(time.time()) - 3600),
    "not_yet_valid": lambda t: t.mint(USER, nbf=int(time.time()) + 3600),
    "no_expiry": lambda t: t.mint(USER, exp=None),
    "bad_signature": lambda t: t.mint(USER, key="x" * 32),
    "algorithm_none": lambda t: jwt.encode(t.claims(USER), None, algorithm="none"),
    "wrong_issuer": lambda t: t.mint(USER, iss="https://other.example.com"),
    "wrong_audience": lambda t: t.mint(USER, aud="other"),
    "not_compact": lambda t: "one.two",
    "too_long": lambda t: t.mint(USER, filler="x" * 10000),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_bad_token_and_the_reason(mectl, tokens, code):
    token = REFUSED[code](tokens)
    done = mectl("token", "verify", token, check=False)
    assert done.returncode == 1 and done.stderr == "" and done.stdout.startswith(f"{code}: "), done
    assert done.stdout.count("\n") == 1 and token not in done.stdout
    done = mectl("token", "verify", "--json", token, check=False)
    printed = json.loads(done.stdout)
    assert done.returncode == 1 and done.stderr == "", done
    assert {"valid", "code", "message"} <= set(printed) <= {"valid", "code", "message", "detail"}
    assert printed["valid"] is False and printed["code"] == code and printed["message"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=repr)
def test_a_token_on_standard_input(mectl, tokens, ending):
    assert quiet(mectl("token", "verify", "-", stdin=tokens.mint(USER) + ending)).startswith("valid: ")


@pytest.mark.parametrize("text", ["", "\n", " ", "two lines\nof text"], ids=repr)
def test_what_is_no_token_on_standard_input(mectl, text):
    done = mectl("token", "verify", "-", stdin=text, check=False)
    assert done.returncode == 1 and done.stdout.startswith("not_compact: "), done


def test_endless_input_is_not_kept(mectl):
    assert_refused(mectl("token", "verify", "-", stdin="x" * (1024 * 1024 + 1), check=False), "cannot be read")


def test_what_mint_made_verify_takes(mectl, installation):
    for key in (installation.secret_file, installation.private_key_file):
        token = minted(mectl, "--user", USER, "--session", "s", "--key", key)
        assert only(mectl("token", "verify", "--json", token))["claims"]["sid"] == "s"


def test_a_session_that_is_demanded_is_missed(mectl, tokens):
    done = mectl("token", "verify", tokens.mint(USER), check=False, ME_TOKEN_SESSIONS="required")
    assert done.returncode == 1 and done.stdout.startswith("no_session: "), done


def test_verify_needs_keys_and_no_database(mectl, installation, tokens, tmp_path):
    token = tokens.mint(USER)
    assert quiet(mectl("token", "verify", token, ME_DATABASE_HOST=str(tmp_path / "no.sock")))
    missing = tmp_path / "missing.secret"
    assert_refused(mectl("token", "verify", token, check=False, ME_TOKEN_SECRET_FILE=str(missing)),
                   "token.secret_file", missing)


# ---- verify by a JWKS that is named

@pytest.fixture
def jwks(installation, tmp_path):
    """A key set with a secret and a public key, neither of which is configured."""
    private, public = rsa_pair()
    rsa_key = json.loads(RSAAlgorithm.to_jwk(RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(public)))
    secret = {"kty": "oct", "alg": "HS256", "kid": "s", "k": base64url(b"s" * 32)}
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [{**rsa_key, "alg": "RS256", "kid": "r"}, secret]}))
    tokens = Tokens("s" * 32, private, public, installation.tokens.issuer, installation.tokens.audience)
    return path, tokens


SIGNED = [("HS256", "s"), ("RS256", "r")]


@pytest.mark.parametrize("algorithm, kid", SIGNED)
def test_the_keys_of_a_jwks_take_the_place_of_the_configured(mectl, jwks, tokens, algorithm, kid):
    path, theirs = jwks
    token = theirs.mint(USER, algorithm=algorithm, headers={"kid": kid})
    assert only(mectl("token", "verify", "--json", "--jwks", path, token))["claims"]["sub"] == USER
    assert mectl("token", "verify", token, check=False).stdout.startswith("bad_signature: ")
    ours = mectl("token", "verify", "--jwks", path, tokens.mint(USER, algorithm=algorithm), check=False)
    assert ours.returncode == 1 and ours.stdout.startswith("bad_signature: ")
    expired = theirs.mint(USER, algorithm=algorithm, headers={"kid": kid}, exp=1)
    assert mectl("token", "verify", "--jwks", path, expired, check=False).stdout.startswith("expired: ")


@pytest.mark.parametrize("payload", [b"", b"no JSON", b"[1]", b"{}", b'{"exp":1}', b"\xff\x00"], ids=repr)
def test_the_signature_alone_whatever_the_payload_is(mectl, jwks, tmp_path, payload):
    """No settings are read for it."""
    path, theirs = jwks
    token = theirs.forge({"alg": "HS256", "kid": "s"}, payload)
    words = ["token", "verify", "--signature-only", "--jwks", path]
    for conf in (tmp_path / "missing.conf", None):
        assert quiet(mectl(*words, token, conf=conf)) == "valid: the token is valid\n"
        assert only(mectl(*words, "--json", token, conf=conf)) == {
            "valid": True, "code": "valid", "message": "the token is valid"}
    forged = theirs.forge({"alg": "HS256", "kid": "s"}, payload, secret="x" * 32)
    done = mectl(*words, forged, check=False)
    assert done.returncode == 1 and done.stdout.startswith("bad_signature: ")


@pytest.mark.parametrize("header, code", [
    ({"alg": "none"}, "algorithm_none"), ({"alg": "HS512"}, "algorithm_unknown"),
    ({"alg": "HS256", "crit": ["exp"]}, "critical"), ({"alg": "RS256", "kid": "s"}, "no_key"),
])
def test_the_header_is_judged_with_the_signature(mectl, jwks, header, code):
    path, theirs = jwks
    token = theirs.forge(header, theirs.claims(USER))
    done = mectl("token", "verify", "--signature-only", "--jwks", path, token, check=False)
    assert done.returncode == 1 and done.stdout.startswith(f"{code}: "), done


def test_the_signature_alone_by_the_configured_keys(mectl, tokens):
    expired = tokens.mint(USER, exp=1)
    assert quiet(mectl("token", "verify", "--signature-only", expired)) == "valid: the token is valid\n"
    assert mectl("token", "verify", expired, check=False).returncode == 1


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"keys": 1}', "rubbish"], ids=repr)
def test_what_is_no_jwks(mectl, tokens, tmp_path, text):
    path = tmp_path / "jwks.json"
    if text is not None:
        path.write_text(text)
    done = mectl("token", "verify", "--signature-only", "--jwks", path, tokens.mint(USER), check=False)
    assert_refused(done, path)


@pytest.mark.parametrize("arguments, words", [
    ([], ["TOKEN is missing"]), (["a", "b"], ["b is one word too many"]), (["--strict", "a"], ["--strict"]),
])
def test_verify_takes_one_token(mectl, arguments, words):
    assert_usage(mectl("token", "verify", *arguments, check=False), *words)


def test_a_verdict_that_was_not_printed_is_no_success(installation, tokens):
    assert_needs_its_output("token", "verify", tokens.mint(USER), conf=installation.conf)
