"""What git says of the sources that are measured."""

import subprocess
from pathlib import Path

SOURCE = Path(__file__).parents[2]


def git(*arguments) -> str:
    """What it prints; nothing where there is no git, or the sources are in no repository."""
    try:
        done = subprocess.run(["git", *arguments], cwd=SOURCE, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
