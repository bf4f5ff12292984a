"""The judge of histories finds what is wrong with them, and nothing where nothing is."""

import pytest

from support.registers import NEVER, Operation, judge, lost

FIRST = Operation(True, "first", 0, 0)


def write(value, begin, end):
    return Operation(True, value, begin, end)


def read(value, begin, end):
    return Operation(False, value, begin, end)


GOOD = {
    "one after the other": [FIRST, write("a", 1, 2), read("a", 3, 4), write("b", 5, 6), read("b", 7, 8)],
    "together, in either order": [FIRST, write("a", 1, 5), write("b", 2, 4), read("a", 6, 7)],
    "a read that overlaps the write": [FIRST, write("a", 1, 5), read("a", 2, 3), read("a", 6, 7)],
    "not acknowledged, and done late": [FIRST, write("a", 1, NEVER), read("first", 2, 3), read("a", 9, 10)],
    "not acknowledged, and never done": [FIRST, write("a", 1, NEVER), read("first", 9, 10)],
    "a slow read of the old value": [FIRST, write("a", 1, 3), read("first", 2, 9), read("a", 4, 5)],
}
BAD = {
    "a lost write": [FIRST, write("a", 1, 2), read("first", 3, 4)],
    "a lost write, between two others": [FIRST, write("a", 1, 2), write("b", 3, 4), read("a", 5, 6)],
    "a stale read": [FIRST, write("a", 1, 4), read("a", 2, 3), read("first", 5, 6)],
    "a value that comes back": [FIRST, write("a", 1, 2), write("b", 1, 8), read("b", 3, 4), read("a", 5, 6), read("b", 7, 8)],
    "a value that nobody wrote": [FIRST, read("b", 1, 2)],
    "a value from the future": [FIRST, read("a", 1, 2), write("a", 3, 4)],
    "not acknowledged, done, and undone": [FIRST, write("a", 1, NEVER), read("a", 2, 3), read("first", 4, 5)],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_history_that_can_be(name):
    assert judge(GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_a_history_that_cannot_be(name):
    assert judge(BAD[name])


def test_lost_writes_are_counted():
    history = [FIRST, write("a", 1, 2), write("b", 3, 4), write("c", 3, NEVER)]
    assert lost(history, "first") == ["a", "b"]
    assert lost(history, "a") == ["b"]
    assert lost(history, "b") == lost(history, "c") == []
