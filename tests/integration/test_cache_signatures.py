"""Signatures that one worker found good, in the file that all share: which another one need not verify, and no more."""

import base64
import hashlib
import os
import struct
import time

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from support.installation import rsa_pair, write_secret
from support.keys import SigningKey, base64url_of_number, jwks
from support.processes import wait_until
from support.watch import ask, samples

SIZE = 1 << 20
HEAD, WAYS = 4096, 8
MARK = struct.Struct("<32sI")  # the mark, and when it was used last; 0: there is none
SETS = SIZE // 100 * 2 // (WAYS * MARK.size)
METRICS_SECRET = "m" * 40


class SharedFile:
    """What cachefile.h says of the file."""

    def __init__(self, path):
        self.path = path

    def environment(self) -> dict:
        return {"ME_CACHE_PATH": str(self.path), "ME_CACHE_SIZE_MIB": str(SIZE >> 20)}

    def identity(self) -> bytes:
        return self.path.read_bytes()[16:48]

    def marks(self) -> list:
        data = self.path.read_bytes()[HEAD:HEAD + SETS * WAYS * MARK.size]
        return [mark for mark, used_s in MARK.iter_unpack(data) if used_s]

    def overwrite(self, mark: bytes, used_s: int):
        """All places of all sets, so that it is found wherever it is looked for."""
        with open(self.path, "r+b") as file:
            file.seek(HEAD)
            file.write(MARK.pack(mark, used_s) * (SETS * WAYS))

    def forget(self):
        self.overwrite(bytes(32), 0)


@pytest.fixture
def shared(tmp_path):
    return SharedFile(tmp_path / "shared")


class Counting:
    """A worker that tells how it came to know a token."""

    def __init__(self, worker):
        self.worker = worker
        self.seen = self._counts()

    def _counts(self) -> dict:
        answer = ask(self.worker, "/metrics", headers={"Authorization": f"Bearer {METRICS_SECRET}"})
        found = samples(answer.body.decode())
        return {by: found[f'me_tokens_total{{by="{by}"}}'] for by in ("recalled", "shared", "verified")}

    def get(self, token) -> tuple:
        """The status of the answer, and in which way the token was judged."""
        status = self.worker.get({"Authorization": f"Bearer {token}"}).status
        counts = self._counts()
        ways = [by for by in counts if counts[by] != self.seen[by]]
        self.seen = counts
        assert len(ways) == 1
        return status, ways[0]


@pytest.fixture
def start(start_worker, shared, tmp_path):
    secret, count = write_secret(tmp_path / "metrics.secret", METRICS_SECRET + "\n"), iter(range(99))

    def started(**environment) -> Counting:
        return Counting(start_worker(**{
            **shared.environment(), "ME_WATCH_METRICS_PATH": "/metrics", "ME_WATCH_SECRET_FILE": str(secret),
            "ME_WATCH_METRICS_FILE": str(tmp_path / f"metrics{next(count)}"), **environment}))
    return started


@pytest.fixture
def made(start, shared, tokens, user):
    """The file is there, with no signature in it: it is made with the first profile that is kept."""
    worker = start()
    assert worker.get(tokens.mint(user)) == (200, "verified")
    assert shared.marks() == []
    return worker


def mint(tokens, user, **more) -> str:
    return tokens.mint(user, algorithm="RS256", **more)


# ---- who need not verify it again

def test_another_worker_and_one_begun_anew(made, start, shared, tokens, user):
    token = mint(tokens, user)
    assert [made.get(token) for _ in range(2)] == [(200, "verified"), (200, "recalled")]
    assert len(shared.marks()) == 1
    other = start()
    assert [other.get(token) for _ in range(2)] == [(200, "shared"), (200, "recalled")]
    other.worker.end()
    assert start().get(token) == (200, "shared")
    assert len(shared.marks()) == 1


def test_an_hmac_is_made_sooner_than_it_is_looked_up(made, start, shared, tokens, user):
    token = tokens.mint(user, jti="another")
    assert made.get(token) == start().get(token) == (200, "verified")
    assert shared.marks() == []


def test_a_cgi_program_leaves_one_behind(made, cgi, start, shared, tokens, user):
    token = mint(tokens, user)
    for _ in range(2):
        assert cgi.get({"Authorization": f"Bearer {token}"}, **shared.environment()).status == 200
    assert len(shared.marks()) == 1
    assert start().get(token) == (200, "shared")


# ---- what is in the file

def thumbprint(public_pem) -> bytes:
    """RFC 7638, section 3."""
    numbers = load_pem_public_key(public_pem.encode()).public_numbers()
    text = f'{{"e":"{base64url_of_number(numbers.e)}","kty":"RSA","n":"{base64url_of_number(numbers.n)}"}}'
    return hashlib.sha256(text.encode()).digest()


def mark_of(shared, installation, token, password=None) -> bytes:
    """As kept.c makes it."""
    password = installation.worker_password if password is None else password
    secret = password.encode() + b"\0" if password else b""
    return hashlib.sha256(shared.identity() + secret + b"RS256" + thumbprint(installation.tokens.public_pem)
                          + hashlib.sha256(token.encode()).digest()).digest()


def forged(tokens, user) -> str:
    """A token by whom nobody knows."""
    return mint(tokens, user, key=rsa_pair()[0])


def test_it_holds_a_digest_and_nothing_of_the_token(made, shared, installation, tokens, user):
    token = mint(tokens, user, email="ada@example.com")
    assert made.get(token) == (200, "verified")
    assert shared.marks() == [mark_of(shared, installation, token)]
    data = shared.path.read_bytes()
    header, payload, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    digest = hashlib.sha256(token.encode()).digest()
    for hidden in (*(part.encode()[:24] for part in token.split(".")), header[:16], payload[:16], signature[:16],
                   b"ada@example.com", b"login.example.com", b"\"exp\"", digest[:16], digest.hex().encode()[:32],
                   installation.worker_password.encode()):
        assert hidden not in data, hidden


def test_only_who_knows_the_password_can_make_one(made, cgi, start, shared, installation, tokens, user):
    """Of a token that no key of ours signed; first that this test would make a good one."""
    token = forged(tokens, user)
    bearer, now_s = {"Authorization": f"Bearer {token}"}, int(time.time())
    shared.overwrite(mark_of(shared, installation, token), now_s)
    assert start().get(token) == (200, "shared")
    assert cgi.get(bearer, **shared.environment()).status == 200  # so it looks there, too
    for password in ("", "guess", installation.worker_password[:-1]):
        shared.overwrite(mark_of(shared, installation, token, password), now_s)
        assert start().get(token) == (401, "verified")
        assert cgi.get(bearer, **shared.environment()).status == 401


def test_one_is_all_of_its_bits(made, start, shared, installation, tokens, user):
    token = forged(tokens, user)
    mark, now_s = mark_of(shared, installation, token), int(time.time())
    for place in range(0, 32, 5):
        near = bytearray(mark)
        near[place] ^= 1 << place % 8
        shared.overwrite(bytes(near), now_s)
        assert start().get(token) == (401, "verified")
    shared.overwrite(mark, 0)  # a place that was never used
    assert start().get(token) == (401, "verified")


# ---- what makes none

def altered(token, part) -> str:
    """Another character in the middle of a part."""
    parts = token.split(".")
    middle = len(parts[part]) // 2
    character = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + character + parts[part][middle + 1:]
    return ".".join(parts)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_another_signature_or_content_is_not_known(made, start, shared, tokens, user, part):
    token = mint(tokens, user)
    assert made.get(token) == (200, "verified")
    changed = altered(token, part)
    for worker in (made, start()):
        assert worker.get(changed)[0] == 401
    assert len(shared.marks()) == 1  # and what was refused is not kept
    assert start().get(token) == (200, "shared")


def test_what_is_scribbled_on_is_verified_anew(made, start, shared, tokens, user):
    token, bad = mint(tokens, user), forged(tokens, user)
    assert made.get(token) == (200, "verified")
    for scribble in (os.urandom, bytes, lambda size: b"\xff" * size):
        with open(shared.path, "r+b") as file:
            file.seek(HEAD)
            file.write(scribble(SIZE - HEAD))
        assert start().get(bad) == (401, "verified")
        assert start().get(token) == (200, "verified")
        assert start().get(token) == (200, "shared")


def test_a_file_that_is_cut_short_in_use_knows_none(made, start, shared, tokens, user):
    worker, token = start(), mint(tokens, user)
    assert made.get(token) == (200, "verified")
    os.truncate(shared.path, HEAD)
    assert worker.get(token) == (200, "verified")
    assert shared.path.stat().st_size in (HEAD, SIZE)


def test_off_neither_looks_nor_keeps(made, start, shared, tokens, user):
    one, other = mint(tokens, user), mint(tokens, user, jti="other")
    assert made.get(one) == (200, "verified")
    off = start(ME_CACHE_MODE="off")
    assert off.get(one) == off.get(other) == (200, "verified")
    assert len(shared.marks()) == 1


def test_a_worker_that_remembers_no_tokens_asks_nobody(made, start, shared, tokens, user):
    token = mint(tokens, user)
    assert made.get(token) == (200, "verified")
    none = start(ME_TOKEN_KEPT_VERIFIED="0")
    assert [none.get(token) for _ in range(2)] == [(200, "verified")] * 2


def test_configurations_do_not_share_though_one_is_copied(made, start, shared, installation, tokens, user, tmp_path):
    """As by whoever can write to both files; first that the copy counts where it was made."""
    token = mint(tokens, user)
    assert made.get(token) == (200, "verified")
    mark, now_s = shared.marks()[0], int(time.time())
    shared.overwrite(mark, now_s)
    assert start().get(token) == (200, "shared")
    other = SharedFile(tmp_path / "other")
    more = {"ME_CONF": str(installation.write_conf("other.conf")), **other.environment()}
    assert start(**more).get(tokens.mint(user)) == (200, "verified")
    other.overwrite(mark, now_s)
    assert start(**more).get(token) == (200, "verified")


# ---- claims and keys are judged all the same

def test_claims_are_judged_each_time(made, start, shared, tokens, user):
    exp = int(time.time()) + 4
    short, later = mint(tokens, user, exp=exp), mint(tokens, user, nbf=int(time.time()) + 3600)
    wrong = mint(tokens, user, aud="https://other.example.com")
    assert made.get(short) == (200, "verified")
    assert [made.get(token) for token in (later, wrong)] == [(401, "verified")] * 2
    assert len(shared.marks()) == 3
    assert [start().get(token) for token in (later, wrong)] == [(401, "shared")] * 2
    time.sleep(max(0, exp - time.time()) + 0.1)
    assert start(ME_TOKEN_LEEWAY_S="0").get(short) == (401, "shared")


@pytest.fixture
def key_file(tmp_path):
    """To be written as mectl keys fetch does it."""
    path = tmp_path / "jwks.json"

    def put(*keys):
        new = path.with_suffix(".new")
        new.write_bytes(jwks(*keys))
        new.replace(path)
    put.environment = {"ME_TOKEN_JWKS_FILE": str(path)}
    return put


def by(tokens, user, key) -> str:
    return mint(tokens, user, key=key.pem, headers={"kid": key.kid})


def test_a_withdrawn_key_makes_none_good(made, start, key_file, tokens, user):
    key, other = SigningKey("one"), SigningKey("other")
    key_file(key, other)
    worker, token = start(**key_file.environment), by(tokens, user, key)
    assert worker.get(token) == (200, "verified")
    assert start(**key_file.environment).get(token) == (200, "shared")
    key_file(other)
    assert start(**key_file.environment).get(token)[0] == 401
    wait_until(lambda: worker.get(token)[0] == 401, 30, "the key is withdrawn")
    key_file(key.jwk(exp=int(time.time()) - 1), other)  # one whose end has come
    assert start(**key_file.environment).get(token) == (401, "shared")
    key_file(key, other)
    assert start(**key_file.environment).get(token) == (200, "shared")


def test_another_key_of_the_same_name_makes_none_good(made, start, key_file, tokens, user):
    key, successor = SigningKey("name"), SigningKey("name")
    key_file(key)
    token = by(tokens, user, key)
    assert start(**key_file.environment).get(token) == (200, "verified")
    key_file(successor)
    assert start(**key_file.environment).get(token) == (401, "verified")
    assert start(**key_file.environment).get(by(tokens, user, successor)) == (200, "verified")
    key_file(successor, key)  # both of one name
    assert start(**key_file.environment).get(token) == (200, "shared")


def test_an_algorithm_that_is_not_allowed_makes_none_good(made, start, tokens, user):
    token = mint(tokens, user)
    assert made.get(token) == (200, "verified")
    assert start(ME_TOKEN_ALGORITHMS="HS256", ME_TOKEN_PUBLIC_KEY_FILE="").get(token)[0] == 401
