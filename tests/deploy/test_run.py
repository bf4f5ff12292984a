"""scripts/run: from nothing to a running service, again, after a crash, and to nothing."""

import json
import os
import signal
import socket
import subprocess

import pytest

from support.paths import SOURCE

RUN = SOURCE / "scripts" / "run"


def run(folder, *arguments, expect=0):
    done = subprocess.run(
        [str(RUN), "--dir", str(folder), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )
    assert done.returncode == expect, done.stdout
    return done.stdout


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def alive(pid):
    """Whether the process runs: one that ended may wait for its parent, which is nobody of ours."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def demo(folder):
    return json.loads((folder / "demo.json").read_text())


def pasted(output, number):
    """What a curl line of the output answers: the status, then the body as JSON."""
    line = [row for row in output.splitlines() if row.startswith("curl ")][number]
    text = subprocess.run(["bash", "-c", line], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, timeout=30, check=True).stdout
    head, _, body = text.partition("\n\n") if "\r\n" not in text else text.partition("\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "var"
    output = run(folder, "--detach", "--port", str(free_port()), "--workers", "2")
    yield folder, output
    run(folder, "--stop")


def test_the_printed_commands_read_and_change_the_profile(service):
    folder, output = service
    status, profile = pasted(output, 0)
    assert status == 200 and profile["id"] == demo(folder)["sub"]
    for member in ("emails", "identities", "phoneNumbers", "badges", "userFraudInformation"):
        assert profile[member], member
    status, changed = pasted(output, 1)
    assert status == 200 and changed["name"] == "New Name"


def test_it_leaves_what_it_promises(service):
    folder, _ = service
    for name in ("me.conf", "bin/me.fcgi", "bin/mectl", "keys/hs256.secret", "keys/rs256.pem", "keys/rs256.pub.pem",
                 "token", "demo.json", "log"):
        assert (folder / name).exists(), name
    for name in ("keys/hs256.secret", "keys/rs256.pem", "token"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    pids = demo(folder)["pids"]
    assert all(pids[kind] and all(alive(pid) for pid in pids[kind]) for kind in ("server", "worker", "database"))


def test_both_keys_are_accepted(service):
    folder, _ = service
    for key in ("hs256.secret", "rs256.pem"):
        token = subprocess.run(
            [str(folder / "bin/mectl"), "token", "mint", "--config", str(folder / "me.conf"), "--user",
             demo(folder)["sub"], "--key", str(folder / "keys" / key)],
            stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout.strip()
        status = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}",
             demo(folder)["url"]], stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout
        assert status == "200", key


def test_a_second_run_finds_all_in_place(service):
    folder, _ = service
    before = demo(folder)
    output = run(folder, "--detach")
    assert demo(folder) == before
    assert pasted(output, 0)[0] == 200


def test_what_died_is_started_again_on_the_same_data(service):
    folder, _ = service
    run(folder, "--detach")
    name = pasted(run(folder, "--detach"), 1)[1]["name"]
    pids = demo(folder)["pids"]
    for kind in ("database", "server"):
        for pid in pids[kind]:
            os.kill(pid, signal.SIGKILL)
    run(folder, "--status", expect=1)
    status, profile = pasted(run(folder, "--detach"), 0)
    assert status == 200 and profile["name"] == name


@pytest.mark.parametrize("server", ["nginx", "apache", "cgi", "lighttpd"])
def test_each_server(service, server):
    folder, _ = service
    output = run(folder, "--detach", "--server", server)
    assert pasted(output, 0)[0] == 200 and pasted(output, 1)[0] == 200
    run(folder, "--status")


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        output = run(tmp_path / "var", "--detach", "--port", str(port), expect=1)
    assert output == f"run: port {port} is in use: name another one with --port\n"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    output = run(tmp_path / "file" / "var", "--detach", expect=1)
    assert output.count("\n") == 1 and "--dir" in output


def test_stop_leaves_nothing_running(tmp_path):
    folder = tmp_path / "var"
    run(folder, "--detach", "--port", str(free_port()), "--workers", "1")
    pids = [pid for kind in demo(folder)["pids"].values() for pid in kind]
    run(folder, "--stop")
    assert pids and not any(alive(pid) for pid in pids)
    run(folder, "--status", expect=1)


def test_ctrl_c_leaves_nothing_running(tmp_path):
    folder = tmp_path / "var"
    process = subprocess.Popen([str(RUN), "--dir", str(folder), "--port", str(free_port())], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    pids = [pid for kind in demo(folder)["pids"].values() for pid in kind]
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    process.stdout.close()
    assert pids and not any(alive(pid) for pid in pids)
