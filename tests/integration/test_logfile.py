"""log.file: the log in a file of the worker's own, rotated by its size."""

import pytest

from support import logfmt


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
