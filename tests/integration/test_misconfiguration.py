"""
What the operator got wrong: the client reads a plain 500, the log says file, place and remedy. A
FastCGI worker that cannot serve ends at once, so that its spawner knows.
"""

import socket
import subprocess

import pytest

from support.installation import rsa_pair, write_secret
from support.paths import clean_environment, program


class Broken:
    """A me.conf with something wrong, and words that the log must have."""

    def __init__(self, conf, *words, **environment):
        self.conf, self.words, self.environment = conf, words, environment


def changed(installation, name, **changes):
    return installation.write_conf(f"broken-{name}.conf", **changes)


def appended(installation, name, line):
    """The conf with a line more, and the line's number."""
    conf = changed(installation, name)
    conf.write_text(conf.read_text() + line + "\n")
    return conf, len(conf.read_text().splitlines())


def unknown_key(installation, folder):
    conf, line = appended(installation, "key", "[log]\ncolour = red")
    return Broken(conf, f"{conf}:{line}", "log.colour")


def unknown_section(installation, folder):
    conf, line = appended(installation, "section", "[logs]\nlevel = info")
    return Broken(conf, f"{conf}:{line}", "logs")


def bad_number(installation, folder):
    conf, line = appended(installation, "number", "[request]\nbody_max_bytes = many")
    return Broken(conf, f"{conf}:{line}", "request.body_max_bytes", "131072")


def number_out_of_range(installation, folder):
    conf, line = appended(installation, "range", "[request]\nbody_max_bytes = 999999999")
    return Broken(conf, f"{conf}:{line}", "request.body_max_bytes", "131072")


def bad_choice(installation, folder):
    conf, line = appended(installation, "choice", "[database]\ntls = maybe")
    return Broken(conf, f"{conf}:{line}", "database.tls", "verify", "encrypt", "off")


def bad_syntax(installation, folder):
    conf, line = appended(installation, "syntax", "just words")
    return Broken(conf, f"{conf}:{line}")


def bad_variable(installation, folder):
    return Broken(installation.conf, "ME_REQUEST_RETRY_AFTER_S", ME_REQUEST_RETRY_AFTER_S="soon")


def no_such_conf(installation, folder):
    return Broken(folder / "missing.conf", str(folder / "missing.conf"))


def conf_is_a_folder(installation, folder):
    return Broken(folder, str(folder))


def open_password_in_conf(installation, folder):
    conf = changed(installation, "open", database__password="hunter2hunter2", database__password_file=None)
    conf.chmod(0o644)
    return Broken(conf, str(conf), "chmod")


def missing_secret(installation, folder):
    path = folder / "missing.secret"
    return Broken(changed(installation, "missing", token__secret_file=path), str(path))


def open_secret(installation, folder):
    path = write_secret(folder / "open.secret", "s" * 64)
    path.chmod(0o644)
    return Broken(changed(installation, "open-secret", token__secret_file=path), str(path), "chmod")


def short_secret(installation, folder):
    path = write_secret(folder / "short.secret", "s" * 31)
    return Broken(changed(installation, "short", token__secret_file=path), str(path), "32")


def secret_with_white_space_behind_it(installation, folder):
    path = write_secret(folder / "white.secret", "s" * 64 + " \n")
    return Broken(changed(installation, "white", token__secret_file=path), str(path), "white space", "JWK")


def secret_with_a_byte_order_mark(installation, folder):
    path = write_secret(folder / "mark.secret", "\N{ZERO WIDTH NO-BREAK SPACE}" + "s" * 64 + "\n")
    return Broken(changed(installation, "mark", token__secret_file=path), str(path), "byte order mark")


def open_password_file(installation, folder):
    path = write_secret(folder / "open.password", "x")
    path.chmod(0o604)
    return Broken(changed(installation, "open-pw", database__password_file=path), str(path), "chmod")


def missing_password_file(installation, folder):
    path = folder / "missing.password"
    conf = changed(installation, "no-pw", database__password_file=path)
    return Broken(conf, str(path), "as one line, with mode 0600")


def missing_public_key(installation, folder):
    path = folder / "missing.pem"
    conf = changed(installation, "no-pem", token__public_key_file=path)
    return Broken(conf, str(path), "save the login system's public key there")


def private_key_for_the_public_one(installation, folder):
    path = write_secret(folder / "private.pem", rsa_pair()[0])
    return Broken(changed(installation, "private", token__public_key_file=path), str(path), "private")


def rubbish_key(installation, folder):
    path = folder / "rubbish.pem"
    path.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    return Broken(changed(installation, "rubbish", token__public_key_file=path), str(path))


def no_key(installation, folder):
    conf = changed(installation, "no-key", token__secret_file=None, token__public_key_file=None)
    return Broken(conf, "token.secret_file", "token.public_key_file")


def unknown_algorithm(installation, folder):
    conf = changed(installation, "algorithm", token__algorithms="HS256, none")
    return Broken(conf, f"{conf}:", "token.algorithms", "none", "HS256, RS256")


def provisioning(installation, name, **changes):
    return installation.write_provisioning_conf(f"broken-{name}.conf", **changes)


def provisioning_of_users_by_id(installation, folder):
    conf = provisioning(installation, "provision-subject", token__subject="user")
    return Broken(conf, "token.provision", "token.subject = identity")


def provisioning_for_any_issuer(installation, folder):
    conf = provisioning(installation, "provision-issuer", token__issuer=None)
    return Broken(conf, "token.provision", "token.issuer")


def provisioning_without_an_account(installation, folder):
    conf = provisioning(installation, "provision-account", provision__user=None)
    return Broken(conf, "provision.user", "provision.password_file", "--print-grants --for provision")


def provisioning_by_the_workers_account(installation, folder):
    conf = provisioning(installation, "provision-worker", provision__user=installation.worker_account)
    return Broken(conf, "provision.user", "another account")


def provisioning_without_its_password(installation, folder):
    path = folder / "missing.password"
    return Broken(provisioning(installation, "provision-pw", provision__password_file=path), str(path))


def provisioning_with_an_open_password(installation, folder):
    path = write_secret(folder / "open.password", "hunter2hunter2")
    path.chmod(0o604)
    return Broken(provisioning(installation, "provision-open", provision__password_file=path), str(path), "chmod")


def unknown_subject(installation, folder):
    conf, line = appended(installation, "subject", "[token]\nsubject = email")
    return Broken(conf, f"{conf}:{line}", "token.subject", "user", "identity")


CASES = [
    unknown_key, unknown_section, bad_number, number_out_of_range, bad_choice, bad_syntax, bad_variable, no_such_conf,
    conf_is_a_folder, open_password_in_conf, missing_secret, open_secret, short_secret,
    secret_with_white_space_behind_it, secret_with_a_byte_order_mark, open_password_file,
    missing_password_file, missing_public_key, private_key_for_the_public_one, rubbish_key, no_key, unknown_algorithm,
    provisioning_of_users_by_id, provisioning_for_any_issuer, provisioning_without_an_account,
    provisioning_by_the_workers_account, provisioning_without_its_password, provisioning_with_an_open_password,
    unknown_subject,
]
each_case = pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__.replace("_", " "))


@each_case
def test_the_client_reads_a_plain_500_and_the_operator_the_cause(cgi, tokens, reader, installation, tmp_path, make):
    broken = make(installation, tmp_path)
    answer = cgi.get(tokens.bearer(reader), ME_CONF=str(broken.conf), **broken.environment)
    assert (answer.status, answer.code) == (500, "internal_error"), answer
    logged = " ".join(" ".join(event.values()) for event in answer.events("error"))
    for word in broken.words:
        assert word in logged, f"the log does not say {word!r}: {logged}"


@pytest.mark.parametrize("method", ["GET", "PATCH", "OPTIONS", "PUT"])
def test_the_500_has_the_form_that_accept_prefers(cgi, method):
    """RFC 9457; the longest request id has room in it."""
    headers = {"Accept": "application/problem+json", "X-Request-Id": "x" * 64}
    answer = cgi(method, headers=headers, ME_LOG_LEVEL="loud")
    assert answer.status == 500 and answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == 500 and answer.json["requestId"] == "x" * 64


@each_case
def test_check_config_says_so_too(installation, tmp_path, make):
    broken = make(installation, tmp_path)
    done = subprocess.run(
        [str(program("me.fcgi")), "--check-config"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, check=False, timeout=30,
        env=clean_environment(ME_CONF=str(broken.conf), **broken.environment),
    )
    assert done.returncode == 1, done
    for word in broken.words:
        assert word in done.stderr, f"nothing of {word!r}: {done.stderr}"
    assert "hunter2" not in done.stdout + done.stderr


def test_a_worker_with_a_broken_configuration_ends(installation, tmp_path):
    broken = unknown_key(installation, tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "worker.sock"))
        listener.listen()
        done = subprocess.run(
            [str(program("me.fcgi"))], stdin=listener, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False, timeout=30, env=clean_environment(ME_CONF=str(broken.conf)),
        )
    assert done.returncode == 1 and "log.colour" in done.stderr, done


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_secret_of_the_owner_and_one_group_is_taken(cgi, tokens, reader, installation, mode):
    """0640 root:www-data is how a secret is given to a worker; the group here is our own."""
    installation.secret_file.chmod(mode)
    try:
        assert cgi.get(tokens.bearer(reader)).status == 200
    finally:
        installation.secret_file.chmod(0o600)


def test_a_broken_configuration_is_the_same_to_every_request(cgi, installation, tmp_path):
    """Nothing is judged without a configuration: neither path nor method."""
    broken = unknown_key(installation, tmp_path)
    for method, path in (("GET", "/other"), ("DELETE", "/me"), ("PATCH", "/me")):
        assert cgi(method, path, ME_CONF=str(broken.conf)).status == 500
