"""One measurement: a load on one chain, and what it cost each part."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from chains import Chain
from database import Database
from processes import cpu_s


@dataclass
class Load:
    """What is sent. `connections` each wait for an answer before they send again."""

    tokens: Path
    users: int
    connections: int = 32
    zipf: float = 0.0
    patch_percent: int = 0

    def arguments(self) -> list:
        return ["--tokens", self.tokens, "--users", self.users, "--connections", self.connections,
                "--zipf", self.zipf, "--patch-percent", self.patch_percent]


@dataclass
class Sample:
    """What one measurement gave. Times are microseconds, CPU is for a request."""

    requests: int
    rate: float
    p50_us: float
    p99_us: float
    wrong: int
    lost: int
    cpu_us: dict = field(default_factory=dict)
    counted: dict = field(default_factory=dict)  # the database's counters, for a request
    histogram: list = field(default_factory=list)
    first_wrong: str = ""

    @property
    def cpu_total_us(self) -> float:
        return sum(self.cpu_us.values())


class Loader:
    """The load generator, with the database behind all chains."""

    def __init__(self, build: Path, database: Database):
        self.client = build / "tests/bench/load_client"
        self.database = database
        self.seed = 0

    def _command(self, chain: Chain, load: Load, amount: tuple) -> list:
        """Each time other users in another order."""
        self.seed += 1
        command = [self.client, "--port", chain.port, "--seed", self.seed, *load.arguments(), *amount]
        if not chain.is_checked:
            command.append("--unchecked")
        return list(map(str, command))

    def start(self, chain: Chain, load: Load, out, *amount) -> subprocess.Popen:
        """Its lines go to the file `out` while it runs."""
        return subprocess.Popen(self._command(chain, load, amount), stdin=subprocess.DEVNULL, stdout=out)

    def send(self, chain: Chain, load: Load, *amount) -> dict:
        """`amount`: --seconds or --requests."""
        done = subprocess.run(self._command(chain, load, amount), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{chain.name}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def _parts(self, chain: Chain) -> dict:
        return {**chain.parts(), "db": [self.database.pid]}

    def measure(self, chain: Chain, load: Load, seconds: float) -> Sample:
        parts = self._parts(chain)
        counters = self.database.counters()
        before = {part: cpu_s(pids) for part, pids in parts.items()}
        sent = self.send(chain, load, "--seconds", seconds)
        used = {part: cpu_s(pids) - before[part] for part, pids in parts.items()}
        counted = {name: value - counters[name] for name, value in self.database.counters().items()}
        if self._parts(chain) != parts:
            raise RuntimeError(f"{chain.name}: a process ended under the load")
        count = max(sent["requests"], 1)
        return Sample(
            requests=sent["requests"], rate=sent["requests"] / sent["seconds"], p50_us=sent["p50_us"],
            p99_us=sent["p99_us"], wrong=sent["wrong"], lost=sent["lost"], first_wrong=sent["first_wrong"],
            cpu_us={part: used_s * 1e6 / count for part, used_s in used.items()},
            counted={name: value / count for name, value in counted.items()}, histogram=sent["histogram"],
        )
