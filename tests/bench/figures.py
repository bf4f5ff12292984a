"""Figures as results.json has them, and the goals: the rows of the report."""

import statistics
from dataclasses import dataclass
from typing import Optional

from results import Results

UNITS = {
    "rate": "requests/s", "p50_us": "us", "p99_us": "us", "cpu_us": "us of CPU", "cpu_web_us": "us of CPU",
    "cpu_app_us": "us of CPU", "cpu_db_us": "us of CPU", "pss_kib": "KiB", "hit_rate": "of all", "wrong": "answers",
    "lost": "requests", "process_us": "us", "first_answer_us": "us", "instructions": "instructions", "pss_grown_kib": "KiB",
    "rss_grown_kib": "KiB", "descriptors_grown": "descriptors", "explained": "answers", "events": "events",
    "failures": "events",
}
SAID = {
    "rate": "rate", "p50_us": "p50", "p99_us": "p99", "cpu_us": "CPU of a request",
    "cpu_web_us": "CPU of the web server", "cpu_app_us": "CPU of the program", "cpu_db_us": "CPU of the database",
    "pss_kib": "memory of a worker", "hit_rate": "hits", "wrong": "wrong answers", "lost": "lost requests",
    "process_us": "whole process",
    "first_answer_us": "start to first answer", "instructions": "instructions of a request",
    "pss_grown_kib": "memory of a worker, PSS, grown", "rss_grown_kib": "memory of a worker, RSS, grown",
    "descriptors_grown": "descriptors of a worker, grown", "explained": "5xx within 3 s of kill -9",
    "events": "what happened", "failures": "what happened and had not its effect",
}
TITLES = {
    "hello": "libfcgi hello", "lookup": "hello + one key lookup", "off": "ours without cache", "ours": "ours",
    "ours32": "ours, 32 MiB", "go": "Go", "nginx-go": "Go behind nginx", "php": "PHP-FPM", "php-cgi": "php-cgi",
}


def title_of(chain: str) -> str:
    return TITLES.get(chain, chain)


@dataclass
class Figure:
    """One row. low and high are those of the ratio where there is one, else of the value, over the rounds."""

    figure: str
    value: Optional[float]
    unit: str
    against: Optional[str] = None
    ratio: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    goal: Optional[float] = None
    met: Optional[bool] = None
    judged: Optional[str] = None  # what the goal is of: "ratio at least", "value at most" and so on
    note: Optional[str] = None


def _rounded(number):
    return None if number is None else float(f"{number:.4g}")


def value_figure(results: Results, workload: str, chain: str, metric: str, name: str) -> Figure:
    values = results.rounds(workload, chain, metric)
    return Figure(name, _rounded(statistics.median(values)), UNITS[metric], low=_rounded(min(values)),
                  high=_rounded(max(values)))


def ratio_figure(results: Results, one: tuple, other: tuple, metric: str, name: str, inverse=False) -> Figure:
    """`inverse`: how many times the other one's value is of this one's."""
    ratios = results.ratios(other, one, metric) if inverse else results.ratios(one, other, metric)
    against = title_of(other[1]) if other[0] == one[0] else f"{other[0]}, {title_of(other[1])}"
    return Figure(name, _rounded(results.median(*one, metric)), UNITS[metric], against,
                  _rounded(statistics.median(ratios)), _rounded(min(ratios)), _rounded(max(ratios)))


@dataclass
class Goal:
    """A row of the goals: one (workload, chain) against another where there is one, else its value alone."""

    name: str
    metric: str
    one: tuple
    other: Optional[tuple]
    bound: float
    at_least: bool = True
    inverse: bool = False

    def _missing(self, results: Results) -> Optional[str]:
        for key in filter(None, (self.one, self.other)):
            if not results.rounds(*key, self.metric):
                return (results.left_out.get(key[1]) or results.left_out.get(key[0])
                        or f"{key[0]} was not measured for {title_of(key[1])}")
        return None

    def figure(self, results: Results) -> Figure:
        missing = self._missing(results)
        if missing:
            figure = Figure(self.name, None, UNITS[self.metric], note=f"left out: {missing}",
                            against=self.other and title_of(self.other[1]))
        elif self.other:
            figure = ratio_figure(results, self.one, self.other, self.metric, self.name, self.inverse)
        else:
            figure = value_figure(results, *self.one, self.metric, self.name)
        return self.judge(figure)

    def judge(self, figure: Figure) -> Figure:
        figure.goal = self.bound
        figure.judged = f"{'ratio' if self.other else 'value'} at {'least' if self.at_least else 'most'}"
        reached = figure.ratio if self.other else figure.value
        if reached is None:
            figure.met = False
        else:
            figure.met = reached >= self.bound if self.at_least else reached <= self.bound
        return figure


    def cpu_figure(self, results: Results) -> Optional[Figure]:
        """Of a ratio of rates or times: how often the other one takes its CPU, which a busy machine disturbs less."""
        if self.metric not in ("rate", "process_us") or not self.other:
            return None
        if not results.ratios(self.one, self.other, "cpu_us"):
            return None
        return ratio_figure(results, self.one, self.other, "cpu_us", f"{self.name}, by CPU", inverse=True)


def _warm(algorithm: str, chain="ours") -> tuple:
    return f"GET warm {algorithm}", chain


# In the order in which they were set. The curve and the scale are written by their groups as ratios of their own.
GOALS = (
    Goal("GET warm RS256 against Go", "rate", _warm("RS256"), _warm("RS256", "go"), 2.4),
    Goal("GET warm HS256 against Go", "rate", _warm("HS256"), _warm("HS256", "go"), 1.9),
    Goal("GET warm RS256 against PHP-FPM", "rate", _warm("RS256"), _warm("RS256", "php"), 6.5),
    Goal("GET warm HS256 against PHP-FPM", "rate", _warm("HS256"), _warm("HS256", "php"), 3.7),
    Goal("GET warm HS256 against hello + one key lookup", "rate", _warm("HS256"), _warm("HS256", "lookup"), 0.95),
    Goal("GET warm RS256 against hello + one key lookup", "rate", _warm("RS256"), _warm("RS256", "lookup"), 0.95),
    Goal("GET Zipf, 32 MiB, against ours without cache", "rate", ("GET Zipf", "ours32"), ("GET Zipf", "off"), 1.5),
    Goal("GET Zipf, 32 MiB, against Go", "rate", ("GET Zipf", "ours32"), ("GET Zipf", "go"), 1.7),
    Goal("GET uniform, 32 MiB, against ours without cache", "rate", ("GET uniform", "ours32"), ("GET uniform", "off"),
         1.0),
    Goal("PATCH, 8 connections, against Go", "rate", ("PATCH", "ours"), ("PATCH", "go"), 1.8),
    Goal("PATCH, 8 connections, against ours without cache", "rate", ("PATCH", "ours"), ("PATCH", "off"), 1.6),
    Goal("p99 of GET warm RS256 against Go's", "p99_us", _warm("RS256"), _warm("RS256", "go"), 0.4, at_least=False),
    Goal("p99 of GET warm HS256 against Go's", "p99_us", _warm("HS256"), _warm("HS256", "go"), 0.4, at_least=False),
    Goal("RS256 against HS256 on repeated tokens", "rate", _warm("RS256"), _warm("HS256"), 0.95),
    Goal("CGI GET, whole process: times faster than php-cgi", "process_us", ("CGI", "ours"), ("CGI", "php-cgi"), 6.5,
         inverse=True),
    Goal("CGI GET, whole process: times faster with the cache", "process_us", ("CGI", "ours"), ("CGI", "off"), 1.15,
         inverse=True),
    Goal("memory of a worker, PSS beside the cache", "pss_kib", _warm("RS256"), None, 1536, at_least=False),
    Goal("rate from 8 to 256 connections: the least against the best", "rate",
         ("connections, the least", "ours"), ("connections, the best", "ours"), 0.9),
    Goal("requests lost from 1 to 256 connections", "lost", ("connections, all", "ours"), None, 0, at_least=False),
    Goal("CPU of a GET with 1,000,000 users in the database against 1,000", "cpu_us",
         ("users in the database", "1,000,000"), ("users in the database", "1,000"), 1.1, at_least=False),
    Goal("soak: wrong answers, but 5xx at kill -9", "wrong", ("soak", "ours"), None, 0, at_least=False),
    Goal("soak: lost requests", "lost", ("soak", "ours"), None, 0, at_least=False),
    Goal("soak: events that had not their effect", "failures", ("soak", "ours"), None, 0, at_least=False),
    Goal("soak: descriptors of a worker, grown", "descriptors_grown", ("soak", "ours"), None, 0, at_least=False),
    # Not by PSS, which also moves when somebody else begins or ends to use the same libraries.
    Goal("soak: memory of a worker after warm-up, RSS, grown", "rss_grown_kib", ("soak", "ours"), None, 64,
         at_least=False),
    Goal("soak: p99 of the last third against the first", "p99_us", ("soak, last third", "ours"),
         ("soak, first third", "ours"), 1.25, at_least=False),
)

# Of every chain of every workload, beside the goals.
_SHOWN = ("rate", "p50_us", "p99_us", "cpu_us", "cpu_web_us", "cpu_app_us", "cpu_db_us", "pss_kib", "hit_rate", "wrong",
          "lost", "process_us", "first_answer_us", "instructions", "pss_grown_kib", "rss_grown_kib",
          "explained", "events")
_GROUP_OF_GOAL = {"CGI": "cgi", "connections, the least": "connections", "connections, all": "connections",
                  "users in the database": "scale", "soak": "soak", "soak, last third": "soak"}


def all_figures(results: Results, groups: list) -> list:
    """The goals of the groups that were run, the same by CPU where they are rates, then everything else."""
    chosen = [goal for goal in GOALS if _GROUP_OF_GOAL.get(goal.one[0], "load") in groups]
    goals = [goal.figure(results) for goal in chosen]
    by_cpu = [figure for figure in (goal.cpu_figure(results) for goal in chosen) if figure]
    others = [value_figure(results, workload, chain, metric, f"{workload}, {title_of(chain)}: {SAID[metric]}")
              for workload, chain in results.keys() for metric in _SHOWN
              if metric in results.metrics(workload, chain)]
    return goals + by_cpu + others
