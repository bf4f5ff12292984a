"""No answer is another one than the database's at the time; and the check that says so can say otherwise."""

import os

import pytest

from support.staleness import Run


def hits(folder) -> int:
    return (folder / "crew.log").read_bytes().count(b"cache=hit")


def test_no_answer_is_stale_or_torn(installation, users, tmp_path):
    is_long = bool(os.environ.get("ME_LONG"))
    wanted, time_s = (550000, 4 * 3600) if is_long else (10000, 25)
    counts, wrong = Run(installation, users, tmp_path)(wanted, time_s)
    print(f"counted: {dict(counts)}, {hits(tmp_path)} hits")
    assert wrong == []
    assert counts["GET 200"] > 500 and counts["PATCH 200"] > 20
    assert counts["forged GET 401"] > 20
    assert counts["GET 401"] > 20 and counts["GET 403"] > 5
    assert hits(tmp_path) > 200


@pytest.mark.parametrize("control", ["without-revision", "without-checksum"])
def test_the_check_finds_what_is_wrong(installation, users, tmp_path, control):
    """Programs that lack one of the two tests each."""
    run = Run(installation, users, tmp_path, f"tests/control/me-{control}")
    counts, wrong = run(10 ** 9, 120, scribbles=200 if control == "without-checksum" else 0)
    print(f"counted: {dict(counts)}")
    assert wrong != []
