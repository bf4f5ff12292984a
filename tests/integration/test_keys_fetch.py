"""mectl keys fetch against a server of our own: what it takes, what it refuses, what it leaves in the file."""

import json
import os
import resource
import signal
import subprocess
import time
from datetime import datetime

import pytest

from support.fetcher import Fetcher
from support.installation import write_secret
from support.issuer import Authority, Issuer, Reply
from support.keys import SigningKey, jwks
from support.paths import clean_environment, is_measured, program
from support.processes import wait_until

KIDS = ("first", "second", "third")


@pytest.fixture(scope="module")
def keys():
    """A few keys, made once: each takes a while."""
    return {kid: SigningKey(kid) for kid in KIDS}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serve(authority):
    """Starts issuers, each with a certificate for localhost unless another one is given."""
    issuers = []

    def start(certificate=()):
        issuers.append(Issuer(authority.certify() if certificate == () else certificate))
        return issuers[-1]

    yield start
    for issuer in issuers:
        issuer.stop()


@pytest.fixture
def issuer(serve, keys):
    """One that lists its first key."""
    issuer = serve()
    issuer.publish(keys["first"])
    return issuer


@pytest.fixture
def fetch(tmp_path, authority, issuer):
    return Fetcher(tmp_path, authority, issuer)


# ---- what it takes


def test_the_discovery_document_leads_to_the_keys(fetch, issuer, keys):
    said = fetch()
    assert said == {
        "file": str(fetch.file), "changed": True, "listed": 1, "added": 1, "withdrawn": 0, "ending": 0, "dropped": 0,
        "secrets": 0, "passedOver": [],
    }
    assert fetch.jwks() == [keys["first"].jwk()]
    assert issuer.requests == ["/.well-known/openid-configuration", "/jwks"]
    assert fetch.file.stat().st_mode & 0o7777 == 0o644


def test_it_says_so_for_people(fetch, keys, issuer):
    assert fetch.run().stdout == f"{fetch.file}: written, 1 keys (1 new), 0 withdrawn (0 just now), 0 dropped\n"
    assert fetch.run().stdout == f"{fetch.file}: unchanged, 1 keys, 0 withdrawn\n"


def test_an_address_of_keys_needs_no_discovery(fetch, issuer):
    assert fetch("--url", issuer.url + "/jwks")["changed"]
    assert issuer.requests == ["/jwks"]


def test_options_go_before_settings(fetch, serve, keys, tmp_path):
    other = serve()
    other.publish(keys["second"])
    file = tmp_path / "other.json"
    assert fetch("--issuer", other.url, "--file", file)["file"] == str(file)
    assert [jwk["kid"] for jwk in json.loads(file.read_bytes())["keys"]] == ["second"]
    assert not fetch.file.exists()


def test_the_only_issuer_of_tokens_is_asked(fetch, issuer):
    fetch(ME_KEYS_ISSUER="", ME_TOKEN_ISSUER=issuer.url)
    assert list(fetch.kids()) == ["first"]


@pytest.mark.parametrize("path", ["/realms/one", "/realms/one/"])
def test_an_issuer_may_have_a_path(fetch, issuer, path):
    """OpenID Connect Discovery 1.0, section 4.1: a slash at its end is not doubled."""
    issuer.discover(path)
    fetch("--issuer", issuer.url + path)
    assert issuer.requests == ["/realms/one/.well-known/openid-configuration", "/jwks"]


def test_the_keys_may_be_on_another_host(fetch, issuer, serve, keys):
    other = serve()
    other.publish(keys["second"])
    issuer.discover(jwks_uri=other.url + "/jwks")
    fetch()
    assert list(fetch.kids()) == ["second"]


def test_a_redirect_to_https_is_followed(fetch, issuer, keys):
    issuer.replies["/jwks"] = Reply(status=302, Location=issuer.url + "/moved")
    issuer.replies["/moved"] = Reply(jwks(keys["first"]))
    assert fetch()["listed"] == 1


def test_only_what_is_of_use_is_written(fetch, issuer, keys):
    issuer.publish(
        keys["first"].jwk(x5c=["AAAA"], x5t="abc", x5u="https://example.com/", extra={"a": 1}, alg=None, use=None),
        keys["second"].jwk(use="enc", alg="RSA-OAEP"), {"kty": "EC", "kid": "curve"}, keys["third"].private_jwk())
    said = fetch()
    assert said["listed"] == 1 and len(said["passedOver"]) == 3, said
    assert fetch.jwks() == [keys["first"].jwk()]


def test_a_defective_key_is_told(fetch, issuer, keys):
    issuer.publish(keys["first"], keys["third"].private_jwk(), keys["second"].jwk(use="enc"))
    said = fetch.run().stdout.splitlines()
    assert len(said) == 2 and "passed over" in said[0] and "'third'" in said[0] and "private" in said[0], said


def test_a_secret_from_the_network_is_never_taken(fetch, issuer, keys):
    issuer.publish(keys["first"], {"kty": "oct", "kid": "shared", "k": "A" * 43})
    said = fetch.run()
    assert said.returncode == 0 and "1 secrets" in said.stdout, said
    assert fetch.jwks() == [keys["first"].jwk()]


def test_a_kid_may_be_any_text(fetch, issuer, keys):
    kid = 'Ünïcode "quoted" \\ back/slash \u2028 \x1b[31m'
    issuer.publish(keys["first"].jwk(kid=kid))
    said = fetch.run()
    assert said.returncode == 0 and "\x1b" not in said.stdout, said
    assert list(fetch.kids()) == [kid]


# ---- the file


def test_an_unchanged_list_leaves_the_file_untouched(fetch, issuer, keys):
    issuer.publish(keys["first"], keys["second"])
    fetch()
    before = fetch.state()
    issuer.publish(keys["second"].jwk(x5t="new"), keys["first"])
    assert fetch()["changed"] is False
    assert fetch.state() == before


def now():
    return int(time.time())


def test_a_withdrawn_key_stays_for_the_grace_time(fetch, issuer, keys):
    issuer.publish(keys["first"], keys["second"])
    fetch()
    issuer.publish(keys["second"], keys["third"])
    started = now()
    said = fetch("--grace", 100)
    assert (said["listed"], said["added"], said["withdrawn"]) == (2, 1, 1), said
    end = fetch.kids()["first"]
    assert started + 100 <= end <= now() + 101
    assert fetch.kids() == {"second": None, "third": None, "first": end}
    assert fetch("--grace", 5000)["changed"] is False, "the end was put off"
    issuer.publish(keys["first"], keys["second"])
    said = fetch("--grace", 100)
    assert fetch.kids()["first"] is None and fetch.kids()["third"] is not None, said


def test_the_grace_time_is_a_setting(fetch, issuer, keys):
    fetch()
    issuer.publish(keys["second"])
    fetch(ME_KEYS_GRACE_S="50")
    assert now() + 40 <= fetch.kids()["first"] <= now() + 51


def test_a_key_is_dropped_once_its_time_is_over(fetch, issuer, keys):
    fetch()
    issuer.publish(keys["second"])
    fetch("--grace", 1)
    end = fetch.kids()["first"]
    wait_until(lambda: time.time() > end, 5)
    assert fetch()["dropped"] == 1
    assert fetch.kids() == {"second": None}


def test_without_grace_a_compromised_key_is_out_at_once(fetch, issuer, keys):
    issuer.publish(keys["first"], keys["second"])
    fetch()
    issuer.publish(keys["second"])
    fetch("--grace", 3600)
    assert fetch("--grace", 0)["dropped"] == 1
    assert fetch.kids() == {"second": None}


def test_the_mode_of_the_file_is_kept(fetch, issuer, keys):
    fetch()
    fetch.file.chmod(0o640)
    issuer.publish(keys["second"])
    fetch()
    assert fetch.file.stat().st_mode & 0o7777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_of_the_file_is_kept(fetch, issuer, keys):
    fetch()
    os.chown(fetch.file, 12345, 23456)
    issuer.publish(keys["second"])
    fetch()
    assert (fetch.file.stat().st_uid, fetch.file.stat().st_gid) == (12345, 23456)


def test_the_file_that_a_link_leads_to_is_replaced(fetch, issuer, tmp_path):
    (tmp_path / "real").mkdir()
    fetch.file.symlink_to("real/keys.json")
    (tmp_path / "real" / "keys.json").write_bytes(b"")
    fetch()
    assert fetch.file.is_symlink() and list(fetch.kids()) == ["first"]


@pytest.mark.parametrize("text", ["", '{"keys":[', '{"keys":[]}', ' \n{"a":1}', "{}"])
def test_a_broken_file_is_mended(fetch, text):
    fetch.file.write_text(text)
    said = fetch()
    assert ("replaced" in said) == (text != ""), said
    assert list(fetch.kids()) == ["first"]


@pytest.mark.parametrize("text", ["-----BEGIN PUBLIC KEY-----\n", "[database]\nhost = x\n", "root:x:0:0\n", "[]"])
def test_what_is_no_jwks_is_left_alone(fetch, text):
    fetch.file.write_text(text)
    fetch.fails(fetch.file, "no JWKS", "--file")


def test_a_secret_in_the_file_is_left_alone(fetch, keys):
    write_secret(fetch.file, jwks(keys["first"], {"kty": "oct", "k": "A" * 43}).decode())
    fetch.fails(fetch.file, "secret", "--file")


def test_a_folder_is_left_alone(fetch):
    fetch.file.mkdir()
    fetch.fails(fetch.file, "not a regular file")


def test_a_missing_folder_is_told(fetch, tmp_path):
    fetch.fails(tmp_path / "none", "make the folder first", arguments=["--file", tmp_path / "none" / "jwks.json"])


# Root may do anything to files, unless it lets go of that.
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown") if os.geteuid() == 0 else ()


def test_a_folder_that_cannot_be_written_is_told(fetch, tmp_path):
    fetch()
    tmp_path.chmod(0o500)
    (tmp_path / "jwks.json.lock").unlink()
    try:
        fetch.fails("Permission denied", "run this as", prefix=BOUND)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(is_measured(), reason="what is counted is written under the same limit")
def test_no_room_is_told(fetch, issuer, keys):
    """A limit on the size of files ends a write in its middle, as a full disk does."""
    fetch()
    issuer.publish(keys["first"], keys["second"])

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    fetch.fails("jwks.json.new", "File too large", preexec_fn=limit)
    assert fetch()["changed"], "it does not recover"


def test_one_that_is_killed_while_it_writes_does_no_harm(fetch, issuer, keys):
    fetch()
    before = fetch.state()
    issuer.publish(keys["first"], keys["second"])
    done = fetch.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)))
    assert done.returncode == -signal.SIGXFSZ, done
    assert fetch.file.with_name("jwks.json.new").stat().st_size == 500, "it was not in the middle"
    assert fetch.state() == before
    assert fetch()["added"] == 1, "it does not recover"
    assert not fetch.file.with_name("jwks.json.new").exists()


def test_one_that_is_killed_while_it_waits_does_no_harm(fetch, issuer, keys):
    fetch()
    before = fetch.state()
    issuer.publish(keys["second"], delay_s=3)
    process = fetch.start()
    wait_until(lambda: issuer.requests.count("/jwks") == 2)
    process.kill()
    process.communicate(timeout=10)
    assert fetch.state() == before
    issuer.publish(keys["second"])
    assert fetch()["added"] == 1, "its lock outlived it"


def test_several_at_once_go_one_after_another(fetch, issuer, keys):
    """So none writes an older answer over a newer one."""
    lists = [[keys["first"]], [keys["first"], keys["second"]], [keys["second"]], [keys["second"], keys["third"]]]
    replies = iter([Reply(jwks(*listed), delay_s=0.2) for listed in lists])
    issuer.replies["/jwks"] = lambda: next(replies)
    processes = [fetch.start() for _ in lists]
    results = [process.communicate(timeout=60) for process in processes]
    assert all(process.returncode == 0 for process in processes), results
    assert issuer.most_at_once == 1
    kids = fetch.kids()
    assert kids["second"] is None and kids["third"] is None and kids["first"] is not None, kids


def test_who_cannot_get_the_lock_says_so(fetch, issuer, keys):
    issuer.publish(keys["first"], delay_s=4.5)
    first = fetch.start()
    wait_until(lambda: "/jwks" in issuer.requests)
    fetch.fails("jwks.json.lock", "another process", ME_KEYS_TIMEOUT_S="1")
    first.communicate(timeout=10)
    assert first.returncode == 0


# ---- what it refuses


def test_a_certificate_of_an_unknown_authority(fetch, tmp_path_factory):
    other = Authority(tmp_path_factory.mktemp("other"), "Another CA")
    fetch.fails("certificate", "--ca", arguments=["--ca", other.file])


def test_the_system_does_not_know_the_test_authority(fetch):
    fetch.fails("certificate", "--ca", ME_KEYS_CA="")


def test_a_file_of_the_authority_that_is_missing(fetch, tmp_path):
    fetch.fails("PEM", arguments=["--ca", tmp_path / "none.pem"])


def test_an_expired_certificate(fetch, authority, serve, keys):
    expired = serve(authority.certify(ends_in_days=-1))
    expired.publish(keys["first"])
    fetch.fails("expired", arguments=["--issuer", expired.url])


def test_a_certificate_of_another_host(fetch, authority, serve, keys):
    other = serve(authority.certify("login.example.com"))
    other.publish(keys["first"])
    fetch.fails("localhost", "see that the address is right", arguments=["--issuer", other.url])
    assert other.requests == []


def test_a_server_that_does_not_speak_tls(fetch, serve, keys):
    plain = serve(None)
    plain.publish(keys["first"])
    fetch.fails(arguments=["--url", plain.url.replace("http:", "https:") + "/jwks"])


@pytest.mark.parametrize("url", [
    "http://localhost/jwks", "file:///etc/passwd", "ftp://localhost/jwks", "localhost/jwks", "https://", "https:///x",
    "https://user:password@localhost/jwks", "https://localhost/a b", "",
])
@pytest.mark.parametrize("option", ["--url", "--issuer"])
def test_an_address_that_is_not_https(fetch, option, url):
    fetch.fails("https address", arguments=[f"{option}={url}"])


@pytest.mark.parametrize("ending", ["?a=b", "#a"])
def test_an_issuer_with_a_query(fetch, issuer, ending):
    fetch.fails("neither query nor fragment", arguments=["--issuer", issuer.url + ending])


def test_a_redirect_to_http(fetch, issuer, serve, keys):
    plain = serve(None)
    plain.publish(keys["first"])
    issuer.replies["/jwks"] = Reply(status=302, Location=plain.url + "/jwks")
    fetch.fails("not https")
    assert plain.requests == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://localhost/", "gopher://localhost/"])
def test_a_redirect_to_another_protocol(fetch, issuer, target):
    issuer.replies["/jwks"] = Reply(status=302, Location=target)
    fetch.fails("not https")


def test_a_circle_of_redirects(fetch, issuer):
    issuer.replies["/jwks"] = Reply(status=302, Location=issuer.url + "/jwks")
    fetch.fails("redirects")
    assert issuer.requests.count("/jwks") == 4


def test_nothing_there(fetch, issuer):
    del issuer.replies["/jwks"]
    fetch.fails(issuer.url + "/jwks", "404", "see that the address is right")


def test_no_discovery_document(fetch, issuer):
    issuer.replies = {"/.well-known/openid-configuration": Reply(b"<html>", content_type="text/html")}
    fetch.fails("no discovery document")


@pytest.mark.parametrize("status", [201, 204, 401, 500, 503])
def test_another_status(fetch, issuer, keys, status):
    issuer.publish(keys["first"], status=status)
    fetch.fails(f"status {status}")


BODIES = {
    "HTML": (b"<!doctype html><html><body>Sign in</body></html>", "line 1, column 1"),
    "nothing": (b"", "line 1, column 1"),
    "cut": (b'{"keys":[{"kty":"RSA"', "line 1"),
    "a list": (b"[]", "not a JSON object"),
    "no keys": (b'{"keys":[]}', "no key in it"),
    "keys that are no list": (b'{"keys":{}}', "neither a JWK Set"),
    "a member twice": (b'{"keys":[],"keys":[]}', "line 1"),
    "a byte too many": (b'{"keys":[]}\0', "line 1"),
    "a key for another algorithm": (b'{"keys":[{"kty":"EC","crv":"P-256"}]}', "none of its 1 keys"),
    "a secret": (jwks({"kty": "oct", "k": "A" * 43}), "no public key"),
}


@pytest.mark.parametrize("body, why", BODIES.values(), ids=BODIES)
def test_an_answer_that_is_no_use(fetch, issuer, keys, body, why):
    fetch()
    issuer.replies["/jwks"] = Reply(body)
    fetch.fails(why)


def test_weak_and_withdrawn_keys_alone(fetch, issuer, keys):
    issuer.publish(SigningKey("weak", 1024))
    fetch.fails("1024 bits")
    issuer.publish(keys["first"].jwk(exp=now() - 1))
    fetch.fails("no public key")


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
def test_an_answer_that_is_too_large(fetch, issuer, path):
    issuer.replies[path].body += b" " * 600 * 1024
    fetch.fails(issuer.url + path, "larger than")


def test_more_keys_than_a_file_may_hold(fetch, issuer, keys):
    issuer.publish(*[keys["first"].jwk(kid=str(i)) for i in range(129)])
    fetch.fails("more than 128 keys")


def test_more_keys_without_kid_than_are_tried(fetch, issuer):
    """A worker would refuse the file."""
    numbers = [SigningKey(None).jwk() for _ in range(9)]
    issuer.publish(*numbers)
    fetch.fails("without kid")


@pytest.mark.parametrize("how", [{"delay_s": 3}, {"trickle_s": 0.2}], ids=["silent", "slow"])
def test_a_server_that_takes_too_long(fetch, issuer, keys, how):
    issuer.publish(keys["first"], **how)
    started = time.monotonic()
    fetch.fails("keys.timeout_s", ME_KEYS_TIMEOUT_S="1")
    assert time.monotonic() - started < 2.5


def test_a_server_that_is_not_there(fetch, issuer):
    fetch.fails("see that the issuer runs", arguments=["--issuer", "https://localhost:1"])


WRONG_DISCOVERY = {
    "another issuer": ({"issuer": "https://other.example.com"}, "of the issuer 'https://other.example.com'"),
    "no issuer": ({"issuer": None}, "it has no issuer"),
    "issuer no string": ({"issuer": 7}, "it has no issuer"),
    "no keys": ({"jwks_uri": None}, "no jwks_uri"),
    "keys over http": ({"jwks_uri": "http://localhost/jwks"}, "https address"),
    "keys in a file": ({"jwks_uri": "file:///etc/passwd"}, "https address"),
    "keys no string": ({"jwks_uri": ["https://localhost/"]}, "no jwks_uri"),
}


@pytest.mark.parametrize("changes, why", WRONG_DISCOVERY.values(), ids=WRONG_DISCOVERY)
def test_a_discovery_document_that_is_wrong(fetch, issuer, changes, why):
    issuer.discover(**changes)
    fetch.fails(why)
    assert "/jwks" not in issuer.requests


def test_an_issuer_is_compared_exactly(fetch, issuer):
    """OpenID Connect Discovery 1.0, section 4.3."""
    fetch.fails("of the issuer", "not of", arguments=["--issuer", issuer.url + "/"])


# ---- how it is called


@pytest.mark.parametrize("arguments", [["--issuer=https://a", "--url=https://b"], ["--grace"], ["x"]])
def test_wrong_usage(fetch, arguments):
    done = fetch.run(*arguments)
    assert done.returncode == 2 and done.stdout == "" and done.stderr, done


@pytest.mark.parametrize("value", ["-1", "2592001", "1h", ""])
def test_a_grace_time_out_of_range(fetch, value):
    fetch.fails("--grace", arguments=[f"--grace={value}"])


def test_settings_that_exclude_each_other(fetch, issuer):
    done = fetch.run(ME_KEYS_URL=issuer.url + "/jwks")
    assert done.returncode == 2 and "keys.issuer and keys.url" in done.stderr, done


def test_nobody_to_ask(fetch):
    fetch.fails("keys.issuer", ME_KEYS_ISSUER="")
    fetch.fails("keys.issuer", ME_KEYS_ISSUER="", ME_TOKEN_ISSUER="https://a.example.com https://b.example.com")


def test_no_file_to_write(fetch):
    fetch.fails("--file", "token.jwks_file", ME_TOKEN_JWKS_FILE="")


def test_a_full_standard_output_is_no_success(fetch):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(fetch.command(), stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=30, env=clean_environment())
    assert done.returncode == 1 and list(fetch.kids()) == ["first"], done


def test_credentials_of_the_home_are_not_sent(fetch, issuer, tmp_path):
    seen = []
    answer = issuer.answer
    issuer.answer = lambda handler: (seen.append(dict(handler.headers)), answer(handler))
    (tmp_path / ".netrc").write_text("machine localhost login me password hidden\n")
    process = subprocess.run(fetch.command(), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30,
                             env=clean_environment(HOME=str(tmp_path)))
    assert process.returncode == 0
    for headers in seen:
        assert set(headers) == {"Host", "User-Agent", "Accept"}, headers


# ---- what mectl keys list says of it


def test_keys_list_shows_when_a_withdrawn_key_ends(fetch, issuer, keys):
    issuer.publish(keys["first"], keys["second"])
    fetch()
    issuer.publish(keys["second"], {"kty": "EC", "kid": "curve"})
    fetch("--grace", 100)
    done = subprocess.run([str(program("mectl")), "keys", "list", "--json", "--config", str(fetch.conf)],
                          capture_output=True, text=True, check=True, timeout=30, env=clean_environment())
    listed = {key["kid"]: key for key in map(json.loads, done.stdout.splitlines())}
    assert "end" not in listed["second"]
    end = datetime.fromisoformat(listed["first"]["end"].replace("Z", "+00:00")).timestamp()
    assert end == fetch.kids()["first"]
    assert listed["first"]["thumbprint"] == keys["first"].thumbprint()
