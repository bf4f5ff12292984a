"""Reads llvm-cov's summary from standard input and prints one line for each file of src/ that was reached."""

import json
import sys
from pathlib import Path


def main(top: Path):
    for file in json.load(sys.stdin)["data"][0]["files"]:
        name = Path(file["filename"]).resolve()
        lines = file["summary"]["lines"]
        if name.is_relative_to(top / "src") and lines["covered"]:
            print(f"  {name.relative_to(top)!s:32} {lines['covered']:4} of {lines['count']:4} {lines['percent']:5.1f} %")


main(Path(sys.argv[1]).resolve())
