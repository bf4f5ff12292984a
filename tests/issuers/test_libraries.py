"""Tokens that other libraries sign, and keys that they make: all that is right is taken, for the right user."""

import json
import subprocess
import time

import jwt
import pytest

from support.node import node
from support.paths import clean_environment, program

LIBRARIES = ("PyJWT", "jose", "jsonwebtoken")
TYPES = (None, "JWT", "at+jwt")


@pytest.fixture(scope="module")
def pair():
    """A key that jose made, with its own JWK and thumbprint."""
    return node("sign.mjs", {"task": "keypair", "bits": 3072})


@pytest.fixture(scope="module")
def reader(users):
    return users.add()


@pytest.fixture(scope="module")
def conf(installation, pair, tmp_path_factory):
    """The secret of the installation, and the key of jose with its thumbprint as kid, as jose wrote it."""
    file = tmp_path_factory.mktemp("jose") / "jwks.json"
    file.write_text(json.dumps({"keys": [{**pair["jwk"], "kid": pair["thumbprint"], "use": "sig"}]}))
    return installation.write_conf("libraries.conf", token__public_key_file=None, token__jwks_file=file)


def sign(library, algorithm, key, header, claims) -> str:
    if library == "PyJWT":
        return jwt.encode(claims, key, algorithm=algorithm, headers=header)
    return node("sign.mjs", {"task": "sign", "library": library, "algorithm": algorithm, "key": key,
                             "header": header, "claims": claims})


class Signer:
    """One library with one algorithm."""

    def __init__(self, library, algorithm, tokens, pair):
        self.library, self.algorithm, self.tokens = library, algorithm, tokens
        self.key = pair["pem"] if algorithm == "RS256" else tokens.secret
        self.kid = pair["thumbprint"] if algorithm == "RS256" else "a kid that no secret has"

    def bearer(self, user, header=None, **changes) -> dict:
        claims = self.tokens.claims(user, **changes)
        return {"Authorization": f"Bearer {sign(self.library, self.algorithm, self.key, header or {}, claims)}"}


@pytest.fixture(params=[(library, algorithm) for library in LIBRARIES for algorithm in ("HS256", "RS256")],
                ids=" ".join)
def signer(request, tokens, pair):
    return Signer(*request.param, tokens, pair)


@pytest.mark.parametrize("typ", TYPES)
@pytest.mark.parametrize("with_kid", [True, False], ids=["kid", "no kid"])
def test_a_token_is_good(cgi, conf, signer, reader, typ, with_kid):
    header = {**({"kid": signer.kid} if with_kid else {}), **({"typ": typ} if typ else {})}
    answer = cgi.get(signer.bearer(reader, header), ME_CONF=str(conf))
    assert answer.status == 200 and answer.json["id"] == reader.id, answer


def test_several_audiences_and_a_time_with_a_fraction(cgi, conf, signer, reader):
    claims = {"aud": ["https://other.example.com", signer.tokens.audience], "exp": time.time() + 60.25,
              "nbf": time.time() - 0.5}
    assert cgi.get(signer.bearer(reader, **claims), ME_CONF=str(conf)).status == 200


REFUSED = {
    "expired": ("expired", {}, {"exp": 1000000000}),
    "for others": ("wrong_audience", {}, {"aud": "https://other.example.com"}),
    "by others": ("wrong_issuer", {}, {"iss": "https://other.example.com"}),
    "of another type": ("wrong_typ", {"typ": "logout+jwt"}, {}),
}


@pytest.mark.parametrize("reason, header, claims", REFUSED.values(), ids=REFUSED)
def test_a_token_is_refused(cgi, conf, signer, reader, reason, header, claims):
    answer = cgi.get(signer.bearer(reader, header, **claims), ME_CONF=str(conf))
    assert answer.status == 401 and answer.events()[-1]["reason"] == reason, answer


def test_a_kid_of_nobody_is_refused_where_all_keys_have_one(cgi, conf, tokens, pair, reader):
    signer = Signer("jose", "RS256", tokens, pair)
    answer = cgi.get(signer.bearer(reader, {"kid": "other"}), ME_CONF=str(conf))
    assert answer.status == 401 and answer.events()[-1]["reason"] == "no_key", answer


def test_the_thumbprint_is_that_of_jose(conf, pair):
    done = subprocess.run([str(program("mectl")), "keys", "list", "--json", "--config", str(conf)],
                          capture_output=True, text=True, check=True, timeout=30, env=clean_environment())
    listed = [key for key in map(json.loads, done.stdout.splitlines()) if key["algorithm"] == "RS256"]
    assert [(key["kid"], key["thumbprint"], key["bits"]) for key in listed] == [
        (pair["thumbprint"], pair["thumbprint"], 3072)]
