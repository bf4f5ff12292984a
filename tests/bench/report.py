"""The report: tables for people, results.json for programs."""

import dataclasses
import json
import platform
import re
from pathlib import Path

import plots
from figures import Figure, all_figures, title_of
from results import Results
from commit import git


def _number(value) -> str:
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _said(row: Figure) -> str:
    if row.goal is None:
        return ""
    return "left out" if row.value is None else "met" if row.met else "MISSED"


def _print_figures(title: str, figures: list):
    print(f"\n{title:<62} {'value':>8} {'ratio':>6} {'low':>6} {'high':>6} {'goal':>6}")
    for row in figures:
        numbers = (row.ratio, row.low, row.high, row.goal)
        print(f"{row.figure:<62} {_number(row.value):>8}" + "".join(f" {_number(each):>6}" for each in numbers)
              + f"  {_said(row)}")
    for note in dict.fromkeys(row.note for row in figures if row.note):
        print(f"  {note}")


_COLUMNS = (
    ("rate", "rate", 1), ("p50_us", "p50 ms", 1000), ("p99_us", "p99 ms", 1000), ("cpu_us", "CPU us", 1),
    ("cpu_web_us", "web", 1), ("cpu_app_us", "app", 1), ("cpu_db_us", "db", 1), ("pss_kib", "PSS MiB", 1024),
    ("hit_rate", "hits %", 0.01), ("wrong", "wrong", 1), ("lost", "lost", 1), ("process_us", "process ms", 1000),
    ("first_answer_us", "first answer ms", 1000), ("instructions", "instructions", 1),
)


def _print_table(results: Results, title: str, rows: list):
    """`rows`: pairs of a name and the key of what it shows."""
    measured = {metric for _, key in rows for metric in results.metrics(*key)}
    columns = [column for column in _COLUMNS if column[0] in measured]
    width = max(len(name) for name, _ in [*rows, (title, None)]) + 1
    print(f"\n{title:<{width}}" + "".join(f" {said:>{max(len(said), 8)}}" for _, said, _ in columns))
    for name, key in rows:
        cells = []
        for metric, said, divisor in columns:
            value = results.median(*key, metric)
            cells.append(f" {_number(value if value is None else value / divisor):>{max(len(said), 8)}}")
        print(f"{name:<{width}}" + "".join(cells))


def _tables(results: Results) -> dict:
    """By title the rows: a table for each workload, and one for all that differ in a number alone."""
    tables = {}
    for workload, chain in results.keys():
        counted = re.fullmatch(r"\d+ (connection|worker)s?", workload)
        if counted:
            tables.setdefault(f"GET warm HS256, by {counted[1]}s", []).append(
                (f"{title_of(chain)}, {workload}", (workload, chain)))
        elif not workload.startswith("connections, "):
            tables.setdefault(workload, []).append((title_of(chain), (workload, chain)))
    return tables


def print_report(results: Results, figures: list):
    for title, rows in _tables(results).items():
        _print_table(results, title, rows)
    by_cpu = [row for row in figures if row.figure.endswith(", by CPU")]
    if by_cpu:
        _print_figures("times the CPU of ours, for a request", by_cpu)
    goals = [row for row in figures if row.goal is not None]
    if goals:
        _print_figures("goal", goals)


def write_json(figures: list, out: Path):
    rows = [{name: value for name, value in dataclasses.asdict(row).items() if name not in ("judged", "note") or value}
            for row in figures]
    (out / "results.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def write_samples(results: Results, out: Path, settings: dict):
    """Every round of everything, with what it was measured on."""
    machine = {"commit": git("describe", "--always", "--dirty"), "kernel": platform.release(), "processors": _processors(), **settings}
    samples = {"on": machine, "rounds": results.as_json(), "left_out": results.left_out}
    (out / "samples.json").write_text(json.dumps(samples, indent=1, default=str) + "\n")


def _processors() -> list:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]


def finish(results: Results, groups: list, more: list, out: Path, settings: dict) -> list:
    figures: list[Figure] = all_figures(results, groups) + more
    print_report(results, figures)
    write_json(figures, out)
    write_samples(results, out, settings)
    plots.plot_all(results, out)
    return figures
