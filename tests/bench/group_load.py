"""The workloads: each on each chain, in rounds, so that what disturbs the machine disturbs all of them alike."""

from dataclasses import dataclass

import agreement
from context import WARM_USERS, Run
from load import Load, Sample
from processes import pss_kib

WARM_UP_S = 0.3
FILL_REQUESTS_PER_USER = 2  # so that what can be kept is kept before the first round
REFERENCE = "ours"
PEERS = ("go", "nginx-go", "php")


@dataclass
class Workload:
    """`users` None: all of them."""

    name: str
    chains: tuple
    algorithm: str = "RS256"
    users: int = WARM_USERS
    connections: int = 32
    zipf: float = 0.0
    patch_percent: int = 0

    def load(self, run: Run) -> Load:
        users = min(self.users or run.options.users, run.options.users)
        return Load(run.tokens(self.algorithm, users), users, self.connections, self.zipf, self.patch_percent)


_ALL = ("hello", "lookup", "off", "ours", "go", "nginx-go", "php")
# Those of one block take turns within a round: they are compared with each other.
BLOCKS = (
    (Workload("GET warm RS256", _ALL), Workload("GET warm HS256", _ALL, "HS256")),
    (Workload("GET Zipf", ("off", "ours32", "go", "php"), users=None, zipf=1.0),),
    (Workload("GET uniform", ("off", "ours32", "go", "php"), users=None),),
    (Workload("PATCH", ("off", "ours", "go", "nginx-go", "php"), connections=8, patch_percent=100),),
    (Workload("mixed 95/5", ("off", "ours", "go", "nginx-go", "php"), patch_percent=5),),
    (Workload("one connection", _ALL, connections=1),),
)


def planned_s(run: Run) -> float:
    count = sum(len(workload.chains) for block in BLOCKS for workload in block)
    return count * run.options.rounds * (run.options.seconds + WARM_UP_S)


def metrics_of(sample: Sample) -> dict:
    return {
        "rate": sample.rate, "p50_us": sample.p50_us, "p99_us": sample.p99_us, "cpu_us": sample.cpu_total_us,
        **{f"cpu_{part}_us": used for part, used in sample.cpu_us.items()}, "wrong": sample.wrong, "lost": sample.lost,
    }


def _keys(sample: Sample) -> float:
    """How many keys the database looked up for a request."""
    return sample.counted["Handler_read_key"]


@dataclass
class HitRate:
    """Told by the keys that are looked up: many for a whole read, few for the proof of what is kept."""

    whole: float
    proof: float

    def of(self, sample: Sample) -> float:
        return min(max((self.whole - _keys(sample)) / (self.whole - self.proof), 0.0), 1.0)


def _learn_hit_rate(run: Run) -> HitRate:
    """By one user, who is kept from the first request on."""
    one = Load(run.tokens("HS256", WARM_USERS), users=1)
    keys = []
    for chain in (run.ours(""), run.ours("one")):
        chain.start()
        try:
            keys.append(_keys(measure(run, chain, one, WARM_UP_S)))
        finally:
            chain.stop()
    return HitRate(*keys)


def hits_of(run: Run, sample: Sample) -> dict:
    """Of a chain with a cache that was asked for GET alone."""
    if not run.has_cache:
        return {}
    if run.hit_rate is None:
        run.hit_rate = _learn_hit_rate(run)
    return {"hit_rate": run.hit_rate.of(sample)}


def memory_of(run: Run, chain) -> dict:
    """Of one process of the program, on average; the file that all share is beside it."""
    pids = chain.parts()["app"]
    return {"pss_kib": sum(pss_kib(pid, str(run.shared)) for pid in pids) / len(pids)}


def prepare(run: Run):
    """The fixed answer of the floors; then whether all peers give the same answers."""
    tokens = [[line.split()[1] for line in run.tokens(algorithm, WARM_USERS).read_text().splitlines()[:40]]
              for algorithm in ("HS256", "RS256")]
    running = run.start_chains((REFERENCE, "off", *PEERS))
    try:
        reference = running[REFERENCE]
        status, body, etag = agreement.ask(reference, tokens[0][0])
        if status != 200:
            raise RuntimeError(f"ours answers {status}: {body[:500]!r}")
        head = (f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nETag: {etag}\r\n"
                "Cache-Control: private, no-cache\r\nX-Content-Type-Options: nosniff\r\nVary: Authorization\r\n\r\n")
        run.answer_of_ours(head, body)
        sample = [tokens[0][0], tokens[1][0], *tokens[0][1:]]
        for key, chain in running.items():
            if chain is not reference:
                found = agreement.check(chain, reference, run.population, sample)
                run.progress.note(f"{key} answers as ours does: {found}")
    finally:
        for chain in running.values():
            chain.stop()


def measure(run: Run, chain, load: Load, seconds: float) -> Sample:
    """After a short time in which connections are opened and statements prepared."""
    run.loader.send(chain, load, "--seconds", min(WARM_UP_S, seconds))
    sample = run.loader.measure(chain, load, seconds)
    run.progress.advance(seconds + WARM_UP_S)
    if sample.wrong or sample.lost:
        run.progress.note(f"{chain.name}: {sample.wrong} wrong answers, {sample.lost} lost: {sample.first_wrong}")
    return sample


def _run_block(run: Run, block: tuple):
    running = run.start_chains(dict.fromkeys(key for workload in block for key in workload.chains))
    try:
        loads = {workload.name: workload.load(run) for workload in block}
        for workload in block:
            for key in ("ours", "ours32"):
                if run.has_cache and key in running:
                    run.progress.tell(workload.name, "filling the cache")
                    load = loads[workload.name]
                    run.loader.send(running[key], load, "--requests", FILL_REQUESTS_PER_USER * load.users)
        for number in range(run.options.rounds):
            for workload in block:
                _run_round(run, workload, loads[workload.name], running, number)
    finally:
        for chain in running.values():
            chain.stop()


def _run_round(run: Run, workload: Workload, load: Load, running: dict, number: int):
    keys = [key for key in workload.chains if key in running]
    turn = number % max(len(keys), 1)
    for key in keys[turn:] + keys[:turn]:  # nobody is always the first
        run.progress.tell(workload.name, f"round {number + 1} of {run.options.rounds}, {key}")
        chain = running[key]
        sample = measure(run, chain, load, run.options.seconds)
        metrics = {**metrics_of(sample), **memory_of(run, chain)}
        if key in ("ours", "ours32") and not workload.patch_percent:
            metrics.update(hits_of(run, sample))
        run.results.add(workload.name, key, metrics, sample.histogram)


def measure_all(run: Run):
    prepare(run)
    for block in BLOCKS:
        _run_block(run, block)
