"""Reads the man pages (mdoc) as far as they are tables: sections, and the items of lists in them."""

import re

from support.paths import SOURCE

PAGES = {name: SOURCE / folder / name for folder, name in (
    ("cgi-bin", "me-fcgi-deploy.7"), ("cgi-bin", "me.conf.5"), ("cgi-bin", "me.fcgi.8"), ("src/mectl", "mectl.8"))}
_QUOTED = re.compile(r"\.Ql (.*?)( [.,;)])?$")


class Item:
    """An entry of a list: its head, macros and all, its text, and the items of a list inside of it."""

    def __init__(self, head: str):
        self.head, self.lines, self.items = head, [], []

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    def __repr__(self):
        return self.head


def section(page: str, heading: str) -> list:
    """The lines below a heading, as in ".Sh COMMANDS" or ".Ss token", up to the next of its rank or above."""
    lines = PAGES[page].read_text().splitlines()
    assert lines.count(heading) == 1, f"{page} has no {heading}"
    start = lines.index(heading) + 1
    ends = (".Sh ",) if heading.startswith(".Sh ") else (".Sh ", ".Ss ")
    end = next((at for at in range(start, len(lines)) if lines[at].startswith(ends)), len(lines))
    return lines[start:end]


def headings(page: str, macro: str, within=None) -> list:
    """The arguments of .Sh or .Ss, all of them or those in a section."""
    lines = section(page, within) if within else PAGES[page].read_text().splitlines()
    return [line[4:] for line in lines if line.startswith(f"{macro} ")]


def displays(lines: list) -> list:
    """What stands between .Bd and .Ed, each as one text."""
    texts, inside = [], False
    for line in lines:
        if line.startswith(".Bd "):
            texts.append("")
            inside = True
        elif line == ".Ed":
            inside = False
        elif inside:
            texts[-1] += line.removeprefix(r"\&") + "\n"
    return texts


def items(lines: list) -> list:
    """The items of the outermost lists among the lines."""
    outer = Item("")
    stack = [outer]
    for line in lines:
        if line.startswith(".Bl "):
            stack.append(stack[-1].items[-1] if stack[-1].items and len(stack) > 1 else stack[-1])
        elif line == ".El":
            stack.pop()
        elif len(stack) == 1:
            continue
        elif line.startswith(".It "):
            stack[-1].items.append(Item(line[4:]))
        elif stack[-1].items:
            stack[-1].items[-1].lines.append(_plain(line))
    assert len(stack) == 1, "a list is not closed"
    return outer.items


def _plain(line: str) -> str:
    """A line as it reads: quotes for .Ql, other macros by their arguments."""
    quoted = _QUOTED.match(line)
    if quoted:
        return f"'{quoted[1]}'{(quoted[2] or '').strip()}"
    line = re.sub(r"^\.[A-Z][a-z] ", "", line)
    return re.sub(r" ([.,;:)])$", r"\1", line)
