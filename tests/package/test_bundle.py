"""scripts/bundle: what is in the archive, and that the same sources make the same one."""

import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from support.bundle import make_bundle, unpack
from support.paths import SOURCE, clean_environment

MADE = shutil.ignore_patterns(".git", "build", "var", "__pycache__", "autom4te.cache")
MIGRATIONS = sorted((SOURCE / "schema").glob("[0-9]*.sql"))


@pytest.fixture(scope="module")
def folder(archive, tmp_path_factory):
    return unpack(archive, tmp_path_factory.mktemp("unpacked"))


def run(folder, *arguments, **environment):
    return subprocess.run([str(folder / "me.fcgi"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, check=False, env=clean_environment(**environment))


def test_what_is_in_it_with_which_permissions(archive):
    with tarfile.open(archive) as tar:
        members = {member.name.partition("/")[2]: member for member in tar.getmembers()}
    modes = {name: member.mode for name, member in members.items()}
    assert {name: modes.pop(name) for name in ("", "me.fcgi", "me.conf", ".htaccess", "README", "schema.sql",
                                                     "sbom.json")} == {
        "": 0o755, "me.fcgi": 0o755, "me.conf": 0o600, ".htaccess": 0o644, "README": 0o644, "schema.sql": 0o644,
        "sbom.json": 0o644}
    assert {name.partition("/")[0] for name in modes} <= {"licences", "upgrade"}
    for name, mode in modes.items():
        assert mode == (0o755 if members[name].isdir() else 0o644), name
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members.values()} == {(0, 0, "", "")}


def test_later_migrations_are_there_for_those_who_have_the_first(folder):
    upgrades = sorted(path.name for path in (folder / "upgrade").iterdir())
    assert upgrades == [path.name for path in MIGRATIONS[1:]]
    for path in MIGRATIONS:
        is_optional = path.read_text().startswith("-- optional:")
        assert (path.read_text() in (folder / "schema.sql").read_text()) != is_optional, path.name


def test_the_program_needs_no_library_of_the_system(folder):
    told = subprocess.run(["readelf", "-lhd", str(folder / "me.fcgi")], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "INTERP" not in told and "(NEEDED)" not in told
    assert re.search(r"Type: +DYN", told), "it is not position-independent"
    assert (folder / "me.fcgi").stat().st_size < 10_000_000
    assert run(folder, "--version").stdout.startswith("me.fcgi ")


def test_no_path_of_the_machine_is_in_it(folder):
    assert os.fsencode(SOURCE) not in (folder / "me.fcgi").read_bytes()


def test_the_instructions_fit_a_screen(folder):
    lines = (folder / "README").read_text().splitlines()
    assert len(lines) <= 45 and max(map(len, lines)) <= 120


def test_the_licence_of_every_library_that_is_linked_in(folder):
    script = (SOURCE / "scripts" / "bundle").read_text()
    packages = re.search(r'^linked="(.*)"$', script, re.MULTILINE)[1].split()
    assert {path.name for path in (folder / "licences").iterdir()} == {"me-fcgi", *packages}


def test_what_is_not_filled_in_is_told(folder):
    done = run(folder, "--check-config")
    assert done.returncode == 1 and re.search(r"me\.conf:\d+: database\.name: is empty", done.stderr), done


def test_the_same_sources_make_the_same_bytes(archive, tmp_path):
    """In another folder, by another umask, language and time zone, a minute or a year later."""
    tree = tmp_path / "another-place"
    shutil.copytree(SOURCE, tree, ignore=MADE)
    with tarfile.open(archive) as tar:
        (time,) = {member.mtime for member in tar.getmembers()}
    before = os.umask(0o077)
    try:
        again = make_bundle(tmp_path, tree, SOURCE_DATE_EPOCH=str(time), TZ="Asia/Tokyo", LC_ALL="C")
    finally:
        os.umask(before)
    assert again.read_bytes() == archive.read_bytes()


def test_a_folder_that_cannot_be_written_is_one_sentence():
    done = subprocess.run([str(SOURCE / "scripts" / "bundle"), "--out", "/proc/nowhere"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stdout.startswith("bundle: /proc/nowhere cannot be written"), done


def test_the_bill_of_materials_is_of_what_was_linked(folder):
    """Each package that a library of the licences is of, in the version that was installed when it was linked."""
    bill = json.loads((folder / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["version"] == run(folder, "--version").stdout.split()[1]
    parts = {part["properties"][0]["value"].partition(":")[0]: part for part in bill["components"]}
    licensed = {path.name for path in (folder / "licences").iterdir()} - {"me-fcgi"}
    assert licensed <= set(parts) and {"openssl", "mariadb", "json-c", "libfcgi", "zlib", "glibc"} <= {
        part["name"] for part in parts.values()}
    for package, part in parts.items():
        assert part["version"] == version_of_source(package), package
        assert part["purl"].startswith(f"pkg:deb/debian/{part['name']}@")
        assert [entry["value"] for entry in part["properties"] if entry["name"] == "linked"], package
    refs = [part["bom-ref"] for part in bill["components"]]
    assert bill["dependencies"] == [{"ref": bill["metadata"]["component"]["bom-ref"], "dependsOn": refs}]
    assert len(set(refs)) == len(refs)


def version_of_source(package: str) -> str:
    told = subprocess.run(["dpkg-query", "--show", "--showformat", "${source:Version}\n", package],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return told.splitlines()[0]


def test_what_is_no_map_of_the_linker_is_told(tmp_path):
    (tmp_path / "empty").write_text("")
    for name, words in (("empty", "is no map of a program"), ("missing", "there is no such file")):
        done = subprocess.run([str(SOURCE / "scripts" / "sbom"), "--map", str(tmp_path / name)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.returncode == 1 and words in done.stderr and done.stdout == "", done
