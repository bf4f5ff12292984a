"""What compiler and linker can do against an exploit, they did: read out of the programs themselves."""

import re
import subprocess

import pytest

from support.paths import is_measured, is_sanitized, program

PROGRAMS = ("me.fcgi", "mectl")

pytestmark = pytest.mark.skipif(is_sanitized() or is_measured(), reason="this build is for tests, and not hardened")


def readelf(option: str, name: str) -> str:
    return subprocess.run(["readelf", "--wide", option, str(program(name))], capture_output=True, text=True,
                          check=True).stdout


def segments(name: str) -> dict:
    """Flags of the program's segments by their type; those that are loaded are a list."""
    rows = re.findall(r"^  (\w+) +(?:0x\w+ +){5}([R W]?[R WE]*) +0x", readelf("--program-headers", name), re.MULTILINE)
    found = {kind: flags.replace(" ", "") for kind, flags in rows}
    found["LOAD"] = [flags.replace(" ", "") for kind, flags in rows if kind == "LOAD"]
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_loaded_at_a_random_address(name):
    assert re.search(r"FLAGS_1\).*\bPIE\b", readelf("--dynamic", name))


@pytest.mark.parametrize("name", PROGRAMS)
def test_its_tables_of_addresses_are_read_only_once_it_runs(name):
    assert "GNU_RELRO" in segments(name)
    assert re.search(r"FLAGS_1\).*\bNOW\b", readelf("--dynamic", name))


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_in_memory_is_both_written_and_run(name):
    found = segments(name)
    assert found["GNU_STACK"] == "RW"
    assert len(found["LOAD"]) > 1 and not [flags for flags in found["LOAD"] if "W" in flags and "E" in flags]
    assert "TEXTREL" not in readelf("--dynamic", name)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_overrun_of_the_stack_is_noticed(name):
    assert "__stack_chk_fail" in readelf("--symbols", name)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_c_library_checks_the_sizes_of_buffers(name):
    checked = set(re.findall(r"\b__(\w+)_chk\b", readelf("--symbols", name)))
    assert checked & {"snprintf", "vsnprintf", "memcpy", "read", "fprintf", "printf"}, checked


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_library_is_looked_for_in_a_folder_of_its_own(name):
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf("--dynamic", name))
