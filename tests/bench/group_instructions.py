"""
How many instructions of a worker a request takes, by callgrind: a figure that a busy machine does not touch. Of two
runs that differ in nothing but the number of requests the difference is told, so that the start does not count; of CGI
all that a process does.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agreement import altered
from chains import Lighttpd, program_of_system
from context import Run
from load import Load
from commit import git

TABLE = Path(__file__).with_name("instructions.tsv")
FEW, MANY = 300, 700  # with fewer what is done once in a while counts
PATH_S = 12  # about


@dataclass
class Kind:
    """`users`: 1 where one asks again and again, MANY where each asks once. `is_begun_anew`: another worker was asked
    the same before. Refused tokens are altered ones."""

    name: str
    is_kept: bool = True  # with the cache
    algorithm: str = "HS256"
    users: int = 1
    patch_percent: int = 0
    is_refused: bool = False
    is_begun_anew: bool = False


KINDS = (
    Kind("GET, kept, HS256"),
    Kind("GET, kept, RS256", algorithm="RS256"),
    Kind("GET, not kept, first sight of the token, HS256", users=MANY),
    Kind("GET, not kept, first sight of the token, RS256", users=MANY, algorithm="RS256"),
    Kind("GET, kept by another worker, HS256", users=MANY, is_begun_anew=True),
    Kind("GET, kept by another worker, RS256", users=MANY, algorithm="RS256", is_begun_anew=True),
    Kind("GET, without cache, HS256", is_kept=False),
    Kind("GET, without cache, RS256", is_kept=False, algorithm="RS256"),
    Kind("PATCH, HS256", patch_percent=100),
    Kind("PATCH, without cache, HS256", is_kept=False, patch_percent=100),
    Kind("refused token, HS256", users=MANY, is_refused=True),
    Kind("refused token, RS256", users=MANY, algorithm="RS256", is_refused=True),
)
CGI_KINDS = (
    Kind("CGI, GET, kept, HS256"),
    Kind("CGI, GET, kept, RS256", algorithm="RS256"),
    Kind("CGI, GET, without cache, HS256", is_kept=False),
    Kind("CGI, GET, without cache, RS256", algorithm="RS256", is_kept=False),
)
CGI_PROCESSES = 3  # the first makes the file, the second keeps the signature in it, the third is counted


def planned_s(_run: Run) -> float:
    return (len(KINDS) + len(CGI_KINDS)) * PATH_S


def _counted_program(run: Run) -> Path:
    """What lighttpd starts as the worker."""
    path = run.database.folder / "counted"
    path.write_text(f'#!/bin/sh\nexec {program_of_system("valgrind")} --tool=callgrind --quiet'
                    f' --callgrind-out-file="$BENCH_COUNTS" {run.program}\n')
    path.chmod(0o755)
    return path


def _tokens(run: Run, kind: Kind) -> Path:
    good = run.tokens(kind.algorithm, MANY)
    if not kind.is_refused:
        return good
    path = run.database.folder / "refused.tokens"
    lines = (line.split() for line in good.read_text().splitlines()[:MANY])
    path.write_text("".join(f"{user} {altered(token)}\n" for user, token in lines))
    return path


def _counts_file(run: Run) -> Path:
    path = run.database.folder / "callgrind.out"
    path.unlink(missing_ok=True)
    return path


def _counted(counts: Path) -> int:
    return int(re.search(r"^(?:totals|summary): (\d+)", counts.read_text(), re.M)[1])


def _environment(run: Run, kind: Kind, counts: Path) -> dict:
    """valgrind needs what the sandbox takes."""
    cache = f"instructions-{os.urandom(4).hex()}" if kind.is_kept else ""
    return {**run.environment_of_ours(cache), "BENCH_COUNTS": str(counts), "ME_PROCESS_SANDBOX": "off"}


def _send(run: Run, kind: Kind, program: Path, environment: dict, requests: int):
    """To one worker, from its start to its end."""
    chain = Lighttpd(kind.name, program, environment, workers=1)
    chain.is_checked = not kind.is_refused
    chain.start()
    try:
        load = Load(_tokens(run, kind), kind.users, connections=1, patch_percent=kind.patch_percent)
        sent = run.loader.send(chain, load, "--requests", requests, "--in-turn")
    finally:
        chain.stop()
    wrong = requests if kind.is_refused else 0
    if (sent["requests"], sent["wrong"], sent["lost"]) != (requests, wrong, 0):
        raise RuntimeError(f"{kind.name}: {sent['wrong']} wrong, {sent['lost']} lost: {sent['first_wrong']}")


def _count(run: Run, kind: Kind, requests: int) -> int:
    counts = _counts_file(run)
    environment, program = _environment(run, kind, counts), _counted_program(run)
    if kind.is_begun_anew:
        _send(run, kind, program, environment, MANY)  # by callgrind, too: else it would be another build
    _send(run, kind, program, environment, requests)
    return _counted(counts)


def _count_process(run: Run, kind: Kind) -> int:
    """Of one process among those that ask the same."""
    counts = _counts_file(run)
    token = _tokens(run, kind).read_text().split(None, 2)[1]
    environment = {**_environment(run, kind, counts), "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/me",
                   "REQUEST_URI": "/me", "HTTP_AUTHORIZATION": f"Bearer {token}", "PATH": os.environ["PATH"]}
    for _ in range(CGI_PROCESSES):
        done = subprocess.run([_counted_program(run)], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        if not done.stdout.startswith(b"Status: 200"):
            raise RuntimeError(f"{kind.name}: {done.stderr.decode()}")
    return _counted(counts)


def _commit() -> str:
    """With a plus where files were changed since, other than the table itself."""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "cgi-bin", "schema")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def _write(rows: list):
    compiler = subprocess.run(["gcc", "-dumpfullversion"], check=False, capture_output=True, text=True).stdout.strip()
    lines = [
        "# Instructions of a worker for one request, by callgrind, its libraries included and the kernel not; of CGI",
        "# all of the process.",
        "# Made by scripts/bench --only instructions.",
        f"# commit {_commit()}, gcc {compiler}, {os.uname().machine}",
        "# path\tinstructions",
        *(f"{name}\t{count}" for name, count in rows),
    ]
    TABLE.write_text("\n".join(lines) + "\n")


def _count_kind(run: Run, kind: Kind) -> int:
    if kind in CGI_KINDS:
        return _count_process(run, kind)
    return round((_count(run, kind, MANY) - _count(run, kind, FEW)) / (MANY - FEW))


def measure(run: Run):
    rows = []
    for kind in KINDS + CGI_KINDS:
        if kind.is_kept and not kind.is_refused and not run.has_cache:
            continue  # it would be the same as without
        run.progress.tell("instructions", kind.name)
        count = _count_kind(run, kind)
        rows.append((kind.name, count))
        run.results.add("instructions", kind.name, {"instructions": count})
        run.progress.advance(PATH_S)
    _write(rows)
