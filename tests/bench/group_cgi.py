"""One process for each request: from its start to its end, with the libraries linked in, beside php-cgi."""

import json
import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chains import PEERS, PHP_SETTINGS, SETUP_PATH, Missing, program_of_system, settings_of_php
from context import WARM_USERS, Run
from processes import cpu_s

PROCESSES_IN_TURN = 10
PROCESS_S = 0.012  # about, for the time that it will take


def planned_s(run: Run) -> float:
    return 3 * run.options.rounds * run.options.cgi_processes * PROCESS_S


def _php_command(cache: Path) -> list:
    """opcache's file cache is what keeps compiled scripts from one process to the next."""
    settings = (*PHP_SETTINGS, f"opcache.file_cache={cache}", "opcache.file_cache_only=1")
    return [program_of_system("php-cgi"), *(word for setting in settings for word in ("-d", setting))]


def _commands(run: Run, php_cache: Path) -> dict:
    """By chain: a command and its environment."""
    program = run.options.static_build / "me.fcgi"
    commands = {"ours": ([program], run.environment_of_ours("cgi"))}
    if run.has_cache:
        commands["off"] = ([program], run.environment_of_ours(""))
    try:
        environment = {**settings_of_php(run.population), "SCRIPT_FILENAME": str(PEERS / "php" / "me.php")}
        commands["php-cgi"] = (_php_command(php_cache), environment)
    except Missing as missing:
        run.leave_out("php-cgi", str(missing))
    return commands


@dataclass
class Spawned:
    """What some processes took: each from its start to its end, and the CPU of all."""

    times_us: list
    app_us: float
    database_us: float


def _spawn(run: Run, command: list, environment: dict, count: int) -> Spawned:
    """Those who ask are the first so many of the warm users, each time the same."""
    users = min(WARM_USERS, run.options.users)
    spawner = [run.options.build / "tests/bench/spawn_cgi", run.tokens("HS256", users), users, count, *command]
    database_before = cpu_s([run.database.pid])
    done = subprocess.run(list(map(str, spawner)), capture_output=True, text=True, check=False,
                          env={"PATH": SETUP_PATH, "LC_ALL": "C.UTF-8", **environment})
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} by CGI: {done.stderr.strip()[-800:]}")
    spawned = json.loads(done.stdout)
    return Spawned(spawned["times_us"], spawned["cpu_us"] * count, (cpu_s([run.database.pid]) - database_before) * 1e6)


def _metrics_of(parts: list) -> dict:
    times_us = sorted(time_us for part in parts for time_us in part.times_us)
    count = len(times_us)
    app_us, database_us = sum(part.app_us for part in parts) / count, sum(part.database_us for part in parts) / count
    return {"process_us": statistics.median(times_us), "p99_us": times_us[int(count * 0.99)], "cpu_app_us": app_us,
            "cpu_db_us": database_us, "cpu_us": app_us + database_us}


def _measure_round(run: Run, commands: dict):
    """They take turns every few processes: none of them has a better moment than the others."""
    parts = {key: [] for key in commands}
    for _ in range(run.options.cgi_processes // PROCESSES_IN_TURN):
        for key, (command, environment) in commands.items():
            parts[key].append(_spawn(run, command, environment, PROCESSES_IN_TURN))
            run.progress.advance(PROCESSES_IN_TURN * PROCESS_S)
    for key in commands:
        run.results.add("CGI", key, _metrics_of(parts[key]))


def measure(run: Run):
    if run.options.static_build is None or not os.access(run.options.static_build / "me.fcgi", os.X_OK):
        run.leave_out("CGI", "there is no build with --enable-static-deps")
        return
    with tempfile.TemporaryDirectory(prefix="bench-opcache-") as php_cache:
        commands = _commands(run, Path(php_cache))
        for key, (command, environment) in commands.items():
            run.progress.tell("CGI", f"{key}, for the caches")
            _spawn(run, command, environment, PROCESSES_IN_TURN)
        for number in range(run.options.rounds):
            run.progress.tell("CGI", f"round {number + 1} of {run.options.rounds}")
            _measure_round(run, commands)
