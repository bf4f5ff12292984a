"""
A long time at 70 % of the full load, with all that happens to a service in its life: nothing may grow, nothing may be
answered wrong, and the last requests take as long as the first.
"""

import json
import shutil
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import plots
from context import Run
from load import Load
from processes import descriptors_of, memory_kib
from soak_events import EVENTS, EXPLAINS_5XX, Service

PART_OF_FULL = 0.7
FULL_S, FULL_PART = 5.0, 0.2  # the full load: so long, and no more than this part of the soak
PATCH_PERCENT = 5
# Each worker has to have read many users before its heap has the size that it will have: PATCH reads all of one.
WARM_S, WARM_PERCENT = 60.0, 100
WARM_UP_PART = 0.2  # of the soak: as much as each event needs to have come once
SAMPLES_MAX = 600
STEPS_S = (1.5, 30.0)  # between events, the least and the most
EXPLAINED_S = 3.0
TREND_POINTS = 200
WORKLOAD, KEY = "soak", "ours"


def planned_s(run: Run) -> float:
    return run.options.soak_seconds + FULL_S + WARM_S


@dataclass
class Timeline:
    """What was seen, all at seconds from the start."""

    seconds: float
    rate: float  # wanted
    loads: list = field(default_factory=list)  # of the load client, one for each step
    samples: list = field(default_factory=list)  # (at, {pid: (PSS, RSS in KiB, descriptors)})
    events: list = field(default_factory=list)  # (at, name)
    failures: list = field(default_factory=list)
    whole: dict = field(default_factory=dict)

    def explained_5xx(self) -> int:
        return sum(load["by_class"][5] for load in self.loads if self._is_explained(load))

    def _is_explained(self, load: dict) -> bool:
        return any(name in EXPLAINS_5XX and at <= load["at"] and load["at"] - load["seconds"] <= at + EXPLAINED_S
                   for at, name in self.events)

    def lasting(self) -> dict:
        """Of each worker that was there from the end of the warm-up: (at, PSS, RSS, descriptors)."""
        rest = [sample for sample in self.samples if sample[0] >= self.seconds * WARM_UP_PART]
        pids = set.intersection(*(set(workers) for _, workers in rest))
        return {pid: [(at, *workers[pid]) for at, workers in rest] for pid in pids}

    def third(self, number: int) -> list:
        """The loads of the first (0) to the last (2) third."""
        return [load for load in self.loads if int(min(load["at"] / self.seconds, 0.999) * 3) == number]


def slope(points: list) -> float:
    """By Theil and Sen: the median of the slopes of all pairs, which what jumps now and then does not move."""
    points = points[::max(len(points) // TREND_POINTS, 1)]
    slopes = [(y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1:] if x2 > x1]
    return statistics.median(slopes) if slopes else 0.0


def grown(points: list) -> float:
    """By how much the trend is higher at the end."""
    return slope(points) * (points[-1][0] - points[0][0])


def stepped(points: list) -> float:
    """Of what is open: the least of the last third less that of the first, so without what one request has open."""
    part = max(len(points) // 3, 1)
    return min(y for _, y in points[-part:]) - min(y for _, y in points[:part])


def judge(timeline: Timeline) -> dict:
    """The worst worker stands for all."""
    workers = timeline.lasting().values()
    explained = timeline.explained_5xx()
    whole = timeline.whole
    return {
        "rate": whole["requests"] / whole["seconds"], "p50_us": whole["p50_us"], "p99_us": whole["p99_us"],
        "pss_kib": statistics.median(row[1] for worker in workers for row in worker),
        "pss_grown_kib": max(grown([(row[0], row[1]) for row in worker]) for worker in workers),
        "rss_grown_kib": max(grown([(row[0], row[2]) for row in worker]) for worker in workers),
        "descriptors_grown": max(stepped([(row[0], row[3]) for row in worker]) for worker in workers),
        "wrong": whole["wrong"] - explained, "explained": explained, "lost": whole["lost"],
        "events": len(timeline.events), "failures": len(timeline.failures),
    }


class Watch:
    """Sends, looks and lets happen, each for itself, until the time is over."""

    def __init__(self, run: Run, service: Service, load: Load, timeline: Timeline):
        self.run, self.service, self.load, self.timeline = run, service, load, timeline
        self.step_s = max(1.0 if timeline.seconds >= 60 else 0.5, timeline.seconds / SAMPLES_MAX)
        self.over = threading.Event()

    def _now(self) -> float:
        return time.monotonic() - self.start

    def _let_happen(self):
        """The last one is far enough from the end to show what comes of it."""
        least, most = STEPS_S
        step = min(max(self.timeline.seconds / (len(EVENTS) + 2), least), most)
        number = 0
        while (number + 2) * step <= self.timeline.seconds:
            if self.over.wait(max((number + 1) * step - self._now(), 0)):
                return
            name, act = EVENTS[number % len(EVENTS)]
            self.timeline.events.append((self._now(), name))
            try:
                act(self.service)
            except (RuntimeError, OSError) as error:
                self.timeline.failures.append(f"{name}: {error}")
                self.run.progress.note(f"soak: {name}: {error}")
            number += 1

    def _look(self):
        pids = self.service.workers()
        rows = {pid: (*memory_kib(pid, str(self.run.shared)), descriptors_of(pid)) for pid in pids}
        self.timeline.samples.append((self._now(), {pid: row for pid, row in rows.items() if row[0] and row[2]}))
        last = self.timeline.events[-1][1] if self.timeline.events else "nothing yet"
        self.run.progress.tell(WORKLOAD, f"{self._now():.0f} of {self.timeline.seconds:.0f} s, last: {last}")
        self.run.progress.advance(self.step_s)

    def _watch(self, client):
        while client.poll() is None:
            self._look()
            time.sleep(max(self.step_s - (self._now() % self.step_s), 0.01))
        if client.returncode != 0:
            raise RuntimeError(f"the load client ended with status {client.returncode}")

    def go_on(self):
        out = self.service.folder / "load"
        self.start = time.monotonic()
        happening = threading.Thread(target=self._let_happen)
        with out.open("wb") as lines, self.run.loader.start(
                self.service.chain, self.load, lines, "--seconds", self.timeline.seconds,
                "--rate", self.timeline.rate, "--every", self.step_s) as client:
            happening.start()
            try:
                self._watch(client)
            finally:
                self.over.set()
                happening.join()
                if client.poll() is None:
                    client.terminate()
        *loads, self.timeline.whole = map(json.loads, out.read_text().splitlines())
        self.timeline.loads = [{**load, "at": load["at"] - self.start} for load in loads]


def _soak(run: Run, service: Service, load: Load) -> Timeline:
    seconds = run.options.soak_seconds
    run.progress.tell("soak: warming up")
    run.loader.send(service.chain, replace(load, patch_percent=WARM_PERCENT),
                    "--seconds", min(WARM_S, FULL_PART * seconds))
    run.loader.send(service.chain, load, "--requests", 2 * load.users)
    run.progress.tell("soak: the full load")
    full = run.loader.send(service.chain, load, "--seconds", min(FULL_S, FULL_PART * seconds))
    timeline = Timeline(seconds, PART_OF_FULL * full["requests"] / full["seconds"])
    Watch(run, service, load, timeline).go_on()
    return timeline


def _keep(run: Run, timeline: Timeline):
    """For the report, and all of it for those who judge otherwise."""
    run.results.add(WORKLOAD, KEY, judge(timeline), timeline.whole["histogram"])
    for name, number in (("soak, first third", 0), ("soak, last third", 2)):
        p99_us = statistics.median(load["p99_us"] for load in timeline.third(number))
        run.results.add(name, KEY, {"p99_us": p99_us})
    (run.options.out / "soak.json").write_text(json.dumps(vars(timeline)) + "\n")
    plots.plot_soak(timeline, run.options.out)
    if timeline.whole["first_wrong"]:
        run.progress.note(f"soak: the first answer that was not a 200: {timeline.whole['first_wrong']}")


def measure(run: Run):
    """The tokens come first: they are of the users who were there before the one who is banned."""
    users = run.options.users
    load = Load(run.tokens("RS256", users), users, zipf=1.0, patch_percent=PATCH_PERCENT)
    folder = Path(tempfile.mkdtemp(prefix="bench-soak-"))
    service = Service(run, folder)
    try:
        service.prepare()
        service.start()
        _keep(run, _soak(run, service, load))
    finally:
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)
