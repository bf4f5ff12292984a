"""One process for each request: from its start to its end, with the libraries linked in, beside php-cgi."""

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from chains import PEERS, PHP_SETTINGS, SETUP_PATH, Missing, program_of_system, settings_of_php
from context import WARM_USERS, Run
from processes import cpu_s

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


def _spawn(run: Run, command: list, environment: dict, count: int) -> dict:
    users = min(WARM_USERS, run.options.users)
    spawner = [run.options.build / "tests/bench/spawn_cgi", run.tokens("HS256", users), users, count, *command]
    database_before = cpu_s([run.database.pid])
    done = subprocess.run(list(map(str, spawner)), capture_output=True, text=True, check=False,
                          env={"PATH": SETUP_PATH, "LC_ALL": "C.UTF-8", **environment})
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} by CGI: {done.stderr.strip()[-800:]}")
    spawned = json.loads(done.stdout)
    database_us = (cpu_s([run.database.pid]) - database_before) * 1e6 / count
    return {"process_us": statistics.median(spawned["times_us"]), "p99_us": spawned["times_us"][int(count * 0.99)],
            "cpu_app_us": spawned["cpu_us"], "cpu_db_us": database_us, "cpu_us": spawned["cpu_us"] + database_us}


def measure(run: Run):
    if run.options.static_build is None or not os.access(run.options.static_build / "me.fcgi", os.X_OK):
        run.leave_out("CGI", "there is no build with --enable-static-deps")
        return
    with tempfile.TemporaryDirectory(prefix="bench-opcache-") as php_cache:
        commands = _commands(run, Path(php_cache))
        for key, (command, environment) in commands.items():
            run.progress.tell("CGI", f"{key}, for the caches")
            _spawn(run, command, environment, min(WARM_USERS, run.options.users) if key == "ours" else 5)
        for number in range(run.options.rounds):
            for key, (command, environment) in commands.items():
                run.progress.tell("CGI", f"round {number + 1} of {run.options.rounds}, {key}")
                run.results.add("CGI", key, _spawn(run, command, environment, run.options.cgi_processes))
                run.progress.advance(run.options.cgi_processes * PROCESS_S)
