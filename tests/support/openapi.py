"""
schema/openapi.yaml, held against the answers of the program both ways: `judge` refuses an answer that is not described,
and `missing` names the descriptions that no answer was seen for.
"""

import json
import re
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from support.paths import SOURCE

FILE = SOURCE / "schema" / "openapi.yaml"
PATH = "/me"
METHODS = ("get", "head", "patch", "post", "options")
OTHER_METHODS = "x-any-other-method"
# What a web server adds (RFC 9110, sections 6.6 and 14.3; RFC 9112, sections 6.1 and 9.6; RFC 7838, section 3).
SERVERS_FIELDS = {"date", "server", "connection", "keep-alive", "transfer-encoding", "accept-ranges", "alt-svc"}
# What the time makes: no example can know it.
GENERATED = {"updatedAt"}

# ---- the document


@lru_cache(maxsize=1)
def document() -> dict:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def at(pointer: str):
    """What stands at a place of the document (RFC 6901)."""
    node = document()
    for step in pointer.removeprefix("#/").split("/"):
        node = node[int(step) if isinstance(node, list) else step.replace("~1", "/").replace("~0", "~")]
    return node


def below(pointer: str, *steps) -> str:
    return "/".join([pointer, *(str(step).replace("~", "~0").replace("/", "~1") for step in steps)])


@lru_cache(maxsize=None)
def follow(pointer: str) -> tuple:
    """The place that a reference leads to, and what stands there; without one, the place itself."""
    node = at(pointer)
    while isinstance(node, dict) and "$ref" in node:
        pointer = node["$ref"]
        node = at(pointer)
    return pointer, node


def inlined(node):
    """The same with what references lead to in their place; what stands beside a reference comes on top."""
    if isinstance(node, list):
        return [inlined(item) for item in node]
    if not isinstance(node, dict):
        return node
    beside = {name: inlined(value) for name, value in node.items() if name != "$ref"}
    return {**inlined(at(node["$ref"])), **beside} if "$ref" in node else beside


# ---- schemas

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(text):
    return not isinstance(text, str) or bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z"))


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(text):
    return not isinstance(text, str) or bool(urlsplit(text).scheme)


def closed(schema: dict) -> dict:
    """
    The schema of a whole value with nothing beside what it describes. A client passes over members that it does not
    know; a test does not.
    """
    schema = _with_closed_parts(schema)
    is_open = any("properties" in part for part in [schema, *schema.get("allOf", ())])
    return {**schema, "unevaluatedProperties": False} if is_open and "additionalProperties" not in schema else schema


def _with_closed_parts(schema: dict) -> dict:
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {name: closed(part) for name, part in schema["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            schema[name] = closed(schema[name])
    if "allOf" in schema:
        schema["allOf"] = [_with_closed_parts(part) for part in schema["allOf"]]
    return schema


def _in_python(schema):
    """A schema whose patterns mean to Python what they mean to ECMA-262: $ is not the place before a last line feed."""
    if isinstance(schema, list):
        return [_in_python(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: re.sub(r"\$$", r"\\Z", part) if name == "pattern" and isinstance(part, str) else _in_python(part)
            for name, part in schema.items()}


def validator(schema: dict) -> Draft202012Validator:
    return Draft202012Validator(_in_python(schema), format_checker=FORMATS)


def faults(judge: Draft202012Validator, value) -> list:
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in judge.iter_errors(value)]


ALL, ITEMS, OTHERS = object(), object(), object()  # what a part is, where it is no member with a name


def _parts(pointer: str, schema: dict) -> list:
    """The schemas of the parts of a value: the place of each, and which part it is of."""
    parts = [(below(pointer, "properties", name), name) for name in schema.get("properties", ())]
    parts += [(below(pointer, "allOf", number), ALL) for number in range(len(schema.get("allOf", ())))]
    parts += [(below(pointer, word), part) for word, part in (("items", ITEMS), ("additionalProperties", OTHERS))
              if isinstance(schema.get(word), dict)]
    return parts


def _values(value, schema: dict, part) -> list:
    if part is ALL:
        return [value]
    if part is ITEMS:
        return value if isinstance(value, list) else []
    if not isinstance(value, dict):
        return []
    if part is OTHERS:
        return [member for name, member in value.items() if name not in schema.get("properties", ())]
    return [value[part]] if part in value else []


def points_of_schema(pointer: str):
    """The members and the listed values that a schema describes, as places of the document."""
    pointer, schema = follow(pointer)
    for number in range(len(schema.get("enum", ()))):
        yield below(pointer, "enum", number)
    for place, part in _parts(pointer, schema):
        if part is not ALL:
            yield place
        yield from points_of_schema(place)


def points_of_value(pointer: str, value):
    """Those of them that are in a value."""
    pointer, schema = follow(pointer)
    if value in schema.get("enum", ()):
        yield below(pointer, "enum", schema["enum"].index(value))
    for place, part in _parts(pointer, schema):
        for inner in _values(value, schema, part):
            if part is not ALL:
                yield place
            yield from points_of_value(place, inner)


# ---- examples


def examples_at(pointer: str) -> dict:
    """The examples of a parameter, header or media type: what each says, by its place."""
    pointer, node = follow(pointer)
    found = {below(pointer, "example"): {"value": node["example"]}} if "example" in node else {}
    places = [below(pointer, "examples", name) for name in node.get("examples", ())]
    return {**found, **{place: follow(place)[1] for place in places}}


def without_generated(value):
    return {name: part for name, part in value.items() if name not in GENERATED} if isinstance(value, dict) else value


# ---- header fields


class Header:
    """A described field of an answer."""

    def __init__(self, pointer: str):
        self.pointer, node = follow(pointer)
        self.is_required = node.get("required", False)
        self.is_number = node["schema"].get("type") == "integer"
        self.validator = validator(inlined(node["schema"]))

    def points(self):
        return [*points_of_schema(below(self.pointer, "schema")), *examples_at(self.pointer)]

    def judge(self, text: str) -> set:
        """The points that a value has."""
        value = int(text) if self.is_number else text
        assert not faults(self.validator, value), faults(self.validator, value)
        seen = {place for place, example in examples_at(self.pointer).items() if example["value"] == value}
        return seen | set(points_of_value(below(self.pointer, "schema"), value))


# ---- answers


class Content:
    """A described body of an answer."""

    def __init__(self, pointer: str):
        self.schema = below(pointer, "schema")
        self.examples = examples_at(pointer)
        self.validator = validator(closed(inlined(at(self.schema))))
        self.codes = _codes(at(self.schema))

    def points(self):
        return [*points_of_schema(self.schema), *self.examples]

    def judge(self, value) -> set:
        assert not faults(self.validator, value), faults(self.validator, value)
        seen = set(points_of_value(self.schema, value))
        return seen | {place for place, example in self.examples.items()
                       if without_generated(example["value"]) == without_generated(value)}


def _codes(schema: dict) -> list:
    """The problem codes to which an answer restricts the closed list."""
    return [code for part in schema.get("allOf", ()) for code in
            part.get("properties", {}).get("code", {}).get("enum", ())]


class Response:
    """A described answer: one status of one operation."""

    def __init__(self, pointer: str):
        self.pointer, node = follow(pointer)
        self.headers = {name.lower(): Header(below(self.pointer, "headers", name)) for name in node["headers"]}
        self.contents = {media_type: Content(below(self.pointer, "content", media_type))
                         for media_type in node.get("content", ())}

    def points(self):
        for name, header in self.headers.items():
            yield below(self.pointer, "headers", name)
            yield from header.points()
        for content in self.contents.values():
            yield from content.points()

    def judge(self, answer, is_head: bool) -> set:
        seen = self._judge_headers(answer)
        media_type = answer.headers.get("Content-Type")
        assert (media_type in self.contents) or not (media_type or self.contents), f"not described: {media_type}"
        if media_type and not is_head:
            seen |= self.contents[media_type].judge(answer.json)
        return seen

    def _judge_headers(self, answer) -> set:
        sent = fields_of(answer)
        missing = [name for name, header in self.headers.items() if header.is_required and name not in sent]
        assert not missing and sent.keys() <= self.headers.keys(), f"missing: {missing}; not described: " \
            f"{sorted(sent.keys() - self.headers.keys())}"
        seen = {below(self.pointer, "headers", name) for name in sent}
        return seen.union(*(self.headers[name].judge(value) for name, value in sent.items()))


# The media type is the content's; X-Me-Doctor is sent to mectl doctor alone, and no client's business.
_APART = {"content-type", "x-me-doctor"}


def fields_of(answer) -> dict:
    """The fields that are described one by one. Status is the gateway's; Content-Type goes with the content."""
    fields = {name.lower(): value for name, value in answer.headers.fields if name.lower() not in _APART}
    if fields.pop("status", None):
        return fields
    # A web server was between. Some write lists anew.
    fields["vary"] = re.sub(r",(?=\S)", ", ", fields.get("vary", ""))
    return {name: value for name, value in fields.items() if name not in SERVERS_FIELDS}


@lru_cache(maxsize=None)
def response_at(pointer: str) -> Response:
    return Response(follow(pointer)[0])


# ---- requests


class RequestBody:
    """The bodies that an operation takes."""

    def __init__(self, pointer: str):
        self.pointer, node = follow(pointer)
        self.examples = {media_type: examples_at(below(self.pointer, "content", media_type))
                         for media_type in node["content"]}
        self.members = below(follow(below(self.pointer, "content", next(iter(node["content"])), "schema"))[0],
                             "properties")

    def points(self):
        for examples in self.examples.values():
            yield from examples
        for name in at(self.members):
            yield from self._members_examples(name)

    def _members_examples(self, name: str) -> dict:
        examples = at(below(self.members, name)).get("examples", ())
        return {below(self.members, name, "examples", number): value for number, value in enumerate(examples)}

    def points_of(self, media_type: str, body: bytes) -> set:
        """The examples that a body is, and those of members that it has."""
        try:
            value = json.loads(body)
        except ValueError:
            return set()
        seen = {place for place, example in self.examples.get(media_type, {}).items() if example["value"] == value}
        for name in at(self.members).keys() & (value.keys() if isinstance(value, dict) else set()):
            seen |= {place for place, example in self._members_examples(name).items() if example == value[name]}
        return seen


class Operation:
    """What a method does, as it is described."""

    def __init__(self, word: str):
        self.method = word.upper()
        self.pointer = below("#/paths", PATH, word)
        node = at(self.pointer)
        self.responses = {int(status): response_at(below(self.pointer, "responses", status))
                          for status in node["responses"]}
        self.parameters = {}
        for number in range(len(node["parameters"])):
            place, parameter = follow(below(self.pointer, "parameters", number))
            self.parameters[parameter["name"].lower()] = place
        self.body = RequestBody(below(self.pointer, "requestBody")) if "requestBody" in node else None

    def answers(self):
        """Each described answer: its status, media type and code; None where there is none."""
        for status, response in self.responses.items():
            for media_type, content in response.contents.items():
                for code in content.codes or [None]:
                    yield status, media_type, code
            if not response.contents:
                yield status, None, None

    def points(self):
        for status, media_type, code in self.answers():
            # A HEAD's answer does not tell its code.
            yield f"{self.method} {status}", media_type, None if self.method == "HEAD" else code
        for name, place in self.parameters.items():
            yield f"{self.method} {name}"
            yield from examples_at(place)
        for response in self.responses.values():
            yield from response.points()
        if self.body:
            yield from self.body.points()

    def judge(self, answer, headers: dict, body) -> set:
        assert answer.status in self.responses, f"{answer.status} is not described for {self.method}"
        is_head = self.method == "HEAD"
        seen = self.responses[answer.status].judge(answer, is_head)
        code = None if is_head else answer.code
        seen.add((f"{self.method} {answer.status}", answer.headers.get("Content-Type"), code))
        for name in headers.keys() & self.parameters.keys():
            seen.add(f"{self.method} {name}")
            seen |= {place for place, example in examples_at(self.parameters[name]).items()
                     if example["value"] == headers[name]}
        if self.body and body and answer.status == 200:
            seen |= self.body.points_of(headers.get("content-type"), body)
        return seen


# ---- the whole


class Description:
    """All operations, and what was seen of them so far."""

    def __init__(self):
        self.operations = {word.upper(): Operation(word) for word in METHODS}
        self.other = Operation(OTHER_METHODS)
        self.points = set(self.other.points()).union(*(one.points() for one in self.operations.values()))
        self.seen = set()
        self.judged = 0

    def judge(self, answer, method: str, headers=None, body=None):
        """Asserts that the answer is described; `headers` and `body` are the request's, as far as they are known."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        operation = self.operations.get(method, self.other)
        try:
            self.seen |= operation.judge(answer, sent, body)
        except AssertionError as fault:
            raise AssertionError(f"{FILE.name} does not describe this: {fault}\n{answer!r}") from None
        self.judged += 1

    def summary(self) -> str:
        seen = self.points & self.seen
        answers = sum(isinstance(point, tuple) for point in seen)
        examples = sum("/example" in str(point) for point in seen)
        return f"{self.judged} answers held against {FILE.name}; of its {len(self.points)} descriptions {len(seen)} " \
            f"seen, {answers} of them answers by method, status, media type and code, {examples} examples"

    def missing(self) -> list:
        """What is described, and was not seen."""
        return sorted(map(str, self.points - self.seen))


@lru_cache(maxsize=1)
def description() -> Description:
    return Description()
