"""
A provider changes its signing key while a service is under load: FastCGI workers behind nginx, tokens
of the provider's own, mectl keys fetch as a timer would run it. Each request is judged by when it was
sent and answered: no valid token refused, no token of the withdrawn key accepted after its end, no
worker restarted. What was counted is left in rotation.json of the build folder.
"""

import collections
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import logfmt
from support.fetcher import Trust
from support.installation import AUDIENCE
from support.paths import build
from support.servers import WAYS, Server

WAY = WAYS["nginx-spawn-fcgi"]
WORKERS = WAY.workers
CLIENTS = 2 * WORKERS  # so that none of the workers is without a request between two changes
GRACE_S = 3
# A new file is seen within a second, or at the look after that where it is younger than a tenth.
LOOK_S = 2.2
KEPT_TOKENS = 40
Sent = collections.namedtuple("Sent", "kind begun ended status")


class Load:
    """Clients that ask without a pause, with the tokens of each kind in turn."""

    def __init__(self, site):
        self.site = site
        self.tokens = {}
        self.sent = []
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._clients = []

    def start(self):
        self._clients = [self._pool.submit(self._ask) for _ in range(CLIENTS)]

    def add(self, kind, token):
        self.tokens.setdefault(kind, collections.deque(maxlen=KEPT_TOKENS)).append(token)

    def _ask(self):
        turn = 0
        while not self._stop.is_set():
            for kind, tokens in list(self.tokens.items()):
                token = tokens[turn % len(tokens)]
                begun = time.time()
                status = self.site.send(headers={"Authorization": f"Bearer {token}"}).status
                self.sent.append(Sent(kind, begun, time.time(), status))
            turn += 1

    def stop(self):
        self._stop.set()
        for client in self._clients:
            client.result(30)
        self._pool.shutdown()


class Mint:
    """Gets a token of the provider every tenth of a second, as users who log in do."""

    def __init__(self, provider, load):
        self.provider, self.load = provider, load
        self.kind, self.count = None, 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run)
        self._failed = None

    def start(self, kind):
        self.kind = kind
        self._mint()
        self._thread.start()

    def _mint(self):
        with self._lock:
            self.load.add(self.kind, self.provider.token())
            self.count += 1

    def _run(self):
        try:
            while not self._stop.wait(0.1):
                self._mint()
        except Exception as error:  # it is raised where the test looks
            self._failed = error

    def rotate(self, kind, *keys):
        """No token is being made meanwhile, so that each is known by its key."""
        with self._lock:
            self.provider.rotate(*keys)
            self.kind = kind

    def stop(self):
        self._stop.set()
        self._thread.join(30)
        if self._failed:
            raise self._failed


@pytest.fixture
def service(installation, authority, trusting):
    """Laid out, and not yet started."""
    server = Server(WAY, installation, authority, **trusting)
    yield server
    server.stop()


@pytest.fixture
def trust(service):
    return Trust(service.conf, service.conf.with_name("jwks.json"))


@pytest.fixture
def server(service, trust):
    trust.fetch()
    return service.start()


def forged(token) -> str:
    """Another's signature of the right length."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1].replace('_', '-')[:-1]}A"


def rotate_under_load(load, mint, trust, tokens, keys) -> dict:
    """The whole story; returns when what happened."""
    when = {}
    old, new = keys["old"], keys["new"]
    mint.start("old")
    load.add("forged", forged(load.tokens["old"][0]))
    # No such token is about before the provider signs with the key: this one tells when workers know it.
    load.add("new", tokens.mint(mint.provider.client, algorithm="RS256", key=new.pem, headers={"kid": "new"},
                                iss=mint.provider.url, aud=AUDIENCE))
    load.start()
    time.sleep(1.5)

    mint.rotate("old", old, new)
    when["before the first fetch"] = time.time()
    assert trust.fetch()["added"] == 1
    when["new is fetched"] = time.time()
    time.sleep(LOOK_S)

    mint.rotate("new", new, old)
    assert trust.fetch()["changed"] is False
    time.sleep(1)

    mint.rotate("new", new)
    said = trust.fetch("--grace", GRACE_S)
    when["withdrawn"] = time.time()
    assert (said["withdrawn"], said["listed"]) == (1, 1), said
    ends = {key["kid"]: key.get("exp") for key in json.loads(trust.file.read_bytes())["keys"]}
    when["end"] = ends["old"]
    time.sleep(max(0, when["end"] + 1.5 - time.time()))

    assert trust.fetch()["dropped"] == 1
    when["dropped"] = time.time()
    time.sleep(LOOK_S)
    return when


def judge(sent, when) -> dict:
    """Each request that was answered otherwise than it had to be."""
    wrong = collections.defaultdict(list)
    for one in sent:
        good = {
            "old": one.ended < when["end"], "new": one.begun > when["new is fetched"] + LOOK_S, "forged": False,
        }[one.kind]
        bad = {
            "old": one.begun > when["end"], "new": one.ended < when["before the first fetch"], "forged": True,
        }[one.kind]
        if good and one.status != 200:
            wrong["valid, but refused"].append(one)
        if bad and one.status != 401:
            wrong["to be refused, but accepted"].append(one)
        if one.status not in (200, 401):
            wrong["neither"].append(one)
    return wrong


def count(sent, when, log, mint) -> dict:
    requests = collections.Counter(f"{one.kind}: {one.status}" for one in sent)
    refusals = collections.Counter(line["reason"] for line in log if line["event"] == "request")
    accepted = [one.ended for one in sent if one.kind == "new" and one.status == 200]
    refused = [one.begun for one in sent if one.kind == "new" and one.status == 401]
    return {
        "workers": WORKERS, "requests": len(sent), "seconds": round(sent[-1].ended - sent[0].begun, 1),
        "tokens": mint.count, "answers": dict(sorted(requests.items())), "refusals": dict(sorted(refusals.items())),
        "files read again": sum(line["event"] == "a key file changed" for line in log),
        "the new key was in force after the fetch, at the first worker and at the last, s":
            [round(moment - when["new is fetched"], 2) for moment in (min(accepted), max(refused))],
    }


def test_no_valid_token_is_refused_while_keys_rotate(server, provider, trust, tokens, keys):
    load = Load(server.site())
    mint = Mint(provider, load)
    pids = sorted(server.worker_pids())
    assert len(pids) == WORKERS
    try:
        when = rotate_under_load(load, mint, trust, tokens, keys)
    finally:
        mint.stop()
        load.stop()
    lines = logfmt.parse((server.folder / "log" / "worker.log").read_text())
    log = [line for line in lines if line.get("reason") != "missing_token"]  # that was a step of the example
    counts = count(load.sent, when, log, mint)
    (build() / "rotation.json").write_text(json.dumps(counts, indent=1) + "\n")
    print(json.dumps(counts))

    wrong = judge(load.sent, when)
    assert not wrong, {what: (len(which), which[:3]) for what, which in wrong.items()}
    assert sorted(server.worker_pids()) == pids, "a worker was restarted"
    assert min(counts["answers"][key] for key in ("old: 200", "old: 401", "new: 200", "new: 401")) > 20, counts
    assert set(counts["refusals"]) == {"no_key", "key_withdrawn", "bad_signature"}, counts
    assert sum(counts["refusals"].values()) == sum(one.status == 401 for one in load.sent)
    assert counts["files read again"] == 3 * WORKERS, "once by each worker for each change, and no more"
    assert not [line for line in log if line["level"] == "error"]
