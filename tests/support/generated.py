"""Strategies: JSON and values of the profile's members, good and bad, and header fields."""

import json
import string
from zoneinfo import available_timezones

from hypothesis import strategies as st

from support.openapi import at

PATCHABLE = list(at("#/components/schemas/Patch/properties"))
READ_ONLY = [name for name in at("#/components/schemas/Profile/properties") if name not in PATCHABLE]

# ---- JSON

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda parts: st.lists(parts, max_size=4) | st.dictionaries(texts, parts, max_size=4), max_leaves=12)


@st.composite
def written(draw, value) -> bytes:
    """The value as JSON, in one of the ways to write it."""
    text = json.dumps(
        value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 0, 3, "\t"])),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\r\n")])))
    blanks = st.text(" \t\r\n", max_size=3)
    return (draw(blanks) + text + draw(blanks)).encode()


_disturbing = [b'"', b"\\", b",", b"}", b"\\ud800", b"\\u0000", b"1e400", b"NaN"]


@st.composite
def damaged(draw) -> bytes:
    """Almost JSON: some bytes are replaced, left out or put in."""
    body = bytearray(draw(written(draw(values | patches))))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(body)))
        body[place:place + draw(st.integers(0, 2))] = draw(
            st.binary(max_size=2) | st.sampled_from(_disturbing))
    return bytes(body)


# ---- values that are accepted

_no_controls = st.characters(blacklist_categories=["Cs", "Cc"])
names = st.text(_no_controls, min_size=1, max_size=60).filter(lambda name: not name.isspace()) | st.sampled_from(
    ["x" * 255, "👍" * 255, " x", "\u200b", "\ufeff"])
bios = st.text(_no_controls | st.sampled_from("\t\n"), max_size=80) | st.sampled_from(["", "x" * 4096, "👩‍🚀" * 1365])

_unreserved = string.ascii_letters + string.digits + "-._~"
_in_host = _unreserved + "!$&'()*+,;="
_in_segment = _in_host + ":@"
_encoded = st.integers(0, 255).map("%{:02x}".format)


def _runs(characters: str, **sizes):
    return st.lists(st.sampled_from(characters) | _encoded, max_size=12, **sizes).map("".join)


_hosts = _runs(_in_host, min_size=1) | st.sampled_from(
    ["example.com", "localhost", "192.0.2.1", "[::1]", "[2001:db8::192.0.2.1]", "xn--bcher-kva.example"])


@st.composite
def urls(draw) -> str:
    """RFC 3986, section 3: with a host, without user information."""
    return "".join([
        draw(st.sampled_from(["http", "https", "HTTP", "hTTpS"])), "://", draw(_hosts),
        draw(st.just("") | st.integers(0, 65535).map(":{}".format)),
        draw(st.just("") | _runs(_in_segment + "/").map("/".__add__)),
        draw(st.just("") | _runs(_in_segment + "/?").map("?".__add__)),
        draw(st.just("") | _runs(_in_segment + "/?").map("#".__add__)),
    ])


timezones = st.sampled_from(sorted(available_timezones() - {"localtime", "posixrules"}))


def _maybe(*choices):
    return st.just([]) | st.sampled_from(choices).map(lambda choice: choice.split("-"))


@st.composite
def _cased(draw, text: str) -> str:
    return "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in text)


@st.composite
def locales(draw) -> str:
    """RFC 5646, section 2.1, of subtags that are registered; in any case."""
    parts = [
        draw(st.sampled_from(["en", "de", "zh", "sl", "sgn", "haw", "qaa", "iw"])),
        *draw(_maybe("Latn", "Hant", "Cyrl", "Qaaa")), *draw(_maybe("US", "GB", "DE", "419", "QM")),
        *draw(_maybe("1901", "1996", "valencia", "fonipa", "1996-fonipa", "scouse")),
        *draw(_maybe("u-co-phonebk", "u-nu-latn-ca-gregory", "t-en-us", "a-bb-cccc-dd")),
        *draw(_maybe("x-ab", "x-a-b-US", "x-Latn")),
    ]
    return draw(_cased("-".join(parts))) if draw(st.booleans()) else draw(_cased("x-private-US-Latn"))


def canonical(tag: str) -> str:
    """RFC 5646, section 2.1.1."""
    subtags = tag.lower().split("-")
    result = []
    for place, subtag in enumerate(subtags):
        if place > 0 and not any(len(before) == 1 for before in subtags[:place]):
            subtag = {2: subtag.upper(), 4: subtag.title()}.get(len(subtag), subtag)
        result.append(subtag)
    return "-".join(result)


accepted = {"name": names, "bio": bios, "avatarUrl": urls(), "locale": locales(), "timezone": timezones}
# A merge patch that is accepted: every member absent, cleared where it may be, or set.
patches = st.fixed_dictionaries({}, optional={
    name: values_ if name == "name" else st.none() | values_ for name, values_ in accepted.items()})

# ---- values that may be refused

_member_names = st.sampled_from([*PATCHABLE, *READ_ONLY, "Name", "name ", "avatarURL", "shoeSize"]) | texts
objects = st.dictionaries(_member_names, values | st.one_of(*accepted.values()), max_size=8)
# White space and control characters of Unicode, and their neighbours.
_edges = "".join(map(chr, [
    1, 9, 10, 13, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0x85, 0x9F, 0xA0, 0xA1, 0xAD, 0x1680, 0x180E, 0x1FFF, 0x2000,
    0x2001, 0x200A, 0x200B, 0x2027, 0x2028, 0x2029, 0x202A, 0x202F, 0x205F, 0x2060, 0x2FFF, 0x3000, 0x3001, 0xFEFF]))
candidates = texts | st.text(_edges, max_size=2) | st.one_of(*accepted.values()) | st.sampled_from(
    ["x" * 256, "x" * 4097, "en_US", "en-", "a\tb", "\u0085", "\u2028", "http://", "/etc/passwd", "../UTC", "UTC "])

# ---- header fields (RFC 9110, section 5.5), and what no server should let through

field_bytes = st.lists(st.sampled_from([9, *range(0x20, 0x7F), *range(0x80, 0x100)]), max_size=60).map(bytes)
any_bytes = st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b""))


def as_variable(raw: bytes) -> str:
    """As os.fsencode takes it back."""
    return raw.decode("utf-8", "surrogateescape")
