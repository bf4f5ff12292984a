"""What scripts/bench runs once everything is built: measures, prints tables, writes results.json and plots."""

import argparse
import signal
import sys
from pathlib import Path

import group_cgi
import group_curves
import group_instructions
import group_load
import group_scale
import group_soak
import group_start
import group_token
import report
from agreement import Disagreement
from context import Options, Run

# What each measures with a run, and how long it plans for that, in the order in which they are run.
GROUPS = {
    "load": (group_load.measure_all, group_load.planned_s),
    "connections": (group_curves.measure_connections, group_curves.planned_connections_s),
    "workers": (group_curves.measure_workers, group_curves.planned_workers_s),
    "cgi": (group_cgi.measure, group_cgi.planned_s),
    "start": (group_start.measure, group_start.planned_s),
    "scale": (group_scale.measure, group_scale.planned_s),
    "instructions": (group_instructions.measure, group_instructions.planned_s),
    "soak": (group_soak.measure, group_soak.planned_s),
}
TOKEN = "token"  # needs no database


def read_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--static-build", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=[TOKEN, *GROUPS])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int)
    return parser.parse_args()


def options_of(arguments) -> Options:
    quick = arguments.quick
    return Options(
        build=arguments.build.resolve(), static_build=arguments.static_build and arguments.static_build.resolve(),
        data=arguments.data.resolve(), out=arguments.out.resolve(), users=arguments.users,
        seconds=arguments.seconds or (1.5 if quick else 5.0), rounds=arguments.rounds or (3 if quick else 9),
        scale=(1000, 100_000, 1_000_000), cgi_processes=40 if quick else 100,
        connections=(1, 8, 32, 128, 256) if quick else (1, 2, 4, 8, 16, 32, 64, 128, 256), workers=(1, 2, 4, 8, 16),
        soak_seconds=arguments.seconds or 1200,
    )


def measure(run: Run, groups: list) -> list:
    """Figures that are not in the run's results."""
    more = group_token.measure(run.options.build, run.progress) if TOKEN in groups else []
    chosen = [group for group in GROUPS if group in groups]
    if not chosen:
        return more
    for group in chosen:
        run.progress.plan(GROUPS[group][1](run))
    try:
        run.start()
        for group in chosen:
            GROUPS[group][0](run)
    finally:
        run.stop()
    return more


def main():
    arguments = read_arguments()
    groups = arguments.only or [TOKEN, *GROUPS]
    options = options_of(arguments)
    run = Run(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then, too
    try:
        more = measure(run, groups)
    except (RuntimeError, Disagreement) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    report.finish(run.results, groups, more, options.out, vars(options))
    print(f"\n{options.out / 'results.json'} holds the same.")


if __name__ == "__main__":
    main()
