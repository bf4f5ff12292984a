"""scripts/run: from nothing to a running service, again, after a crash, and to nothing."""

import os
import re
import signal
import socket
import subprocess

import pytest

from support.ground import free_port
from support.paths import SOURCE
from support.processes import is_running, wait_until
from support.run import Run, nobody, pasted

WORKERS = 2
STEPS = ["packages", "build", "private MariaDB", "keys", "settings", "schema and accounts", "demo user", "token"]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("run") / "var")
    output = run("--detach", "--port", free_port(), "--workers", WORKERS)
    yield run, output
    run("--stop")


def test_every_step_is_shown_with_its_time(service):
    run, output = service
    steps, _, _ = output.partition("\nIt runs: ")
    names = [re.fullmatch(r"(.+?) +\d+\.\d{3} s", line)[1] for line in steps.splitlines()]
    assert names == [*STEPS, f"lighttpd on port {run.demo['url'].split(':')[2].split('/')[0]}"]


def test_the_printed_commands_read_and_change_the_profile(service):
    run, output = service
    status, profile = pasted(output, 0)
    assert status == 200 and profile["id"] == run.demo["sub"]
    for member in ("emails", "identities", "phoneNumbers", "badges", "userFraudInformation"):
        assert profile[member], member
    status, changed = pasted(output, 1)
    assert status == 200 and changed["name"] == "New Name"


def test_it_leaves_what_it_promises(service):
    run, _ = service
    for name in ("me.conf", "bin/me.fcgi", "bin/mectl", "keys/hs256.secret", "keys/rs256.pem", "keys/rs256.pub.pem",
                 "token", "demo.json", "log"):
        assert (run.folder / name).exists(), name
    for name in ("keys/hs256.secret", "keys/rs256.pem", "token"):
        assert (run.folder / name).stat().st_mode & 0o077 == 0, name
    for name in ("bin/me.fcgi", "bin/mectl"):
        assert (run.folder / name).is_symlink() and os.access(run.folder / name, os.X_OK), name
    assert list(run.demo) == ["url", "sub", "iss", "aud", "pids"] and list(run.demo["pids"]) == ["server", "worker", "database"]
    assert all(run.demo["pids"].values()) and all(is_running(pid) for pid in run.pids())


def test_both_keys_are_accepted(service):
    run, _ = service
    for key in ("hs256.secret", "rs256.pem"):
        token = subprocess.run(
            [str(run.folder / "bin/mectl"), "token", "mint", "--config", str(run.folder / "me.conf"), "--user",
             run.demo["sub"], "--key", str(run.folder / "keys" / key)],
            stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout.strip()
        status = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}",
             run.demo["url"]], stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout
        assert status == "200", key


def test_a_second_run_finds_all_in_place(service):
    run, _ = service
    before = run.demo
    output = run("--detach")
    assert run.demo == before
    assert pasted(output, 0)[0] == 200


def test_what_died_is_started_again_on_the_same_data(service):
    run, _ = service
    name = pasted(run("--detach"), 1)[1]["name"]
    for kind in ("database", "server"):
        for pid in run.demo["pids"][kind]:
            os.kill(pid, signal.SIGKILL)
    run("--status", expect=1)
    status, profile = pasted(run("--detach"), 0)
    assert status == 200 and profile["name"] == name


@pytest.mark.parametrize("server", ["nginx", "apache", "caddy", "cgi", "lighttpd"])
def test_each_server(service, server):
    run, _ = service
    output = run("--detach", "--server", server)
    assert pasted(output, 0)[0] == 200 and pasted(output, 1)[0] == 200
    run("--status")
    assert len(run.demo["pids"]["worker"]) == (0 if server == "cgi" else WORKERS)
    assert all(is_running(pid) for pid in run.pids())


@pytest.mark.parametrize("server", ["nginx", "apache", "lighttpd"])
def test_a_server_whose_first_process_was_killed_is_started_again(service, server):
    """The children of nginx and Apache outlive it, and hold the port."""
    run, _ = service
    run("--detach", "--server", server)
    before = run.demo["pids"]
    os.kill(before["server"][0], signal.SIGKILL)
    wait_until(lambda: not is_running(before["server"][0]), what="it is gone")
    assert "server does not run" in run("--status", expect=1)
    assert pasted(run("--detach"), 0)[0] == 200
    assert run.demo["pids"]["database"] == before["database"]
    wait_until(lambda: not any(is_running(pid) for pid in before["server"] + before["worker"]), what="all are gone")


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_workers_as_were_asked_for(service, workers):
    run, _ = service
    output = run("--detach", "--server", "lighttpd", "--workers", workers)
    assert len(run.demo["pids"]["worker"]) == workers
    assert pasted(output, 0)[0] == 200
    output = run("--detach")
    assert len(run.demo["pids"]["worker"]) == workers, "what was chosen before is kept"


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        assert Run(tmp_path / "var").refusal("--detach", "--port", port) == (
            f"run: port {port} is in use: name another one with --port\n")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    assert "--dir" in Run(tmp_path / "file" / "var").refusal("--detach")


@pytest.mark.parametrize("name", ["a b", "a\tb", 'a"b', "a$b", "a;b", "a,b", "a#b", "a{b"])
def test_a_folder_that_the_servers_could_not_be_told_is_one_sentence(tmp_path, name):
    assert name in Run(tmp_path / name).refusal("--detach")
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("arguments, word", [
    (["--port", "0"], "--port"), (["--port", "65536"], "--port"), (["--port", "http"], "'http'"), (["--port"], "--port"),
    (["--workers", "0"], "--workers"), (["--workers", "many"], "'many'"), (["--server", "iis"], "lighttpd, apache, nginx"),
])
def test_a_bad_option_is_one_sentence(tmp_path, arguments, word):
    assert word in Run(tmp_path / "var").refusal(*arguments)
    assert not (tmp_path / "var").exists()


def test_an_unknown_option_tells_the_usage(tmp_path):
    output = Run(tmp_path / "var")("--xyzzy", expect=2)
    for option in ("--port", "--dir", "--server", "--workers", "--detach", "--stop", "--status"):
        assert option in output


def test_a_folder_where_nothing_was_started(tmp_path):
    run = Run(tmp_path / "var")
    assert run("--stop") == ""
    assert run("--status", expect=1).count("does not run") == 3
    assert not run.folder.exists()


def test_a_tree_behind_a_link(tmp_path):
    """Processes are known by where the program really is."""
    (tmp_path / "link").symlink_to(SOURCE)
    run = Run(tmp_path / "var", tree=tmp_path / "link")
    run("--detach", "--port", free_port(), "--workers", "1")
    pids = run.pids()
    run("--status")
    run("--stop")
    assert len(pids) == 3 and not any(is_running(pid) for pid in pids)


def test_stop_leaves_nothing_running(tmp_path):
    run = Run(tmp_path / "var")
    run("--detach", "--port", free_port(), "--workers", "1")
    pids = run.pids()
    run("--stop")
    assert pids and not any(is_running(pid) for pid in pids)
    run("--status", expect=1)


def test_nothing_runs_for_each_request_once_it_is_stopped(tmp_path):
    run = Run(tmp_path / "var")
    run("--detach", "--port", free_port(), "--server", "cgi")
    assert "worker: one for each request" in run("--status")
    run("--stop")
    assert run("--status", expect=1).count("does not run") == 3


def _be_interruptible():
    """Also where the tests themselves run in the background of a shell, in which SIGINT is ignored by all."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_nothing_running(tmp_path):
    run = Run(tmp_path / "var")
    process = subprocess.Popen([*run.command, "--port", str(free_port())], text=True, preexec_fn=_be_interruptible,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    pids = run.pids()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    assert pids and not any(is_running(pid) for pid in pids)


def test_ctrl_c_before_it_runs_is_no_success(tmp_path):
    run = Run(tmp_path / "var")
    process = subprocess.Popen([*run.command, "--port", str(free_port())], text=True, preexec_fn=_be_interruptible,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout.readline().startswith("packages")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    process.stdout.close()
    assert run("--status", expect=1).count("does not run") == 3


def test_a_proxy_in_the_environment_is_not_asked(tmp_path):
    run = Run(tmp_path / "var")
    run("--detach", "--port", free_port(), "--workers", "1", http_proxy=f"http://127.0.0.1:{free_port()}")
    run("--stop")


# ---- what is not its own

@pytest.fixture
def daemon():
    """A process whose session's first one has ended, as with many daemons: the number of that session, and its own."""
    process = subprocess.Popen(["setsid", "sh", "-c", "sleep 60 >&2 & echo $$ $!"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    session, pid = map(int, process.communicate(timeout=30)[0].split())
    yield session, pid
    os.kill(pid, signal.SIGKILL)


def test_numbers_from_before_the_machine_was_started_again_are_those_of_others(tmp_path, daemon):
    run = Run(tmp_path / "var")
    run("--detach", "--port", free_port(), "--workers", "1")
    epoch = (run.folder / "run" / "epoch").read_text()
    run("--stop")
    session, pid = daemon
    (run.folder / "run" / "server.pid").write_text(f"{session}\n")
    (run.folder / "run" / "epoch").write_text("00000000-0000-0000-0000-000000000000 " + epoch.split()[1])
    run("--stop")
    assert is_running(pid)


@pytest.mark.parametrize("place", ["/tmp/me.a/../b", "kept", ""])
def test_only_its_own_folder_of_sockets_is_removed(tmp_path, place):
    run = Run(tmp_path / "var")
    (run.folder / "run").mkdir(parents=True)
    kept = tmp_path / "kept"
    kept.mkdir()
    (run.folder / "run" / "sockets").write_text(str(kept) if place == "kept" else place)
    run("--stop")
    assert kept.is_dir() and not (run.folder / "run" / "sockets").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_in_it_is_one_sentence(tmp_path):
    run = Run(tmp_path / "var")
    (run.folder / "run").mkdir(parents=True)
    os.chown(run.folder / "run", nobody()["user"], -1)
    assert f"{run.folder}/run" in run.refusal("--detach")
