"""
What is true of every request, tried with generated ones: bodies, values, header fields, paths. Through FastCGI
workers, so that one process lives through all of them.
"""

import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import assume, example
from hypothesis import strategies as st

from support import generated, openapi
from support.answer import PROBLEMS
from support.fastcgi import Worker
from support.openapi import at, inlined
from support.properties import holds

LIMIT = 65536
DEPTH = 32
PAGE = "https://www.example.com"
MEMBERS = generated.PATCHABLE
PATCH_SCHEMA = {name: openapi.validator(inlined(member))
                for name, member in at("#/components/schemas/Patch/properties").items()}


class Client:
    """One user, and a worker that serves it."""

    def __init__(self, worker, tokens, user):
        self.worker = worker
        self.user = user
        self.bearer = tokens.bearer(user, exp=int(time.time()) + 30 * 86400)

    def get(self, **headers):
        return self.worker("GET", headers={**self.bearer, **headers})

    def patch(self, body, **headers):
        return self.worker("PATCH", headers={**self.bearer, **headers}, body=body)


@pytest.fixture(scope="module")
def workers(installation, tmp_path_factory):
    with ExitStack() as ends:
        running = []
        for _ in MEMBERS:
            running.append(Worker(installation, tmp_path_factory.mktemp("w"), ME_CORS_ORIGIN=PAGE))
            ends.callback(running[-1].end)
        yield running


@pytest.fixture(scope="module")
def client(workers, tokens, users):
    return Client(workers[0], tokens, users.add())


@pytest.fixture(scope="module")
def clients(workers, tokens, users):
    """The same user by each of the workers."""
    user = users.add()
    return [Client(worker, tokens, user) for worker in workers]


def own(resource) -> dict:
    """What a PATCH can change of it."""
    return {name: resource[name] for name in MEMBERS if name in resource}


def merge(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge(target.get(name), value)
    return target


def stored(patch) -> dict:
    """The patch as it is kept: the locale in canonical case."""
    return {name: generated.canonical(value) if name == "locale" and value is not None else value
            for name, value in patch.items()}


# ---- bodies

def is_too_much(value, depth=1):
    """What is JSON to RFC 8259 alone: U+0000, and more depth and larger numbers than are taken."""
    if isinstance(value, (list, dict)):
        parts = value if isinstance(value, list) else [*value, *value.values()]
        return depth > DEPTH or any(is_too_much(part, depth + 1) for part in parts)
    if isinstance(value, str):
        return "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value)
    return isinstance(value, float) and not math.isfinite(value)


def unique(pairs):
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("the same name twice")
    return dict(pairs)


def refuse(word):
    raise ValueError(f"{word} is no JSON")


def parsed(body: bytes):
    """The body as another parser reads it; ValueError where it is not to be taken."""
    value = json.loads(body.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse, parse_int=float)
    if is_too_much(value):
        raise ValueError("more than is taken")
    return value


def expected_code(body: bytes):
    """The code of the refusal that a body deserves; None where its members decide."""
    if not body.strip(b" \t\r\n"):
        return "invalid_body"
    try:
        value = parsed(body)
    except ValueError:
        return "invalid_json"
    return None if isinstance(value, dict) else "invalid_body"


def assert_judged(answer, body):
    code = expected_code(body)
    if len(body) > LIMIT:
        assert answer.status == 413, f"{body!r}: {answer!r}"
    elif code:
        assert (answer.status, answer.code) == (400, code), f"{body!r}: {answer!r}"
    else:
        assert answer.status in (200, 422), f"{body!r}: {answer!r}"


@holds(400, body=(generated.values | generated.objects).flatmap(generated.written))
def test_any_json_whatever_is_taken_or_refused_as_it_should_be(client, body):
    assert_judged(client.patch(body), body)


@holds(400, body=generated.damaged())
def test_almost_json_is_judged_as_another_parser_judges_it(client, body):
    assert_judged(client.patch(body), body)


@holds(150, body=st.binary(max_size=300))
def test_any_bytes_whatever(client, body):
    assert_judged(client.patch(body), body)


@holds(60, size=st.integers(LIMIT - 4, LIMIT + 4), blank=st.sampled_from([b" ", b"\n"]), has_length=st.booleans())
@example(size=LIMIT, blank=b" ", has_length=True)
@example(size=LIMIT + 1, blank=b" ", has_length=False)
def test_a_body_of_a_size_near_the_limit(client, size, blank, has_length):
    body = b"{}" + blank * (size - 2)
    length = {} if has_length else {"CONTENT_LENGTH": None}
    answer = client.worker("PATCH", headers=client.bearer, body=body, **length)
    assert answer.status == (200 if size <= LIMIT else 413)


@holds(200, length=st.text(st.sampled_from("0123456789 +-.,xe\t"), max_size=12) | st.integers(-3, 99).map(str))
def test_any_content_length(client, length):
    body = b'{"bio":"x"}'
    answer = client.worker("PATCH", headers=client.bearer, body=body, CONTENT_LENGTH=length)
    digits = length.strip(" \t")
    if not digits or length == "-1":  # which Caddy names where the client sent no length
        expected = {200}
    elif not re.fullmatch("[0-9]+", digits):
        expected = {400}
    else:
        expected = {200} if int(digits) == len(body) else {413} if int(digits) > LIMIT else {400}
    assert answer.status in expected, f"{length!r}: {answer!r}"


media_types = generated.field_bytes.map(generated.as_variable) | st.sampled_from(
    ["application/json", "application/merge-patch+json;charset=utf-8", "text/json", "application/*"])


@holds(200, body=generated.objects.flatmap(generated.written), media_type=media_types)
def test_any_media_type(client, body, media_type):
    answer = client.patch(body, **{"Content-Type": media_type})
    if answer.status != 415:
        assert media_type.strip(" \t").lower().startswith(("application/json", "application/merge-patch+json"))
        assert_judged(answer, body)


# ---- values

@holds(200, patch=generated.objects)
def test_each_member_that_cannot_be_changed_so_is_named_and_no_other(client, patch):
    assume(expected_code(json.dumps(patch).encode()) is None)
    before = client.get().json
    answer = client.patch(patch)
    named = set(answer.json["details"]) if answer.status == 422 else set()
    assert named >= patch.keys() - set(MEMBERS)
    for name in patch.keys() & set(MEMBERS):
        if openapi.faults(PATCH_SCHEMA[name], patch[name]):
            assert name in named, answer
        elif name in ("name", "bio"):  # what their schemas let through is all that is taken
            assert name not in named, answer
    assert named <= patch.keys()
    if named:
        assert client.get().json == before


@holds(400, name=st.sampled_from(MEMBERS), value=generated.candidates)
def test_the_schema_of_a_member_refuses_nothing_that_is_taken(client, name, value):
    assume("\0" not in value)
    answer = client.patch({name: value})
    is_good = not openapi.faults(PATCH_SCHEMA[name], value)
    assert answer.status == 422 or (answer.status == 200 and is_good), answer
    if name in ("name", "bio"):
        assert (answer.status == 200) == is_good, answer


@holds(300, patch=generated.patches, body=st.data())
def test_a_value_that_is_taken_comes_back_exactly(client, patch, body):
    """However it is written: escaped or not."""
    answer = client.patch(body.draw(generated.written(patch)))
    assert answer.status == 200, f"{patch}: {answer!r}"
    for name, value in stored(patch).items():
        assert answer.json.get(name) == value, f"{name}: {answer!r}"


@holds(150, patch=generated.patches)
def test_get_answers_what_patch_answered(client, patch):
    patched = client.patch(patch)
    got = client.get()
    assert patched.status == got.status == 200
    assert (patched.body, patched.etag) == (got.body, got.etag)
    assert client.get(**{"If-None-Match": patched.etag}).status == 304
    assert client.patch({}, **{"If-Match": patched.etag}).body == got.body


@holds(80, patches=st.lists(generated.patches, min_size=1, max_size=5))
def test_patches_one_after_another_are_those_of_the_standard(client, patches):
    expected = own(client.get().json)
    for patch in patches:
        before = client.get()
        answer = client.patch(patch)
        changed = merge(expected, stored(patch))
        assert own(answer.json) == changed
        assert (answer.json["updatedAt"] > before.json["updatedAt"]) == (changed != expected)
        assert (answer.etag != before.etag) == (changed != expected)
        expected = changed


@holds(100, patch=generated.patches | generated.objects, order=st.data())
def test_the_order_of_members_does_not_matter(client, patch, order):
    assume(expected_code(json.dumps(patch).encode()) is None)
    shuffled = dict(order.draw(st.permutations(list(patch.items()))))
    first, second = client.patch(patch), client.patch(shuffled)
    assert first.status == second.status
    if first.status == 200:
        assert first.body == second.body  # the second one changed nothing, and updatedAt stayed
    else:
        assert first.json["details"] == second.json["details"]


# ---- writers at the same time

def at_once(tasks):
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


@holds(25, writes=st.fixed_dictionaries({
    name: st.lists(values, min_size=1, max_size=3) for name, values in generated.accepted.items()}))
def test_writers_of_different_members_lose_nothing(clients, writes):
    def write(client, name):
        return [client.patch({name: value}) for value in writes[name]]

    answers = at_once([lambda pair=pair: write(*pair) for pair in zip(clients, writes, strict=True)])
    for (name, values), given in zip(writes.items(), answers, strict=True):
        assert [answer.json[name] for answer in given] == [stored({name: value})[name] for value in values]
    last = stored({name: values[-1] for name, values in writes.items()})
    assert own(clients[0].get().json) == last


@holds(12, counts=st.lists(st.integers(1, 4), min_size=2, max_size=len(MEMBERS)))
def test_writers_that_name_the_state_they_know_lose_nothing(clients, counts):
    """Each adds to a number by reading, and writing with If-Match until nobody was quicker."""
    def add(client, times):
        for _ in range(times):
            while True:
                before = client.get()
                answer = client.patch({"bio": str(int(before.json["bio"]) + 1)}, **{"If-Match": before.etag})
                assert answer.status in (200, 412), answer
                if answer.status == 200:
                    break

    assert clients[0].patch({"bio": "0"}).status == 200
    at_once([lambda pair=pair: add(*pair) for pair in zip(clients, counts)])
    assert clients[0].get().json["bio"] == str(sum(counts))


# ---- header fields

FIELDS = ("If-Match", "If-None-Match", "Accept", "Origin", "X-Request-Id", "X-HTTP-Method-Override",
          "Access-Control-Request-Method", "Access-Control-Request-Headers")
anything = st.one_of(
    generated.field_bytes, generated.any_bytes,
    st.sampled_from([b"*", b'"x"', b'W/"x", ', b"application/problem+json", b"*/*;q=0", b"null",
                     PAGE.encode(), b"id-1"]))


@holds(300, method=st.sampled_from(["GET", "HEAD", "PATCH", "OPTIONS", "POST", "PUT"]),
       fields=st.dictionaries(st.sampled_from(FIELDS), anything.map(generated.as_variable)))
def test_any_header_fields_whatever_get_an_answer_that_is_one(client, method, fields):
    body = b"{}" if method in ("PATCH", "POST") else None
    answer = client.worker(method, headers={**client.bearer, **fields}, body=body)
    assert answer.status in {
        "GET": (200, 304, 412), "HEAD": (200, 304, 412), "PATCH": (200, 412), "OPTIONS": (204,)}.get(method, (405,))
    sent = fields.get("X-Request-Id", "")
    assert (answer.headers["X-Request-Id"] == sent) == bool(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", sent))
    assert answer.headers.get("Access-Control-Allow-Origin") == (PAGE if fields.get("Origin") == PAGE else None)


@holds(200, value=anything.map(generated.as_variable), name=st.sampled_from(["Authorization", "Content-Type"]))
def test_any_token_or_media_type_is_refused_plainly(client, name, value):
    answer = client.worker("PATCH", headers={**client.bearer, "Content-Type": "text/plain", name: value}, body=b"{}")
    assert answer.status == (401 if name == "Authorization" else 415)


blanks = st.text(" \t", max_size=2)
tags = st.sampled_from(["current", "weak", '"other"', 'W/"other"', '""', '"a,b"', '"\u00fc"'])


@st.composite
def tag_lists(draw):
    """A well-formed list: its items, and how it is written."""
    items = draw(st.lists(tags | st.just(""), min_size=1, max_size=5).filter(any))
    return items, ",".join(draw(blanks) + item + draw(blanks) for item in items)


@holds(200, listed=tag_lists(), name=st.sampled_from(["If-Match", "If-None-Match"]),
       method=st.sampled_from(["GET", "PATCH"]))
def test_any_list_of_entity_tags(client, listed, name, method):
    items, text = listed
    etag = client.get().etag
    text = text.replace("current", etag).replace("weak", f"W/{etag}")
    headers = {**client.bearer, name: text}
    answer = client.worker(method, headers=headers, body=b"{}" if method == "PATCH" else None)
    is_listed = "current" in items or (name == "If-None-Match" and "weak" in items)
    if name == "If-Match":
        assert answer.status == (200 if is_listed else 412), text
    else:
        assert answer.status == ((304 if method == "GET" else 412) if is_listed else 200), text


@holds(300, ranges=st.lists(st.tuples(
    st.sampled_from(["application/json", "application/problem+json", "application/*", "*/*", "text/html"]),
    st.none() | st.integers(0, 1000)), max_size=5, unique_by=lambda pair: pair[0]))
def test_the_form_of_a_refusal_is_the_one_that_accept_weighs_more(client, ranges):
    accept = ", ".join(name if q is None else f"{name};q={q / 1000:.3f}" for name, q in ranges)
    weights = {name: 1000 if q is None else q for name, q in ranges}

    def weight(name):
        return next((weights[one] for one in (name, "application/*", "*/*") if one in weights), 0 if ranges else 1000)

    answer = client.worker("GET", headers={"Accept": accept})
    standard = weight("application/problem+json") > weight("application/json")
    assert answer.headers["Content-Type"] == ("application/problem+json" if standard else "application/json")


# ---- methods and paths

@holds(100, method=st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=10)
       | st.sampled_from(["get", "PATCH ", " GET", "GET\n", "HEADER"]))
def test_any_method(client, method):
    assume(method not in ("GET", "HEAD", "PATCH", "OPTIONS"))
    assert client.worker(method, headers=client.bearer).code == "method_not_allowed"


segments = st.sampled_from(["me", "me.fcgi", "cgi-bin", "api", "", ".", "..", "%2e", "Me", "me%2f", "?x", "//"]) | \
    generated.field_bytes.map(generated.as_variable)
paths = st.lists(segments, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts)) | segments
RESOURCE = re.compile(r"(/me|(^|/)me\.(fcgi|cgi))$", re.DOTALL)


@holds(400, script_name=paths, path_info=paths, request_uri=paths)
def test_any_path(client, script_name, path_info, request_uri):
    answer = client.worker("GET", headers=client.bearer, SCRIPT_NAME=script_name, PATH_INFO=path_info,
                           REQUEST_URI=request_uri)
    ending = path_info or script_name or request_uri.partition("?")[0]
    if answer.status == 200:
        assert RESOURCE.search(ending), answer
    else:
        assert answer.status == PROBLEMS["not_found"]
        assert not (path_info == "" and RESOURCE.search(script_name)), answer
