"""A file of tokens for each algorithm: of each user one, made once and kept beside the users."""

import os
import subprocess
from pathlib import Path

from database import AUDIENCE, ISSUER, Population

EXPIRES_AT = 4070908800  # 2099
KEYS = {"HS256": "hs256.secret", "RS256": "rs256.pem"}


def make_tokens(population: Population, build: Path, algorithm: str, count: int, progress) -> Path:
    """The path of a file with lines of a user's id and a token."""
    path = population.folder / f"{algorithm}-{count}.tokens"
    recipe = population.folder / "recipe"
    if path.exists() and path.stat().st_mtime >= recipe.stat().st_mtime:
        return path
    progress.tell(f"{count:,} tokens {algorithm}, made once and kept")
    lines = population.sessions(count).encode()
    new = path.with_suffix(".new")
    with new.open("wb") as out:
        for minted in zip(*_mint(population, build, algorithm, lines)):
            out.writelines(minted)
    new.replace(path)
    return path


def _mint(population: Population, build: Path, algorithm: str, lines: bytes) -> list:
    """Each processor mints every second, third or so line; what each has minted, in the order of the lines."""
    count = os.cpu_count() or 1
    while lines.count(b"\n") % count:  # all make the same number
        count -= 1
    key = population.database.keys / KEYS[algorithm]
    outputs = [population.folder / f"minted-{number}" for number in range(count)]
    minters = []
    source = population.folder / "sessions"
    source.write_bytes(lines)
    for number, output in enumerate(outputs):
        command = [build / "tests/bench/mint_tokens", key, ISSUER, AUDIENCE, EXPIRES_AT, number, count]
        with output.open("wb") as out, source.open("rb") as standard_input:
            minters.append(subprocess.Popen(list(map(str, command)), stdin=standard_input, stdout=out))
    if any([minter.wait() for minter in minters]):
        raise RuntimeError("the tokens could not be made")
    minted = [output.read_bytes().splitlines(keepends=True) for output in outputs]
    for path in [source, *outputs]:
        path.unlink()
    return minted
