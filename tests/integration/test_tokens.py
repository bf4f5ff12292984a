"""Which tokens are good: each refusal is a 401 that tells a forger nothing."""

import base64
import time

import jwt
import pytest

from support.installation import rsa_pair
from support.tokens import as_json, base64url

HS256 = {"alg": "HS256", "typ": "JWT"}


def now():
    return int(time.time())


def assert_refused(answer):
    assert (answer.status, answer.code) == (401, "invalid_token"), answer
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"], answer
    assert answer.events()[-1]["reason"], "the log does not say why"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def flip(token, part, at=5):
    """The token with one character of one part changed."""
    parts = token.split(".")
    text = parts[part]
    parts[part] = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]
    return ".".join(parts)


def with_spare_bits(token):
    """The last character of the signature with bits set that no byte takes (RFC 4648, 3.5)."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def in_standard_base64(tokens, sub):
    header = base64.b64encode(as_json({**HS256, "x": "~~~~???>>>"})).decode().rstrip("=")
    assert set(header) & set("+/"), "nothing in it differs from base64url"
    return tokens.sign_text(f"{header}.{base64url(as_json(tokens.claims(sub)))}")


# What follows takes (tokens, sub) and gives a token.
SHAPE = {
    "a word": lambda t, s: "token",
    "two dots": lambda t, s: "..",
    "two parts": lambda t, s: t.mint(s).rpartition(".")[0],
    "four parts": lambda t, s: t.mint(s) + ".x",
    "a JWE's five parts": lambda t, s: "e30.e30.e30.e30.e30",
    "no signature": lambda t, s: t.mint(s).rpartition(".")[0] + ".",
    "padding": lambda t, s: t.mint(s) + "=",
    "standard base64": in_standard_base64,
    "spare bits set": lambda t, s: with_spare_bits(t.mint(s)),
    "a byte that is not ASCII": lambda t, s: t.mint(s) + "é",
    "too long": lambda t, s: t.mint(s, filler="x" * 60000),
}
SIGNATURE = {
    "header changed": lambda t, s: flip(t.mint(s), 0),
    "payload changed": lambda t, s: flip(t.mint(s), 1),
    "signature changed": lambda t, s: flip(t.mint(s), 2),
    "RS256 signature changed": lambda t, s: flip(t.mint(s, algorithm="RS256"), 2, 40),
    "signature cut": lambda t, s: t.mint(s)[:-4],
    "another secret": lambda t, s: t.mint(s, key="x" * 64),
    "an empty secret": lambda t, s: t.forge(HS256, t.claims(s), b""),
    "the secret with its line feed": lambda t, s: t.forge(HS256, t.claims(s), t.secret + "\n"),
    "another RSA key": lambda t, s: t.mint(s, algorithm="RS256", key=rsa_pair()[0]),
    "HS256 with the RSA public key": lambda t, s: t.forge(HS256, t.claims(s), t.public_pem),
    "HS256 with the RSA public key, no line feed": lambda t, s: t.forge(
        HS256, t.claims(s), t.public_pem.rstrip("\n")),
    "alg RS256 over an HMAC": lambda t, s: t.forge({"alg": "RS256"}, t.claims(s)),
}
HEADER = {
    "alg none": lambda t, s: jwt.encode(t.claims(s), None, algorithm="none"),
    "alg none with a signature": lambda t, s: t.forge({"alg": "none"}, t.claims(s)),
    "alg NonE": lambda t, s: t.forge({"alg": "NonE"}, t.claims(s)),
    "alg hs256": lambda t, s: t.forge({"alg": "hs256"}, t.claims(s)),
    "alg HS256 and a NUL": lambda t, s: t.forge(b'{"alg":"HS256\\u0000"}', t.claims(s)),
    "alg HS384": lambda t, s: t.mint(s, algorithm="HS384"),
    "alg HS512": lambda t, s: t.mint(s, algorithm="HS512"),
    "alg RS512": lambda t, s: t.mint(s, algorithm="RS512"),
    "alg PS256": lambda t, s: t.mint(s, algorithm="PS256", key=t.private_pem),
    "no alg": lambda t, s: t.forge({"typ": "JWT"}, t.claims(s)),
    "alg a list": lambda t, s: t.forge({"alg": ["HS256"]}, t.claims(s)),
    "alg twice": lambda t, s: t.forge(b'{"alg":"none","alg":"HS256"}', t.claims(s)),
    "crit": lambda t, s: t.mint(s, headers={"crit": ["exp"], "exp": now() + 60}),
    "empty crit": lambda t, s: t.forge({**HS256, "crit": []}, t.claims(s)),
    "b64": lambda t, s: t.forge({**HS256, "b64": False}, t.claims(s)),
    "b64 true": lambda t, s: t.forge({**HS256, "b64": True}, t.claims(s)),
    "jwk": lambda t, s: t.mint(s, headers={"jwk": {"kty": "oct", "k": "AAAA"}}),
    "jku": lambda t, s: t.mint(s, headers={"jku": "https://example.com/keys"}),
    "x5c": lambda t, s: t.mint(s, headers={"x5c": ["MIIB"]}),
    "x5u": lambda t, s: t.mint(s, headers={"x5u": "https://example.com/cert"}),
    "kid a number": lambda t, s: t.forge({**HS256, "kid": 7}, t.claims(s)),
    "typ of another kind": lambda t, s: t.mint(s, headers={"typ": "dpop+jwt"}),
    "header an array": lambda t, s: t.forge(b"[]", t.claims(s)),
    "header not JSON": lambda t, s: t.forge(b"alg", t.claims(s)),
    "header with trailing text": lambda t, s: t.forge(b'{"alg":"HS256"} x', t.claims(s)),
}
CLAIMS = {
    "payload not JSON": lambda t, s: t.forge(HS256, b"sub"),
    "payload empty": lambda t, s: t.forge(HS256, b""),
    "payload an array": lambda t, s: t.forge(HS256, [t.claims(s)]),
    "payload with a NUL behind it": lambda t, s: t.forge(HS256, as_json(t.claims(s)) + b"\0"),
    "payload not UTF-8": lambda t, s: t.forge(HS256, as_json(t.claims(s, x="é!")).replace(b"!", b"\xff")),
    "sub twice": lambda t, s: t.forge(HS256, as_json(t.claims(s))[:-1] + b',"sub":"x"}'),
    "exp hidden by a NUL": lambda t, s: t.forge(
        HS256, as_json(t.claims(s, exp=None))[:-1] + b',"exp\\u0000x":9999999999}'),
    "exp missing": lambda t, s: t.mint(s, exp=None),
    "exp null": lambda t, s: t.forge(HS256, {**t.claims(s), "exp": None}),
    "exp text": lambda t, s: t.forge(HS256, t.claims(s, exp=str(now() + 600))),
    "exp true": lambda t, s: t.forge(HS256, t.claims(s, exp=True)),
    "exp 1e400": lambda t, s: t.forge(HS256, as_json(t.claims(s, exp=0)).replace(b'"exp":0', b'"exp":1e400')),
    "exp NaN": lambda t, s: t.forge(HS256, as_json(t.claims(s, exp=0)).replace(b'"exp":0', b'"exp":NaN')),
    "exp of thirty digits": lambda t, s: t.forge(HS256, t.claims(s, exp=10**30)),
    "exp passed": lambda t, s: t.mint(s, exp=now() - 3600),
    "exp zero": lambda t, s: t.mint(s, exp=0),
    "exp negative": lambda t, s: t.forge(HS256, t.claims(s, exp=-1)),
    "nbf to come": lambda t, s: t.mint(s, nbf=now() + 3600),
    "nbf text": lambda t, s: t.forge(HS256, t.claims(s, nbf=str(now()))),
    "iss missing": lambda t, s: t.mint(s, iss=None),
    "iss another": lambda t, s: t.mint(s, iss="https://evil.example.com"),
    "iss with a slash more": lambda t, s: t.mint(s, iss=t.issuer + "/"),
    "iss in upper case": lambda t, s: t.mint(s, iss=t.issuer.upper()),
    "iss a list": lambda t, s: t.forge(HS256, t.claims(s, iss=[t.issuer])),
    "aud missing": lambda t, s: t.mint(s, aud=None),
    "aud another": lambda t, s: t.mint(s, aud="https://other.example.com"),
    "aud others": lambda t, s: t.mint(s, aud=["a", "b"]),
    "aud an empty list": lambda t, s: t.mint(s, aud=[]),
    "aud a number": lambda t, s: t.forge(HS256, t.claims(s, aud=7)),
    "aud a list with a number": lambda t, s: t.forge(HS256, t.claims(s, aud=[7, t.audience])),
    "sub missing": lambda t, s: t.forge(HS256, {k: v for k, v in t.claims(s).items() if k != "sub"}),
    "sub empty": lambda t, s: t.mint(""),
    "sub a number": lambda t, s: t.forge(HS256, t.claims(s) | {"sub": 1}),
    "sub no UUID": lambda t, s: t.mint("ada"),
    "sub of an unknown user": lambda t, s: t.mint("00000000-0000-4000-8000-000000000000"),
    "sub with a blank behind": lambda t, s: t.mint(f"{s} "),
    "sub with a line feed behind": lambda t, s: t.mint(f"{s}\n"),
    "sub with a NUL behind": lambda t, s: t.forge(HS256, t.claims(f"{s}\0")),
    "sub in full-width digits": lambda t, s: t.mint(str(s).replace("0", "０").replace("4", "４")),
    "sub with a zero-width character": lambda t, s: t.mint(f"{s}\u200b"),
    "sub an SQL text": lambda t, s: t.mint("' OR '1'='1"),
}


@pytest.mark.parametrize("make", [
    pytest.param(make, id=name)
    for table in (SHAPE, SIGNATURE, HEADER, CLAIMS) for name, make in table.items()
])
def test_this_token_is_refused(cgi, tokens, reader, make):
    assert_refused(cgi.get(bearer(make(tokens, reader))))


GOOD = {
    "HS256": lambda t, s: t.mint(s),
    "RS256": lambda t, s: t.mint(s, algorithm="RS256"),
    "a kid that no key has": lambda t, s: t.mint(s, algorithm="RS256", headers={"kid": "2026-01"}),
    "typ at+jwt": lambda t, s: t.mint(s, headers={"typ": "at+jwt"}),
    "typ jwt": lambda t, s: t.mint(s, headers={"typ": "jwt"}),
    "no typ": lambda t, s: t.forge({"alg": "HS256"}, t.claims(s)),
    "an unknown header parameter": lambda t, s: t.mint(s, headers={"x": {"y": [1]}}),
    "white space in the JSON": lambda t, s: t.forge(b' {\n"alg" :\t"HS256" } ', t.claims(s)),
    "alg escaped": lambda t, s: t.forge(b'{"\\u0061lg":"HS256"}', t.claims(s)),
    "aud a list with ours": lambda t, s: t.mint(s, aud=["other", t.audience]),
    "exp with a fraction": lambda t, s: t.forge(HS256, t.claims(s, exp=now() + 600.5)),
    "exp far away": lambda t, s: t.mint(s, exp=253402300799),
    "iat to come": lambda t, s: t.mint(s, iat=now() + 3600),
    "nbf passed": lambda t, s: t.mint(s, nbf=now() - 5),
    "other claims": lambda t, s: t.mint(s, roles=["a"], nested={"exp": 0}, name="王"),
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_this_token_is_taken(cgi, tokens, reader, make):
    answer = cgi.get(bearer(make(tokens, reader)))
    assert answer.status == 200 and answer.json["id"] == reader.id, answer


@pytest.mark.parametrize("claims, status", [
    pytest.param({"exp": -20}, 200, id="exp passed within the leeway"),
    pytest.param({"exp": -40}, 401, id="exp passed beyond the leeway"),
    pytest.param({"nbf": 20}, 200, id="nbf to come within the leeway"),
    pytest.param({"nbf": 50}, 401, id="nbf to come beyond the leeway"),
])
def test_leeway(cgi, tokens, reader, claims, status):
    claims = {name: now() + offset for name, offset in claims.items()}
    answer = cgi.get(tokens.bearer(reader, **claims), ME_TOKEN_LEEWAY_S="30")
    assert answer.status == status, answer


@pytest.mark.parametrize("allowed, algorithm, status", [
    ("HS256", "HS256", 200), ("HS256", "RS256", 401), ("RS256", "HS256", 401), ("RS256", "RS256", 200),
])
def test_the_list_of_algorithms_is_kept(cgi, installation, reader, allowed, algorithm, status):
    conf = installation.write_conf(f"only-{allowed}.conf", token__algorithms=allowed)
    answer = cgi.get(installation.tokens.bearer(reader, algorithm=algorithm), ME_CONF=str(conf))
    assert answer.status == status, answer


@pytest.mark.parametrize("claims, status", [
    ({"iss": "https://second.example.com"}, 200), ({"iss": "https://third.example.com"}, 401),
    ({"aud": "second"}, 200), ({"aud": "third"}, 401),
])
def test_several_issuers_and_audiences(cgi, tokens, reader, claims, status):
    answer = cgi.get(
        tokens.bearer(reader, **claims),
        ME_TOKEN_ISSUER=f"{tokens.issuer}, https://second.example.com",
        ME_TOKEN_AUDIENCE=f"{tokens.audience} second",
    )
    assert answer.status == status, answer


def test_the_longest_token_is_a_setting(cgi, tokens, reader):
    token = tokens.mint(reader, filler="x" * 2000)
    assert cgi.get(bearer(token), ME_TOKEN_MAX_BYTES=str(len(token))).status == 200
    assert cgi.get(bearer(token), ME_TOKEN_MAX_BYTES=str(len(token) - 1)).status == 401


def test_refusals_of_forged_tokens_read_the_same(cgi, tokens, reader):
    """Which check failed would help a forger."""
    forged = [SIGNATURE[name](tokens, reader) for name in ("another secret", "HS256 with the RSA public key")]
    forged.append(HEADER["alg none"](tokens, reader))
    answers = [cgi.get({**bearer(token), "X-Request-Id": "same"}) for token in forged]
    assert len({answer.body for answer in answers}) == 1


def test_a_patch_with_a_refused_token_changes_nothing(cgi, tokens, users, user):
    answer = cgi.patch(tokens.bearer(user, exp=now() - 3600), {"name": "Changed"})
    assert_refused(answer)
    assert users.column(user, "name") == user.row["name"]
