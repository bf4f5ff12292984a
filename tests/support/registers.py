"""
Members of users as registers: what was written to them and read from them by whom and when, and whether one order of
all of it exists that nobody could have seen broken.

Every written value is another one, so what a read saw tells which write it saw, and the judgement is that of Gibbons
and Korach (Testing Shared Memories, SIAM J. Comput. 26, 1997): the zones of the values must not collide.
"""

import threading
from collections import defaultdict
from typing import NamedTuple

NEVER = float("inf")


class Operation(NamedTuple):
    """`end` is NEVER for a write that was not acknowledged: it may take effect at any time, or not at all."""

    is_write: bool
    value: str
    begin: float
    end: float


class Zone:
    """From when to when a value must have been there, by what was acknowledged."""

    def __init__(self, value, operations):
        self.value = value
        self.write = next((o for o in operations if o.is_write), None)
        self.reads = [o for o in operations if not o.is_write]
        self.last_begin = max(o.begin for o in operations)
        self.first_end = min(o.end for o in operations)

    @property
    def is_forward(self) -> bool:
        return self.first_end < self.last_begin


def judge(operations) -> list:
    """What is wrong with the history of one register; nothing: it is linearizable."""
    by_value = defaultdict(list)
    for operation in operations:
        by_value[operation.value].append(operation)
    # what was not acknowledged and never seen need not have happened
    zones = [Zone(value, some) for value, some in by_value.items()
             if any(not o.is_write or o.end < NEVER for o in some)]
    wrong = [f"{zone.value!r} was read, and nobody wrote it" for zone in zones if zone.write is None]
    wrong += [f"{zone.value!r} was read before it was written" for zone in zones
              if zone.write and any(read.end < zone.write.begin for read in zone.reads)]
    forward = sorted((zone for zone in zones if zone.is_forward), key=lambda zone: zone.first_end)
    wrong += [f"{one.value!r} and {two.value!r} were there in turns"
              for one, two in zip(forward, forward[1:]) if one.last_begin > two.first_end]
    wrong += [f"{zone.value!r} was written, and {outer.value!r} was there before and after"
              for zone in zones if not zone.is_forward for outer in forward
              if outer.first_end < zone.last_begin and zone.first_end < outer.last_begin]
    return wrong


def lost(operations, final: str) -> list:
    """The acknowledged writes that began after the one that is there in the end was over."""
    there = next(o for o in operations if o.is_write and o.value == final)
    return [o.value for o in operations if o.is_write and o.end < NEVER and o.begin > there.end]


class History:
    """Of all registers; a register is a pair of user and member."""

    def __init__(self):
        self.registers = defaultdict(list)
        self._lock = threading.Lock()

    def add(self, register, operation: Operation):
        with self._lock:
            self.registers[register].append(operation)

    def judge(self) -> list:
        return [f"{member} of {user}: {text}"
                for (user, member), operations in self.registers.items() for text in judge(operations)]

    def lost(self, final: dict) -> list:
        return [value for register, operations in self.registers.items()
                for value in lost(operations, final[register])]
