"""mectl keys list and keys generate."""

import json
import re
import subprocess

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from support.installation import write_conf, write_secret
from support.issuer import Authority
from support.keys import SigningKey, jwks
from support.paths import clean_environment, program

CLAIMS = {"sub": "01890a5d-ac96-774b-bcce-b302099a8057", "exp": 4000000000}


def mectl(*arguments, **environment):
    return subprocess.run(
        [str(program("mectl")), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=60, env=clean_environment(**environment))


def good(*arguments, **environment) -> str:
    done = mectl(*arguments, **environment)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def listed(*arguments, **environment) -> list:
    return [json.loads(line) for line in good("keys", "list", "--json", *arguments, **environment).splitlines()]


def mode(path) -> int:
    return path.stat().st_mode & 0o7777


# ---- keys generate


def test_a_secret(tmp_path):
    file = tmp_path / "hs256.secret"
    assert good("keys", "generate", "--secret", file) == f"{file}: a secret, for HS256\n"
    assert re.fullmatch(r"[0-9a-f]{64}\n", file.read_text())
    assert mode(file) == 0o600


def test_a_secret_is_another_one_each_time(tmp_path):
    for name in ("a", "b"):
        good("keys", "generate", "--secret", tmp_path / name)
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_the_advice_for_a_missing_secret_is_a_command_that_works(tmp_path):
    file = tmp_path / "missing.secret"
    environment = {"ME_TOKEN_SECRET_FILE": str(file)}
    done = mectl("keys", "list", **environment)
    advice = re.search(r"'mectl (keys generate --secret \S+)'", done.stderr)
    assert done.returncode == 1 and advice, done
    good(*advice[1].split())
    assert "HS256" in good("keys", "list", **environment)


def test_a_pair(tmp_path):
    file = tmp_path / "rs256.pem"
    good("keys", "generate", "--rsa", file)
    public = tmp_path / "rs256.pem.pub"
    assert (mode(file), mode(public)) == (0o600, 0o644)
    private = serialization.load_pem_private_key(file.read_bytes(), None)
    assert private.key_size == 2048 and private.public_key().public_numbers().e == 65537
    assert serialization.load_pem_public_key(public.read_bytes()).public_numbers() == (
        private.public_key().public_numbers())
    assert not (tmp_path / "rs256.jwks").exists()


def test_a_pair_with_names_of_its_own(tmp_path):
    private, public, document = (tmp_path / name for name in ("a.pem", "b.pem", "c.json"))
    said = good("keys", "generate", "--rsa", private, "--public", public, "--jwks", document, "--bits", 3072)
    assert [line.split(":")[0] for line in said.splitlines()] == [str(private), str(public), str(document)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pem", "b.pem", "c.json"]
    assert serialization.load_pem_private_key(private.read_bytes(), None).key_size == 3072
    assert mode(document) == 0o644


def test_the_kid_is_the_thumbprint(tmp_path):
    good("keys", "generate", "--rsa", tmp_path / "k", "--jwks", tmp_path / "jwks")
    key = SigningKey(None)
    key.private = serialization.load_pem_private_key((tmp_path / "k").read_bytes(), None)
    assert json.loads((tmp_path / "jwks").read_bytes()) == {"keys": [key.jwk(kid=key.thumbprint())]}


def test_a_large_pair(tmp_path):
    good("keys", "generate", "--rsa", tmp_path / "k", "--jwks", tmp_path / "jwks", "--bits", 4096)
    assert [key["bits"] for key in listed(ME_TOKEN_JWKS_FILE=str(tmp_path / "jwks"))] == [4096]


def test_another_library_signs_what_the_jwks_verifies(tmp_path):
    good("keys", "generate", "--rsa", tmp_path / "k", "--jwks", tmp_path / "jwks", "--kid", "mine")
    token = jwt.encode(CLAIMS, (tmp_path / "k").read_text(), algorithm="RS256", headers={"kid": "mine"})
    assert good("token", "verify", "--signature-only", "--jwks", tmp_path / "jwks", token).startswith("valid")


@pytest.mark.parametrize("there", ["k", "k.pub", "jwks"])
def test_nothing_is_overwritten_and_nothing_left_behind(tmp_path, there):
    (tmp_path / there).write_text("precious")
    done = mectl("keys", "generate", "--rsa", tmp_path / "k", "--jwks", tmp_path / "jwks")
    assert done.returncode == 1 and str(tmp_path / there) in done.stderr, done
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_a_secret_is_not_overwritten(tmp_path):
    (tmp_path / "s").write_text("precious")
    done = mectl("keys", "generate", "--secret", tmp_path / "s")
    assert done.returncode == 1 and "remove it first" in done.stderr and done.stdout == "", done
    assert (tmp_path / "s").read_text() == "precious"


@pytest.mark.parametrize("arguments", [
    [], ["--secret", "a", "--rsa", "b"], ["--secret", "a", "--bits", "2048"], ["--secret", "a", "--jwks", "b"],
    ["--secret", "a", "--public", "b"], ["--rsa", "a", "--kid", "b"], ["--secret"], ["a"],
])
def test_wrong_usage(tmp_path, arguments):
    done = subprocess.run([str(program("mectl")), "keys", "generate", *arguments], cwd=tmp_path, capture_output=True,
                          check=False, timeout=60, env=clean_environment())
    assert done.returncode == 2 and done.stderr and not list(tmp_path.iterdir()), done


@pytest.mark.parametrize("bits", ["2047", "8193", "many", "-2048"])
def test_a_size_that_is_refused(tmp_path, bits):
    done = mectl("keys", "generate", "--rsa", tmp_path / "k", f"--bits={bits}")
    assert done.returncode == 1 and "2048 to 8192" in done.stderr and not list(tmp_path.iterdir()), done


@pytest.mark.parametrize("kid, why", [("x" * 1025, "1024 bytes"), (b"\xff", "UTF-8")], ids=["long", "bytes"])
def test_a_kid_that_no_worker_takes(tmp_path, kid, why):
    done = subprocess.run(
        [str(program("mectl")), "keys", "generate", "--rsa", tmp_path / "k", "--jwks", tmp_path / "j", "--kid", kid],
        capture_output=True, text=True, check=False, timeout=60, env=clean_environment())
    assert done.returncode == 1 and why in done.stderr and not list(tmp_path.iterdir()), done


# ---- keys list


@pytest.fixture(scope="module")
def key():
    return SigningKey("abc")


@pytest.fixture
def conf(tmp_path, key):
    """A secret, a public key, a certificate, and a JWKS with all that can be in one."""
    write_secret(tmp_path / "secret", "s" * 40 + "\n")
    (tmp_path / "public.pem").write_text(key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())
    (tmp_path / "jwks.json").write_bytes(jwks(
        key, key.jwk(kid="old", exp=1000000000), {"kty": "EC", "kid": "curve"}, key.private_jwk(),
        key.jwk(kid="\x1b[2J" + "k" * 100)))
    return write_conf(tmp_path / "me.conf", {"token": {
        "secret_file": "secret", "public_key_file": "public.pem", "jwks_file": "jwks.json"}})


def test_what_is_in_force_and_what_is_not(conf, tmp_path, key):
    rsa = {"state": "in-force", "algorithm": "RS256", "bits": 2048, "thumbprint": key.thumbprint()}
    document = str(tmp_path / "jwks.json")
    rows = listed("--config", conf)
    assert rows[:5] == [
        {"state": "in-force", "algorithm": "HS256", "bits": 320, "file": str(tmp_path / "secret")},
        {"file": str(tmp_path / "public.pem"), **rsa},
        {"kid": "abc", "file": document, **rsa},
        {"kid": "old", "file": document, **rsa, "state": "ended", "end": "2001-09-09T01:46:40.000Z"},
        {"kid": "\x1b[2J" + "k" * 100, "file": document, **rsa},
    ]
    assert [(row["file"], row["state"]) for row in rows[5:]] == [(document, "passed-over"), (document, "defective")]
    assert "'curve'" in rows[5]["reason"] and "private" in rows[6]["reason"]


def test_the_list_for_people(conf, tmp_path, key):
    lines = good("keys", "list", "--config", conf).splitlines()
    assert lines[0].split() == ["STATE", "ALGORITHM", "BITS", "THUMBPRINT", "END", "CERTIFICATE-END", "KID", "FILE"]
    document = str(tmp_path / "jwks.json")
    assert [line.split() for line in lines[1:5]] == [
        ["in-force", "HS256", "320", "-", "-", "-", "-", str(tmp_path / "secret")],
        ["in-force", "RS256", "2048", key.thumbprint(), "-", "-", "-", str(tmp_path / "public.pem")],
        ["in-force", "RS256", "2048", key.thumbprint(), "-", "-", "abc", document],
        ["ended", "RS256", "2048", key.thumbprint(), "2001-09-09T01:46:40.000Z", "-", "old", document],
    ]
    assert "\x1b" not in "".join(lines) and "..." in lines[5]
    assert [line.split()[0] for line in lines[6:]] == ["passed-over", "defective"]


def test_the_end_of_a_certificate_is_told(tmp_path):
    """It binds nobody. The authority's own certificates have keys that we cannot use, so openssl makes one."""
    file = tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "key"), "-out", str(file),
         "-subj", "/CN=test", "-days", "1"], check=True, capture_output=True, timeout=60)
    (key,) = listed(ME_TOKEN_PUBLIC_KEY_FILE=str(file))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", key["certificateEnd"])
    assert "end" not in key


def test_a_key_of_another_kind_is_told(tmp_path):
    authority = Authority(tmp_path)
    done = mectl("keys", "list", ME_TOKEN_PUBLIC_KEY_FILE=str(authority.file))
    assert done.returncode == 1 and "not an RSA key" in done.stderr, done


def test_without_any_key_it_fails(tmp_path):
    (tmp_path / "empty").touch()
    done = mectl("keys", "list", "--config", tmp_path / "empty")
    assert done.returncode == 1 and "token.jwks_file" in done.stderr, done
