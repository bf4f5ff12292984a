"""Requests on workers while something happens to their cluster, and the judgement of every answer."""

import random
import threading
import time
from collections import Counter
from contextlib import contextmanager

from support import answer as answers
from support.fastcgi import PARAMS, STDIN, begin, params, stream, variables_of
from support.registers import NEVER, History, Operation

MEMBERS = ("name", "bio")
PAUSE_S = 0.004
TIMEOUT_S = 20


def ask(worker, method, headers, body=None):
    """An answer that nobody held against the description, which takes longer than to make it; None: none came."""
    variables, data = variables_of(method, "/me", headers, body)
    try:
        with worker.connect(TIMEOUT_S) as connection:
            connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, data))
            return answers.parse_cgi(connection.receive().stdout)
    except (OSError, EOFError):
        return None


class Load:
    """One client for each worker: reads, patches, and patches on condition, of few users."""

    def __init__(self, workers, tokens, users):
        self.workers, self.users = workers, list(users)
        self.bearers = {user: tokens.bearer(user) for user in self.users}
        self.history = History()
        self.statuses = Counter()
        self.acknowledged = 0
        self.conditions = Counter()  # the ETags on which a PATCH was done
        self.good, self.written = [], []  # when an answer of 200 came, and one to a PATCH
        self.strange = []
        self._lock = threading.Lock()
        self._number = 0
        for user in self.users:
            for member in MEMBERS:
                self.history.add((user.id, member), Operation(True, user.row[member], 0.0, 0.0))

    # ---- one request

    def _send(self, worker, user, method, headers=None, body=None):
        """The answer, and when it was asked for."""
        start = time.monotonic()
        answer = ask(worker, method, {**self.bearers[user], **(headers or {})}, body)
        self._count(answer, method, time.monotonic())
        return answer, start

    def _count(self, answer, method, now):
        status = answer.status if answer else "none"
        with self._lock:
            self.statuses[status] += 1
            if status == 200:
                self.good.append(now)
                if method == "PATCH":
                    self.written.append(now)
                    self.acknowledged += 1
            elif status not in (412, 503):
                self.strange.append(f"{method}: {answer}")

    def _note_seen(self, user, answer, start, but=None):
        now = time.monotonic()
        for member in MEMBERS:
            if member != but:
                self.history.add((user.id, member), Operation(False, answer.json[member], start, now))

    def read(self, worker, user):
        answer, start = self._send(worker, user, "GET")
        if answer and answer.status == 200:
            self._note_seen(user, answer, start)
            return answer
        return None

    def write(self, worker, user, etag=None):
        member = random.choice(MEMBERS)
        with self._lock:
            self._number += 1
            value = f"value {self._number}"
        answer, start = self._send(
            worker, user, "PATCH", {"If-Match": etag} if etag else None, {member: value})
        is_done = bool(answer) and answer.status == 200
        if answer and answer.status == 412:
            return
        self.history.add((user.id, member), Operation(True, value, start, time.monotonic() if is_done else NEVER))
        if not is_done:
            return
        if answer.json[member] != value:
            self.strange.append(f"PATCH {member} to {value}: {answer}")
        self._note_seen(user, answer, start, member)
        if etag:
            with self._lock:
                self.conditions[user.id, etag] += 1

    def _step(self, worker):
        user = random.choice(self.users)
        what = random.random()
        if what < 0.5:
            self.read(worker, user)
        elif what < 0.8:
            self.write(worker, user)
        else:
            seen = self.read(worker, user)
            if seen:
                self.write(worker, user, seen.etag)

    # ---- many

    @contextmanager
    def under_way(self):
        over = threading.Event()

        def client(worker):
            while not over.is_set():
                self._step(worker)
                time.sleep(PAUSE_S)

        threads = [threading.Thread(target=client, args=(worker,)) for worker in self.workers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            over.set()
            for thread in threads:
                thread.join()

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())

    def finish(self, readers) -> dict:
        """Reads each register at each node; all show the same."""
        final = {}
        for user in self.users:
            shown = []
            for reader in readers:
                start = time.monotonic()
                answer = reader(self.bearers[user])
                self._note_seen(user, answer, start)
                shown.append({member: answer.json[member] for member in MEMBERS})
            assert all(one == shown[0] for one in shown), f"the nodes differ: {shown}"
            for member in MEMBERS:
                final[user.id, member] = shown[0][member]
        return final


def longest_gap(moments, begin, end) -> float:
    """The longest time without one of the moments."""
    inside = [begin, *(moment for moment in sorted(moments) if begin < moment < end), end]
    return max(later - earlier for earlier, later in zip(inside, inside[1:]))
