"""What a GET costs with few and with many users in the database, all of those who ask being warm."""

import group_load
from context import WARM_USERS, Run
from database import Population
from load import Load

WORKLOAD = "users in the database"


def planned_s(run: Run) -> float:
    return len(run.options.scale) * 2 * run.options.rounds * (run.options.seconds + group_load.WARM_UP_S)


def _start(run: Run, populations: dict) -> dict:
    chains = {}
    for count, population in populations.items():
        chains[f"{count:,}"] = run.ours(f"scale{count}", population=population).start()
        if run.has_cache:
            chains[f"{count:,}, without cache"] = run.ours("", population=population).start()
    return chains


def measure(run: Run):
    populations = {count: Population(run.database, count).make(run.progress) for count in run.options.scale}
    loads = {}
    for count, population in populations.items():
        users = min(WARM_USERS, count)
        loads[f"{count:,}"] = Load(run.tokens("HS256", users, population), users)
    chains = _start(run, populations)
    try:
        for number in range(run.options.rounds):
            for key, chain in chains.items():
                run.progress.tell(WORKLOAD, f"round {number + 1} of {run.options.rounds}, {key}")
                load = loads[key.removesuffix(", without cache")]
                if number == 0:
                    run.loader.send(chain, load, "--requests", 4 * load.users)
                sample = group_load.measure(run, chain, load, run.options.seconds)
                hits = {} if key.endswith("without cache") else group_load.hits_of(run, sample)
                run.results.add(WORKLOAD, key, {**group_load.metrics_of(sample), **hits})
    finally:
        for chain in chains.values():
            chain.stop()
