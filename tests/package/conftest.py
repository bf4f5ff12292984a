"""What is handed to people: the bundle for shared hosting and the Debian package, each on a system of its own."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.bundle import make_bundle
from support.ground import free_port
from support.mariadb import PrivateMariaDB

DATABASE_NAME = "db.in-dns.example"
collect_ignore = [] if "ME_LONG" in os.environ else ["test_clean_machine.py"]


def pytest_collection_modifyitems(items):
    """All of it installs something somewhere."""
    if os.geteuid() == 0:
        return
    for item in items:
        if "package" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason="only root can make another system's folder"))


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """The bundle."""
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def hosts_database():
    """
    The MariaDB of a host with many customers, by socket, and by TCP with a certificate that is its own authority. Its
    path is as short as those of hosts are.
    """
    with tempfile.TemporaryDirectory(prefix="me-db-") as path:
        folder, port = Path(path), free_port()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", folder / "key.pem", "-out",
             folder / "cert.pem", "-subj", f"/CN={DATABASE_NAME}", "-addext", f"subjectAltName=DNS:{DATABASE_NAME}"],
            check=True, stderr=subprocess.DEVNULL)
        server = PrivateMariaDB(folder, ["--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}",
                                         f"--ssl-cert={folder}/cert.pem", f"--ssl-key={folder}/key.pem"])
        server.port = port
        server.certificate = (folder / "cert.pem").read_text()
        yield server.start()
        server.stop()
