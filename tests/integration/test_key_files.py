"""
Key files that change while a worker runs: new keys count without a restart, and whatever is wrong with
a file, its last good keys stay, with one line in the log.
"""

import os
import time

import pytest

from support.fastcgi import Worker
from support.installation import write_secret
from support.keys import SigningKey, jwks
from support.processes import wait_until

CHANGED = "a key file changed"
FAILED = "a key file cannot be used: its last good keys stay in force"
HOLD_S = 2.5  # the files are looked at once a second
PATIENCE_S = 30  # until that has happened, on a slow machine
ENOUGH = 10  # requests meanwhile, however slow the machine is
OPEN = (0o644, 0o604, 0o666)  # to others
# Root may read what it likes, unless it lets go of that.
BOUND = 'exec setpriv --bounding-set=-dac_override,-dac_read_search "$0"' if os.geteuid() == 0 else 'exec "$0"'


@pytest.fixture(scope="module")
def old():
    return SigningKey("old")


@pytest.fixture(scope="module")
def new():
    return SigningKey("new")


class Running:
    """A worker with a JWKS file and a secret file, and what its log said."""

    def __init__(self, installation, user, folder, key):
        self.tokens, self.user = installation.tokens, user
        self.jwks = folder / "jwks.json"
        self.secret = write_secret(folder / "live.secret", "s" * 40 + "\n")
        self.put(key)
        self.worker = Worker(installation, folder, shell=BOUND, ME_TOKEN_JWKS_FILE=str(self.jwks),
                             ME_TOKEN_SECRET_FILE=str(self.secret))
        assert self.status(key) == 200
        self.pid = self.worker.pid
        self.told = []

    def put(self, *keys):
        """As mectl keys fetch does: another file, and then its name."""
        new = self.jwks.with_suffix(".new")
        new.write_bytes(jwks(*keys))
        new.replace(self.jwks)

    def status(self, key) -> int:
        """Of a request with a token of an RSA key, or of a secret."""
        if isinstance(key, SigningKey):
            token = self.tokens.mint(self.user, algorithm="RS256", key=key.pem, headers={"kid": key.kid})
        else:
            token = self.tokens.mint(self.user, key=key)
        return self.worker("GET", headers={"Authorization": f"Bearer {token}"}).status

    def log(self) -> list:
        """All that was told of key files so far."""
        with open(self.worker.log_file, encoding="utf-8") as file:
            return [line for line in file.read().splitlines() if "key file" in line]

    def comes_to(self, key, status):
        wait_until(lambda: self.status(key) == status, PATIENCE_S, f"{status} for that key")

    def stays_at(self, key, status):
        """All requests are answered so over several looks at the files."""
        end, count = time.monotonic() + HOLD_S, 0
        while time.monotonic() < end or count < ENOUGH:
            assert self.status(key) == status, self.log()
            count += 1
            time.sleep(0.02)

    def assert_same_process(self):
        assert self.worker.is_running() and self.worker.pid == self.pid


    def end(self):
        self.assert_same_process()
        self.worker.end()


@pytest.fixture
def running(installation, reader, tmp_path, old):
    running = Running(installation, reader, tmp_path, old)
    yield running
    running.end()


def test_new_keys_count_without_a_restart(running, old, new):
    running.put(old, new)
    running.comes_to(new, 200)
    assert running.status(old) == 200
    running.put(new)
    running.comes_to(old, 401)
    assert running.status(new) == 200
    lines = running.log()
    assert len(lines) == 2 and all(CHANGED in line and str(running.jwks) in line for line in lines), lines


def test_a_new_secret_counts_without_a_restart(running):
    write_secret(running.secret, "t" * 40 + "\n")
    running.comes_to("t" * 40, 200)
    assert running.status("s" * 40) == 401
    assert len(running.log()) == 1


def test_a_key_with_an_end_counts_until_then(running, old, new):
    end = int(time.time()) + 4
    running.put(new, old.jwk(exp=end))
    running.comes_to(new, 200)
    while time.time() < end:
        assert running.status(old) == 200 or time.time() >= end
        time.sleep(0.05)
    assert running.status(old) == 401
    assert running.status(new) == 200


# ---- faults: each takes (the file, its good text) and makes it useless


def half_written(path, good):
    path.write_bytes(good[:len(good) // 2])


def empty(path, good):
    path.write_bytes(b"")


def missing(path, good):
    path.unlink()


def unreadable(path, good):
    path.chmod(0)


def a_folder(path, good):
    path.unlink()
    path.mkdir()


def a_link_to_itself(path, good):
    path.unlink()
    path.symlink_to(path)


def too_large(path, good):
    path.write_bytes(good + b" " * 600 * 1024)


def no_key_of_use(path, good):
    path.write_bytes(b'{"keys":[{"kty":"EC"}]}')


def an_open_secret(path, good):
    path.write_bytes(jwks({"kty": "oct", "k": "A" * 43}))
    path.chmod(0o644)


FAULTS = [half_written, empty, missing, unreadable, a_folder, a_link_to_itself, too_large, no_key_of_use,
          an_open_secret]


def put_back(path):
    """Whatever is there now, makes room for a file."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()


# ---- with each fault a worker of its own, all of them at once: they have to be waited for

@pytest.fixture(scope="module")
def suffering(installation, reader, tmp_path_factory, old):
    """By what happened to a file, workers that have served for several looks at it, and what they answered meanwhile."""
    happened = {**{fault: fault for fault in FAULTS}, "touched": lambda path, good: os.utime(path)}
    happened |= {mode: lambda path, good, mode=mode: path.with_name("live.secret").chmod(mode) for mode in OPEN}
    workers = {name: Running(installation, reader, tmp_path_factory.mktemp("fault"), old) for name in happened}
    for name, running in workers.items():
        happened[name](running.jwks, running.jwks.read_bytes())
        running.answered = []
    end = time.monotonic() + HOLD_S
    while time.monotonic() < end or len(running.answered) < ENOUGH:
        for running in workers.values():
            running.answered += [running.status(old), running.status("s" * 40)]
    yield workers
    for running in workers.values():
        running.end()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.replace("_", " "))
def test_the_last_good_keys_stay_in_force(suffering, old, new, fault):
    running = suffering[fault]
    assert set(running.answered) == {200} and running.status(new) == 401
    lines = running.log()
    assert len(lines) == 1 and FAILED in lines[0] and "level=error" in lines[0], lines
    put_back(running.jwks)
    running.put(old, new)
    running.comes_to(new, 200)
    lines = running.log()
    assert len(lines) == 2 and CHANGED in lines[1], lines


@pytest.mark.parametrize("fault", [half_written, missing, a_folder], ids=lambda fault: fault.__name__.replace("_", " "))
def test_a_file_that_is_good_again_is_told(running, old, fault):
    """Also where its keys are the same as before."""
    good = running.jwks.read_bytes()
    fault(running.jwks, good)
    wait_until(lambda: running.status(old) == 200 and running.log(), PATIENCE_S, "the fault is told")
    put_back(running.jwks)
    running.put(old)
    wait_until(lambda: running.status(old) == 200 and len(running.log()) == 2, PATIENCE_S, "the end of it is told")
    assert CHANGED in running.log()[1]


def test_a_file_that_is_only_touched_changes_nothing(suffering):
    assert set(suffering["touched"].answered) == {200} and suffering["touched"].log() == []


@pytest.mark.parametrize("mode", OPEN)
def test_a_secret_that_others_can_read(suffering, old, mode):
    """What the worker has read already it goes on with; the log has the command that mends it."""
    running = suffering[mode]
    assert set(running.answered) == {200}
    lines = running.log()
    assert len(lines) == 1 and FAILED in lines[0] and "chmod" in lines[0], lines
    running.secret.chmod(0o600)
    wait_until(lambda: running.status(old) == 200 and len(running.log()) == 2, PATIENCE_S, "the end of it is told")


def test_one_bad_file_does_not_hold_up_another(running, old, new):
    running.secret.unlink()
    running.put(old, new)
    running.comes_to(new, 200)
    assert running.status("s" * 40) == 200
    assert sorted(FAILED in line for line in running.log()) == [False, True]


def test_another_fault_is_told_as_well(running, old):
    empty(running.jwks, b"")
    wait_until(lambda: running.status(old) == 200 and len(running.log()) == 1, PATIENCE_S)
    running.jwks.unlink()
    wait_until(lambda: running.status(old) == 200 and len(running.log()) == 2, PATIENCE_S)
    running.stays_at(old, 200)
    assert len(running.log()) == 2 and all(FAILED in line for line in running.log())


def test_a_file_that_is_written_slowly_is_never_seen_in_halves(running, old, new):
    """In place, as a careless editor does; no key goes, though some looks find half a file."""
    text = jwks(old, new)
    for _ in range(2):
        with open(running.jwks, "wb") as file:
            for start in range(0, len(text), 40):
                file.write(text[start:start + 40])
                file.flush()
                assert running.status(old) == 200
                time.sleep(0.03)
    running.comes_to(new, 200)
