"""The plots of the report: how long answers took, who used the CPU, and how the rate goes with what is there."""

import re
from pathlib import Path

from figures import TITLES, title_of
from results import Results
from svg import Axis, bar_chart, line_chart, linear_axis, log_axis, panel_chart, step_axis

# So many of all were quicker, from the half to all but one in ten thousand.
_PARTS = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)
_ORDER = tuple(TITLES.values())
_CPU = {"cpu_web_us": "web server", "cpu_app_us": "program", "cpu_db_us": "database"}


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") + ".svg"


def _times(histogram: dict) -> list:
    """Points of one in so many that took longer, and the milliseconds that it took."""
    total, seen, points = sum(histogram.values()), 0, []
    for start_us, count in sorted(histogram.items()):
        seen += count
        slower = max(1 - seen / total, 1 - _PARTS[-1])
        points.append((1 / slower, max(start_us, 1) / 1000))
    return points


def plot_times(results: Results, workload: str, chains: list, out: Path):
    curves = {title_of(chain): _times(results.histograms[workload, chain]) for chain in chains}
    every = [ms for points in curves.values() for _, ms in points]
    ticks = [(1 / (1 - part), f"{part * 100:g} %") for part in _PARTS]
    x = Axis("so many of all answers were quicker", 1, 1 / (1 - _PARTS[-1]), ticks, True)
    title = f"{workload}: how long an answer took"
    line_chart(out / _file_name(title), title, x, log_axis("ms", min(every), max(every)), curves, _ORDER)


def plot_cpu(results: Results, workload: str, chains: list, out: Path):
    bars = {title_of(chain): tuple(results.median(workload, chain, metric) or 0.0 for metric in _CPU)
            for chain in chains}
    title = f"{workload}: CPU of a request"
    bar_chart(out / _file_name(title), title, "microseconds", tuple(_CPU.values()), bars)


def plot_rates(results: Results, kind: str, out: Path):
    """Over workloads that are named by a number and the kind."""
    points = {}
    for workload, chain in results.keys():
        named = re.fullmatch(rf"(\d+) {kind}s?", workload)
        if named:
            rate = results.median(workload, chain, "rate")
            points.setdefault(title_of(chain), []).append((int(named[1]), rate))
    if not points:
        return
    counts = sorted({count for some in points.values() for count, _ in some})
    y = linear_axis("requests a second", max(rate for some in points.values() for _, rate in some))
    title = f"GET warm: rate with so many {kind}s"
    line_chart(out / _file_name(title), title, step_axis(f"{kind}s", counts), y,
               {name: sorted(some) for name, some in points.items()}, _ORDER, has_marks=True)


def _of_workers(timeline, place: int) -> dict:
    """The least, the median and the most of all workers at each look."""
    rows = [(at, sorted(row[place] for row in workers.values())) for at, workers in timeline.samples if workers]
    return {name: [(at, values[int(part * (len(values) - 1))]) for at, values in rows]
            for name, part in (("the most", 1), ("median", 0.5), ("the least", 0))}


def _highest(curves: dict) -> float:
    return max(y for points in curves.values() for _, y in points)


def plot_soak(timeline, out: Path):
    """Rate, times, memory and descriptors of a soak over its time, with what happened."""
    loads = timeline.loads
    rates = {"answered": [(load["at"], load["requests"] / load["seconds"]) for load in loads]}
    times = {name: [(load["at"], max(load[key], 1) / 1000) for load in loads]
             for name, key in (("p50", "p50_us"), ("p99", "p99_us"))}
    memory, descriptors = _of_workers(timeline, 0), _of_workers(timeline, 2)
    lowest = min(y for points in times.values() for _, y in points)
    panels = [
        ("Rate", linear_axis("requests a second", _highest(rates)), rates),
        ("How long an answer took", log_axis("ms", lowest, _highest(times)), times),
        ("Memory of a worker (PSS), beside the cache", linear_axis("KiB", _highest(memory)), memory),
        ("Descriptors of a worker", linear_axis("open", _highest(descriptors)), descriptors),
    ]
    title = f"Soak: {timeline.seconds:.0f} seconds at 70 % of the full load"
    panel_chart(out / "soak.svg", title, linear_axis("seconds", timeline.seconds), panels, timeline.events)


def plot_all(results: Results, out: Path):
    workloads = {}
    for workload, chain in results.keys():
        workloads.setdefault(workload, []).append(chain)
    for workload, chains in workloads.items():
        if re.fullmatch(r"\d+ \w+", workload):
            continue
        timed = [chain for chain in chains if results.histograms.get((workload, chain))]
        if timed:
            plot_times(results, workload, timed, out)
        if results.median(workload, chains[0], "cpu_db_us") is not None:
            plot_cpu(results, workload, chains, out)
    plot_rates(results, "connection", out)
    plot_rates(results, "worker", out)
