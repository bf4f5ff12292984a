"""Health, metrics and slow requests: over several workers, over their deaths, and where nothing of it is switched on."""

import itertools
import os
import secrets
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import answer as answers
from support.cgi import Program
from support.held import count_waiting, held
from support.installation import write_secret
from support.processes import wait_until
from support.watch import ask, samples, total

SECRET = secrets.token_hex(32)
WORKERS = 3


@pytest.fixture
def watched(installation, tmp_path):
    """The settings that switch all of it on, as environment."""
    return {
        "ME_WATCH_LIVE_PATH": "/health/live",
        "ME_WATCH_READY_PATH": "/health/ready",
        "ME_WATCH_METRICS_PATH": "/metrics",
        "ME_WATCH_METRICS_FILE": str(tmp_path / "metrics"),
        "ME_WATCH_SECRET_FILE": str(write_secret(tmp_path / "metrics.secret", SECRET + "\n")),
    }


@pytest.fixture
def start(start_worker, watched):
    """Starts a worker with all of it switched on, which has begun to count when it is returned."""
    def started():
        worker = start_worker(**watched)
        assert ask(worker, "/health/live").status == 200
        return worker
    return started


@pytest.fixture
def crew(start):
    return [start() for _ in range(WORKERS)]


def bearer(secret=SECRET):
    return {"Authorization": f"Bearer {secret}"}


def metrics_of(worker) -> dict:
    answer = ask(worker, "/metrics", headers=bearer())
    assert answer.status == 200, answer
    return samples(answer.body.decode())


# ---- off by default

@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_off_by_default(worker, path):
    assert worker("GET", path).status == 404
    assert worker("GET", path, headers=bearer()).json["code"] == "not_found"


def test_each_is_switched_on_by_itself(start_worker):
    worker = start_worker(ME_WATCH_LIVE_PATH="/ping")
    assert ask(worker, "/ping").status == 200
    assert {ask(worker, path).status for path in ("/health/live", "/health/ready", "/metrics")} == {404}


def opened_by(worker) -> set:
    """The files beside sockets and the like, without its log."""
    folder = f"/proc/{worker.pid}/fd"
    names = {os.readlink(f"{folder}/{name}") for name in os.listdir(folder)}
    return {name for name in names if name.startswith("/") and name != str(worker.log_file)}


def test_without_metrics_no_file_is_opened(start_worker, watched, tokens, reader):
    worker, counting = start_worker(ME_CACHE_MODE="off"), start_worker(**watched, ME_CACHE_MODE="off")
    for each in (worker, counting):
        each.get(tokens.bearer(reader))
    assert opened_by(counting) - opened_by(worker) == {watched["ME_WATCH_METRICS_FILE"]}
    assert not opened_by(worker) - opened_by(counting)


# ---- paths and methods

def test_live(crew):
    answer = ask(crew[0], "/health/live")
    assert (answer.status, answer.json) == (200, {"status": "live"})
    assert answer.headers["Cache-Control"] == "private, no-cache"
    head = ask(crew[0], "/health/live", "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(answer.body)))


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "OPTIONS", "DELETE"])
def test_other_methods(crew, path, method):
    answer = ask(crew[0], path, method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("environment,status", [
    ({"SCRIPT_NAME": "/cgi-bin/me.fcgi", "PATH_INFO": "/health/live"}, 200),
    ({"SCRIPT_NAME": "/health", "PATH_INFO": "/live"}, 200),
    ({"SCRIPT_NAME": None, "PATH_INFO": None, "REQUEST_URI": "/health/live?now"}, 200),
    ({"SCRIPT_NAME": "/x", "PATH_INFO": "/health/live"}, 404),
    ({"SCRIPT_NAME": "/x/health/live"}, 404),
])
def test_however_the_server_splits_the_path(crew, environment, status):
    assert ask(crew[0], "/health/live", **environment).status == status


# ---- who may read the metrics

def test_metrics_need_the_secret(crew, tokens, reader):
    missing = ask(crew[0], "/metrics")
    assert (missing.status, missing.json["code"]) == (401, "missing_token")
    assert missing.headers["WWW-Authenticate"].startswith("Bearer")
    for wrong in (SECRET[:-1], SECRET + "x", "x" * len(SECRET), tokens.mint(reader)):
        answer = ask(crew[0], "/metrics", headers=bearer(wrong))
        assert (answer.status, answer.json["code"]) == (401, "invalid_token")
        assert b"me_" not in answer.body


def test_the_secret_is_no_token(crew):
    assert crew[0].get(bearer()).status == 401


def test_metrics_for_anyone(start_worker, watched):
    worker = start_worker(**{**watched, "ME_WATCH_METRICS_FOR": "anyone", "ME_WATCH_SECRET_FILE": ""})
    assert ask(worker, "/metrics").status == 200


def test_a_secret_that_others_can_read_is_refused(installation, watched, tmp_path):
    (tmp_path / "metrics.secret").chmod(0o644)
    done = Program(installation.conf).run({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/me", **watched})
    assert done.stdout.startswith(b"Status: 500") and b"chmod" in done.stderr


@pytest.mark.parametrize("secret, words", [("too short\n", b"characters that no header can send"),
                                           ("short\n", b"metrics.secret: the secret has 5 bytes")])
def test_a_secret_that_is_of_no_use_is_refused(installation, watched, tmp_path, secret, words):
    write_secret(tmp_path / "metrics.secret", secret)
    done = Program(installation.conf).run({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/me", **watched})
    assert done.stdout.startswith(b"Status: 500") and words in done.stderr


# ---- what is counted

def test_counts_over_all_workers(crew, tokens, reader, user):
    for worker in crew:
        for _ in range(4):
            assert worker.get(tokens.bearer(reader)).status == 200
        assert worker.get(tokens.bearer(reader, exp=1)).status == 401
        assert worker.patch(tokens.bearer(user), {"name": ""}).status == 422
        assert worker("DELETE", headers=tokens.bearer(reader)).status == 405
        assert worker("GET", "/nothing").status == 404
    for worker in crew:
        found = metrics_of(worker)
        assert total(found, "me_requests_total", method="GET", status=200) == 4 * WORKERS
        assert total(found, "me_requests_total", method="PATCH", status=422) == WORKERS
        assert total(found, "me_requests_total", method="other", status=405) == WORKERS
        assert total(found, "me_requests_total") == 8 * WORKERS
        assert total(found, "me_refusals_total", reason="expired") == WORKERS
        assert total(found, "me_refusals_total", reason="validation_failed") == WORKERS
        assert total(found, "me_refusals_total") == 4 * WORKERS
        assert total(found, "me_request_duration_seconds_count") == 8 * WORKERS
        assert 0 < total(found, "me_request_duration_seconds_sum", method="GET") < 30
        assert found["me_workers"] == WORKERS
        assert total(found, "me_database_connections") == WORKERS
        assert total(found, "me_database_connections_opened_total") == WORKERS
        assert total(found, "me_database_failures_total") == 0
        assert 0 < found["me_database_seconds_total"] <= total(found, "me_request_duration_seconds_sum")
        assert total(found, "me_profiles_total", cache="hit") >= 4 * WORKERS - 1
        assert total(found, "me_profiles_total") == 4 * WORKERS
        assert total(found, "me_tokens_total", by="recalled") >= 3 * WORKERS
        assert total(found, "me_tokens_total", by="verified") >= 2 * WORKERS


def test_who_watches_is_not_counted(crew):
    for path in ("/health/live", "/health/ready", "/metrics"):
        ask(crew[0], path)
    assert total(metrics_of(crew[0]), "me_requests_total") == 0


def test_keys(crew, installation):
    found = metrics_of(crew[0])
    assert found["me_keys"] == 2
    newest = max(path.stat().st_mtime for path in (installation.secret_file, installation.public_key_file))
    assert abs(found["me_keys_changed_timestamp_seconds"] - newest) < 0.01


def test_a_key_file_that_cannot_be_used_is_counted(start_worker, watched, installation, tokens, reader, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text(installation.public_key_file.read_text())
    worker = start_worker(**watched, ME_TOKEN_PUBLIC_KEY_FILE=str(key))
    worker.get(tokens.bearer(reader))
    key.write_text("no key")

    def failures():
        worker.get(tokens.bearer(reader))
        return metrics_of(worker)["me_key_file_failures_total"]
    wait_until(lambda: failures() == 1, what="the file is looked at")
    assert metrics_of(worker)["me_keys"] == 2


def test_plain_cgi_counts_too(start_worker, watched, installation, tokens, reader):
    program = Program(installation.conf)
    for number in range(1, 4):
        assert program("GET", headers=tokens.bearer(reader), **watched).status == 200
        done = program.run({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/metrics",
                            "HTTP_AUTHORIZATION": f"Bearer {SECRET}", **watched})
        found = samples(answers.parse_cgi(done.stdout).body.decode())
        assert total(found, "me_requests_total", status=200) == number
        assert found["me_workers"] == 1
    assert total(metrics_of(start_worker(**watched)), "me_requests_total") == 3


# ---- workers come and go

def never_less(before, after):
    fallen = [key for key, value in before.items()
              if key.partition("{")[0].endswith(("_total", "_bucket", "_count", "_sum")) and after[key] < value]
    assert not fallen


def test_nothing_falls_when_workers_are_killed(start, tokens, reader):
    crew, observer, asked = [start(), start()], start(), 0
    before = metrics_of(observer)
    for _ in range(4):
        for worker in crew:
            for _ in range(5):
                assert worker.get(tokens.bearer(reader)).status == 200
                asked += 1
        victim = crew.pop(0)
        victim.process.kill()
        victim.wait(10)
        victim.end = lambda: None
        after = metrics_of(observer)
        never_less(before, after)
        assert total(after, "me_requests_total", status=200) == asked
        assert after["me_workers"] == 2
        before = after
        crew.append(start())
    assert metrics_of(observer)["me_workers"] == 3


def ask_until_killed(worker, headers, is_at_work: threading.Event) -> int:
    """How many answers came."""
    for number in itertools.count():
        try:
            worker.get(headers)
        except (OSError, EOFError):
            return number
        is_at_work.set()


def test_nothing_is_lost_of_workers_that_are_killed_at_work(start, tokens, reader):
    """Who has an answer was counted; of a worker that is killed one request more may have been."""
    observer, victims = start(), [start() for _ in range(WORKERS)]
    before, headers = metrics_of(observer), tokens.bearer(reader)
    with ThreadPoolExecutor() as pool:
        at_work = [threading.Event() for _ in victims]
        counts = [pool.submit(ask_until_killed, *of) for of in zip(victims, itertools.repeat(headers), at_work)]
        for worker, is_at_work in zip(victims, at_work):
            assert is_at_work.wait(30)
            for _ in range(40):
                after = metrics_of(observer)
                never_less(before, after)
                before = after
            worker.process.kill()
            worker.wait(10)
            worker.end = lambda: None
        answered = sum(count.result(30) for count in counts)
    after = metrics_of(observer)
    never_less(before, after)
    assert after["me_workers"] == 1 and answered >= WORKERS
    assert answered <= total(after, "me_requests_total", method="GET", status=200) <= answered + WORKERS


def test_all_restarted(start, tokens, reader):
    for number in range(1, 4):
        crew = [start(), start()]
        for worker in crew:
            worker.get(tokens.bearer(reader))
        assert total(metrics_of(crew[0]), "me_requests_total") == 2 * number
        for worker in crew:
            worker.end()


@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "scribbled"])
def test_a_damaged_file_is_made_anew(crew, watched, tokens, reader, damage):
    file = watched["ME_WATCH_METRICS_FILE"]
    for worker in crew:
        worker.get(tokens.bearer(reader))
    before = metrics_of(crew[0])
    if damage == "removed":
        os.unlink(file)
    elif damage == "scribbled":
        with open(file, "r+b") as stream:
            stream.write(b"x" * 5000)
    else:
        os.truncate(file, 0 if damage == "emptied" else 5000)
    assert {worker.get(tokens.bearer(reader)).status for worker in crew} == {200}

    def count():
        answer = ask(crew[0], "/metrics", headers=bearer())
        return total(samples(answer.body.decode()), "me_requests_total") if answer.status == 200 else answer.status
    wait_until(lambda: count() == 2 * WORKERS, what="all workers count in the new file")
    never_less(before, metrics_of(crew[1]))


def test_a_file_that_is_not_ours_stops_nobody(start_worker, watched, tokens, reader, tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "metrics").symlink_to(tmp_path / "precious")
    worker = start_worker(**watched)
    assert worker.get(tokens.bearer(reader)).status == 200
    log = worker.log_file.read_text()
    assert "nothing is counted" in log and "is a symbolic link" in log
    answer = ask(worker, "/metrics", headers=bearer())
    assert (answer.status, answer.json["code"]) == (503, "service_unavailable")
    assert (tmp_path / "precious").read_text() == "precious"


# ---- mectl metrics

def test_mectl_prints_the_same(crew, watched, tokens, reader, mectl):
    crew[0].get(tokens.bearer(reader))
    printed = mectl("metrics", **watched).stdout
    assert printed == ask(crew[1], "/metrics", headers=bearer()).body.decode()
    for worker in crew:
        worker.end()
    found = samples(mectl("metrics", **watched).stdout)
    assert (found["me_workers"], total(found, "me_requests_total")) == (0, 1)
    assert "me_keys" not in found


def test_mectl_says_why_there_is_nothing(mectl, watched, tmp_path):
    assert "set watch.metrics_file" in mectl("metrics", check=False).stderr
    assert "No such file" in mectl("metrics", check=False, **watched).stderr
    (tmp_path / "metrics").write_text("something else")
    assert "was damaged" in mectl("metrics", check=False, **watched).stderr


def test_promtool_has_nothing_to_say(crew, tokens, reader):
    crew[0].get(tokens.bearer(reader))
    text = ask(crew[0], "/metrics", headers=bearer()).body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# ---- ready

def test_ready(crew):
    for worker in crew:
        answer = ask(worker, "/health/ready")
        assert (answer.status, answer.json) == (200, {"status": "ready"})


def assert_not_ready(worker, detail):
    answer = ask(worker, "/health/ready")
    assert (answer.status, answer.json["code"]) == (503, "service_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    line = worker.log()[-1]
    assert line["level"] == "error" and detail in line["detail"], line
    assert ask(worker, "/health/live").status == 200


def test_not_ready_while_the_database_is_away(start_worker, watched, tmp_path):
    worker = start_worker(**watched, ME_DATABASE_HOST=str(tmp_path / "no.sock"))
    assert_not_ready(worker, "no.sock")
    assert total(metrics_of(worker), "me_database_failures_total", result="unavailable") >= 1


def test_ready_again_when_the_database_is_back(start_worker, watched, installation):
    worker = start_worker(**watched)
    assert ask(worker, "/health/ready").status == 200
    installation.server.stop()
    try:
        wait_until(lambda: ask(worker, "/health/ready").status == 503, what="it is missed")
        assert ask(worker, "/health/live").status == 200
        assert metrics_of(worker)["me_database_connections"] == 0
    finally:
        installation.server.start()
    wait_until(lambda: ask(worker, "/health/ready").status == 200, what="it is found again")
    found = metrics_of(worker)
    assert found["me_database_connections"] == 1
    assert total(found, "me_database_failures_total") > 0
    assert total(found, "me_database_connections_opened_total") == 2


def test_not_ready_where_the_schema_is_not_there(start_worker, watched, installation):
    installation.server.root.select_db(installation.database)
    installation.execute("RENAME TABLE user_badges TO user_badges_away")
    try:
        worker = start_worker(**watched)
        assert_not_ready(worker, "user_badges")
    finally:
        installation.execute("RENAME TABLE user_badges_away TO user_badges")
    wait_until(lambda: ask(worker, "/health/ready").status == 200, what="the table is back")
    installation.execute("RENAME TABLE user_badges TO user_badges_away")
    try:
        wait_until(lambda: ask(worker, "/health/ready").status == 503, what="the table is missed")
    finally:
        installation.execute("RENAME TABLE user_badges_away TO user_badges")


def test_not_ready_where_the_account_may_not_write(start_worker, watched, installation):
    worker = start_worker(**watched, ME_DATABASE_USER=installation.admin_account, ME_DATABASE_PASSWORD_FILE=str(
        installation.admin_password_file), ME_AUDIT_LEVEL="off")
    assert ask(worker, "/health/ready").status == 200  # mectl's account may
    right = f"UPDATE (name) ON {installation.database}.users"
    installation.execute(f"REVOKE {right} FROM {installation.worker_account}@localhost")
    try:
        assert_not_ready(start_worker(**watched), "denied")
    finally:
        installation.execute(f"GRANT {right} TO {installation.worker_account}@localhost")


def test_not_ready_where_the_audit_trail_cannot_be_written(start_worker, watched, installation):
    """A change is only made together with its row there."""
    installation.execute(f"RENAME TABLE {installation.database}.profile_changes TO {installation.database}.changes_away")
    try:
        assert ask(start_worker(**watched, ME_AUDIT_LEVEL="off"), "/health/ready").status == 200
        assert_not_ready(start_worker(**watched, ME_AUDIT_LEVEL="members"), "profile_changes")
    finally:
        installation.execute(f"RENAME TABLE {installation.database}.changes_away TO {installation.database}.profile_changes")


def test_the_database_is_asked_once_a_second(start_worker, watched, installation):
    worker = start_worker(**watched)
    ask(worker, "/health/ready")

    def questions():
        (row,) = installation.execute("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")
        return int(row["Value"] if isinstance(row, dict) else row[1])
    time.sleep(1.1)
    before, start_s = questions(), time.monotonic()
    for _ in range(200):
        assert ask(worker, "/health/ready").status == 200
    assert questions() - before <= 1 + time.monotonic() - start_s


# ---- the log

def test_every_refusal_has_a_line_with_its_id(worker, tokens, reader):
    for answer in (worker.get({}), worker.get(tokens.bearer(reader, exp=1)), worker("GET", "/x"),
                   worker("DELETE", headers=tokens.bearer(reader)), worker.patch(tokens.bearer(reader), b"{")):
        assert answer.status >= 400
        line = answer.log[-1]
        assert line["event"] == "request" and line["request_id"] == answer.headers["X-Request-Id"]
        assert int(line["status"]) == answer.status and line["reason"]
        assert "slow" not in line


def test_slow_requests(start_worker, tokens, user, installation):
    worker = start_worker(ME_LOG_SLOW_MS="1000", ME_LOG_LEVEL="warning")
    assert worker.get(tokens.bearer(user)).log == []
    with ThreadPoolExecutor() as pool:
        with held(installation, user):
            asked = pool.submit(worker.patch, tokens.bearer(user), {"name": "Slow"})
            wait_until(lambda: count_waiting(installation) == 1, what="the PATCH waits")
            time.sleep(1)
        answer = asked.result(20)
    assert answer.status == 200
    (line,) = [line for line in answer.log if line["event"] == "request"]
    assert (line["level"], line["slow"], line["status"]) == ("warning", "yes", "200")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert int(line["duration_us"]) >= int(line["database_us"]) >= 1000000
