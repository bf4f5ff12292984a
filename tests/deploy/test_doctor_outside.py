"""mectl doctor behind real web servers: every fault of theirs is named, and mended by what doctor shows."""

import json
import os
import subprocess

import pytest

from support import ailments_database, ailments_files  # register them
from support.ailments import AILMENTS, findings_of, lines_to_paste
from support.ailments_outside import Clinic
from support.misconfigured import FAULTS, PASTE
from support.paths import program
from support.sites import KINDS, Site

assert ailments_database and ailments_files


@pytest.fixture(scope="module")
def bearer(users):
    """Whose token doctor asks with: a profile that is long enough to be compressed. There is somebody else, too."""
    users.add()
    return users.full()


@pytest.fixture
def site_of(installation):
    """Makes sites that are removed after the test."""
    sites = []

    def make(kind) -> Site:
        sites.append(Site(kind, installation))
        return sites[-1]

    yield make
    for site in sites:
        site.remove()


@pytest.fixture
def clinic_of(site_of, bearer, users):
    def make(kind) -> Clinic:
        clinic = Clinic(site_of(kind), bearer)
        clinic.users = users
        clinic.version = subprocess.run(
            [str(program("mectl")), "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
        return clinic
    return make


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_is_wrong_nothing_is_found(kind, clinic_of, mariadb):
    clinic = clinic_of(kind)
    clinic.site.start()
    clinic.is_well(clinic.outside())
    clinic.is_well(clinic.inside())


def test_examining_changes_nothing_and_shows_no_token(clinic_of, users, bearer):
    clinic = clinic_of("lighttpd")
    clinic.site.start()
    before = users.installation.execute("SELECT * FROM users ORDER BY id")
    token = clinic.site.installation.tokens.mint(bearer)
    done = clinic.site.installation.mectl(
        "doctor", "--only", "outside", "--url", clinic.site.url, "--token", "-", stdin=token + "\n", conf=clinic.site.conf)
    assert "good     patch: an empty one is taken" in done.stdout.splitlines()
    assert users.installation.execute("SELECT * FROM users ORDER BY id") == before
    assert token not in done.stdout + clinic.site.logs()


@pytest.mark.parametrize("given", ["", "\n", "two words\n", "caf\u00e9\n"])
def test_a_token_that_cannot_be_sent_is_none(clinic_of, given):
    clinic = clinic_of("lighttpd")
    clinic.site.start()
    done = clinic.site.installation.mectl(
        "doctor", "--json", "--only", "outside", "--url", clinic.site.url, "--token", "-", stdin=given, conf=clinic.site.conf,
        check=False)
    clinic.suffers_from("token-missing", findings_of(done), "none that can be sent")


# ---- what is a line of the server's configuration

def fault_of(fault) -> dict:
    lines = {fault.slot: fault.lines} if fault.slot else {}
    return {**lines, "drop": fault.drop, "path": fault.path, "workers": fault.workers}


def mended(fault, remedy: str, site) -> dict:
    """The fault and its cure together, or what is left once the fault was taken out."""
    if fault.cure != PASTE:
        assert fault.names in remedy, remedy
        return {"path": fault.mended_path}
    slots = fault_of(fault)
    pasted = lines_to_paste(remedy)
    assert pasted.strip(), remedy
    for shown, ours in site.own_names():
        pasted = pasted.replace(shown, str(ours))
    return {**slots, fault.into: slots.get(fault.into, "") + "\n" + pasted}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.code}-{fault.server}")
def test_a_fault_is_named_and_its_remedy_mends_it(fault, clinic_of):
    clinic = clinic_of(fault.server)
    clinic.site.start(fault_of(fault))
    row = clinic.suffers_from(fault.code, clinic.outside(), fault.words, also=fault.also)
    clinic.site.restart(mended(fault, row["remedy"], clinic.site))
    found = clinic.outside()
    assert set(found) == fault.left, (found, clinic.site.logs())


# ---- what is none

@pytest.mark.parametrize("ailment", [each for each in AILMENTS if each.on not in ("files", "MariaDB")], ids=str)
def test_an_ailment_is_named_and_its_remedy_mends_it(ailment, clinic_of):
    if os.geteuid() != 0 and ailment.code in ("worker-refuses", "worker-is-root", "log-unwritable"):
        pytest.skip("only root can give files and processes to other accounts")
    ailment.cause(clinic_of("nginx" if ailment.on == "no server" else ailment.on))


# ---- the table

def rows(mectl) -> list:
    return [json.loads(line) for line in mectl("doctor", "--list", "--json").stdout.splitlines()]


def test_every_finding_was_caused(mectl):
    caused = {each.code for each in (*FAULTS, *AILMENTS)}
    assert caused == {row["code"] for row in rows(mectl)}


# Where a remedy is for a server that cannot be ill so here, and why.
NEVER = {
    ("etag-changed", "caddy"): "Debian's Caddy leaves the tag alone; later ones do not",
    ("tls-missing", "caddy"): "it gets its certificate from a public authority",
}


def test_every_remedy_of_a_server_was_tried_there(mectl):
    tried = {(each.code, each.server.partition("-")[0]) for each in FAULTS}
    tried |= {(each.code, each.on.partition("-")[0]) for each in AILMENTS}
    shown = {server: remedies(mectl, server) for server in ("apache", "lighttpd", "nginx", "caddy")}
    own = {(code, server) for server, table in shown.items() for code, remedy in table.items()
           if [other[code] for other in shown.values()].count(remedy) == 1}
    assert own - tried == set(NEVER)


def remedies(mectl, server) -> dict:
    lines = mectl("doctor", "--list", "--json", "--server", server).stdout.splitlines()
    return {row["code"]: row["remedy"] for row in map(json.loads, lines)}
