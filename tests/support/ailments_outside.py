"""
Ailments of workers and of the way to them that are no line of a web server's configuration: those are in
support/misconfigured.py. A clinic has one site, and the user whose token is asked with.
"""

import os
import re
import shutil
import signal
import subprocess
import time

from support.ailments import ailment, findings_of, lines_to_paste, says
from support.ground import free_port
from support.installation import rsa_pair, write_secret
from support.paths import clean_environment
from support.processes import wait_until


class Clinic:
    """Examines one site, from inside or outside."""

    def __init__(self, site, bearer):
        self.site = site
        self.bearer = bearer
        self.code = None

    def examine(self, *arguments) -> dict:
        return findings_of(self.site.installation.mectl(
            "doctor", "--json", *arguments, conf=self.site.conf, check=False))

    def outside(self, *arguments, url=None) -> dict:
        asks = any(option in arguments for option in ("--token", "--user"))
        user = () if asks else ("--user", self.bearer)
        return self.examine("--only", "outside", "--url", url or self.site.url, *user, *arguments)

    def inside(self, *arguments) -> dict:
        """Without what the tests' own accounts and folders are like."""
        return self.examine("--only", "inside", *arguments)

    def suffers_from(self, code: str, found: dict, *words, also=()) -> dict:
        assert set(found) == {code, *also}, (found, self.site.logs())
        for word in words:
            assert str(word) in found[code]["detail"], found[code]
        return found[code]

    def is_well(self, found: dict):
        assert found == {}, (found, self.site.logs())


# ---- the workers of this host


@ailment("worker-refuses", "nginx")
def a_secret_that_the_workers_cannot_read(clinic):
    clinic.site.start()
    secret = clinic.site.folder / "etc" / "hs256.secret"
    os.chown(secret, 0, 0)
    secret.chmod(0o600)
    row = clinic.suffers_from("worker-refuses", clinic.inside(), "as www-data", secret, "Permission denied")
    says(row, "chgrp www-data FILE && chmod 0640 FILE")
    subprocess.run(["sh", "-c", f"chgrp www-data {secret} && chmod 0640 {secret}"], check=True)
    clinic.is_well(clinic.inside())


@ailment("worker-refuses", "no server")
def settings_that_the_workers_cannot_read(clinic):
    clinic.site.conf.chmod(0o600)
    clinic.suffers_from("worker-refuses", clinic.inside("--as", "www-data"), clinic.site.conf, "Permission denied")
    clinic.site.conf.chmod(0o640)
    clinic.is_well(clinic.inside("--as", "www-data"))


@ailment("log-unwritable", "lighttpd")
def a_log_in_a_folder_of_root(clinic):
    folder = clinic.site.folder / "own"
    folder.mkdir(mode=0o755)
    clinic.site.start()
    _change(clinic.site, log__file=folder / "me.log")
    also = ["worker-outdated"]
    row = clinic.suffers_from("log-unwritable", clinic.inside(), "as www-data", folder / "me.log", also=also)
    says(row, "install -d -o www-data -g www-data -m 0750 FOLDER")
    subprocess.run(["install", "-d", "-o", "www-data", "-g", "www-data", "-m", "0750", str(folder)], check=True)
    clinic.site.restart()
    clinic.is_well(clinic.inside())


def _let_read(site, mode: int):
    for file in site.etc.iterdir():
        file.chmod(mode)


def _await_workers(site):
    """A server listens before each of its workers is there."""
    wait_until(lambda: len(site.worker_pids()) == 2, 20, "both workers run")


@ailment("worker-is-root", "nginx")
def workers_of_root(clinic):
    _let_read(clinic.site, 0o600)
    clinic.site.start({"account": "root"})
    _await_workers(clinic.site)
    says(clinic.suffers_from("worker-is-root", clinic.inside(), "2 of 2"), "spawn-fcgi -u www-data")
    _let_read(clinic.site, 0o640)
    (clinic.site.folder / "log" / "worker.log").unlink()  # it is root's
    clinic.site.restart()
    clinic.is_well(clinic.inside())


@ailment("worker-is-root", "lighttpd")
def workers_of_a_server_of_root(clinic):
    _let_read(clinic.site, 0o600)
    clinic.site.start({"drop": ("root",)})
    _await_workers(clinic.site)
    row = clinic.suffers_from("worker-is-root", clinic.inside("--server", "lighttpd"), "2 of 2")
    _let_read(clinic.site, 0o640)
    shutil.rmtree(clinic.site.folder / "log")
    clinic.site.make_workers_folder("log")
    clinic.site.restart({"drop": ("root",), "server": lines_to_paste(row["remedy"])})
    clinic.is_well(clinic.inside())


@ailment("socket-lost", "lighttpd")
def workers_that_lose_what_waits(clinic):
    clinic.site.start({"drop": ("own",)})
    _await_workers(clinic.site)
    row = clinic.suffers_from("socket-lost", clinic.inside("--server", "lighttpd"), "as pid ")
    says(row, '"ME_PROCESS_SOCKET" => "own"')
    _paste_setting(clinic.site, row)
    clinic.site.restart({"drop": ("own",)})
    clinic.is_well(clinic.inside())
    clinic.site.write_conf()
    clinic.site.restart()  # with what it says of bin-environment
    clinic.is_well(clinic.inside())


@ailment("socket-taken", "nginx")
def workers_that_take_the_socket_from_each_other(clinic):
    clinic.site.write_conf(process__socket="own")
    clinic.site.start()
    row = clinic.suffers_from("socket-taken", clinic.inside(), "as pid ")
    _paste_setting(clinic.site, row)
    clinic.site.restart()
    clinic.is_well(clinic.inside())


def _paste_setting(site, row: dict):
    key, _, value = lines_to_paste(row["remedy"]).strip().partition(" = ")
    site.write_conf(**{f"process__{key}": value})


@ailment("worker-outdated", "lighttpd")
def settings_that_were_changed_meanwhile(clinic):
    clinic.site.start()
    _await_workers(clinic.site)
    clinic.is_well(clinic.inside())
    _change(clinic.site, log__level="warning")
    row = clinic.suffers_from("worker-outdated", clinic.inside(), "2 of 2", "me.conf was changed")
    _paste(row)
    wait_until(lambda: len(clinic.site.worker_pids()) == 2 and clinic.inside() == {}, 10, "lighttpd has started new workers")


@ailment("worker-outdated", "nginx")
def a_program_that_was_replaced(clinic):
    clinic.site.start()
    newer = clinic.site.program.with_name("me.fcgi.new")
    shutil.copy(clinic.site.program, newer)
    newer.replace(clinic.site.program)
    row = clinic.suffers_from("worker-outdated", clinic.inside(), "place of its program")
    _paste(row)
    wait_until(lambda: not clinic.site.worker_pids(), 10, "the workers have ended")
    clinic.site.socket.unlink()
    clinic.site.spawn()
    clinic.is_well(clinic.inside())


def _change(site, **changes):
    """So much later than the workers started that it shows."""
    time.sleep(0.2)
    site.write_conf(**changes)


def _paste(row: dict):
    lines = lines_to_paste(row["remedy"])
    assert lines.strip(), row
    subprocess.run(["sh", "-e", "-c", lines], check=True, timeout=30, env=clean_environment())


# ---- from outside


@ailment("url-unreached", "no server")
def a_server_that_does_not_run(clinic):
    row = clinic.suffers_from("url-unreached", clinic.outside(), clinic.site.url)
    says(row, "ss -ltnp")
    clinic.site.start()
    clinic.is_well(clinic.outside())


@ailment("url-unreached", "nginx")
def a_port_that_is_another_one(clinic):
    clinic.site.start()
    clinic.suffers_from("url-unreached", clinic.outside(url=f"http://127.0.0.1:{free_port()}/me"))
    clinic.is_well(clinic.outside())


@ailment("url-untrusted", "nginx")
def a_certificate_of_an_unknown_authority(clinic):
    clinic.site.start()
    row = clinic.suffers_from("url-untrusted", clinic.outside(url=clinic.site.secure_url), clinic.site.secure_url)
    says(row, "--ca FILE")
    clinic.is_well(clinic.outside("--ca", clinic.site.authority.file, url=clinic.site.secure_url))


def _pasted_tls(site, row: dict) -> str:
    """What doctor shows for port 443, for the port and the certificate of the site."""
    lines = lines_to_paste(row["remedy"])
    for shown, ours in [*site.own_names(), ("listen 443", f"listen 127.0.0.1:{site.tls_port}"),
                        ('":443"', f'"127.0.0.1:{site.tls_port}"')]:
        lines = lines.replace(shown, str(ours))
    if site.name != "apache":
        return lines
    return f"Listen 127.0.0.1:{site.tls_port}\n<VirtualHost 127.0.0.1:{site.tls_port}>\n{lines}\n</VirtualHost>\n"


def _without_tls(kind):
    def cause(clinic):
        site = clinic.site.start({"drop": ("tls",)})
        plain = site.url.replace("127.0.0.1", "0.0.0.0")  # this machine, by a name that does not show it
        row = clinic.suffers_from("tls-missing", clinic.outside(url=plain), plain)
        site.restart({"drop": ("tls",), "server": _pasted_tls(site, row)})
        clinic.is_well(clinic.outside("--ca", site.authority.file, url=site.secure_url))
    cause.__name__ = f"a_url_without_tls_of_{kind}"
    return ailment("tls-missing", kind)(cause)


for _kind in ("nginx", "apache", "lighttpd"):
    _without_tls(_kind)


@ailment("gateway-failed", "lighttpd")
def a_program_that_is_gone(clinic):
    clinic.site.start()
    clinic.is_well(clinic.outside())
    kept = clinic.site.program.rename(clinic.site.program.with_name("kept"))
    for pid in clinic.site.pids_of(kept):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not clinic.site.pids_of(kept), 10, "the workers have ended")
    says(clinic.suffers_from("gateway-failed", clinic.outside(), "not of me.fcgi"), "bin-path has to be a program")
    kept.rename(clinic.site.program)
    clinic.site.restart()
    clinic.is_well(clinic.outside())


@ailment("token-missing", "nginx")
def public_keys_alone(clinic):
    clinic.site.write_conf(token__secret_file=None)
    clinic.site.start()
    row = clinic.suffers_from("token-missing", clinic.outside(), "neither --token nor --key")
    says(row, "--key FILE --user ID", "--token -")
    clinic.is_well(clinic.outside("--key", clinic.site.installation.private_key_file))


@ailment("token-missing", "nginx")
def tokens_that_must_name_a_session(clinic):
    clinic.site.write_conf(token__sessions="required")
    clinic.site.start()
    user = clinic.users.add()
    clinic.suffers_from("token-missing", clinic.outside("--user", user), "no active session", user)
    clinic.users.add_session(user)
    clinic.is_well(clinic.outside("--user", user))


@ailment("token-refused", "lighttpd")
def a_token_that_has_ended(clinic):
    clinic.site.start()
    tokens = clinic.site.installation.tokens
    old = tokens.mint(clinic.bearer, exp=int(time.time()) - 3600)
    row = clinic.suffers_from("token-refused", clinic.outside("--token", old), "invalid_token", "expired")
    says(row, "mectl token verify -")
    clinic.is_well(clinic.outside("--token", tokens.mint(clinic.bearer)))


@ailment("token-refused", "lighttpd")
def a_session_that_no_issuer_writes(clinic):
    """As of Keycloak, which names one in every token."""
    clinic.site.start()
    token = clinic.site.installation.tokens.mint(clinic.bearer, sid="e3b0c442")
    row = clinic.suffers_from("token-refused", clinic.outside("--token", token), "revoked")
    says(row, "[token]", "sessions = off")
    clinic.is_well(clinic.outside("--token", clinic.site.installation.tokens.mint(clinic.bearer)))


@ailment("token-refused", "apache")
def a_token_of_another_key(clinic):
    clinic.site.start()
    private, _ = rsa_pair()
    stranger = clinic.site.folder / "stranger.pem"
    write_secret(stranger, private)
    clinic.suffers_from("token-refused", clinic.outside("--key", stranger), "invalid_token")
    clinic.is_well(clinic.outside("--key", clinic.site.installation.private_key_file))


@ailment("token-refused", "nginx")
def a_user_who_is_banned(clinic):
    clinic.site.start()
    user = clinic.users.add(status="banned")
    clinic.suffers_from("token-refused", clinic.outside("--user", user), "403 user_banned")
    clinic.site.installation.mectl("user", "status", user, "active")
    clinic.is_well(clinic.outside("--user", user))


@ailment("worker-fails", "lighttpd-cgi")
def a_program_whose_secret_lies_open(clinic):
    _with_an_open_secret(clinic)


@ailment("worker-fails", "apache-cgi")
def the_same_behind_apache(clinic):
    _with_an_open_secret(clinic)


def _with_an_open_secret(clinic):
    clinic.site.start()
    secret = clinic.site.folder / "etc" / "hs256.secret"
    secret.chmod(0o644)
    row = clinic.suffers_from("worker-fails", clinic.outside(), "500 internal_error", "request id doctor-")
    says(row, "mectl doctor", "error log")
    secret.chmod(0o640)
    clinic.is_well(clinic.outside())


@ailment("worker-fails", "nginx")
def workers_that_do_not_reach_the_database(clinic):
    clinic.site.write_conf(database__host=clinic.site.folder / "db" / "no.sock")
    clinic.site.start()
    token = clinic.site.installation.tokens.mint(clinic.bearer)
    clinic.suffers_from("worker-fails", clinic.outside("--token", token), "503 service_unavailable", "request id")
    clinic.site.write_conf()
    clinic.site.restart()
    clinic.is_well(clinic.outside("--token", token))


def _pids(clinic) -> str:
    """Those of its own workers, and nobody else's."""
    return " ".join(map(str, sorted(clinic.site.worker_pids())))


@ailment("worker-differs", "lighttpd")
def workers_of_older_settings(clinic):
    clinic.site.start()
    _change(clinic.site, log__level="warning", cors__max_age_s=5)
    row = clinic.suffers_from("worker-differs", clinic.outside(), "cors.max_age_s, log.level")
    says(row, f"kill {_pids(clinic)}\n", "lighttpd")
    clinic.site.restart()
    clinic.is_well(clinic.outside())


@ailment("worker-differs", "nginx")
def workers_of_another_version(clinic):
    ours = clinic.site.program.read_bytes()
    version = re.escape(clinic.version.encode())
    other, count = re.subn(rb"(?<=\0)" + version + rb"(?=[\0 ])", b"9.9.9", ours)
    assert count > 0 and len(other) == len(ours)
    clinic.site.program.write_bytes(other)
    clinic.site.start()
    row = clinic.suffers_from("worker-differs", clinic.outside(), f"of version 9.9.9, and mectl of {clinic.version}")
    says(row, f"kill {_pids(clinic)}\n")
    clinic.site.stop()
    clinic.site.program.write_bytes(ours)
    clinic.site.start()
    clinic.is_well(clinic.outside())


@ailment("worker-differs", "apache")
def workers_that_do_not_know_the_secret(clinic):
    clinic.site.write_conf(doctor__secret_file=None)
    clinic.site.start()
    _change(clinic.site)
    clinic.suffers_from("worker-differs", clinic.outside(), "does not know doctor.secret_file")
    clinic.site.restart()
    clinic.is_well(clinic.outside())


# ---- files that are handed out


def _behind(kind):
    def cause(clinic):
        _with_settings_among_the_pages(clinic)
    cause.__name__ = f"settings_among_the_pages_of_{kind}"
    return ailment("file-fetchable", kind)(cause)


def _with_settings_among_the_pages(clinic):
    """All that shared hosting has: the program's folder lies among the pages."""
    site = clinic.site
    site.move_settings_to(site.folder / "htdocs" / "cgi-bin")
    site.start()
    found = clinic.outside()
    row = clinic.suffers_from("file-fetchable", found, "/htdocs/cgi-bin/", f"at http://127.0.0.1:{site.port}/cgi-bin/")
    site.restart({"server": lines_to_paste(row["remedy"])})
    clinic.is_well(clinic.outside())


for _kind in ("nginx", "apache", "lighttpd", "caddy"):
    _behind(_kind)
