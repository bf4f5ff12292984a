"""The program behind each way of deploying that there is an example for: all of HTTP gets through it unharmed."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.answer import ALLOWED, PATCH_TYPES
from support.servers import ORIGIN

LIMIT = 65536
MERGE_PATCH = "application/merge-patch+json"


def test_get(site, tokens, full_user):
    answer = site.get(tokens.bearer(full_user))
    assert answer.status == 200 and answer.json == full_user.expected(active_sessions=2)


def test_what_is_kept_is_in_one_file_for_the_account_alone(server, tokens, full_user):
    assert server.site().get(tokens.bearer(full_user)).status == 200
    (kept,) = server.kept_files()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_rs256(site, tokens, full_user):
    assert site.get(tokens.bearer(full_user, algorithm="RS256")).json["id"] == full_user.id


def test_head(site, tokens, full_user):
    bearer = tokens.bearer(full_user)
    of_get, of_head = site.get(bearer), site("HEAD", headers=bearer)
    assert of_head.status == 200 and of_head.body == b""
    assert of_head.headers["ETag"] == of_get.headers["ETag"]


def test_patch_and_get(site, tokens, users, user):
    bearer = tokens.bearer(user)
    patched = site.patch(bearer, {"name": "Zoë 王", "locale": "en-us"})
    assert patched.status == 200, patched
    assert (patched.json["name"], patched.json["locale"]) == ("Zoë 王", "en-US")
    assert site.get(bearer).body == patched.body
    assert users.column(user, "name") == "Zoë 王"


def test_options(site):
    answer = site("OPTIONS")
    assert answer.status == 204
    assert answer.headers.items("Allow") == ALLOWED
    assert answer.headers.items("Accept-Patch") == PATCH_TYPES


def test_no_token(site):
    answer = site()
    assert (answer.status, answer.code) == (401, "missing_token")
    assert "error" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x.y.z"}, {"Authorization": "Bearer"}])
def test_a_bad_token(site, headers):
    answer = site.get(headers)
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_an_expired_token(site, tokens, user):
    answer = site.get(tokens.bearer(user, exp=1))
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert "expired" in answer.headers["WWW-Authenticate"]


def test_a_banned_user(site, tokens, users):
    assert site.get(tokens.bearer(users.add(status="banned"))).code == "user_banned"


def test_a_revoked_session(site, tokens, users, user):
    session = users.add_session(user)
    bearer = tokens.bearer(user, sid=session)
    assert site.get(bearer).status == 200
    users.revoke_session(session)
    answer = site.get(bearer)
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert "revoked" in answer.headers["WWW-Authenticate"]


def test_not_modified(site, tokens, full_user):
    bearer = tokens.bearer(full_user)
    etag = site.get(bearer).etag
    answer = site.get({**bearer, "If-None-Match": etag})
    assert answer.status == 304 and answer.etag == etag and answer.body == b""


def test_nothing_is_made_of_the_tag_where_answers_are_compressed(site, tokens, full_user):
    """A server that compresses, here or on the way, must not give one tag to two representations."""
    bearer = tokens.bearer(full_user)
    plain, either = site.get(bearer), site.get({**bearer, "Accept-Encoding": "gzip, br, deflate"})
    assert either.etag == plain.etag and either.body == plain.body and "Content-Encoding" not in either.headers


def test_no_header_field_of_cgi_is_left(site, tokens, full_user):
    assert "Status" not in site.get(tokens.bearer(full_user)).headers


@pytest.mark.parametrize("tag, status", [('"other"', 412), ("*", 200), (None, 200)])
def test_if_match(site, tokens, user, tag, status):
    bearer = tokens.bearer(user)
    tag = tag or site.get(bearer).etag
    assert site.patch({**bearer, "If-Match": tag}, {"bio": "x"}).status == status


def test_a_query_is_ignored(site, tokens, full_user):
    assert site.get(tokens.bearer(full_user), path=f"{site.path}?x=%2Fother").status == 200


@pytest.mark.parametrize("suffix", ["nu", "/other", ".txt"])
def test_other_paths_are_not_the_resource(site, tokens, full_user, suffix):
    """The server's own 404 is as good as ours."""
    assert site.send(path=site.path + suffix, headers=tokens.bearer(full_user)).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods(site, tokens, full_user, method):
    answer = site(method, headers=tokens.bearer(full_user), body=b"{}")
    assert answer.status == 405 and answer.headers.items("Allow") == ALLOWED


def body_of(size):
    """A patch of so many bytes that changes nothing."""
    return b'{"bio":null' + b" " * (size - 12) + b"}"


def test_a_body_at_the_limit(site, tokens, user):
    assert site.patch(tokens.bearer(user), body_of(LIMIT)).status == 200


def test_a_body_above_the_limit(site, tokens, user):
    """The server may know the limit too, and refuse with a body of its own."""
    assert site.send("PATCH", headers=tokens.bearer(user), body=body_of(LIMIT + 1)).status == 413


def test_a_body_far_above_the_limit(site, tokens, user):
    assert site.send("PATCH", headers=tokens.bearer(user), body=body_of(10 * LIMIT)).status == 413


@pytest.mark.parametrize("body, status, code", [
    (b"{", 400, "invalid_json"), (b"[]", 400, "invalid_body"), (b"", 400, "invalid_body"),
    (b'{"locale":"?"}', 422, "validation_failed"),
])
def test_bad_bodies(site, tokens, user, body, status, code):
    answer = site.patch(tokens.bearer(user), body)
    assert (answer.status, answer.code) == (status, code), answer


def test_another_media_type(site, tokens, user):
    answer = site.patch({**tokens.bearer(user), "Content-Type": "text/plain"}, b"{}")
    assert answer.status == 415 and answer.headers.items("Accept-Patch") == PATCH_TYPES


def test_a_body_of_unknown_length(site, tokens, user):
    """RFC 9112, section 7.1, and RFC 9113, section 8.1.1."""
    headers = {**tokens.bearer(user), "Transfer-Encoding": "chunked"}
    answer = site("PATCH", headers=headers, body={"bio": "sent in small chunks"}, chunked=True)
    assert answer.status == 200 and answer.json["bio"] == "sent in small chunks"


def test_a_body_of_unknown_length_above_the_limit(site, tokens, user):
    headers = {**tokens.bearer(user), "Transfer-Encoding": "chunked"}
    answer = site.send("PATCH", headers=headers, body=body_of(LIMIT + 1), chunked=True)
    assert answer.status == 413


def test_problem_json(site):
    answer = site.get({"Accept": "application/problem+json"})
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.json["status"] == 401


def test_the_request_id_goes_through(site):
    answer = site.get({"X-Request-Id": "my-id"})
    assert answer.headers["X-Request-Id"] == "my-id" and answer.json["requestId"] == "my-id"


def test_a_script_of_an_allowed_origin_is_answered(site, tokens, full_user):
    answer = site.get({**tokens.bearer(full_user), "Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"ETag", "X-Request-Id", "Retry-After"} <= answer.headers.items("Access-Control-Expose-Headers")


def test_a_preflight_is_answered(site):
    answer = site("OPTIONS", headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,if-match"})
    assert answer.status == 204 and answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PATCH" in answer.headers.items("Access-Control-Allow-Methods")


def test_a_script_of_another_origin_is_told_nothing(site, tokens, full_user):
    answer = site.get({**tokens.bearer(full_user), "Origin": "https://evil.example"})
    assert answer.status == 200 and not [n for n, _ in answer.headers.fields if n.lower().startswith("access-control")]


@pytest.mark.parametrize("name", ["me.conf", "hs256.secret", "worker.password", "rs256.pub.pem", ".htaccess"])
def test_no_file_is_served(site, name):
    for folder in ("/", "/cgi-bin/", "/me/", "/etc/"):
        assert site.send(path=folder + name).status in (403, 404)


def test_a_long_token(site, tokens, full_user):
    token = tokens.mint(full_user, filler="x" * 4000)
    assert site.get({"Authorization": f"Bearer {token}"}).status == 200


def test_twenty_clients_at_once(site, tokens, users):
    people = [users.add(f"Client {n}", bio=f"bio {n}") for n in range(20)]

    def talk(user):
        bearer = tokens.bearer(user)
        first = site.get(bearer)
        patched = site.patch({**bearer, "If-Match": first.etag}, {"bio": f"changed {user.id}"})
        return first.json == user.expected(), patched.status, patched.json["bio"] == f"changed {user.id}"

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(talk, people)) == [(True, 200, True)] * 20


def test_with_curl(site, tokens, user):
    """As the documentation shows it."""
    done = subprocess.run(
        ["curl", "-sS", "--fail-with-body", *site.curl_options, "-X", "PATCH", "-H",
         f"Authorization: Bearer {tokens.mint(user)}", "-H", f"Content-Type: {MERGE_PATCH}", "-d", '{"bio":"by curl"}',
         site.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["bio"] == "by curl"
