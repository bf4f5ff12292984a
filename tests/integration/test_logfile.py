"""log.file: the log in a file of the worker's own, rotated by its size."""

import os
import subprocess

import pytest

from support import logfmt
from support.fastcgi import PARAMS, STDIN, begin, params, stream, variables_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "me.log"


def events(path) -> list:
    return logfmt.parse(path.read_text())


def test_a_cgi_program_writes_its_log_there(cgi, path):
    answer = cgi.get({}, ME_LOG_FILE=str(path))
    assert answer.status == 401 and answer.log == []
    (event,) = events(path)
    assert event["reason"] == "missing_token"
    assert event["request_id"] == answer.headers["X-Request-Id"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_told_where_the_web_server_looks(cgi, tmp_path):
    answer = cgi.get({}, ME_LOG_FILE=str(tmp_path / "nothing" / "me.log"))
    assert answer.status == 500
    detail = answer.events("error")[0]["detail"]
    assert "log.file" in detail and "No such file" in detail


def test_workers_rotate_it_among_themselves(start_worker, path):
    settings = {"ME_LOG_FILE": str(path), "ME_LOG_MAX_BYTES": "4096", "ME_LOG_KEPT": "90"}
    workers = [start_worker(**settings) for _ in range(3)]
    ids = []
    for number in range(150):
        ids.append(f"request-{number}")
        answer = workers[number % 3].get({"X-Request-Id": ids[-1]})
        assert answer.status == 401
    files = sorted(path.parent.glob("me.log*"))
    assert len(files) > 5
    assert max(file.stat().st_size for file in files) < 2 * 4096
    logged = [event["request_id"] for file in files for event in events(file) if "request_id" in event]
    assert sorted(logged) == sorted(ids)


def test_a_file_that_logrotate_moved_away_is_begun_anew(start_worker, path):
    worker = start_worker(ME_LOG_FILE=str(path))
    worker.get({"X-Request-Id": "before"})
    path.rename(path.with_suffix(".old"))
    worker.get({"X-Request-Id": "after"})
    assert [event["request_id"] for event in events(path)] == ["after"]
    assert "before" in path.with_suffix(".old").read_text()


# ---- a disk that is full

LINES = 300


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 pages, nearly all of which a file holds."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(folder)], check=False, stderr=subprocess.PIPE)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    (folder / "ballast").write_bytes(bytes(48 * 1024))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def ask(worker, name):
    """A request that leaves one line, whatever becomes of that."""
    with worker.connect() as connection:
        variables, _ = variables_of(headers={"X-Request-Id": name})
        connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, b""))
        assert b"Status: 401" in connection.receive().stdout


def test_a_full_disk_loses_whole_lines_and_they_are_counted(start_worker, small_disk):
    path = small_disk / "me.log"
    workers = [start_worker(ME_LOG_FILE=str(path)) for _ in range(2)]
    for number in range(LINES):
        ask(workers[number % 2], f"request-{number}")
    before = events(path)
    assert 0 < len(before) < LINES - 2
    assert 0 < (small_disk / "ballast").stat().st_size and os.statvfs(small_disk).f_bfree == 0
    (small_disk / "ballast").unlink()
    for number, worker in enumerate(2 * workers):
        ask(worker, f"after-{number}")
    *_, first, second, third, fourth = events(path)
    assert [event["request_id"] for event in (first, second, third, fourth)] == [f"after-{number}" for number in range(4)]
    assert int(first["lost"]) + int(second["lost"]) + len(before) == LINES
    assert "lost" not in third and "lost" not in fourth


def test_standard_error_on_a_full_disk(start_worker, small_disk):
    """It may be the server's own file: the beginning of a line stays, and the next line begins on its own."""
    shared = small_disk / "server.log"
    worker = start_worker(shell=f'exec 2>{shared}; exec "$0"')
    for number in range(LINES):
        ask(worker, f"request-{number}")
    *whole, torn = shared.read_text().split("\n")
    assert 0 < len(whole) < LINES and torn != ""
    (small_disk / "ballast").unlink()
    ask(worker, "after")
    *still, last, nothing = shared.read_text().split("\n")
    assert still == [*whole, torn] and nothing == ""
    assert logfmt.parse_line(last)["lost"] == str(LINES - len(whole))
