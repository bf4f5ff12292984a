"""How the rate goes with the number of connections, and with the number of workers."""

import group_load
from context import Run
from load import Load

CHAINS_BY_CONNECTIONS = ("ours", "off", "go")
FEW_CONNECTIONS = 8  # fewer do not keep eight workers busy, so the goal is of those from here on


def _load(run: Run, connections=32) -> Load:
    users = min(group_load.WARM_USERS, run.options.users)
    return Load(run.tokens("HS256", users), users, connections)


def name_of(connections: int) -> str:
    return f"{connections} connections" if connections > 1 else "1 connection"


def planned_connections_s(run: Run) -> float:
    chains = len(CHAINS_BY_CONNECTIONS)
    return len(run.options.connections) * chains * run.options.rounds * (run.options.seconds + group_load.WARM_UP_S)


def planned_workers_s(run: Run) -> float:
    return len(run.options.workers) * run.options.rounds * (run.options.seconds + group_load.WARM_UP_S)


def _add(run: Run, workload: str, chain, load: Load, key: str, number: int):
    run.progress.tell(workload, f"round {number + 1} of {run.options.rounds}, {key}")
    sample = group_load.measure(run, chain, load, run.options.seconds)
    hits = group_load.hits_of(run, sample) if key == "ours" else {}
    run.results.add(workload, key, {**group_load.metrics_of(sample), **hits}, sample.histogram)


def measure_connections(run: Run):
    running = run.start_chains(CHAINS_BY_CONNECTIONS)
    try:
        for number in range(run.options.rounds):
            for connections in run.options.connections:
                for key, chain in running.items():
                    _add(run, name_of(connections), chain, _load(run, connections), key, number)
    finally:
        for chain in running.values():
            chain.stop()
    for key in running:
        _name_extremes(run, key)


def _name_extremes(run: Run, key: str):
    """The best and the worst of the points, by their medians, under names of their own, round for round."""
    results = run.results
    names = [name_of(count) for count in run.options.connections if count >= FEW_CONNECTIONS]
    by_rate = sorted(names, key=lambda name: results.median(name, key, "rate"))
    for name, title in ((by_rate[0], "connections, the least"), (by_rate[-1], "connections, the best")):
        for rate in results.rounds(name, key, "rate"):
            results.add(title, key, {"rate": rate})
    every = [name_of(count) for count in run.options.connections]
    for lost in zip(*(results.rounds(name, key, "lost") for name in every)):
        results.add("connections, all", key, {"lost": sum(lost)})


def measure_workers(run: Run):
    """Of ours alone; all stand ready, and only one is asked at a time."""
    chains = {}
    try:
        for count in run.options.workers:
            chains[f"{count} workers" if count > 1 else "1 worker"] = run.ours(f"workers{count}", count).start()
        for number in range(run.options.rounds):
            for name, chain in chains.items():
                _add(run, name, chain, _load(run), "ours", number)
    finally:
        for chain in chains.values():
            chain.stop()
