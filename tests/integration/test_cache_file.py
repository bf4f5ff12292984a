"""The file that workers share: where it cannot be used, or somebody else has it, the service goes on without."""

import os
import shutil
import stat
import subprocess
import time

import pytest

from support.paths import build, is_sanitized
from support.processes import wait_until


@pytest.fixture
def place(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def caching(start_worker, place):
    return lambda **environment: start_worker(**{
        "ME_LOG_LEVEL": "debug", "ME_CACHE_PATH": str(place), "ME_CACHE_SIZE_MIB": "1", **environment})


def source(answer) -> str:
    return answer.log[-1].get("cache")


def complaints(answer) -> list:
    """What was said of the file, besides the request."""
    return [event["detail"] for event in answer.log if event["event"].startswith("profiles cannot be kept")]


def serves(worker, bearer, *sources):
    """Each of as many answers is right, and comes from there."""
    answers = [worker.get(bearer) for _ in sources]
    assert [answer.status for answer in answers] == [200] * len(sources)
    assert len({answer.body for answer in answers}) == 1
    assert tuple(source(answer) for answer in answers) == sources
    return answers


def test_it_is_made_when_it_is_first_needed(caching, tokens, user, place):
    worker = caching()
    assert worker.get({}).status == 401
    assert not place.exists()
    serves(worker, tokens.bearer(user), "miss", "hit")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.stat().st_size == 1 << 20
    assert os.listdir(place.parent) == ["shared", "worker0"]


def test_it_is_not_made_where_it_is_off(caching, tokens, user, place):
    serves(caching(ME_CACHE_MODE="off"), tokens.bearer(user), "off", "off")
    assert not place.exists()


@pytest.mark.parametrize("way", ["no folder", "a folder", "a link", "others can open it"])
def test_a_path_that_cannot_be_used_is_told_once(caching, tokens, user, place, tmp_path, way):
    if way == "a folder":
        place.mkdir()
    elif way == "a link":
        (tmp_path / "elsewhere").write_bytes(b"precious")
        place.symlink_to(tmp_path / "elsewhere")
    elif way == "others can open it":
        place.write_bytes(b"precious")
        place.chmod(0o644)
    worker = caching(**{"ME_CACHE_PATH": str(tmp_path / "none" / "shared")} if way == "no folder" else {})
    first, *others = serves(worker, tokens.bearer(user), "off", "off", "off")
    assert len(complaints(first)) == 1 and [complaints(other) for other in others] == [[], []]
    assert worker.patch(tokens.bearer(user), {"bio": "x"}).status == 200
    if way == "a link":
        assert (tmp_path / "elsewhere").read_bytes() == b"precious"
    if way == "others can open it":
        assert "chmod 0600" in complaints(first)[0] and place.read_bytes() == b"precious"


def test_a_path_that_was_mended_is_used(caching, tokens, user, place):
    """Without a start of the worker, and without another word until then."""
    place.write_bytes(b"precious")
    place.chmod(0o644)
    worker, bearer, said = caching(), tokens.bearer(user), []

    def keeps() -> bool:
        answer = worker.get(bearer)
        said.extend(complaints(answer))
        return source(answer) == "hit"

    assert not keeps()
    time.sleep(11)
    assert not keeps()
    place.unlink()
    wait_until(keeps, 20, "profiles are kept")
    assert len(said) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_left_alone(caching, tokens, user, place):
    place.write_bytes(b"precious")
    place.chmod(0o600)
    os.chown(place, 12345, 12345)
    first, _ = serves(caching(), tokens.bearer(user), "off", "off")
    assert "name another cache.path" in complaints(first)[0]
    assert place.read_bytes() == b"precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_full_tmpfs_is_no_cache_and_no_failure(caching, tokens, user, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(small)], check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        worker = caching(ME_CACHE_PATH=str(small / "shared"))
        first, _ = serves(worker, tokens.bearer(user), "off", "off")
        assert "No space left on device" in complaints(first)[0]
        assert os.listdir(small) == []
        worker.end()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_another_versions_file_is_replaced(installation, caching, tokens, user, place, tmp_path):
    bearer = tokens.bearer(user)
    one = caching()
    serves(one, bearer, "miss", "hit")
    copy = tmp_path / "me.fcgi"
    shutil.copy2(build() / "me.fcgi", copy)
    same = subprocess.run([str(copy)], env=_request(installation, bearer, place), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=True)
    assert "cache=hit" in same.stderr, same.stderr
    os.utime(copy, (1, 1))
    file = place.stat().st_ino
    other = subprocess.run([str(copy)], env=_request(installation, bearer, place), stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=True)
    assert "cache=miss" in other.stderr, other.stderr
    assert place.stat().st_ino != file
    serves(one, bearer, "hit")


def test_another_builds_file_is_replaced_though_time_and_size_are_the_same(
        installation, caching, tokens, user, place, tmp_path):
    """As a package has it that gives all files the time of its changelog."""
    bearer, original, copy = tokens.bearer(user), build() / "me.fcgi", tmp_path / "me.fcgi"
    serves(caching(), bearer, "miss", "hit")
    subprocess.run(["objcopy", "--dump-section", f".note.gnu.build-id={tmp_path / 'id'}", str(original),
                    str(tmp_path / "unused")], check=True)
    build_id = (tmp_path / "id").read_bytes()
    shutil.copy2(original, copy)
    copy.write_bytes(copy.read_bytes().replace(build_id, build_id[:-1] + bytes([build_id[-1] ^ 1])))
    shutil.copystat(original, copy)
    assert copy.stat().st_size == original.stat().st_size
    other = subprocess.run([str(copy)], env=_request(installation, bearer, place), stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=True)
    assert "cache=miss" in other.stderr, other.stderr


def _request(installation, bearer, place) -> dict:
    return {"ME_CONF": str(installation.conf), "ME_LOG_LEVEL": "debug", "ME_CACHE_PATH": str(place),
            "ME_CACHE_SIZE_MIB": "1", "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/me", "REQUEST_URI": "/me",
            "HTTP_AUTHORIZATION": bearer["Authorization"], "PATH": os.environ["PATH"],
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}


def test_another_databases_file_is_replaced(caching, tokens, user, place, installation):
    bearer = tokens.bearer(user)
    serves(caching(), bearer, "miss", "hit")
    file = place.stat().st_ino
    hosts = f"{installation.server.socket}, /nonexistent/other.sock"
    serves(caching(ME_DATABASE_HOST=hosts), bearer, "miss", "hit")
    assert place.stat().st_ino != file


def test_a_file_that_is_cut_short_in_use_is_made_anew(caching, tokens, user, place):
    worker = caching()
    bearer = tokens.bearer(user)
    serves(worker, bearer, "miss", "hit")
    for length in (0, 4096, 100000):
        os.truncate(place, length)
        assert [worker.get(bearer).status for _ in range(3)] == [200] * 3
    time.sleep(1.1)  # it is looked at once a second
    serves(worker, bearer, "miss", "hit", "hit")
    assert place.stat().st_size == 1 << 20


def test_a_file_that_is_taken_away_in_use_hurts_nobody(caching, tokens, user, place):
    worker = caching()
    bearer = tokens.bearer(user)
    serves(worker, bearer, "miss", "hit")
    place.unlink()
    assert [worker.get(bearer).status for _ in range(3)] == [200] * 3
    serves(caching(), bearer, "miss", "hit")


def test_a_file_that_is_scribbled_on_gives_nothing_wrong(caching, tokens, user, place):
    worker = caching()
    bearer = tokens.bearer(user)
    right = serves(worker, bearer, "miss", "hit")[1].body
    for _ in range(3 if is_sanitized() else 10):
        with open(place, "r+b") as file:
            file.seek(4096)
            file.write(os.urandom((1 << 20) - 4096))
        assert {worker.get(bearer).body for _ in range(3)} == {right}
    with open(place, "r+b") as file:
        file.write(os.urandom(4096))
    assert worker.get(bearer).body == right
    serves(caching(), bearer, "miss", "hit")
