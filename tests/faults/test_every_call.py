"""
Every call that can fail fails once, in a GET and in a PATCH: of a worker that has served before, of one that is just
started, and of a CGI program; and of a worker that keeps what it shows, with what is kept and while it makes its file.
There is no crash, no leak, no wrong 200, no answer that only seems whole, and the next request is served.
"""

import collections
import itertools
import os
import re
import signal
import subprocess

import pytest

from support import answer as answers
from support import injection, summary
from support.cgi import headers_of
from support.fastcgi import PARAMS, STDIN, Worker, begin, params, stream, variables_of
from support.injection import FALLIBLE, INFALLIBLE
from support.paths import clean_environment, is_sanitized, program

METHODS = ["GET", "PATCH"]
SERVED = {200, 500, 503}
BROKEN_OFF = {"read", "recv"}  # a body that cannot be read is the client's to send again: 400
LEAKED = 99
IS_LONG = "ME_LONG" in os.environ
LATE = 250
# How many points of each test are tried where not all are.
SAMPLE = {"warm": 320, "cold": 60, "cgi": 80, "keeping": 24, "making": 28}
# The calls that a worker makes of the file in which it keeps what it shows.
OF_THE_FILE = {"open", "mkostemp", "fchmod", "posix_fallocate", "pread", "pwrite", "fstat", "lstat", "link", "rename", "unlink"}
# These end their process by assert() where they get no memory: libfcgi, and glibc while it reads nsswitch.conf.
ASSERTS = ("libfcgi", "libc.so.6: __getdelim")
# The calls by which the answer goes out and the request comes in: the client may see its connection end.
TRANSPORT = {"read", "write", "accept", "accept4", "epoll_pwait", "poll", "select", "fcntl"}


class Outcome:
    """What became of one request: `answer` is None where none came out whole, and `why` says what did."""

    def __init__(self, answer=None, why=""):
        self.answer, self.why = answer, why


class Subject:
    """A user, and the request in which calls fail; the expectation comes from the database."""

    def __init__(self, installation, users, tokens, other: Worker, method: str):
        self.installation, self.other, self.method = installation, other, method
        self.user = users.full()
        self.bearer = tokens.bearer(self.user)
        self.number = 0

    def request(self) -> tuple:
        """The parameters and the body of the next one: no two write the same."""
        self.number += 1
        self.body = {"name": f"name {self.number}", "bio": f"bio {self.number}"}
        self.before = self.stored()
        return variables_of(self.method, "/me", self.bearer, self.body if self.method == "PATCH" else None)

    def ask_another(self):
        """The next request, of a worker in which nothing fails."""
        return self.other.get(self.bearer)

    def stored(self) -> tuple:
        return self.installation.execute(
            "SELECT name, bio, updated_at FROM users WHERE id = %s", [self.user.row["id"].bytes])[0]

    def judge(self, outcome: Outcome, probe, served=SERVED) -> list:
        """What is wrong with an outcome. `probe` is the answer of a GET after it."""
        after, wrong = self.stored(), []
        wanted = (self.body["name"], self.body["bio"])
        if self.method == "GET" or after[:2] != wanted:
            if after != self.before:
                wrong.append(f"half stored: {after}, and before {self.before}")
        elif after[2] == self.before[2]:
            wrong.append("updated_at stood still")
        if probe.status != 200 or (probe.json["name"], probe.json["bio"]) != after[:2]:
            wrong.append(f"the next request: {probe!r}")
        if outcome.answer is not None:
            if outcome.answer.status not in served:
                wrong.append(f"status {outcome.answer!r}")
            wrong += self._judge_answer(outcome.answer, after[:2] == wanted, probe)
        return wrong

    def _judge_answer(self, answer, is_stored: bool, probe) -> list:
        if answer.status != 200:
            return []
        wrong = [] if answer.body == probe.body and answer.etag == probe.etag else [f"a wrong 200: {answer!r}"]
        return wrong if is_stored or self.method == "GET" else [*wrong, "a 200, and nothing was stored"]


def parse(output: bytes, variables: dict, body: bytes, method: str) -> Outcome:
    """An answer that is whole is judged as all are."""
    try:
        answer = answers.parse_cgi(output)
        length = int(answer.headers.get("Content-Length", "0"))
    except AssertionError as error:
        return Outcome(why=f"no answer: {error}")
    if len(answer.body) < length:
        return Outcome(why=f"half an answer: {output!r}")
    answers.check(answer, method, headers_of(variables), body)
    return Outcome(answer)


def ask(worker: Worker, variables: dict, body: bytes, method: str) -> Outcome:
    """A request to a worker. What ends as if it were whole and is not is an AssertionError."""
    try:
        with worker.connect(20) as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, body))
            reply = connection.receive()
    except (EOFError, ConnectionError) as error:
        return Outcome(why=f"{type(error).__name__}: {error}")
    outcome = parse(reply.stdout, variables, body, method)
    assert outcome.answer, f"it ended as if it were whole: {outcome.why}"
    return outcome


def thinned(points: list, count: int) -> list:
    return points[::-(-len(points) // max(count, 1)) or 1]


def sample(found: list, kind: str) -> list:
    """All of them; or, of allocations, half of what is tried from the last ones, which the request itself makes."""
    count = SAMPLE[kind]
    if IS_LONG or len(found) <= count:
        return found
    often = [point for point in found if point[0] in ("malloc", "calloc", "realloc", "strdup")]
    rare = thinned([point for point in found if point not in often], count)
    of_name = collections.Counter(point[0] for point in often)
    late = [point for point in often if of_name[point[0]] - point[1] <= LATE]
    early = [point for point in often if point not in late]
    share = max(count - len(rare), count // 3) // 2
    return rare + sorted(thinned(late, share) + thinned(early, share), key=lambda point: point[0])


def points_of(counts: dict) -> list:
    """(name, which call, failure)"""
    return [(name, number, failure) for name, count in counts.items() for failure in FALLIBLE[name] for number in range(count)]


class Trial:
    """The points of one test, and what was found wrong with any."""

    def __init__(self, injected, subject: Subject, kind: str):
        self.injected, self.subject, self.kind = injected, subject, kind
        self.tried = self.unreached = self.unanswered = self.crashed = 0
        self.wrong = []

    def ask(self, worker: Worker, variables: dict, body: bytes, point: tuple) -> Outcome:
        try:
            return ask(worker, variables, body, self.subject.method)
        except AssertionError as error:
            self.blame(point, [str(error)])
            return Outcome(why="see above")

    def note(self, point: tuple, outcome: Outcome, probe, has_told=False):
        """An answer that failed, or a worker that could not start, `has_told` of it."""
        fired = self.injected.fired()
        if fired is None:
            self.unreached += 1
        self.tried += 1
        self.unanswered += outcome.answer is None
        wrong = self.subject.judge(outcome, probe, SERVED | {400} if point[0] in BROKEN_OFF else SERVED)
        if outcome.answer is None and not has_told and not self._may_be_silent(point[0], fired):
            wrong.append(outcome.why)
        self.blame(point, wrong)

    @staticmethod
    def _may_be_silent(name: str, fired) -> bool:
        return name in TRANSPORT or (fired or "").startswith(ASSERTS)

    def excuses(self, status: int, log: str) -> bool:
        """
        Whether a process that had yet to serve ended inside a library that got no memory, as OpenSSL does while it sets
        itself up: its client is told by the web server, and the spawner starts another.
        """
        crash = re.search(r"AddressSanitizer: SEGV[\s\S]*?#0 (.*)", log)
        is_crash = status == -signal.SIGSEGV or (status == LEAKED and crash is not None and "/src/" not in crash[1])
        is_library = (self.injected.fired() or "me.fcgi").partition(":")[0] != "me.fcgi"
        self.crashed += is_crash and is_library
        return is_crash and is_library

    def blame(self, point: tuple, wrong: list):
        name, number, failure = point
        self.wrong += [f"{name} {number} ({failure}) called from {self.injected.fired()}: {text[:600]}" for text in wrong]

    def close(self, of: int):
        told = (f"calls that failed, {self.kind} {self.subject.method}: {self.tried} of {of} points tried, "
                f"{self.unreached} not reached, {self.unanswered} without an answer, {self.crashed} ended in a library")
        summary.lines.append(told)
        assert not self.wrong, f"{told}; {len(self.wrong)} wrong:\n" + "\n".join(self.wrong[:40])
        assert self.tried > self.unreached * 4, told


@pytest.fixture
def environment(injected):
    """The preload comes before the sanitizer's library, which takes offence at that."""
    # what is kept makes one request's calls depend on those of others: it is on where a test says so
    environment = {**injected.environment(), "ME_CACHE_MODE": "off"}
    if is_sanitized():
        usual = os.environ.get("ASAN_OPTIONS", "")
        environment["ASAN_OPTIONS"] = (
            f"{usual}:verify_asan_link_order=0:allocator_may_return_null=1:exitcode={LEAKED}")
    return environment


@pytest.fixture
def start(installation, environment, tmp_path):
    """Starts workers in which calls can fail; what lives on after the test is ended."""
    workers = []

    def start_one(**more) -> Worker:
        folder = tmp_path / f"tried{len(workers)}"
        folder.mkdir()
        workers.append(Worker(installation, folder, **{**environment, **more}))
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.process.kill()
        worker.process.wait(10)


@pytest.fixture
def subject_of(installation, users, tokens, worker):
    return lambda method: Subject(installation, users, tokens, worker, method)


def test_all_that_the_program_calls_is_known():
    """A function that is new among its imports is to be put among those that can fail, or cannot."""
    assert injection.imports_of_program() <= set(FALLIBLE) | INFALLIBLE


# ---- a worker that has served before

def warm_up(worker: Worker, subject: Subject):
    for method in METHODS:
        headers = subject.bearer
        assert worker(method, "/me", headers, {"locale": "en"} if method == "PATCH" else None).status == 200


def ended(worker: Worker, callers: set) -> list:
    """Ends a worker; what is wrong with what it leaves, as a leak is. `callers` are those whose calls failed in it."""
    worker.signal()
    status, log = worker.wait(20), worker.log_file.read_text(errors="replace")
    if status == 0 or (status == LEAKED and is_leak_of_library(log, callers)):
        return []
    return [f"exit status {status}: {log[-3000:]}"]


def is_leak_of_library(report: str, callers: set) -> bool:
    """
    Whether a library lost its own memory where its own call failed, as OpenSSL does among its tables of names. What the
    program loses shows where the library's function fails as a whole, which is a point, too.
    """
    # a library's own functions may have no names
    found = re.findall(r"Direct leak of.*\n\s+#0 .*\n\s+#1 \S+ (?:in \S+)? ?\((\S+?)\+", report)
    libraries = {caller.partition(":")[0] for caller in callers}
    names = {name.rpartition("/")[2] for name in found}
    return len(found) == report.count("Direct leak of") > 0 and names <= libraries - {"me.fcgi"}


def has_told(worker: Worker) -> bool:
    return worker.log_file.stat().st_size > 0


def is_good_end(status: int, fired, log: str) -> bool:
    fired = fired or ""
    return (status in (0, 1) or (status == -signal.SIGABRT and fired.startswith(ASSERTS))
            or (status == LEAKED and is_leak_of_library(log, {fired})))


def has_ended(worker: Worker, fired, trial=None) -> list:
    """What is wrong with that a worker ended; `trial` where it had yet to serve."""
    status, log = worker.process.wait(20), worker.log_file.read_text(errors="replace")
    if status != 0 and (is_good_end(status, fired, log) or (trial is not None and trial.excuses(status, log))):
        return []
    return [f"the worker ended with {status}: {log[-3000:]}"]


class Warm:
    """A worker that was used, another one where it ends."""

    def __init__(self, start, subject):
        self.start, self.subject = start, subject
        self.worker, self.callers = None, set()

    def get(self) -> Worker:
        if self.worker is None:
            self.callers = set()
            self.worker = self.start()
            warm_up(self.worker, self.subject)
        return self.worker

    def probe(self, fired) -> tuple:
        """The answer of the next request, by another worker where this one has ended; what is wrong with that it has."""
        self.callers.add(fired or "")
        try:
            return self.worker.get(self.subject.bearer), []
        except (ConnectionError, EOFError):
            worker, self.worker = self.worker, None
            return self.get().get(self.subject.bearer), has_ended(worker, fired)

    def end(self) -> list:
        """Leaks are told when it ends."""
        worker, self.worker = self.worker, None
        return [] if worker is None else ended(worker, self.callers)


def serve_warm(trial: Trial, warm: Warm, point: tuple):
    subject, injected = trial.subject, trial.injected
    worker = warm.get()
    variables, body = subject.request()
    injected.fail(*point)
    outcome = trial.ask(worker, variables, body, point)
    injected.stop()
    probe, wrong = warm.probe(injected.fired())
    trial.blame(point, wrong)
    trial.note(point, outcome, probe)


@pytest.mark.parametrize("method", METHODS)
def test_of_a_worker_that_has_served_before(injected, subject_of, start, method):
    subject = subject_of(method)
    trial, warm = Trial(injected, subject, "warm"), Warm(start, subject)
    worker = warm.get()
    variables, body = subject.request()
    injected.count()
    assert ask(worker, variables, body, method).answer.status == 200
    injected.stop()
    found = points_of(injected.counts())
    for name, points in itertools.groupby(sample(found, "warm"), lambda point: point[0]):
        for point in points:
            serve_warm(trial, warm, point)
        trial.blame((name, 0, "any"), warm.end())
    trial.close(len(found))


# ---- a worker that keeps what it shows

@pytest.fixture
def kept_file(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def start_keeping(start, kept_file):
    """Starts workers that keep, with a file of their own."""
    return lambda: start(ME_CACHE_MODE="auto", ME_CACHE_PATH=str(kept_file), ME_CACHE_SIZE_MIB="1")


def of_the_file(found: list) -> tuple:
    """Those points, and the others."""
    return [point for point in found if point[0] in OF_THE_FILE], [point for point in found if point[0] not in OF_THE_FILE]


def keeps_no_more(worker: Worker) -> bool:
    """It has no use of the file for a while, and so none of the calls that are wanted."""
    return "profiles cannot be kept" in worker.log_file.read_text(errors="replace")


def is_hit(counts: dict, method: str) -> bool:
    """By the calls it made: what was not found is written, bytes and label, and to change it takes a transaction."""
    return counts.get("pwrite", 0) < 2 if method == "GET" else "mysql_real_query" not in counts


def count_made(injected, subject: Subject, worker: Worker) -> dict:
    """The calls of one request."""
    variables, body = subject.request()
    injected.count()
    assert ask(worker, variables, body, subject.method).answer.status == 200
    injected.stop()
    return injected.counts()


def count_a_hit(injected, subject: Subject, warm: Warm) -> list:
    """
    Of one that found what is kept, and had no need to look at the triggers: that is so for a second after each look. The
    one before had found it as well, so that it was looked for in one place, as it is by those that follow.
    """
    before = None
    for _ in range(40):
        worker = warm.get()
        counts = count_made(injected, subject, worker)
        if is_hit(counts, subject.method) and "fstat" not in counts:
            made = {name: count for name, count in counts.items() if name in OF_THE_FILE}
            if made == before:
                return points_of(counts)
            before = made
    raise AssertionError(f"no two hits alike: {counts}")


@pytest.mark.parametrize("method", METHODS)
def test_of_a_worker_that_keeps(injected, subject_of, start_keeping, method):
    """The request finds what is kept; a PATCH puts what it made in its place."""
    subject = subject_of(method)
    trial, warm = Trial(injected, subject, "keeping"), Warm(start_keeping, subject)
    found = count_a_hit(injected, subject, warm)
    first, others = of_the_file(found)
    assert {"GET": {"pread"}, "PATCH": {"pread", "pwrite"}}[method] <= {point[0] for point in first}
    for name, points in itertools.groupby(first + sample(others, "keeping"), lambda point: point[0]):
        for point in points:
            serve_warm(trial, warm, point)
            if warm.worker is not None and keeps_no_more(warm.worker):
                trial.blame(point, warm.end())
        trial.blame((name, 0, "any"), warm.end())
    trial.close(len(found))


def begin_making(warm: Warm) -> Worker:
    """A worker that has served, but nothing that could be kept."""
    warm.callers, warm.worker = set(), warm.start()
    assert warm.worker("OPTIONS", "/me").status == 204
    return warm.worker


@pytest.mark.parametrize("method", METHODS)
def test_of_a_worker_that_makes_the_file(injected, subject_of, start_keeping, kept_file, method):
    """The first request, whose worker finds no file. All calls but those of the file: the tests of one that has just started."""
    subject = subject_of(method)
    trial, warm = Trial(injected, subject, "making"), Warm(start_keeping, subject)
    warm.get()  # changes what it changes once
    trial.blame(("none", 0, "yet"), warm.end())
    kept_file.unlink()
    found = points_of(count_made(injected, subject, begin_making(warm)))
    first, _ = of_the_file(found)
    assert kept_file.exists()
    assert {"mkostemp", "posix_fallocate", "pwrite", "link", "unlink"} <= {point[0] for point in first}
    for point in first if IS_LONG else thinned(first, SAMPLE["making"]):
        trial.blame(point, warm.end())
        kept_file.unlink(missing_ok=True)
        begin_making(warm)
        serve_warm(trial, warm, point)
    trial.blame(("any", 0, "the last"), warm.end())
    trial.close(len(first))


# ---- the first request of a worker, and all that is before it

def serve_cold(trial: Trial, start, point: tuple):
    subject, injected = trial.subject, trial.injected
    variables, body = subject.request()
    injected.fail(*point)
    worker = start()
    outcome = trial.ask(worker, variables, body, point)
    injected.stop()
    fired = injected.fired()
    probe = None
    try:
        worker.process.wait(0 if outcome.answer else 2)
        trial.blame(point, has_ended(worker, fired, trial))
    except subprocess.TimeoutExpired:
        try:
            probe = worker.get(subject.bearer)
            trial.blame(point, ended(worker, {fired or ""}))
        except (ConnectionError, EOFError):  # it was about to end
            trial.blame(point, has_ended(worker, fired, trial))
    is_told = has_told(worker) or worker.process.returncode not in (None, 0, 1)
    trial.note(point, outcome, probe or subject.ask_another(), has_told=is_told)


@pytest.mark.parametrize("method", METHODS)
def test_of_a_worker_that_has_just_started(injected, subject_of, start_keeping, kept_file, method):
    """It makes the file of what is kept as well."""
    def start() -> Worker:
        kept_file.unlink(missing_ok=True)
        return start_keeping()

    subject = subject_of(method)
    trial = Trial(injected, subject, "cold")
    variables, body = subject.request()
    injected.count()
    worker = start()
    assert ask(worker, variables, body, method).answer.status == 200
    injected.stop()
    worker.end()
    found = points_of(injected.counts())
    for point in sample(found, "cold"):
        serve_cold(trial, start, point)
    trial.close(len(found))


# ---- a CGI program, which is started for its one request

def run_cgi(subject: Subject, environment: dict) -> tuple:
    variables, body = subject.request()
    done = subprocess.run(
        [str(program("me.fcgi"))], input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False,
        env=clean_environment(ME_CONF=str(subject.installation.conf), **environment, **variables))
    return done, variables, body


def serve_cgi(trial: Trial, environment: dict, point: tuple):
    subject, injected = trial.subject, trial.injected
    injected.fail(*point)
    done, variables, body = run_cgi(subject, environment)
    injected.stop()
    outcome = parse(done.stdout, variables, body, subject.method)
    log = done.stderr.decode(errors="replace")
    is_good = is_good_end(done.returncode, injected.fired(), log) or trial.excuses(done.returncode, log)
    if not is_good or (done.returncode == 0 and outcome.answer is None):
        trial.blame(point, [f"exit status {done.returncode}, {outcome.why}, {log[-3000:]}"])
    # The web server makes its own answer where a program says nothing at all and fails.
    trial.note(point, outcome, subject.ask_another(), has_told=bool(log) or (done.stdout == b"" and done.returncode != 0))


@pytest.mark.parametrize("method", METHODS)
def test_of_a_cgi_program(injected, subject_of, environment, method):
    subject = subject_of(method)
    trial = Trial(injected, subject, "cgi")
    injected.count()
    done, variables, body = run_cgi(subject, environment)
    injected.stop()
    assert parse(done.stdout, variables, body, method).answer.status == 200
    found = points_of(injected.counts())
    for point in sample(found, "cgi"):
        serve_cgi(trial, environment, point)
    trial.close(len(found))
