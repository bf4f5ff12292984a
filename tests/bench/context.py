"""One run of the benchmark: what it was asked for, its database, its chains, and where results go."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chains import WORKERS, Floor, Go, Lighttpd, Missing, NginxGo, NginxPhp, settings_of
from database import Database, Population
from load import Loader
from progress import Progress
from results import Results
from tokens import make_tokens

WARM_USERS = 1000
SHARED_MEMORY = ("/dev/shm",)  # where the caches lie, else with other temporary files


@dataclass
class Options:
    """`static_build` is one with the libraries linked in, for CGI; None leaves it out."""

    build: Path
    static_build: Path
    data: Path
    out: Path
    users: int
    seconds: float
    rounds: int
    scale: tuple  # numbers of users in the database
    cgi_processes: int
    connections: tuple
    workers: tuple
    soak_seconds: float


class Run:
    """Made ready by start(); the population with most tokens is that of nearly all workloads."""

    def __init__(self, options: Options):
        self.options = options
        self.results = Results()
        self.progress = Progress()
        self.database = Database(options.data, options.build)
        self.loader = Loader(options.build, self.database)
        self.shared = None  # the folder of the caches
        self.hit_rate = None  # how hits are told, once that is known

    def start(self):
        memory = next(filter(os.path.isdir, SHARED_MEMORY), None)
        self.shared = Path(tempfile.mkdtemp(prefix="bench-cache-", dir=memory))
        self.progress.tell("private MariaDB")
        self.database.start()
        self.population = Population(self.database, self.options.users).make(self.progress)
        self.has_cache = self._has_cache()
        if not self.has_cache:
            self.leave_out("off", "this build has no cache: ours is without one")
            self.leave_out("ours32", "this build has no cache")

    def stop(self):
        shutil.rmtree(self.shared, ignore_errors=True)
        self.database.stop()

    def leave_out(self, what: str, why: str):
        self.results.left_out[what] = why
        self.progress.note(f"left out: {what}: {why}")

    @property
    def program(self) -> Path:
        return self.options.build / "me.fcgi"

    def _has_cache(self) -> bool:
        done = subprocess.run([self.program, "--check-config"], env={"ME_CONF": str(self.population.conf)},
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"me.fcgi --check-config: {done.stderr.strip()}")
        return "[cache]" in done.stdout

    def tokens(self, algorithm: str, users: int, population=None) -> Path:
        """Of at least so many users of the population: files are made for the warm ones or for all."""
        population = population or self.population
        count = min(WARM_USERS if users <= WARM_USERS else population.count, population.count)
        return make_tokens(population, self.options.build, algorithm, count, self.progress)

    def answer_of_ours(self, status_and_head: str, body: bytes) -> Path:
        """A file with the fixed answer of the floors."""
        path = self.database.folder / "answer"
        path.write_bytes(status_and_head.encode() + body)
        return path

    # ---- the chains

    def environment_of_ours(self, cache: str, population=None, size_mib=64) -> dict:
        """`cache` is the name of a cache of its own, or "" for none."""
        environment = {"ME_CONF": str((population or self.population).conf)}
        if not self.has_cache:
            return environment
        if not cache:
            return {**environment, "ME_CACHE_MODE": "off"}
        return {**environment, "ME_CACHE_MODE": "auto", "ME_CACHE_SIZE_MIB": str(size_mib),
                "ME_CACHE_PATH": str(self.shared / cache)}

    def ours(self, cache="ours", workers=WORKERS, population=None, size_mib=64) -> Lighttpd:
        environment = self.environment_of_ours(cache, population, size_mib)
        return Lighttpd(cache or "off", self.program, environment, workers)

    def _floor(self, name: str):
        environment = {**settings_of(self.population), "BENCH_USERS": str(min(WARM_USERS, self.options.users)),
                       "BENCH_ANSWER": str(self.database.folder / "answer")}
        return Floor(name, self.options.build / "tests/bench/peers" / name, environment)

    def _go_program(self) -> Path:
        path = self.options.build / "tests/bench/peers/me-go"
        if not path.exists():
            raise Missing("Go's compiler and packages are not installed")
        return path

    def chain(self, key: str):
        """By its key; Missing where it cannot be had here."""
        makers = {
            "hello": lambda: self._floor("hello"),
            "lookup": lambda: self._floor("lookup"),
            "off": lambda: self.ours(""),
            "ours": self.ours,
            "ours32": lambda: self.ours("ours32", size_mib=32),
            "go": lambda: Go("go", self._go_program(), self.population),
            "nginx-go": lambda: NginxGo("nginx-go", self._go_program(), self.population),
            "php": lambda: NginxPhp("php", self.population),
        }
        if key in self.results.left_out:
            raise Missing(self.results.left_out[key])
        return makers[key]()

    def start_chains(self, keys) -> dict:
        """Those that can be had, started; the others are left out."""
        running = {}
        for key in keys:
            try:
                running[key] = self.chain(key).start()
            except Missing as missing:
                if key not in self.results.left_out:
                    self.leave_out(key, str(missing))
        return running
