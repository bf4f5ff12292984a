"""The judgement of a token beside OpenSSL's own verification of that size, in one run."""

import json
import subprocess
from pathlib import Path

from figures import Figure, Goal

RSA_BITS = (2048, 3072, 4096)
_REFERENCE = ("token", "OpenSSL")
GOALS = {
    "RS256-2048, first time": Goal("", "cpu_us", (), _REFERENCE, 1.15, at_least=False),
    "RS256-2048, repeated": Goal("", "cpu_us", (), None, 3.0, at_least=False),
}


def _figure(row: dict, bits: int, reference: str) -> Figure:
    name = row["case"].replace("RS256", f"RS256-{bits}")
    figure = Figure(name, row["ns"] / 1000, "us of CPU", reference.replace("RS256", f"RS256-{bits}"), row["ratio"],
                    row["low"], row["high"])
    return GOALS[name].judge(figure) if name in GOALS else figure


def measure(build: Path, progress) -> list:
    figures = []
    for bits in RSA_BITS:
        progress.tell(f"token, RSA of {bits} bits")
        run = subprocess.run([build / "tests/bench/token_bench", str(bits)], check=True, capture_output=True, text=True)
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        reference = next(row["case"] for row in rows if row["ratio"] == 1)
        figures += [_figure(row, bits, reference) for row in rows
                    if bits == RSA_BITS[0] or not row["case"].startswith("HS256")]
    return figures
