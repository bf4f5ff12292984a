"""The integration tests written in C, each a program of its own."""

import os
import subprocess

import pytest

from support.paths import SOURCE, build, clean_environment

NAMES = sorted(path.stem for path in (SOURCE / "tests" / "integration").glob("*_test.c"))


@pytest.mark.parametrize("name", NAMES)
def test_program(mariadb, name, tmp_path):
    program = build() / "tests" / "integration" / name
    assert os.access(program, os.X_OK), f"{program} is missing: make -C {build()} tests/integration/{name}"
    done = subprocess.run(
        [str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=120, check=False, cwd=tmp_path,
        env=clean_environment(ME_TEST_SOCKET=mariadb.socket, ME_TEST_SOURCE=str(SOURCE)),
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}"
