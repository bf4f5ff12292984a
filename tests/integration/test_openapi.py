"""
schema/openapi.yaml: it is OpenAPI, it says what the tables of the code say, and whatever it describes happens. (That
whatever happens is described is asserted with each answer of each test: tests/support/openapi.py.)
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile

import pytest
from jsonschema import Draft202012Validator

from support import openapi
from support.answer import Answer, Headers
from support.commands import objects
from support.openapi import at, below, description, document, examples_at, follow, inlined
from support.paths import build, clean_environment, program

RFC9457 = "application/problem+json"
PAGE = "https://www.example.com"

# ---- the document by itself

# OpenAPI's own schema comes in a package of npm; what it has to be is pinned.
PACKAGE = "@seriousme/openapi-schema-validator"
VERSION = "2.11.0"
SHA512 = "DL8TjmjkUS76OaK/TinoRtf6PrirsWfMZiv62ifP9eq3UOpoLqSGZKpCErxMzz0i1pjECSPYY+qZ1SRYEgiEvg=="
MEMBER = "package/schemas/v3.1/schema.json"


def fetch_package(folder):
    """The package's archive, kept in the build folder for the next run."""
    kept = build() / f"openapi-schema-{VERSION}.tgz"
    if not kept.exists():
        try:
            done = subprocess.run(
                ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{PACKAGE}@{VERSION}"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm cannot fetch {PACKAGE}: {error}")
        if done.returncode != 0:
            pytest.skip(f"npm cannot fetch {PACKAGE}: {done.stderr[-300:]}")
        archive, = folder.glob("*.tgz")
        shutil.copy(archive, kept)
    return kept


@pytest.fixture(scope="module")
def official_schema(tmp_path_factory):
    archive = fetch_package(tmp_path_factory.mktemp("npm"))
    digest = hashlib.sha512(archive.read_bytes()).digest()
    assert base64.b64encode(digest).decode() == SHA512, f"{archive} is not {VERSION}"
    with tarfile.open(archive) as package:
        return json.load(package.extractfile(MEMBER))


def test_it_is_openapi(official_schema):
    errors = Draft202012Validator(official_schema).iter_errors(document())
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []
    assert document()["openapi"].startswith("3.1.")


def nodes(value, pointer="#"):
    """Every part of the document with its place."""
    yield pointer, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from nodes(part, below(pointer, name))


def test_it_has_only_what_json_has():
    """Any reader of YAML makes the same of it: no times, no binaries, no aliases."""
    assert json.loads(json.dumps(document())) == document()
    assert not re.search(r"(^|[:\[,-] +)[&*][A-Za-z]", openapi.FILE.read_text(), re.MULTILINE)


def test_every_reference_leads_somewhere_and_every_component_is_used():
    used = {node["$ref"] for _, node in nodes(document()) if isinstance(node, dict) and "$ref" in node}
    for pointer in used:
        assert at(pointer) is not None
    components = {f"#/components/{kind}/{name}" for kind, named in document()["components"].items() for name in named}
    assert components - used == {"#/components/securitySchemes/bearer"}  # this one is referred to by its name


def schemas():
    found = [f"#/components/schemas/{name}" for name in document()["components"]["schemas"]]
    return found + [pointer for pointer, _ in nodes(document()) if pointer.endswith("/schema")]


@pytest.mark.parametrize("pointer", schemas())
def test_this_is_a_json_schema(pointer):
    Draft202012Validator.check_schema(inlined(at(pointer)))


def test_every_example_is_of_its_schema():
    checked = 0
    for pointer, node in nodes(document()):
        if isinstance(node, dict) and isinstance(node.get("schema"), dict):
            judge = openapi.validator(openapi.closed(inlined(node["schema"])))
            for place, example in examples_at(pointer).items():
                assert openapi.faults(judge, example["value"]) == [], place
                checked += 1
    assert checked > 70


def test_every_answer_with_a_body_has_an_example():
    for pointer, response in nodes(document()["components"]["responses"], "#/components/responses"):
        for media_type in response.get("content", ()) if isinstance(response, dict) and "headers" in response else ():
            codes = openapi.response_at(pointer).contents[media_type].codes
            names = list(at(below(pointer, "content", media_type, "examples")))
            assert names and (not codes or names == codes), pointer


def test_no_host_is_named_but_those_for_documentation():
    """RFC 2606, RFC 3849, RFC 5737."""
    hosts = re.findall(r"[a-z]+://([^/\s'\")}]+)", openapi.FILE.read_text())
    allowed = r"(([a-z]+\.)*example\.com|192\.0\.2\.\d+|\[2001:db8::[\d:]+\])(:\d+)?"
    assert hosts and not [host for host in hosts if not re.fullmatch(allowed, host)]


def test_it_has_the_version_of_the_program():
    done = subprocess.run([str(program("me.fcgi")), "--version"], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=30, env=clean_environment())
    assert done.stdout.split()[1] == document()["info"]["version"]


# ---- the tables of the code

@pytest.fixture(scope="module")
def tables():
    tool = build() / "tests" / "integration" / "tables"
    assert tool.exists(), f"{tool} is missing: make -C {build()} tests-built"
    done = subprocess.run([str(tool)], stdout=subprocess.PIPE, check=True, timeout=30, env=clean_environment())
    return json.loads(done.stdout)


SCHEMAS = "#/components/schemas"


def members_of(schema):
    return at(f"{SCHEMAS}/{schema}/properties")


def test_the_problems(tables):
    assert members_of("Problem")["code"]["enum"] == [row["code"] for row in tables["problems"]]


def test_each_problem_has_its_status_and_text(tables):
    rows = {row["code"]: row for row in tables["problems"]}
    described = set()
    for operation in [*description().operations.values(), description().other]:
        for status, response in operation.responses.items():
            for media_type, content in response.contents.items():
                for code in content.codes:
                    assert rows[code]["status"] == status, f"{operation.method} {status} {code}"
                    described.add(code)
                    example = follow(below(response.pointer, "content", media_type, "examples", code))[1]["value"]
                    assert example["message"].startswith(rows[code]["message"])
                    assert example.get("title", rows[code]["message"]) == rows[code]["message"]
    assert described == set(rows)


def test_the_violations(tables):
    """All but those that only mectl knows."""
    ours = set(members_of("Violation")["code"]["enum"])
    assert set(tables["violations"]) - ours == {"not_utf8", "invalid_email", "invalid_phone_number", "invalid_badge"}
    assert ours <= set(tables["violations"])


def test_the_members_that_a_patch_changes(tables):
    limits = {name: member["maxLength"] for name, member in members_of("Patch").items()}
    assert list(limits.items()) == list(tables["patchables"].items())


def test_the_other_members_are_read_only(tables):
    """As far as a body of PATCH goes, each is refused as the description says: see the violations of each."""
    profile, details = members_of("Profile"), members_of("Details")
    read_only = {name for name, member in profile.items() if member.get("readOnly")}
    assert profile.keys() - read_only == tables["patchables"].keys()
    assert {name for name, list_ in details.items() if "$ref" in list_} == read_only
    for name, limit in tables["patchables"].items():
        assert profile[name]["maxLength"] == limit


def test_the_statuses_of_users(tables):
    assert set(members_of("Profile")["status"]["enum"]) == set(tables["statuses"]) - {"deleted", "banned"}


def test_what_a_body_may_be(tables):
    assert ", ".join(at("#/components/requestBodies/Patch/content")) == tables["bodies"]
    assert at("#/components/headers/AcceptPatch")["schema"]["const"] == tables["bodies"]


def test_the_limits_that_are_settings(mectl):
    rows = {(row["section"], row["key"]): row for row in objects(mectl("config", "list", "--json"))}
    for key, name in ((("request", "retry_after_s"), "RetryAfter"), (("cors", "max_age_s"), "MaxAge")):
        header = at(f"#/components/headers/{name}")
        assert (header["schema"]["minimum"], header["schema"]["maximum"]) == (rows[key]["min"], rows[key]["max"])
        assert str(header["example"]) == rows[key]["default"]
    limit = rows["request", "body_max_bytes"]["default"]
    assert f"up to {limit} bytes" in at("#/components/requestBodies/Patch")["description"]


# ---- each answer happens

RESOURCES = {name: at(f"#/components/examples/{name}/value") for name in ("Profile", "Own", "Minimal")}
REQUEST_ID = at("#/components/parameters/RequestId/example")
ETAG = at("#/components/headers/ETag/example")
OVERRIDE = {"ME_REQUEST_METHOD_OVERRIDE": "on"}
OTHERS = ["PUT", "DELETE", "TRACE", "get"]
CORS = {"no": None, "allowed": f"http://localhost:3000 {PAGE}"}
# What makes each status without a code, and each code, to be the answer; `user` and `claims` are of the token's user.
SITUATIONS = {
    200: {}, 204: {},
    304: {"headers": {"If-None-Match": ETAG}},
    "not_found": {"path": "/other"},
    "method_not_allowed": {"settings": {"ME_REQUEST_METHOD_OVERRIDE": None}},
    "missing_token": {"headers": {"Authorization": None}},
    "invalid_token": {"claims": {"exp": 1}},
    "user_banned": {"user": "banned"},
    "body_too_large": {"body": b"{}" + b" " * 1024, "settings": {"ME_REQUEST_BODY_MAX_BYTES": "1024"}},
    "unsupported_media_type": {"headers": {"Content-Type": "text/plain"}},
    "invalid_json": {}, "invalid_body": {}, "validation_failed": {},  # their examples have a body
    "precondition_required": {"settings": {"ME_REQUEST_REQUIRE_IF_MATCH": "on"}},
    "precondition_failed": {"headers": {"If-Match": '"other"'}},
    "service_unavailable": {"settings": {"ME_DATABASE_HOST": "/nowhere.sock"}},
    "internal_error": {"settings": {"ME_TOKEN_ALGORITHMS": "none"}},
}


class Stage:
    """Users as the examples show them, and requests as the operations take them."""

    def __init__(self, cgi, tokens, users):
        self.cgi, self.tokens, self.users = cgi, tokens, users
        self.people = []

    def user(self, resource, **changes):
        self.people.append(self.users.add_shown(resource, **changes))
        return self.people[-1]

    def clear(self):
        for user in self.people:
            self.users.delete(user)

    def ask(self, method, user, headers=None, body=None, path="/me", claims=None, settings=None):
        takes_body = method in ("PATCH", "POST")
        headers = {
            **self.tokens.bearer(user, **(claims or {})), "X-Request-Id": REQUEST_ID,
            **({"Content-Type": "application/merge-patch+json"} if takes_body else {}),
            **({"X-HTTP-Method-Override": "PATCH"} if method == "POST" else {}), **(headers or {}),
        }
        body = b"{}" if takes_body and body is None else body
        return self.cgi(method, path, headers, body, **{**OVERRIDE, **(settings or {})})


@pytest.fixture
def stage(cgi, tokens, users):
    made = Stage(cgi, tokens, users)
    yield made
    made.clear()


def described_answers():
    for operation in description().operations.values():
        for status, media_type, code in operation.answers():
            yield operation.method, status, media_type, code
    for status, media_type, code in description().other.answers():
        for method in OTHERS:
            yield method, status, media_type, code


def example_of(method, status, media_type, code):
    """The code's own example, and the body of the request that it belongs to."""
    if code is None:
        return None, None
    response = description().operations.get(method, description().other).responses[status]
    example = follow(below(response.pointer, "content", media_type, "examples", code))[1]
    text = example.get("x-request-body")
    return example["value"], text.encode() if text else None


@pytest.mark.parametrize("cors", CORS)
@pytest.mark.parametrize("method, status, media_type, code", described_answers())
def test_this_answer_is_given(stage, method, status, media_type, code, cors):
    situation = SITUATIONS[code or status]
    example, body = example_of(method, status, media_type, code)
    user = stage.user(RESOURCES["Own"], status=situation.get("user", "active"))
    answer = stage.ask(
        method, user, {"Accept": media_type, "Origin": PAGE, **situation.get("headers", {})},
        situation.get("body", body), situation.get("path", "/me"), situation.get("claims"),
        {"ME_CORS_ORIGIN": CORS[cors], **situation.get("settings", {})})
    assert answer.status == status and answer.headers.get("Content-Type") == media_type, answer
    if example and method != "HEAD":
        assert answer.json == example


# ---- each example

@pytest.mark.parametrize("name", at("#/components/responses/Profile/content/application~1json/examples"))
def test_a_profile_is_shown_as_in_the_example(stage, name):
    expected = follow(f"#/components/responses/Profile/content/application~1json/examples/{name}")[1]["value"]
    answer = stage.ask("GET", stage.user(expected))
    assert answer.status == 200 and answer.json == expected
    assert list(answer.json) == [member for member in members_of("Profile") if member in expected]


def test_the_entity_tag_of_the_examples_is_that_of_the_users_profile(stage):
    assert stage.ask("GET", stage.user(RESOURCES["Own"])).etag == ETAG


PATCHES = [
    (method, media_type, name)
    for method in ("PATCH", "POST")
    for media_type, body in at("#/components/requestBodies/Patch/content").items() for name in body["examples"]
]


@pytest.mark.parametrize("method, media_type, name", PATCHES)
def test_a_patch_is_answered_as_in_the_example(stage, method, media_type, name):
    patch = follow(below("#/components/requestBodies/Patch/content", media_type, "examples", name))[1]["value"]
    expected = follow(f"#/components/responses/PatchedProfile/content/application~1json/examples/{name}")[1]["value"]
    user = stage.user(RESOURCES["Own"])
    body = json.dumps(patch, ensure_ascii=False).encode()
    answer = stage.ask(method, user, {"Content-Type": media_type, "If-Match": ETAG}, body)
    assert answer.status == 200
    assert openapi.without_generated(answer.json) == openapi.without_generated(expected)
    has_changed = expected["updatedAt"] != RESOURCES["Own"]["updatedAt"]
    assert (answer.json["updatedAt"] > RESOURCES["Own"]["updatedAt"]) == has_changed
    assert (answer.etag != ETAG) == has_changed
    assert stage.ask("GET", user).body == answer.body


@pytest.mark.parametrize("name, value", [
    (name, value) for name, member in members_of("Patch").items() for value in member["examples"]], ids=ascii)
def test_an_example_of_a_member_is_accepted(stage, name, value):
    answer = stage.ask("PATCH", stage.user(RESOURCES["Own"]), body=json.dumps({name: value}).encode())
    assert answer.status == 200 and answer.json[name] == value


PARAMETERS = [(operation.method, place) for operation in description().operations.values()
              for place in operation.parameters.values()]


@pytest.mark.parametrize("method, place", PARAMETERS)
def test_a_header_field_with_its_example(stage, method, place):
    parameter = at(place)
    answer = stage.ask(method, stage.user(RESOURCES["Own"]), {parameter["name"]: parameter["example"]})
    reads = method in ("GET", "HEAD")
    expected = {"IfNoneMatch": 304 if reads else 412}.get(place.split("/")[-1], 204 if method == "OPTIONS" else 200)
    assert answer.status == expected


@pytest.mark.parametrize("place", [place for method, place in PARAMETERS if method == "OPTIONS"])
def test_a_header_field_of_another_method(stage, place):
    if place in description().other.parameters.values():
        parameter = at(place)
        answer = stage.ask("PUT", stage.user(RESOURCES["Own"]), {parameter["name"]: parameter["example"]})
        assert answer.status == 405


# ---- what is not described is told

def changed(answer, status=None, fields=(), without=(), body=None):
    """The answer with header fields added or taken away, and members of the body replaced."""
    kept = [field for field in answer.headers.fields if field[0] not in without]
    text = answer.body if body is None else json.dumps({**answer.json, **body}).encode()
    return Answer(status or answer.status, Headers([*kept, *fields]), text)


EMAIL = RESOURCES["Profile"]["emails"][0]
NOT_DESCRIBED = {
    "another status": {"status": 201},
    "another field": {"fields": [("Warning", "199 - x")]},
    "a field of another status": {"fields": [("Retry-After", "5")]},
    "a field that is missing": {"without": ["ETag"]},
    "a field with another value": {"without": ["Vary"], "fields": [("Vary", "*")]},
    "another media type": {"without": ["Content-Type"], "fields": [("Content-Type", "text/plain")]},
    "no media type": {"without": ["Content-Type"]},
    "another member": {"body": {"shoeSize": 43}},
    "another member inside": {"body": {"emails": [{**EMAIL, "isDefault": True}]}},
    "a member of another type": {"body": {"activeSessions": "1"}},
    "null": {"body": {"bio": None}},
    "an id in upper case": {"body": {"id": RESOURCES["Own"]["id"].upper()}},
    "a time without milliseconds": {"body": {"createdAt": "2025-07-03T02:14:22Z"}},
    "a time that never was": {"body": {"createdAt": "2025-02-30T02:14:22.000Z"}},
    "another user status": {"body": {"status": "banned"}},
    "too long a name": {"body": {"name": "x" * 256}},
    "the same badge twice": {"body": {"badges": ["a:b", "a:b"]}},
}


@pytest.mark.parametrize("change", NOT_DESCRIBED.values(), ids=NOT_DESCRIBED)
def test_this_is_not_described(stage, change):
    answer = stage.ask("GET", stage.user(RESOURCES["Own"]))
    with pytest.raises(AssertionError, match="does not describe this"):
        description().judge(changed(answer, **change), "GET")


NO_PROBLEM = {
    "another code": {"code": "too_early"},
    "a code of another status": {"code": "invalid_json"},
    "no details": {"details": {}},
    "a violation of another member": {"details": {"bio": [{"code": "invalid_locale", "message": "x"}]}},
    "another violation": {"details": {"bio": [{"code": "too_short", "message": "x"}]}},
    "a read-only member with another one": {"details": {"id": [{"code": "invalid_type", "message": "x"}]}},
    "an unknown member with another one": {"details": {"x": [{"code": "read_only", "message": "x"}]}},
    "a violation with another member": {"details": {"x": [{"code": "unknown_member", "message": "x", "y": 1}]}},
    "a violation without a text": {"details": {"x": [{"code": "unknown_member"}]}},
    "another member": {"help": "x"},
}


@pytest.mark.parametrize("form", ["application/json", RFC9457])
@pytest.mark.parametrize("body", NO_PROBLEM.values(), ids=NO_PROBLEM)
def test_this_problem_is_not_described(stage, form, body):
    user = stage.user(RESOURCES["Own"])
    answer = stage.ask("PATCH", user, {"Accept": form}, b'{"bio":1,"x":1,"id":1}')
    description().judge(answer, "PATCH")
    with pytest.raises(AssertionError, match="does not describe this"):
        description().judge(changed(answer, body=body), "PATCH")


def test_what_was_not_seen_is_told():
    fresh = openapi.Description()
    assert set(fresh.missing()) == set(map(str, fresh.points)) and len(fresh.points) > 500


# ---- all of it

@pytest.mark.last
def test_whatever_is_described_was_an_answer(request):
    """Of all the tests of this folder: coverage of the description."""
    if not request.config.is_whole:
        pytest.skip("it takes all tests of the folder to say so")
    assert description().missing() == []
