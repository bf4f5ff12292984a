"""Each peer gives the same answers as this project's program, before it is measured: else it would do other work."""

import base64
import hashlib
import hmac
import http.client
import json
import time

from chains import Chain
from database import Population

PATCHES = (
    {"name": "Zoë \"Quoted\" <&> \\ / 😀", "bio": None},
    {"bio": "Two\nlines and\ta tab, 日本語 \u2028"},
    {"avatarUrl": "https://images.example.com/a?b=c&d=e", "locale": "de-DE", "timezone": "Asia/Tokyo"},
    {"bio": "All at once.", "avatarUrl": None, "locale": None, "timezone": None, "name": "Ada Example"},
    {},
)


NOBODY = "01748b6f-0000-7000-8000-000000000000"


class Disagreement(Exception):
    """A peer answers otherwise."""


def ask(chain: Chain, token, patch=None) -> tuple:
    """Status, body and ETag."""
    client = http.client.HTTPConnection("127.0.0.1", chain.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = None
    if patch is not None:
        headers["Content-Type"] = "application/merge-patch+json"
        body = json.dumps(patch, ensure_ascii=False).encode()
    try:
        client.request("GET" if patch is None else "PATCH", "/me", body, headers)
        answer = client.getresponse()
        return answer.status, answer.read(), answer.getheader("ETag")
    finally:
        client.close()


def _expect(condition, chain: Chain, what: str, *seen):
    if not condition:
        raise Disagreement(f"{chain.name}: {what}: " + " | ".join(str(part)[:1500] for part in seen))


def _good(chain: Chain, token, patch=None) -> tuple:
    status, body, etag = ask(chain, token, patch)
    _expect(status == 200, chain, f"a good token is answered {status}", body)
    return body, etag


# ---- tokens that are refused

def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _token(secret: bytes, header: dict, claims: dict) -> str:
    signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
    return f"{signed}.{_part(hmac.digest(secret, signed.encode(), 'sha256'))}"


def altered(token: str) -> str:
    """The same with another byte in the middle of its signature."""
    head, _, signature = token.rpartition(".")
    middle = len(signature) // 2
    return f"{head}.{signature[:middle]}{'A' if signature[middle] != 'A' else 'B'}{signature[middle + 1:]}"


def refused_tokens(population: Population, good: list) -> dict:
    """By what is wrong with them; the first is good but for its being refused."""
    keys = population.database.keys
    secret = (keys / "hs256.secret").read_bytes().strip()
    payload = good[0].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    header = {"alg": "HS256", "typ": "JWT"}
    public = (keys / "rs256.pub.pem").read_bytes()
    return {
        "none": "",
        **{f"an altered signature, {number}": altered(token) for number, token in enumerate(good)},
        "another's secret": _token(hashlib.sha256(b"another").digest(), header, claims),
        "the public key as a secret": _token(public, header, claims),
        "algorithm none": _token(secret, {"alg": "none"}, claims).rpartition(".")[0] + ".",
        "expired": _token(secret, header, {**claims, "exp": int(time.time()) - 3600}),
        "not yet good": _token(secret, header, {**claims, "nbf": int(time.time()) + 3600}),
        "another issuer": _token(secret, header, {**claims, "iss": "https://login.example.org/"}),
        "another audience": _token(secret, header, {**claims, "aud": ["other"]}),
        "a session that there is none of": _token(secret, header, {**claims, "sid": "none"}),
        "a user whom there is none of": _token(secret, header, {**claims, "sub": NOBODY}),
    }


# ---- the comparison

def _compare_get(chain: Chain, reference: Chain, tokens: list) -> bool:
    """Whether all bodies are the same, byte for byte; their JSON always is."""
    is_same = True
    for token in tokens:
        ours, theirs = _good(reference, token), _good(chain, token)
        _expect(json.loads(ours[0]) == json.loads(theirs[0]), chain, "another resource", ours[0], theirs[0])
        is_same &= ours == theirs
    return is_same


def _compare_patch(chain: Chain, reference: Chain, token):
    """Of whom the peer changes something the reference shows it; what is equal already moves nothing."""
    for patch in PATCHES:
        before = json.loads(_good(reference, token)[0])
        time.sleep(0.002)
        changed = json.loads(_good(chain, token, patch)[0])
        wanted = {**before, **patch}
        moves = any(before.get(member) != value for member, value in patch.items())
        _expect((changed["updatedAt"] > before["updatedAt"]) == moves, chain, "updatedAt after a PATCH", patch,
                before["updatedAt"], changed["updatedAt"])
        wanted = {name: value for name, value in wanted.items() if value is not None}
        wanted["updatedAt"] = changed["updatedAt"]
        _expect(changed == wanted, chain, "another resource after a PATCH", changed, wanted)
        _expect(json.loads(_good(reference, token)[0]) == changed, chain, "the PATCH was not kept", patch)


def _compare_refusals(chain: Chain, reference: Chain, refused: dict, good):
    before = _good(reference, good)
    for why, token in refused.items():
        for patch in (None, {"name": "Somebody Else"}):
            theirs, ours = ask(chain, token, patch)[0], ask(reference, token, patch)[0]
            _expect(theirs == ours == 401, chain, f"a token with {why}", theirs, ours)
    _expect(_good(reference, good) == before, chain, "a refused PATCH has changed something")


def check(chain: Chain, reference: Chain, population: Population, tokens: list) -> str:
    """`tokens`: of several users, the first two of one user by either algorithm. Says what was found to agree."""
    is_same = _compare_get(chain, reference, tokens)
    _compare_patch(chain, reference, tokens[0])
    _compare_refusals(chain, reference, refused_tokens(population, tokens[:2]), tokens[0])
    return "the same bytes" if is_same else "the same JSON in other bytes"
