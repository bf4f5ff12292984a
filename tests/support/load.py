"""Requests that are under way while something happens to the server, each counted with what became of it."""

import http.client
import json
import threading
import time
from contextlib import contextmanager

from support.http import LOST, TIMEOUT_S, Http2, answer_of

CLIENTS = 4
PAUSE_S = 0.005
ARRIVAL_S = 0.1  # until the server has certainly taken up what was sent
HALF = b'{"bio":"the first half, '


class Count:
    """Requests sent, and those of them that got no answer, or another one than was due."""

    def __init__(self):
        self.sent = 0
        self.lost = []
        self.slowest_s = 0.0
        self._lock = threading.Lock()

    @property
    def answered(self) -> int:
        return self.sent - len(self.lost)

    def add(self, what: str, send, *arguments):
        """Sends one and waits for its answer."""
        start = time.monotonic()
        try:
            answer = send(*arguments)
            why = None if answer.status == 200 else f"{answer.status} {answer.body[:100]!r}"
        except LOST as error:
            why = f"{type(error).__name__}: {error}"
        took_s = time.monotonic() - start
        with self._lock:
            self.sent += 1
            self.slowest_s = max(self.slowest_s, took_s)
            if why:
                self.lost.append(f"{what}: {why}, after {took_s:.3f} s")


class Uploads:
    """A PATCH over HTTP/1.1 and one over HTTP/2, of which half a body is sent before, and half of it after."""

    def __init__(self, server, bearer: dict):
        self.second = json.dumps("and the second half")[1:].encode() + b"}"
        headers = {**bearer, "Content-Type": "application/json", "Content-Length": str(len(HALF + self.second))}
        self.http1 = http.client.HTTPConnection("127.0.0.1", server.ports["PORT"], timeout=TIMEOUT_S)
        self.http1.request("PATCH", "/me", HALF, headers)
        self.http2 = Http2(server.ports["TLSPORT"], server.authority)
        self.http2.open("PATCH", "/me", headers, is_all=False)
        self.http2.send([HALF])
        time.sleep(ARRIVAL_S)

    def finish_http1(self):
        try:
            self.http1.send(self.second)
            return answer_of(self.http1)
        finally:
            self.http1.close()

    def finish_http2(self):
        with self.http2 as stream:
            stream.send([self.second])
            stream.end()
            return stream.answer()


def steady(count: Count, site, bearer: dict):
    """Clients that read the profile all the time, each request on a connection of its own."""
    return repeated(count, [("GET", lambda: site.send(headers=bearer))] * CLIENTS)


@contextmanager
def repeated(count: Count, requests: list):
    """Clients that send all the time, each of them one request again and again: pairs of a name and what sends it."""
    over = threading.Event()

    def send_again_and_again(what, send):
        while not over.is_set():
            count.add(what, send)
            time.sleep(PAUSE_S)

    threads = [threading.Thread(target=send_again_and_again, args=request) for request in requests]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
