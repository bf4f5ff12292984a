"""mectl doctor: its options, and how it tells what it found. What it finds is caused in tests/deploy."""

import http.server
import json
import os
import pty
import shutil
import subprocess
import threading

import pytest

from support.commands import assert_needs_its_output, assert_refused, assert_usage
from support.installation import mectl_command
from support.paths import clean_environment


def rows_of(done) -> list:
    assert done.stderr == "", done
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def open_conf(installation):
    """A me.conf with two findings in it."""
    return installation.write_conf("open.conf", token__issuer=None, token__audience=None)


# ---- how it is told

def test_nothing_found(mectl):
    done = mectl("doctor")
    assert done.returncode == 0 and done.stderr == ""
    *facts, last = done.stdout.splitlines()
    assert {line.split()[0] for line in facts} <= {"good", "note"} and last == "found    nothing to mend"


def test_findings_for_people(mectl, open_conf):
    done = mectl("doctor", conf=open_conf, check=False)
    lines = done.stdout.splitlines()
    at = lines.index("warning  issuer-open: token.issuer is empty: tokens of any issuer that has a key here are accepted")
    assert lines[at + 1] == " " * 9 + "A token that was made for another purpose with the same key lets its bearer in."
    assert lines[at + 2] == " " * 13 + "# in me.conf, in [token], the claim iss of your tokens:"
    assert lines[at + 3] == " " * 13 + "#     issuer = https://login.example.com"
    assert lines[-1] == "found    0 wrong, 2 warnings"
    assert done.returncode == 1


def test_findings_for_programs(mectl, open_conf):
    done = mectl("doctor", "--json", conf=open_conf, check=False)
    assert done.returncode == 1
    for row in rows_of(done):
        if row["finding"] in ("good", "note"):
            assert list(row) == ["finding", "what", "detail"]
        else:
            assert list(row) == ["finding", "code", "what", "detail", "why", "remedy"] and all(row.values())
    found = [row["code"] for row in rows_of(done) if "code" in row]
    assert found == ["issuer-open", "audience-open"]


def test_no_secret_is_told(mectl, installation, open_conf):
    told = mectl("doctor", conf=open_conf, check=False).stdout
    for hidden in (installation.secret, installation.worker_password, installation.admin_password_file.read_text().strip()):
        assert hidden not in told


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--list",), ("--list", "--json")], ids=" ".join)
def test_what_was_not_printed_is_no_success(installation, arguments):
    assert_needs_its_output("doctor", *arguments, conf=installation.conf)


def on_terminal(conf, *arguments) -> str:
    """What a terminal gets on standard error."""
    leader, follower = pty.openpty()
    try:
        subprocess.run(mectl_command(["doctor", *arguments], conf), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=follower, timeout=60, check=False, env=clean_environment())
        return os.read(leader, 65536).decode()
    finally:
        os.close(follower)
        os.close(leader)


def test_progress_on_a_terminal(installation):
    shown = on_terminal(installation.conf)
    for step in ("1 of 8: files", "2 of 8: keys", "8 of 8: the database"):
        assert f"\r\x1b[K{step}" in shown
    assert shown.endswith("\r\x1b[K")


def test_progress_of_both_halves(installation, page_server):
    shown = on_terminal(installation.conf, "--url", page_server)
    assert "8 of 8: the database" in shown and "1 of 12: who answers" in shown


@pytest.fixture
def refused_conf(installation, tmp_path):
    """Of an account that the database does not know, in a folder with a blank."""
    conf = tmp_path / "of the staging host.conf"
    shutil.copy(installation.write_conf("refused.conf", admin__user="nobody_knows"), conf)
    return conf


def test_the_lines_to_paste_name_the_settings_that_were_examined(mectl, refused_conf):
    """Else they would mend another installation: the one whose settings mectl finds by itself."""
    (row,) = [row for row in rows_of(mectl("doctor", "--json", conf=refused_conf, check=False)) if "code" in row]
    assert row["code"] == "account-refused"
    assert f"#     ME_CONF='{refused_conf}' mectl migrate --print-grants --for mectl | mariadb" in row["remedy"].splitlines()


def test_they_name_none_where_none_was_named(mectl, refused_conf):
    (row,) = [row for row in rows_of(mectl("doctor", "--json", conf=False, check=False, ME_CONF=refused_conf))
              if "code" in row]
    assert "#     mectl migrate --print-grants --for mectl | mariadb" in row["remedy"].splitlines()


def test_what_could_not_be_examined_is_named(mectl, page_server):
    rows = rows_of(mectl("doctor", "--json", "--only", "outside", "--url", page_server, check=False))
    told = next(row["detail"] for row in rows if row["what"] == "not examined")
    assert told.startswith("which worker, a token, ") and told.endswith(", caches: first mend what is told above")


# ---- the list

def test_the_list_has_every_finding_once(mectl):
    rows = rows_of(mectl("doctor", "--list", "--json"))
    assert all(list(row) == ["finding", "code", "what", "why", "remedy"] and all(row.values()) for row in rows)
    codes = [row["code"] for row in rows]
    assert len(set(codes)) == len(codes) and all(code == code.lower() and " " not in code for code in codes)
    assert all(row["why"].endswith(".") and "\n" not in row["why"] + row["what"] for row in rows)
    heads = [line for line in mectl("doctor", "--list").stdout.splitlines() if not line.startswith(" ")]
    assert heads == [f"{row['finding']:<7}  {row['code']}: {row['what']}" for row in rows]


@pytest.mark.parametrize("server, line", [
    ("apache", "CGIPassAuth On"), ("nginx", "fastcgi_param HTTP_AUTHORIZATION $http_authorization;"),
    ("lighttpd", '#     setenv.set-request-header = ("Authorization" => "")'), ("caddy", "#     header_up -Authorization")])
def test_the_list_for_one_server(mectl, server, line):
    rows = rows_of(mectl("doctor", "--list", "--json", "--server", server))
    (row,) = [row for row in rows if row["code"] == "authorization-stripped"]
    assert line in row["remedy"].splitlines()


# ---- options

@pytest.mark.parametrize("arguments, word", [
    (("--url", "me"), "--url"),
    (("--url", "ftp://api.example.com/me"), "--url"),
    (("--url", "https://user:password@api.example.com/me"), "--url"),
    (("--server", "iis"), "apache, lighttpd, nginx, caddy"),
    (("--only", "half"), "neither inside nor outside"),
    (("--only", "outside"), "--url"),
    (("--except", "issuer-open,nothing-such"), "nothing-such"),
    (("--as", "nobody-such"), "no account"),
    (("--workers", "0"), "1 to"),
    (("--workers", "many"), "1 to"),
    (("--user", "42"), "UUID"),
])
def test_wrong_usage(mectl, arguments, word):
    assert_usage(mectl("doctor", *arguments, check=False), word)


def test_findings_are_left_out(mectl, open_conf):
    done = mectl("doctor", "--except", "issuer-open, audience-open", conf=open_conf)
    assert done.returncode == 0 and "token.issuer" not in done.stdout


def test_settings_that_are_not_there(mectl, tmp_path):
    done = mectl("doctor", "--json", conf=tmp_path / "missing.conf", check=False)
    (row,) = rows_of(done)
    assert done.returncode == 1 and row["code"] == "settings-wrong" and "missing.conf" in row["detail"]


# ---- servers that are none of the four

class Pages(http.server.BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def _answer(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>Welcome</p>\n")

    do_GET = do_OPTIONS = do_PATCH = _answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def page_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/me"
    server.shutdown()
    server.server_close()


def remedy_of(done) -> str:
    (row,) = [row for row in rows_of(done) if "code" in row]
    assert done.returncode == 1 and row["code"] == "path-unmapped", row
    return row["remedy"]


def test_an_unknown_server_is_shown_the_lines_of_all(mectl, page_server):
    remedy = remedy_of(mectl("doctor", "--only", "outside", "--json", "--url", page_server, check=False))
    for server in ("apache", "lighttpd", "nginx", "caddy"):
        assert f"# {server}\n" in remedy


def test_a_server_that_is_named_is_shown_its_own(mectl, page_server):
    remedy = remedy_of(mectl(
        "doctor", "--only", "outside", "--json", "--url", page_server, "--server", "nginx", check=False))
    assert "fastcgi_pass" in remedy and "SetHandler" not in remedy


def test_the_lines_of_a_mapping_name_the_settings_that_were_examined(mectl, installation, page_server):
    remedy = remedy_of(mectl(
        "doctor", "--only", "outside", "--json", "--url", page_server, "--server", "lighttpd", check=False))
    assert f'"bin-environment" => ("ME_CONF" => "{installation.conf}", "ME_PROCESS_SOCKET" => "own"),' in remedy


def test_a_page_is_none_of_the_files(mectl, page_server):
    """The same page at every address gives nothing away."""
    found = rows_of(mectl("doctor", "--only", "outside", "--json", "--url", page_server, check=False))
    assert "file-fetchable" not in [row.get("code") for row in found]




def test_complaints_are_one_sentence(mectl):
    assert_refused(mectl("doctor", "--url", "nowhere", check=False), "is no URL", status=2)
