"""
The head of an example, read as those read it who follow it: steps, the names to replace, what to type.

A step is a paragraph that opens with a number, or with "To ... :"; what is to be typed, and the names that stand
between at-signs, are indented below it. "save this file as PATH" in its text is to be done before that.
"""

import re
from pathlib import Path
from typing import NamedTuple

_VARIABLE = re.compile(r"@([A-Z]+)@")
_STEP = re.compile(r"# (?:\d+\. |To )")
_INDENTED = "#        "
_EXPLAINED = re.compile(r"(@[A-Z]+@),?(?: and)? {2,}\w")
_SAVED = re.compile(r"[Ss]ave (this file|[\w.@-]+) as (\S+[^\s.,:])")


class Step(NamedTuple):
    text: str
    commands: list

    @property
    def saves(self) -> list:
        """What to save where: pairs of a file's name (None: this file) and a path."""
        return [(None if name == "this file" else name, path) for name, path in _SAVED.findall(self.text)]

    @property
    def is_numbered(self) -> bool:
        return self.text[0].isdigit()

    def is_for(self, purpose: str) -> bool:
        """Of a paragraph that says how to do something later."""
        return re.match(rf"To {purpose}\b", self.text) is not None

    @property
    def stays_in_foreground(self) -> bool:
        return "in the foreground" in self.text


def fill_in(text: str, variables: dict) -> str:
    """The text with every @NAME@ replaced; one that is not known is an error."""
    return _VARIABLE.sub(lambda name: str(variables[name[1]]), text)


def variables_of(text: str) -> tuple:
    """The names that are replaced in an example, and those that its comments explain."""
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    return set(f"@{name}@" for name in _VARIABLE.findall(text)), set(_EXPLAINED.findall(comments))


def head_of(example: Path) -> list:
    """The comment lines that an example opens with."""
    lines = []
    for line in example.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line)
    return lines


def steps_of(example: Path, variables: dict) -> list:
    """The steps in order, their names replaced."""
    steps = []
    for line in head_of(example):
        if _STEP.match(line):
            steps.append(Step(line[2:], []))
        elif line.startswith(_INDENTED) and steps:
            _add_indented(steps[-1], line[len(_INDENTED):])
        elif line.startswith("#  ") and steps:
            steps[-1] = steps[-1]._replace(text=f"{steps[-1].text} {line[2:].strip()}")
    return [Step(fill_in(step.text, variables), [fill_in(c, variables) for c in step.commands]) for step in steps]


def _add_indented(step: Step, line: str):
    """A line of the list of names is none to be typed; it goes on with more blanks."""
    if not line.startswith(("@", " ")):
        step.commands.append(line)


def packages_of(example: Path) -> set:
    """What the example says to install."""
    found = re.findall(r"^# +apt-get install (.+)$", "\n".join(head_of(example)), re.MULTILINE)
    return {package for packages in found for package in packages.split()}
