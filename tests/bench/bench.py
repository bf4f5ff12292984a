"""What scripts/bench runs once everything is built: measures, prints a table, writes results.json."""

import argparse
import json
import subprocess
from pathlib import Path

# The goals, by the figure's name: a ratio to what it is measured against, or a value in its unit.
GOALS = {
    "RS256-2048, first time": {"ratio": 1.15},
    "RS256-2048, repeated": {"value": 3.0},
}
RSA_BITS = (2048, 3072, 4096)


def is_met(figure, goal):
    """None where there is no goal."""
    if goal is None:
        return None
    return all(figure[kind] <= limit for kind, limit in goal.items())


def token_figures(build: Path):
    """The judgement of a token beside OpenSSL's own verification of that size, in one run."""
    for bits in RSA_BITS:
        print(f"token: RSA of {bits} bits", flush=True)
        run = subprocess.run(
            [build / "tests/bench/token_bench", str(bits)], check=True, capture_output=True, text=True
        )
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        reference = next(row["case"] for row in rows if row["ratio"] == 1)
        for row in rows:
            if row["case"].startswith("HS256") and bits != RSA_BITS[0]:
                continue
            name = row["case"].replace("RS256", f"RS256-{bits}")
            figure = {
                "figure": name, "value": row["ns"] / 1000, "unit": "us of CPU",
                "against": reference.replace("RS256", f"RS256-{bits}"), "ratio": row["ratio"],
                "low": row["low"], "high": row["high"], "goal": GOALS.get(name),
            }
            yield figure | {"met": is_met(figure, figure["goal"])}


GROUPS = {"token": token_figures}


def print_table(figures):
    print(f"\n{'figure':<28} {'value':>9} {'unit':<10} {'ratio':>6} {'low':>6} {'high':>6}  goal")
    for row in figures:
        goal = "" if row["goal"] is None else (
            " ".join(f"{kind} {limit}" for kind, limit in row["goal"].items())
            + (": met" if row["met"] else ": MISSED")
        )
        print(f"{row['figure']:<28} {row['value']:>9.2f} {row['unit']:<10} {row['ratio']:>6.2f}"
              f" {row['low']:>6.2f} {row['high']:>6.2f}  {goal}")


def main():
    parser = argparse.ArgumentParser(prog="bench.py")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("groups", nargs="+", choices=GROUPS)
    options = parser.parse_args()
    figures = [row for group in options.groups for row in GROUPS[group](options.build)]
    print_table(figures)
    (options.out / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(f"\n{options.out / 'results.json'} holds the same.")


if __name__ == "__main__":
    main()
