"""
What is common to tests by properties: how many examples are tried, which, and how many were.

They are the same ones each time, a quarter of them under sanitizers. With ME_LONG set there are a hundred times as
many, and its number is the seed of which.
"""

import functools
import os
from collections import Counter

from hypothesis import HealthCheck, configuration, given, seed, settings

from support.paths import build, is_sanitized

LONG_SEED = os.environ.get("ME_LONG")
tried = Counter()

# Nothing is kept in the source tree.
configuration.set_hypothesis_home_dir(str(build() / "hypothesis"))


def share(count: int) -> int:
    """How many examples this run tries of so many."""
    count = max(count // 4, 10) if is_sanitized() else count
    return count * 100 if LONG_SEED else count


def holds(count: int, **strategies):
    """The test is a property: it is tried with `count` examples."""
    profile = settings(
        max_examples=share(count), derandomize=not LONG_SEED, database=None, deadline=None, print_blob=True,
        suppress_health_check=[HealthCheck.too_slow])

    def decorate(test):
        @functools.wraps(test)
        def one_example(*arguments, **named):
            tried[test.__name__] += 1
            return test(*arguments, **named)

        chosen = profile(given(**strategies)(one_example))
        return seed(int(LONG_SEED))(chosen) if LONG_SEED else chosen
    return decorate


def summary() -> str:
    which = f" (ME_LONG={LONG_SEED})" if LONG_SEED else ""
    return f"{sum(tried.values())} examples of {len(tried)} properties{which}: " + ", ".join(
        f"{count} {name.removeprefix('test_').replace('_', ' ')}" for name, count in tried.items())
