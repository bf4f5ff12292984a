"""me.fcgi called by hand."""

import shutil
import subprocess

import pytest

from support.paths import clean_environment, program


def run(*arguments, executable=None, **environment):
    return subprocess.run(
        [str(executable or program("me.fcgi")), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, check=False, timeout=30, env=clean_environment(**environment),
    )


def test_version():
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("me.fcgi ") and done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_help_names_the_options():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("--check-config", "--version", "--help"):
        assert word in done.stdout


@pytest.mark.parametrize("arguments", [["--nonsense"], ["-x"], ["me.conf"]])
def test_another_argument_is_a_usage_error(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == "" and "--help" in done.stderr


def test_called_by_hand_it_says_what_it_is_for():
    done = run()
    assert done.returncode == 2 and done.stdout == "" and done.stderr


def test_check_config_prints_what_is_in_force(installation):
    done = run("--check-config", ME_CONF=str(installation.conf), ME_REQUEST_RETRY_AFTER_S="17")
    assert done.returncode == 0 and done.stderr == "", done
    for line in (f"user = {installation.worker_account}", "retry_after_s = 17", "body_max_bytes = 65536"):
        assert line in done.stdout, done.stdout
    assert installation.worker_password not in done.stdout
    assert installation.secret not in done.stdout


def test_check_config_masks_a_password(installation):
    conf = installation.write_conf("masked.conf", database__password="hunter2", database__password_file=None)
    conf.chmod(0o600)
    done = run("--check-config", ME_CONF=str(conf))
    assert done.returncode == 0 and "hunter2" not in done.stdout + done.stderr
    assert "********" in done.stdout


def test_what_check_config_prints_is_a_configuration(installation, tmp_path):
    first = run("--check-config", ME_CONF=str(installation.conf))
    again = tmp_path / "again.conf"
    again.write_text(first.stdout)
    second = run("--check-config", ME_CONF=str(again))
    assert second.returncode == 0 and without_comments(second.stdout) == without_comments(first.stdout), second


def without_comments(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_check_config_needs_no_database(installation, tmp_path):
    done = run("--check-config", ME_CONF=str(installation.conf), ME_DATABASE_HOST=str(tmp_path / "no.sock"))
    assert done.returncode == 0, done


def test_me_conf_is_found_beside_the_program(installation, tmp_path):
    shutil.copy(program("me.fcgi"), tmp_path / "me.fcgi")
    shutil.copy(installation.conf, tmp_path / "me.conf")
    done = run("--check-config", executable=tmp_path / "me.fcgi", ME_LOG_LEVEL="debug")
    assert done.returncode == 0 and installation.worker_account in done.stdout, done


def test_me_conf_is_found_where_a_link_leads(installation, tmp_path):
    (tmp_path / "real").mkdir()
    shutil.copy(program("me.fcgi"), tmp_path / "real" / "me.fcgi")
    shutil.copy(installation.conf, tmp_path / "real" / "me.conf")
    (tmp_path / "me.fcgi").symlink_to(tmp_path / "real" / "me.fcgi")
    done = run("--check-config", executable=tmp_path / "me.fcgi")
    assert done.returncode == 0 and installation.worker_account in done.stdout, done


def test_a_full_disk_is_no_success(installation):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(
            [str(program("me.fcgi")), "--version"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
            check=False, timeout=30, env=clean_environment())
    assert done.returncode == 1
