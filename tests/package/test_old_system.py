"""The program of the bundle on an older Debian than it was built on, which has none of its libraries."""

import os
import shutil
import subprocess

import pytest

from support.bundle import FOLDER, BundledProgram
from support.dns import NameServer
from support.plugins import PluginServer
from support.root import make_root
from support.tenant import Tenant
from support.users import Users

SUITES = ("buster", "bullseye")
# Modules by which such a system looks up host names: they were made for its own C library.
MODULES = ("libnss-myhostname", "libnss-mymachines", "libnss-resolve")
NOBODY = "nobody:nogroup"
SITE = "/srv/site"
NAME_SERVER = "127.53.53.53"


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The older system, with names in its hosts file and a name server of its own."""
    root = make_root(tmp_path_factory.mktemp("old") / "root", SUITES, *MODULES)
    root.path("/etc/hosts").write_text("127.0.0.1 localhost db.in-hosts.example\n")
    root.path("/etc/resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
    root.run("install", "-d", "-o", "nobody", "-g", "nogroup", "-m", "0755", SITE)
    names = NameServer(NAME_SERVER, "127.0.0.1")
    root.names = names
    yield root
    names.stop()


@pytest.fixture(scope="module")
def tenant(hosts_database, old, archive):
    """The bundle, unpacked and filled in there by a user without rights."""
    customer = Tenant(hosts_database, "cust_old")
    shutil.copy(archive, old.path(f"{SITE}/bundle.tar.gz"))
    old.run("tar", "-C", SITE, "-xzf", f"{SITE}/bundle.tar.gz", user=NOBODY)
    folder = old.path(f"{SITE}/{FOLDER}")
    customer.load(folder / "schema.sql")
    os.link(hosts_database.socket, old.path(f"{SITE}/db.sock"))
    customer.fill_in(folder, host=f"{SITE}/db.sock", file="me.log")
    owner = folder.stat()
    os.chown(folder / "hs256.secret", owner.st_uid, owner.st_gid)
    return customer


@pytest.fixture(scope="module")
def users(tenant):
    return Users(tenant)


@pytest.fixture(scope="module")
def site(old, tenant):
    """me.fcgi as that user; the log is a file, so there is none on standard error."""
    return BundledProgram(f"{SITE}/{FOLDER}", [tenant.secret, tenant.password], old, NOBODY)


@pytest.fixture
def log(old, site):
    """What was written to me.log in this test."""
    path = old.path(f"{SITE}/{FOLDER}/me.log")
    before = path.stat().st_size if path.exists() else 0
    return lambda: path.read_text()[before:]


def test_the_system_is_older_and_has_none_of_the_libraries(old):
    versions = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
                for command in (old.command(["getconf", "GNU_LIBC_VERSION"]), ["getconf", "GNU_LIBC_VERSION"])]
    assert tuple(map(int, versions[0].split("."))) < tuple(map(int, versions[1].split("."))), versions
    found = old.run("find", "/usr/lib", "/lib", "-name", "libmariadb*", "-o", "-name", "libfcgi*", "-o", "-name", "libcrypto.so.3")
    assert found.stdout == ""


def test_the_archive_was_unpacked_with_its_permissions(old, tenant):
    paths = [f"{SITE}/{FOLDER}{name}" for name in ("", "/me.fcgi", "/me.conf", "/.htaccess", "/schema.sql")]
    told = old.run("stat", "-c", "%a %U", *paths).stdout.splitlines()
    assert told == ["755 nobody", "755 nobody", "600 nobody", "644 nobody", "644 nobody"]


def test_get_and_patch(site, tenant, users, user):
    bearer = tenant.tokens.bearer(user)
    assert site.get(bearer).json == user.expected()
    patched = site.patch(bearer, {"name": "Zoë 王", "locale": "en-us", "timezone": "Asia/Calcutta"})
    assert patched.status == 200 and patched.json["timezone"] == "Asia/Calcutta"
    assert users.column(user, "name") == "Zoë 王"


def test_rs256(site, tenant, user, old):
    key = old.path(f"{SITE}/{FOLDER}/login.pem")
    key.write_text(tenant.tokens.public_pem)
    answer = site.get(tenant.tokens.bearer(user, algorithm="RS256"), ME_TOKEN_PUBLIC_KEY_FILE=f"{SITE}/{FOLDER}/login.pem")
    assert answer.status == 200


@pytest.mark.parametrize("name, is_asked", [
    pytest.param("127.0.0.1", False, id="address"),
    pytest.param("localhost", False, id="localhost"),
    pytest.param("db.in-hosts.example", False, id="in the hosts file"),
    pytest.param("db.in-dns.example", True, id="by DNS"),
])
def test_a_database_by_tcp(site, tenant, user, old, hosts_database, name, is_asked):
    """nsswitch.conf wants modules of the system's own, which would end a program that has another C library in it."""
    assert "resolve" in old.path("/etc/nsswitch.conf").read_text()
    del old.names.asked[:]
    answer = site.get(tenant.tokens.bearer(user), ME_DATABASE_HOST=f"{name}:{hosts_database.port}", ME_DATABASE_TLS="off")
    assert answer.status == 200 and answer.json["id"] == user.id
    assert (name in old.names.asked) == is_asked


@pytest.mark.parametrize("place", [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
])
def test_a_certificate_that_the_system_trusts(site, tenant, user, old, hosts_database, place):
    """Wherever it keeps those: Debian, Red Hat, SUSE, Alpine."""
    path = old.path(place)
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(hosts_database.certificate)
    try:
        answer = site.get(tenant.tokens.bearer(user), ME_DATABASE_HOST=f"db.in-dns.example:{hosts_database.port}")
    finally:
        path.unlink()
    assert answer.status == 200


def test_a_certificate_that_nobody_trusts(site, tenant, user, hosts_database, log):
    answer = site.get(tenant.tokens.bearer(user), ME_DATABASE_HOST=f"db.in-dns.example:{hosts_database.port}")
    assert answer.status == 503 and "database.tls_ca" in log()


def test_a_name_that_there_is_not(site, tenant, user, log):
    """And an address at which nobody is."""
    for host in ("db..example:1", "[::1]:1"):
        answer = site.get(tenant.tokens.bearer(user), ME_DATABASE_HOST=host, ME_DATABASE_TLS="off")
        assert answer.status == 503 and host.rpartition(":")[0].strip("[]") in log()


@pytest.mark.parametrize("where", ["old", "here"])
@pytest.mark.parametrize("plugin", ["caching_sha2_password", "client_ed25519", "auth_gssapi_client", "dialog"])
def test_an_account_that_needs_a_plugin(site, tenant, old, user, log, tmp_path, plugin, where):
    """Also where the system has the plugin, which was made for another client library."""
    inside = f"{SITE}/{plugin}-{where}.sock"
    server = PluginServer(old.path(inside), plugin)
    program = site if where == "old" else BundledProgram(str(old.path(f"{SITE}/{FOLDER}")), site.secrets)
    try:
        answer = program.get(tenant.tokens.bearer(user), ME_DATABASE_HOST=inside if where == "old" else str(old.path(inside)),
                             ME_LOG_FILE=f"{SITE}/{FOLDER}/me.log" if where == "old" else str(old.path(f"{SITE}/{FOLDER}/me.log")))
    finally:
        server.stop()
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert f"Plugin {plugin} could not be loaded: this program is linked statically" in log()
    assert "IDENTIFIED VIA mysql_native_password" in log()
