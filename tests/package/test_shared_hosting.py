"""
The bundle on a shared host, by its own instructions: FTP and phpMyAdmin, and nothing else. Each step of the README is
in it word for word, or the step is another one.
"""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.bundle import FOLDER, unpack
from support.ground import free_port
from support.host import Ftp, Host
from support.phpmyadmin import PACKAGES, Browser, PhpMyAdmin
from support.processes import wait_until
from support.root import make_root
from support.tenant import Tenant, edit
from support.together import at_once
from support.users import Users

SUITE = re.search(r"(?m)^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())[1]
IDLE_CLOSE_S = 5


@pytest.fixture(scope="module")
def host():
    running = Host()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def tenant(hosts_database):
    """Step 1, in the host's panel: a database and an account."""
    return Tenant(hosts_database, "cust_me")


@pytest.fixture(scope="module")
def phpmyadmin(hosts_database, tmp_path_factory):
    root = make_root(tmp_path_factory.mktemp("phpmyadmin") / "root", (SUITE,), *PACKAGES)
    site = PhpMyAdmin(root, free_port(), hosts_database.port)
    yield site
    site.stop()


@pytest.fixture(scope="module")
def browser(phpmyadmin, tenant):
    return Browser(phpmyadmin, tenant.name, tenant.password)


@pytest.fixture(scope="module")
def bundle(archive, tmp_path_factory):
    """On the customer's own machine."""
    return unpack(archive, tmp_path_factory.mktemp("customer"))


@pytest.fixture(scope="module")
def readme(bundle):
    text = (bundle / "README").read_text()

    def says(*words):
        """The instructions have these words, in one sentence or more, wherever their lines end."""
        flat = re.sub(r"\s+", " ", text)
        for sentence in words:
            assert sentence in flat, f"the README says no longer: {sentence}"

    says.text = text
    return says


@pytest.fixture(scope="module")
def socket(hosts_database, host):
    """Where the customers' programs get to the database."""
    folder = host.folder / "db"
    folder.mkdir(mode=0o711)
    os.link(hosts_database.socket, folder / "db.sock")
    return folder / "db.sock"


def is_optional(path) -> bool:
    return "\n-- optional:" in path.read_text()


@pytest.fixture(scope="module")
def imported(readme, browser, tenant, bundle):
    """Step 1, the tables."""
    readme('In phpMyAdmin choose the database, then "Import", then schema.sql.')
    page = browser.import_file(tenant.name, "schema.sql", (bundle / "schema.sql").read_bytes())
    assert "Import has been successfully finished" in page and "MySQL said" not in page, page[-2000:]
    return page


@pytest.fixture(scope="module")
def site(readme, imported, tenant, bundle, socket, host):
    """Steps 2 to 4."""
    readme("Write the names of database and account, and the password, into me.conf.",
           "that is a file hs256.secret with the secret in one line.",
           "Upload the whole folder, .htaccess too, as binary files, to where your site lies",
           "Set the permissions: 0755 for the folder and me.fcgi, 0600 for me.conf and the key.")
    tenant.fill_in(bundle, host=socket)
    ftp = Ftp(host)
    ftp.upload_folder(bundle, FOLDER)
    for mode, name in (("755", FOLDER), ("755", f"{FOLDER}/me.fcgi"), ("600", f"{FOLDER}/me.conf"), ("600", f"{FOLDER}/hs256.secret")):
        ftp.set_permissions(mode, name)
    return host.site(f"/{FOLDER}/me")


@pytest.fixture(scope="module")
def ftp(host, site):
    return Ftp(host)


@pytest.fixture(scope="module")
def users(tenant, imported):
    return Users(tenant)


@pytest.fixture
def log(ftp):
    """What was written to me.log in this test, by FTP."""
    before = len(ftp.download(f"{FOLDER}/me.log"))
    return lambda: ftp.download(f"{FOLDER}/me.log")[before:]


@pytest.fixture(params=["CGI", "FastCGI"])
def way(request, readme, ftp, host, site):
    """Both ways, by a change of .htaccess as it says itself."""
    original = ftp.download(f"{FOLDER}/.htaccess")
    if request.param == "FastCGI":
        readme("FastCGI, which is faster: .htaccess says which lines to change.")
        assert "put a # before the line above, and take it away from these." in original
        changed = original.replace("    SetHandler cgi-script\n", "    #SetHandler cgi-script\n")
        changed = re.sub(r"(?m)^    #(?=SetHandler fcgid|</?IfModule|    SetInputFilter)", "    ", changed)
        assert changed.count("SetHandler") == 2 and "\n    SetHandler fcgid-script\n" in changed
        ftp.upload(changed, f"{FOLDER}/.htaccess")
    yield request.param
    ftp.upload(original, f"{FOLDER}/.htaccess")


# ---- step 5

def test_without_a_token(site, readme):
    readme('It runs where you see "missing_token".')
    answer = site()
    assert (answer.status, answer.code) == (401, "missing_token")


def test_with_a_token_by_the_command_that_is_shown(site, readme, tenant, users, user, host):
    shown = re.search(r"^ +(curl .*)$", readme.text, re.MULTILINE)[1]
    command = shown.replace("TOKEN", tenant.tokens.mint(user)).replace("https://YOUR.SITE", f"http://127.0.0.1:{host.port}")
    told = subprocess.run(["sh", "-c", f"{command} -sS"], stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout
    assert f'"id":"{user.id}"' in told


def test_nothing_else_of_the_folder_is_shown(site, readme, host, bundle, ftp):
    """Whatever it is called; a file that is there could be read otherwise, as one beside the folder is."""
    readme('/me-fcgi/me.conf must be "Forbidden".')
    ftp.upload("hello", "beside.txt")
    assert host.site("/beside.txt").send().body == b"hello"
    for path in [*bundle.rglob("*"), bundle / "me.log", bundle / "me.log.1", bundle / "new.pem", bundle / ""]:
        if path.name != "me.fcgi":
            answer = host.site(f"/{FOLDER}/{path.relative_to(bundle)}").send()
            assert answer.status == 403, path


def test_the_program_runs_as_the_customer(site, ftp, host):
    """Else it could not read what only the customer may read; and its log belongs to the customer."""
    site()
    info = (host.site_folder / FOLDER / "me.log").stat()
    assert (info.st_uid, info.st_mode & 0o777) == (host.owner.pw_uid, 0o640)


# ---- what it answers

def test_get_and_patch(way, site, tenant, users):
    user = users.full()
    bearer = tenant.tokens.bearer(user)
    answer = site.get(bearer)
    assert answer.json == user.expected(active_sessions=2)
    assert site.get({**bearer, "If-None-Match": answer.etag}).status == 304
    patched = site.patch({**bearer, "If-Match": answer.etag}, {"name": "Zoë 王", "bio": None})
    assert patched.status == 200 and users.column(user, "name") == "Zoë 王"
    assert site.patch({**bearer, "If-Match": answer.etag}, {"bio": "x"}).status == 412
    assert site.patch(bearer, {"locale": "?"}).code == "validation_failed"
    assert site("HEAD", headers=bearer).body == b"" and site("OPTIONS").status == 204
    assert site("POST", headers=bearer, body=b"{}").status == 405


def test_the_size_of_bodies(way, site, tenant, user):
    bearer = tenant.tokens.bearer(user)
    for size, status in ((65536, 200), (65537, 413)):
        body = b'{"bio":null' + b" " * (size - 12) + b"}"
        assert site.send("PATCH", headers=bearer, body=body).status == status, size


def test_a_path_behind_the_program(way, site, host, tenant, user):
    for path in (f"/{FOLDER}/me.fcgi", f"/{FOLDER}/me.fcgi/me"):
        assert host.site(path).get(tenant.tokens.bearer(user)).status == 200, path
    for path in (f"/{FOLDER}/other", f"/{FOLDER}/me/other", f"/{FOLDER}/me.fcgi/other"):
        assert host.site(path).send(headers=tenant.tokens.bearer(user)).status in (403, 404), path


def test_bans_and_log_outs_count_at_once(way, site, tenant, users, user):
    session = users.add_session(user)
    bearer = tenant.tokens.bearer(user, sid=session)
    assert site.get(bearer).status == 200
    users.revoke_session(session)
    assert site.get(bearer).status == 401
    users.set_column(user, "status", "banned")
    assert site.get(tenant.tokens.bearer(user)).status == 403


def test_twenty_clients_at_once(way, site, tenant, users):
    people = [users.add(f"Client {n}") for n in range(20)]
    assert [answer.status for answer in at_once(
        [lambda user=user: site.get(tenant.tokens.bearer(user)) for user in people])] == [200] * 20


def test_the_account_may_have_few_connections(way, site, tenant, users):
    """Never a 500: what is not served is told to come back."""
    people = [users.add(f"Client {n}") for n in range(8)]
    tenant.limit_connections(2)
    try:
        answers = at_once([lambda user=user: site.get(tenant.tokens.bearer(user)) for user in people])
    finally:
        tenant.limit_connections(0)
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) >= 2 and set(statuses) <= {200, 503}, statuses
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 503)


def test_an_idle_worker_gives_its_connection_back(way, site, tenant, host, user):
    assert site.get(tenant.tokens.bearer(user)).status == 200
    wait_until(lambda: tenant.connections() == 0, IDLE_CLOSE_S + 5, "no connection is left")
    assert way == "CGI" or host.worker_pids()
    assert site.get(tenant.tokens.bearer(user)).status == 200


# ---- the rest of the instructions

def test_at_me_itself(readme, site, host, tenant, user, ftp):
    lines = re.search(r"^At /me itself: .*\n((?: +\S.*\n)+)", readme.text, re.MULTILINE)[1]
    ftp.upload("".join(line.strip() + "\n" for line in lines.splitlines()), ".htaccess")
    at_root = host.site("/me")
    assert at_root.get(tenant.tokens.bearer(user)).json["id"] == user.id
    assert at_root.patch(tenant.tokens.bearer(user), {"bio": "at the root"}).status == 200
    assert host.site(f"/{FOLDER}/me").get(tenant.tokens.bearer(user)).status == 200
    assert host.site(f"/{FOLDER}/me.conf").send().status == 403


def test_the_secret_that_a_browser_makes(readme, tenant):
    """By another program of the same language."""
    line = re.search(r"^ +(Array\.from.*)$", readme.text, re.MULTILINE)[1]
    made = {subprocess.run(["node", "-p", line], stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout
            for _ in range(2)}
    assert len(made) == 2 and all(re.fullmatch(r"[0-9a-f]{64}\n", secret) for secret in made)


def test_the_socket_that_phpmyadmin_tells(browser, tenant, hosts_database, bundle):
    assert '"SELECT @@socket" tells which' in (bundle / "me.conf").read_text()
    assert hosts_database.socket in browser.run(tenant.name, "SELECT @@socket")


def test_a_new_version_while_requests_are_under_way(way, readme, site, tenant, ftp, bundle, host, user):
    readme("upload its me.fcgi as me.new, set 0755, and rename it to me.fcgi.")
    bearer, statuses, is_over = tenant.tokens.bearer(user), [], threading.Event()

    def keep_asking():
        while not is_over.is_set():
            statuses.append(site.send(headers=bearer).status)

    client = threading.Thread(target=keep_asking)
    client.start()
    try:
        with host.ftp() as connection, (bundle / "me.fcgi").open("rb") as file:
            connection.storbinary(f"STOR {FOLDER}/me.new", file)
        ftp.set_permissions("755", f"{FOLDER}/me.new")
        ftp.rename(f"{FOLDER}/me.new", f"{FOLDER}/me.fcgi")
        time.sleep(1)
    finally:
        is_over.set()
        client.join()
    assert len(statuses) > 10 and set(statuses) == {200}, statuses


def test_what_was_imported_is_told(readme, browser, imported, tenant, bundle):
    readme('whose numbers are above the last one that "SELECT MAX(version) FROM schema_migrations" shows.')
    last = max((path.name for path in (bundle / "upgrade").iterdir() if not is_optional(path)), default="0001")[:4]
    assert f"MAX(version) {int(last)} " in browser.run(tenant.name, "SELECT MAX(version) FROM schema_migrations")


@pytest.fixture
def triggers(bundle) -> tuple:
    """The name of the optional migration's file, and what is in it."""
    path = bundle / "upgrade" / "0004_revision_triggers.sql"
    assert is_optional(path)
    return path.name, path.read_bytes()


def stands(tenant) -> list:
    return tenant.execute("SELECT stands FROM revision_guard")


def test_triggers_that_the_host_does_not_allow(readme, browser, site, tenant, user, triggers):
    readme("where your host allows no triggers, phpMyAdmin shows an error, and all works as before.")
    for account in tenant.accounts:
        tenant.server.execute(f"REVOKE TRIGGER ON {tenant.name}.* FROM {account}")
    try:
        page = browser.import_file(tenant.name, *triggers)
        assert "#1142" in page and "TRIGGER command denied" in page, page[-2000:]
    finally:
        for account in tenant.accounts:
            tenant.server.execute(f"GRANT TRIGGER ON {tenant.name}.* TO {account}")
    assert stands(tenant) == []
    assert tenant.execute("SELECT COUNT(*) FROM schema_migrations WHERE version = 4") == [(0,)]
    assert site.patch(tenant.tokens.bearer(user), {"bio": "without"}).status == 200


def test_triggers_that_it_allows(readme, browser, site, tenant, user, triggers):
    readme("Faster, too: import upgrade/0004_revision_triggers.sql")
    page = browser.import_file(tenant.name, *triggers)
    assert "Import has been successfully finished" in page and "MySQL said" not in page, page[-2000:]
    assert stands(tenant) == [(1,)]
    assert site.patch(tenant.tokens.bearer(user), {"bio": "with"}).json["bio"] == "with"


# ---- where it does not work

@pytest.fixture
def conf(ftp, host, site):
    """Uploads another me.conf for a test, made by `edit`."""
    original = ftp.download(f"{FOLDER}/me.conf")
    name = f"{FOLDER}/me.conf"

    def change(**values):
        ftp.upload(edit(original, **values), name)

    yield change
    ftp.upload(original, name)
    ftp.set_permissions("600", name)


def test_a_folder_that_others_may_write(site, ftp, readme):
    readme("the folder or the program may be written by others (0777 or 0775 instead of 0755).")
    for name in (FOLDER, f"{FOLDER}/me.fcgi"):
        for mode in ("777", "775"):
            ftp.set_permissions(mode, name)
            try:
                assert site.send().status == 500
            finally:
                ftp.set_permissions("755", name)
    assert site().status == 401


@pytest.mark.parametrize("name", ["me.conf", "hs256.secret"])
def test_a_secret_that_others_can_read(site, ftp, host, readme, tenant, user, name):
    readme("Mostly: me.conf or the key can be read by others, a key is missing, a name in me.conf is misspelt.")
    ftp.set_permissions("644", f"{FOLDER}/{name}")
    try:
        answer = site()
        assert (answer.status, answer.code) == (500, "internal_error")
        said = host.logs() + ftp.download(f"{FOLDER}/me.log")
        assert f"/{name}: holds a secret, but its mode is 0644" in said and "run: chmod 06" in said
    finally:
        ftp.set_permissions("600", f"{FOLDER}/{name}")
    assert site.get(tenant.tokens.bearer(user)).status == 200


def test_a_key_that_is_missing(site, conf, log):
    conf(secret_file="other.secret")
    answer = site()
    assert (answer.status, answer.code) == (500, "internal_error") and "other.secret" in log()


def test_a_name_that_is_misspelt(site, conf, host):
    conf(kept="2\nkeep = 3")
    assert site().code == "internal_error" and "log.keep: there is no such setting" in host.logs()


def test_a_wrong_password(site, conf, tenant, user, log, readme):
    readme('"service_unavailable" the database: me.log says why.')
    conf(password="wrong")
    answer = site.get(tenant.tokens.bearer(user))
    assert answer.status == 503 and answer.code == "service_unavailable" and "Access denied" in log()


def test_too_few_connections(site, tenant, user, log, hosts_database, readme):
    readme('"too many connections": the host allows your account too few (max_user_connections).')
    tenant.limit_connections(1)
    held = hosts_database.connect(tenant.name, tenant.password, tenant.name)
    try:
        answer = site.get(tenant.tokens.bearer(user))
        assert answer.status == 503 and "too many connections" in log()
    finally:
        held.close()
        tenant.limit_connections(0)


def test_a_token_that_is_refused(site, tenant, user, log, readme):
    readme('"invalid_token" me.log has the reason.')
    assert site.get(tenant.tokens.bearer(user, exp=1)).status == 401 and "reason=expired" in log()


def test_the_log_does_not_grow_for_ever(site, conf, ftp, host):
    conf(max_bytes="4096")
    for _ in range(80):
        assert site().status == 401
    sizes = {path.name: path.stat().st_size for path in (host.site_folder / FOLDER).glob("me.log*")}
    assert set(sizes) == {"me.log", "me.log.1", "me.log.2"} and max(sizes.values()) < 2 * 4096, sizes
