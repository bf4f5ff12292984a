"""Reads the log that the programs write on standard error: one line of logfmt for each event."""

import re

_FIELD = re.compile(r'([a-z][a-z0-9_]*)=(?:"((?:[^"\\]|\\["\\]|\\x[0-9a-f]{2})*)"|([^\s"=\\]+))(?: |$)')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LEVELS = ("error", "warning", "info", "debug")


def parse_line(line: str) -> dict:
    """The fields of one line, unescaped; ValueError where it is not exactly in the format."""
    fields, position = {}, 0
    while position < len(line):
        field = _FIELD.match(line, position)
        if not field:
            raise ValueError(f"not logfmt at column {position + 1}: {line}")
        name, quoted, bare = field.groups()
        if name in fields:
            raise ValueError(f"{name} twice: {line}")
        fields[name] = _unescape(quoted) if quoted is not None else bare
        position = field.end()
    return fields


def _unescape(text: str) -> str:
    return re.sub(
        r"\\(x[0-9a-f]{2}|[\"\\])",
        lambda found: chr(int(found[1][1:], 16)) if found[1][0] == "x" else found[1],
        text,
    )


def parse(text: str) -> list:
    """All lines, each with the fields that every line must have."""
    events = []
    for line in text.splitlines():
        fields = parse_line(line)
        assert list(fields)[:4] == ["time", "level", "pid", "event"], f"misses a field: {line}"
        assert _TIME.fullmatch(fields["time"]), f"time is not RFC 3339 in UTC: {line}"
        assert fields["level"] in LEVELS, f"unknown level: {line}"
        assert fields["pid"].isdigit(), f"pid is no number: {line}"
        assert fields["event"], f"no event: {line}"
        events.append(fields)
    assert text == "" or text.endswith("\n"), f"the last line has no end: {text[-200:]!r}"
    return events
