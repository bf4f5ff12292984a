"""mectl token verify --signature-only --jwks FILE: form, header and signature, whatever the payload is."""

import json
import subprocess

import pytest

from support.commands import assert_usage
from support.paths import clean_environment, program
from support.templates import expand, vectors

ROWS = vectors("signature.tsv")
OCT = b'{"kty":"oct","k":"$k"}'
GOOD = b'<{"alg":"HS256"}>.<x>.@secret'


def verify(*arguments, stdin=""):
    """The command as it is, with no me.conf and no database anywhere."""
    return subprocess.run(
        [str(program("mectl")), "token", "verify", "--signature-only", *map(str, arguments)],
        input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        env=clean_environment(ME_CONF="/nonexistent/me.conf"),
    )


@pytest.fixture
def jwks(tmp_path):
    """Writes a JWKS that others may read: jwks(template)."""
    def write(template):
        path = tmp_path / "jwks.json"
        path.write_bytes(expand(template))
        return path
    return write


def judge(token: bytes, path, *more):
    """The token as an argument, or where none can hold it on standard input."""
    if b"\0" in token:
        return verify("--jwks", path, *more, "-", stdin=token.decode("latin-1"))
    return verify("--jwks", path, *more, token.decode("latin-1"))


@pytest.mark.parametrize("verdict, keys, token, reason", ROWS, ids=[
    f"{row[0].decode()}-{number}" for number, row in enumerate(ROWS)])
def test_vector(jwks, verdict, keys, token, reason):
    verdict, token, path = verdict.decode(), expand(token), jwks(keys)
    done = judge(token, path)
    if verdict == "unusable":
        assert done.returncode == 1 and done.stdout == "" and str(path) in done.stderr, (reason, done)
        return
    assert done.returncode == (0 if verdict == "valid" else 1), (reason, done)
    assert done.stdout.startswith(f"{verdict}: ") and done.stdout.count("\n") == 1, (reason, done)
    assert done.stderr == "", (reason, done)
    for part in token.decode("latin-1").split("."):
        assert len(part) < 30 or part not in done.stdout + done.stderr, reason


def test_each_verdict_of_form_header_and_signature_has_a_vector():
    assert {row[0].decode() for row in ROWS} >= {
        "valid", "not_compact", "encrypted", "not_base64url", "header_not_json", "header_type", "critical",
        "unencoded", "embedded_key", "compressed", "nested", "wrong_typ", "algorithm_none", "algorithm_unknown",
        "no_key", "bad_signature", "key_withdrawn", "unusable"}


@pytest.mark.parametrize("token, expected", [
    (GOOD, {"valid": True, "code": "valid", "message": "the token is valid"}),
    (GOOD + b"A", {"valid": False, "code": "bad_signature", "message": "no key verifies the signature",
                   "detail": "1 HS256 key was tried"}),
    (b"x", {"valid": False, "code": "not_compact",
            "message": "the token is not three parts with dots between them"}),
])
def test_json(jwks, token, expected):
    done = judge(expand(token), jwks(OCT), "--json")
    assert json.loads(done.stdout) == expected and done.stderr == "", done
    assert done.returncode == (0 if expected["valid"] else 1)


def test_nothing_is_shown_of_a_payload_that_was_not_judged(jwks):
    for more in ([], ["--json"]):
        done = judge(expand(b'<{"alg":"HS256"}>.<{"sub":"ada"}>.@secret'), jwks(OCT), *more)
        assert done.returncode == 0 and "ada" not in done.stdout, done


@pytest.mark.parametrize("ending, status", [("", 0), ("\n", 0), ("\r\n", 0), ("\n\n", 1), (" \n", 1), (" ", 1)])
def test_one_line_end_on_standard_input_is_no_part_of_the_token(jwks, ending, status):
    done = verify("--jwks", jwks(OCT), "-", stdin=expand(GOOD).decode() + ending)
    assert done.returncode == status, done


@pytest.mark.parametrize("ending", ["\n", "\r\n", " "])
def test_a_line_end_in_an_argument_is_part_of_it(jwks, ending):
    done = verify("--jwks", jwks(OCT), expand(GOOD).decode() + ending)
    assert done.returncode == 1 and done.stdout.startswith("not_base64url: "), done


def test_a_token_longer_than_64_kib_is_too_long(jwks):
    done = verify("--jwks", jwks(OCT), "-", stdin="x" * (64 * 1024 + 1))
    assert done.returncode == 1 and done.stdout.startswith("too_long: "), done


@pytest.mark.parametrize("arguments", [["--jwks", "/dev/null"], ["--jwks"], ["--jwks", "a", "--strict", "x"],
                                       ["--jwks", "a", "one", "two"]])
def test_wrong_usage(arguments):
    assert_usage(verify(*arguments))


def test_a_file_that_is_not_there(tmp_path):
    done = verify("--jwks", tmp_path / "missing", "x")
    assert done.returncode == 1 and done.stdout == "" and "No such file" in done.stderr, done
