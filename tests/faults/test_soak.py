"""
A service under 70 % of its full load while all happens to it that happens in years: keys, bans, ends of workers, a
migration. Some seconds show that nothing is answered wrong or left open; an hour, with --long, that nothing grows.
"""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from support import summary
from support.paths import SOURCE, build

IS_LONG = "ME_LONG" in os.environ
SECONDS, USERS = (3600, 20_000) if IS_LONG else (25, 1000)
KINDS = 8  # of what happens
CONNECTIONS = 32
KILL = "kill -9"
KILLED = "soak, ours: 5xx within 3 s of kill -9"
JUDGED = ("soak: wrong answers, but 5xx at kill -9", "soak: lost requests",
           "soak: events that had not their effect", "soak: descriptors of a worker, grown")
if IS_LONG:  # memory grows until all is warm: an hour tells
    JUDGED += ("soak: memory of a worker after warm-up, RSS, grown",)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder that the soak leaves behind."""
    folder = tmp_path_factory.mktemp("soak")
    subprocess.run(["make", "-C", build(), "-s", "benchmarks-built"], check=True, timeout=300,
                   stdout=subprocess.DEVNULL)
    out = folder / "out"
    out.mkdir()
    command = ["/usr/bin/python3", SOURCE / "tests/bench/bench.py", "--build", build(), "--data", folder / "data",
               "--out", out, "--users", str(USERS), "--seconds", str(SECONDS), "--only", "soak"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS + 300,
                          check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def timeline(out):
    return json.loads((out / "soak.json").read_text())


@pytest.fixture(scope="module")
def rows(out):
    return {row["figure"]: row for row in json.loads((out / "results.json").read_text())}


def test_all_that_can_happen_has_happened(timeline):
    assert len({name for _, name in timeline["events"]}) == KINDS
    assert timeline["failures"] == []


@pytest.mark.parametrize("figure", JUDGED)
def test_nothing_was_wrong_or_grew(rows, timeline, figure):
    assert rows[figure]["met"], (rows[figure], timeline["whole"]["first_wrong"], timeline["failures"])


def test_the_kill_of_a_worker_costs_no_more_than_what_waited_for_it(rows, timeline):
    kills = sum(name == KILL for _, name in timeline["events"])
    assert kills >= 1
    assert rows[KILLED]["value"] <= kills * CONNECTIONS


def test_each_answer_was_a_200_or_a_5xx(timeline):
    by_class = timeline["whole"]["by_class"]
    assert by_class[2] > 100 * SECONDS
    assert sum(by_class) == by_class[2] + by_class[5]


def test_the_plot_shows_all_of_it(out):
    root = xml.parse(out / "soak.svg").getroot()
    text = xml.tostring(root, encoding="unicode")
    assert "NaN" not in text
    for title in ("Rate", "How long an answer took", "Memory of a worker", "Descriptors of a worker", "What happened",
                  "kill -9", "migration"):
        assert title in text


@pytest.fixture
def judged(monkeypatch):
    """What a soak is found to be whose looks at one worker, one a second, gave these rows."""
    monkeypatch.setattr(sys, "path", [str(SOURCE / "tests/bench"), *sys.path])
    import group_soak  # its modules find each other by that path

    def judge(rows, loads=(), events=()):
        samples = [(at, {1: row}) for at, row in enumerate(rows)]
        whole = {"requests": 1, "seconds": 1, "p50_us": 1, "p99_us": 1, "lost": 0,
                 "wrong": sum(load["by_class"][5] for load in loads)}
        return group_soak.judge(group_soak.Timeline(len(rows), 1, list(loads), samples, list(events), [], whole))
    return judge


def test_what_grows_is_found(judged):
    """A descriptor that is left open, and a quarter of a KiB from each look after the warm-up to the next."""
    found = judged([(2000 + at / 4, 8000 + at / 4, 6 + at % 2 + (at > 50)) for at in range(100)])
    assert found["descriptors_grown"] == 1
    assert found["rss_grown_kib"] == found["pss_grown_kib"] == pytest.approx(79 / 4)


def test_what_comes_and_goes_is_no_growth(judged):
    found = judged([(2000, 8000 + (900 if at in (40, 90, 99) else 0), 6 + at % 2) for at in range(100)])
    assert (found["descriptors_grown"], found["rss_grown_kib"]) == (0, 0)


def test_a_5xx_is_explained_by_the_kill_of_a_worker_alone(judged):
    loads = [{"at": at, "seconds": 1, "by_class": [0, 0, 9, 0, 0, 2]} for at in (11, 31, 51)]
    found = judged([(1, 1, 1)] * 60, loads, [(10.5, "kill -9"), (30.5, "SIGTERM")])
    assert (found["explained"], found["wrong"]) == (2, 4)


def test_the_soak_is_told(rows, timeline):
    """In the summary of the run."""
    whole = timeline["whole"]
    assert whole["requests"] > 0
    summary.lines.append(
        f"soak: {SECONDS} s at 70 % of the full load, {whole['requests']} requests, {len(timeline['events'])} events, "
        f"{whole['lost']} lost, {rows[KILLED]['value']:.0f} of 5xx at kill -9")
