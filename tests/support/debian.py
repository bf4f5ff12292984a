"""The Debian package: built from a copy of the sources, and made into an older version of itself."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from support.paths import SOURCE

MADE = shutil.ignore_patterns(".git", "build", "var", "__pycache__", "autom4te.cache")
VERSION = re.search(r"AC_INIT\(\[me-fcgi\], \[([^]]+)\]", (SOURCE / "configure.ac").read_text())[1]


def _run(*command, **more) -> str:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=900, check=False, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}"
    return done.stdout


def build_package(folder: Path) -> Path:
    """As anybody would, without the unit tests, which were run before; returns the .changes."""
    tree = folder / "me-fcgi"
    shutil.copytree(SOURCE, tree, ignore=MADE)
    options = f"nocheck parallel={os.cpu_count()}"
    _run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=tree, env={**os.environ, "DEB_BUILD_OPTIONS": options})
    (changes,) = folder.glob("*.changes")
    return changes


def package_of(changes: Path) -> Path:
    (package,) = changes.parent.glob(f"me-fcgi_{VERSION}_*.deb")
    return package


def older_version(package: Path, version: str, conf_line: str) -> Path:
    """The package as if it were of an earlier version, which had one line more in its me.conf."""
    folder = package.parent / f"old-{version}"
    _run("dpkg-deb", "-R", package, folder)
    control = folder / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    conf = folder / "etc" / "me-fcgi" / "me.conf"
    conf.write_text(conf.read_text() + conf_line)
    old = package.parent / f"me-fcgi_{version}_older.deb"
    _run("dpkg-deb", "--root-owner-group", "-b", folder, old)
    return old
