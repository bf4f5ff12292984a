"""X-Me-Doctor: what a worker tells of itself, to whoever proves to know doctor.secret_file and to nobody else."""

import os
import secrets
import subprocess

import pytest

from support.cgi import Program
from support.installation import write_secret
from support.paths import clean_environment, program
from support.question import HEADER, digest, encoded, question

PIECE_BYTES = 3  # of each line's digest


@pytest.fixture(scope="module")
def secret():
    return secrets.token_hex(32)


@pytest.fixture(scope="module")
def conf(installation, secret):
    path = write_secret(installation.folder / "doctor.secret", secret + "\n")
    return installation.write_conf("doctor.conf", doctor__secret_file=path)


@pytest.fixture(scope="module")
def worker(installation, conf, secret):
    return Program(conf, [installation.secret, secret])


def output_of(*arguments, **environment) -> str:
    done = subprocess.run(
        [str(program("me.fcgi")), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=30,
        check=True, env=clean_environment(**environment))
    return done.stdout


def test_the_answer_is_the_version_and_a_digest_of_each_line(worker, conf, secret):
    nonce = encoded(os.urandom(16))
    version, _, digests = worker("OPTIONS", headers=question(secret, nonce=nonce)).headers[HEADER].partition(" ")
    # Of the host, which comes behind the settings, there is no digest.
    lines = output_of("--check-config", ME_CONF=str(conf)).partition("\n# sandbox: ")[0].split("\n")
    assert f"me.fcgi {version}\n" == output_of("--version")
    assert digests == encoded(b"".join(
        digest(secret, "setting", f"{nonce}\n{number}\n{line}")[:PIECE_BYTES] for number, line in enumerate(lines)))


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/me", 401), ("OPTIONS", "/me", 204), ("DELETE", "/me", 405), ("GET", "/you", 404)])
def test_every_answer_has_it(worker, secret, method, path, status):
    answer = worker(method, path, headers=question(secret))
    assert answer.status == status and HEADER in answer.headers


def test_the_profile_has_it_and_is_the_same(worker, tokens, reader, secret):
    plain = worker.get(tokens.bearer(reader))
    asked = worker.get({**tokens.bearer(reader), **question(secret)})
    assert HEADER in asked.headers and HEADER not in plain.headers
    assert asked.body == plain.body and asked.etag == plain.etag


def changed(header: dict) -> dict:
    text = header[HEADER]
    return {HEADER: text[:-1] + ("A" if text[-1] != "A" else "B")}


STRANGERS = {
    "another secret": lambda secret: question(secrets.token_hex(32)),
    "a question of two minutes ago": lambda secret: question(secret, age_s=120),
    "a question of tomorrow": lambda secret: question(secret, age_s=-86400),
    "a question that was changed": lambda secret: changed(question(secret)),
    "no question": lambda secret: {HEADER: "1"},
    "an empty one": lambda secret: {HEADER: ""},
    "a long one": lambda secret: {HEADER: "1." + "A" * 4000 + ".A"},
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_strangers_cannot_tell_that_there_is_a_secret(worker, cgi, secret, stranger):
    """With the setting and without it the answer is the same, but for the id of the request."""
    answers = [each("OPTIONS", headers={**STRANGERS[stranger](secret), "X-Request-Id": "r"}) for each in (worker, cgi)]
    assert HEADER not in answers[0].headers
    assert answers[0].headers.fields == answers[1].headers.fields


def test_without_the_setting_nobody_is_told(cgi, secret):
    assert HEADER not in cgi("OPTIONS", headers=question(secret)).headers


@pytest.mark.parametrize("text, mode, word", [
    ("short\n", 0o600, "doctor.secret_file"), ("x" * 40, 0o644, "chmod"), (None, 0, "doctor.secret_file")])
def test_a_secret_that_cannot_be_used_is_told_at_the_start(installation, tmp_path, text, mode, word):
    path = tmp_path / "doctor.secret"
    if text is not None:
        write_secret(path, text).chmod(mode)
    answer = Program(installation.write_conf("doctor-wrong.conf", doctor__secret_file=path))("OPTIONS")
    assert answer.status == 500
    (event,) = answer.events("error")
    assert word in event["detail"] and str(path) in event["detail"]
