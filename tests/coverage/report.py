"""
What gcov counted in a build folder, as a table: lines and branches of src/, folder by folder, then the files below
the goal with the lines that nothing reached. `left_out.txt` beside this says why those are not reached.

    report.py TOP BUILD

Exit status 1: less of src/ than the goal, or a file below it that left_out.txt does not explain. One that it explains
without need is told: what a race leaves out is another line in each run.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

GOAL_PERCENT = 95
LEFT_OUT = Path(__file__).with_name("left_out.txt")


class Counts:
    """Lines by number, and branches by line and place in it: how often each was taken."""

    def __init__(self):
        self.lines, self.branches = defaultdict(int), defaultdict(int)

    def add(self, file: dict):
        """The same header is part of several objects, and each counts for itself."""
        for line in file["lines"]:
            number = line["line_number"]
            self.lines[number] += line["count"]
            for place, branch in enumerate(line["branches"]):
                self.branches[number, place] += branch["count"]

    def missing(self) -> list:
        return sorted(number for number, count in self.lines.items() if not count)


def measured(top: Path, build: Path):
    """
    The lines that gcov has of each file of src/; an object that never ran has its share, all zero. Programs that lack
    a part on purpose, so that the tests have one to find, are not what is measured.
    """
    counts = defaultdict(Counts)
    notes = sorted(str(path) for path in (build / "src").rglob("*.gcno") if not path.name.startswith("tests_control"))
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *notes], cwd=build,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    for report in map(json.loads, filter(str.strip, done.stdout.splitlines())):
        for file in report["files"]:
            name = (build / file["file"]).resolve()
            if name.is_relative_to(top / "src"):
                counts[str(name.relative_to(top))].add(file)
    return counts


def share(counts) -> tuple:
    """How many of them were reached, and how many there are."""
    counts = list(counts)
    return sum(1 for count in counts if count), len(counts)


def percent(reached: int, total: int) -> float:
    return 100 * reached / total if total else 100


def ranges(numbers: list) -> str:
    """1 2 3 7 as 1-3 7."""
    spans = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def row(name: str, group: list) -> str:
    lines = share(count for each in group for count in each.lines.values())
    branches = share(count for each in group for count in each.branches.values())
    return (f"{name:28} {lines[0]:6} of {lines[1]:6} {percent(*lines):6.1f} %"
            f" {branches[0]:6} of {branches[1]:6} {percent(*branches):6.1f} %")


def line_percent(group: list) -> float:
    return percent(*share(count for each in group for count in each.lines.values()))


def explained() -> dict:
    """File and reason, a colon between them; what begins with # is for people."""
    rows = (line.partition(":") for line in LEFT_OUT.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {name: reason.strip() for name, _, reason in rows}


def print_folders(counts: dict):
    folders = defaultdict(list)
    for name, each in counts.items():
        folders[str(Path(name).parent)].append(each)
    print(f"{'':28} {'lines':>16} {'':8} {'branches':>16}")
    for folder in sorted(folders):
        print(row(folder, folders[folder]))
    print(row("src", list(counts.values())))


def print_files(below: list, counts: dict, reasons: dict):
    print(f"\nfiles with less than {GOAL_PERCENT} % of their lines, and those that nothing reached")
    for name in below:
        print(row(name, [counts[name]]))
        print(f"    {ranges(counts[name].missing())}")
        print(f"    {reasons.get(name, 'NOT EXPLAINED')}")


def main(top: Path, build: Path) -> int:
    counts, reasons = measured(top, build), explained()
    below = sorted(name for name, each in counts.items() if line_percent([each]) < GOAL_PERCENT)
    wrong = [f"{name} is below {GOAL_PERCENT} %, and left_out.txt does not say why" for name in below if name not in reasons]
    total = line_percent(list(counts.values()))
    if total < GOAL_PERCENT:
        wrong.append(f"{total:.1f} % of the lines of src/, and {GOAL_PERCENT} % are wanted")
    print_folders(counts)
    print_files(below, counts, reasons)
    print(*(f"{name} needs no reason in left_out.txt" for name in reasons if name not in below), *wrong, sep="\n")
    return 1 if wrong else 0


sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
