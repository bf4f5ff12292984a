"""scripts/lib/beside.sh, by which scripts/test has groups of tests go on beside each other: here they only wait."""

import os
import re
import signal
import subprocess

import pytest

from support.paths import SOURCE
from support.processes import is_running, wait_until

GROUPS = re.search(r'(?m)^groups="(.+)"$', (SOURCE / "scripts" / "test").read_text())[1].split()
MEASURED = {
    "unit": set(GROUPS), "unit-sanitized": set(GROUPS), "faults": {"checks", "deploy", "package", "fuzz", "dist"},
    "cluster": {"checks", "integration", "integration-sanitized", "deploy", "fuzz", "dist"}}
AT_ONCE = 3
SCRIPT = """
set -euo pipefail
. scripts/lib/say.sh
. scripts/lib/counting.sh
. scripts/lib/beside.sh
logs=$1 groups=$2 chosen=$3
is_chosen() { has_word "$chosen" "$1"; }
run_group() {
    say "== $1"
    trap 'echo "interrupted $1" >>"$logs/order"; exit 130' INT
    echo "begin $1 $BASHPID" >>"$logs/order"
    good "a test of $1"
    [ "$1" != issuers ] || exit 1
    [ "$1" != cluster ] || bad "another of $1"
    sleep "$pause_s"
    echo "end $1" >>"$logs/order"
}
watch_for_the_end
run_beside
say "$passed passed, $failed failed, $skipped skipped"
"""


def started(folder, chosen, pause_s) -> subprocess.Popen:
    """Leads a process group, as what a terminal starts, and hears SIGINT."""
    return subprocess.Popen(
        ["env", "--default-signal=INT", "bash", "-c", SCRIPT, "test", folder, " ".join(GROUPS), " ".join(chosen)],
        cwd=SOURCE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env={**os.environ, "pause_s": str(pause_s)})


def order(folder) -> list:
    """What began and ended, as words."""
    file = folder / "order"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture(scope="module")
def all_of_them(tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    output, _ = started(folder, GROUPS, 0.3).communicate(timeout=120)
    return output, order(folder)


def test_what_they_say_comes_in_the_order_of_the_usage(all_of_them):
    output, _ = all_of_them
    assert re.findall(r"(?m)^== (\S+)$", output) == GROUPS
    assert re.findall(r"(?m)^ok       a test of (\S+)$", output) == GROUPS


def test_what_they_count_is_added_and_one_that_breaks_off_is_a_failure(all_of_them):
    output, _ = all_of_them
    assert "NOT OK   the group issuers ended before its end\n" in output
    assert output.endswith(f"\n{len(GROUPS) - 1} passed, 2 failed, 0 skipped\n")


def test_each_runs_once_with_two_beside_it_at_most(all_of_them):
    assert sorted(words[1] for words in all_of_them[1] if words[0] == "begin") == sorted(GROUPS)
    assert max(map(len, beside(all_of_them[1]))) == AT_ONCE


def test_what_is_measured_is_beside_nothing_that_spoils_it(all_of_them):
    for running in beside(all_of_them[1]):
        for name, spoilers in MEASURED.items():
            assert name not in running or not (running - {name}) & spoilers, running


def beside(events) -> list:
    """Those that were under way together, after each event."""
    running, sets = set(), []
    for what, name, *_ in events:
        (running.add if what == "begin" and name != "issuers" else running.discard)(name)
        sets.append(set(running))
    return sets


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_all_of_them(tmp_path, sent):
    process = started(tmp_path, ["integration", "deploy", "package"], 300)
    wait_until(lambda: len(order(tmp_path)) == 3, 30, "three have begun")
    pids = [int(words[2]) for words in order(tmp_path)]
    os.killpg(process.pid, sent)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not any(map(is_running, pids))
    assert sorted(words[1] for words in order(tmp_path) if words[0] == "interrupted") == ["deploy", "integration", "package"]
