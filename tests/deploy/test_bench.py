"""The benchmark runs from end to end with small numbers: it writes what is promised, whatever the figures are."""

import json
import os
import subprocess
import xml.etree.ElementTree as xml

import pytest

from support.paths import SOURCE, build

GROUPS = ("load", "connections", "workers", "cgi", "start")
MEMBERS = {"figure", "value", "unit", "against", "ratio", "low", "high", "goal", "met"}
GOALS = (
    "GET warm RS256 against Go", "GET warm HS256 against Go", "GET warm RS256 against PHP-FPM",
    "GET warm HS256 against PHP-FPM", "GET warm HS256 against hello + one key lookup",
    "GET warm RS256 against hello + one key lookup", "GET Zipf, 32 MiB, against ours without cache",
    "GET Zipf, 32 MiB, against Go", "GET uniform, 32 MiB, against ours without cache",
    "PATCH, 8 connections, against Go", "PATCH, 8 connections, against ours without cache",
    "p99 of GET warm RS256 against Go's", "p99 of GET warm HS256 against Go's",
    "RS256 against HS256 on repeated tokens", "CGI GET, whole process: times faster than php-cgi",
    "CGI GET, whole process: times faster with the cache", "memory of a worker, PSS beside the cache",
    "rate from 8 to 256 connections: the least against the best", "requests lost from 1 to 256 connections",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder that one run leaves behind, and what it said."""
    folder = tmp_path_factory.mktemp("bench")
    subprocess.run(["make", "-C", build(), "-s", "benchmarks-built"], check=True, timeout=300,
                   stdout=subprocess.DEVNULL)
    out = folder / "out"
    out.mkdir()
    command = ["/usr/bin/python3", SOURCE / "tests/bench/bench.py", "--build", build(), "--static-build", build(),
               "--data", folder / "data", "--out", out, "--quick", "--users", "1000", "--seconds", "0.1",
               "--rounds", "1"]
    for group in GROUPS:
        command += ["--only", group]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done


@pytest.fixture(scope="module")
def figures(run):
    return json.loads((run[0] / "results.json").read_text())


def named(figures: list, name: str) -> dict:
    return next(row for row in figures if row["figure"] == name)


def test_every_figure_has_the_members_that_are_promised(figures):
    for row in figures:
        assert MEMBERS <= set(row) <= MEMBERS | {"judged", "note"}, row
        assert row["unit"] and isinstance(row["figure"], str)
        numbers = [row[name] for name in ("value", "ratio", "low", "high") if row[name] is not None]
        assert all(isinstance(number, (int, float)) for number in numbers), row
        assert row["low"] is None or row["low"] <= row["high"], row


def test_goals_come_first_and_in_their_order(figures):
    assert tuple(row["figure"] for row in figures[:len(GOALS)]) == GOALS
    for row in figures:
        assert (row["met"] is None) == (row["goal"] is None), row


def test_a_goal_is_met_only_where_its_figure_is(figures):
    for row in figures[:len(GOALS)]:
        reached = row["ratio"] if row["judged"].startswith("ratio") else row["value"]
        if row["value"] is None:
            assert row["note"].startswith("left out: ") and row["met"] is False
        elif row["judged"].endswith("least"):
            assert row["met"] == (reached >= row["goal"])
        else:
            assert row["met"] == (reached <= row["goal"])


def test_ours_was_measured_in_all_that_was_asked_for(figures):
    for workload in ("GET warm RS256, ours", "PATCH, ours", "mixed 95/5, ours", "one connection, ours"):
        assert named(figures, f"{workload}: rate")["value"] > 0
        assert named(figures, f"{workload}: CPU of the database")["value"] >= 0
    assert named(figures, "GET warm HS256, hello + one key lookup: rate")["value"] > 0
    assert named(figures, "CGI, ours: whole process")["value"] > 0
    assert named(figures, "start, ours: start to first answer")["value"] > 0
    assert named(figures, "256 connections, ours: rate")["value"] > 0
    assert named(figures, "16 workers, ours: rate")["value"] > 0


def test_nothing_was_lost_and_no_answer_was_wrong(figures):
    counts = [row for row in figures if row["figure"].endswith((": lost requests", ": wrong answers"))]
    assert len(counts) > 20
    assert [row for row in counts if row["high"] != 0] == []


def test_a_peer_that_is_not_there_is_named(run, figures):
    missing = [row for row in figures if row["value"] is None]
    for row in missing:
        assert row["note"].removeprefix("left out: ") in run[1].stderr, row


def test_tables_are_printed(run):
    for title in ("GET warm RS256", "GET warm HS256, by connections", "CGI", "goal"):
        assert f"\n{title} " in run[1].stdout


def test_plots_are_drawn(run):
    plots = {path.name: xml.parse(path).getroot() for path in run[0].glob("*.svg")}
    for name in ("get-warm-rs256-how-long-an-answer-took", "get-warm-rs256-cpu-of-a-request",
                 "get-warm-rate-with-so-many-connections", "get-warm-rate-with-so-many-workers"):
        root = plots[f"{name}.svg"]
        assert root.tag.endswith("svg") and len(root) > 10
        assert "NaN" not in xml.tostring(root, encoding="unicode")


def test_every_round_is_kept(run):
    samples = json.loads((run[0] / "samples.json").read_text())
    assert samples["on"]["processors"] and len(samples["rounds"]["GET warm RS256: ours"]["rate"]) == 1
