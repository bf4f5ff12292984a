"""What was measured, by workload, chain and round, and what can be said of it."""

import statistics
from collections import defaultdict


class Results:
    """A value of a workload, a chain and a metric is a list with one number for each round."""

    def __init__(self):
        self._values = defaultdict(dict)
        self.histograms = defaultdict(lambda: defaultdict(int))
        self.left_out = {}  # chains and groups: why

    def add(self, workload: str, chain: str, metrics: dict, histogram=()):
        for metric, value in metrics.items():
            self._values[workload, chain].setdefault(metric, []).append(value)
        for start_us, count in histogram:
            self.histograms[workload, chain][start_us] += count

    def keys(self) -> list:
        return list(self._values)

    def metrics(self, workload: str, chain: str) -> list:
        return list(self._values.get((workload, chain), {}))

    def rounds(self, workload: str, chain: str, metric: str) -> list:
        return self._values.get((workload, chain), {}).get(metric, [])

    def median(self, workload: str, chain: str, metric: str):
        """None where it was not measured."""
        values = self.rounds(workload, chain, metric)
        return statistics.median(values) if values else None

    def ratios(self, one: tuple, other: tuple, metric: str) -> list:
        """Of one (workload, chain) to another, paired within each round."""
        pairs = zip(self.rounds(*one, metric), self.rounds(*other, metric))
        return [left / right for left, right in pairs if right]

    def as_json(self) -> dict:
        return {f"{workload}: {chain}": metrics for (workload, chain), metrics in self._values.items()}
