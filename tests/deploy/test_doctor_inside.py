"""mectl doctor: each ailment of the settings, files, keys and database of an installation is named, and mended."""

from contextlib import contextmanager

import pytest

from support import ailments_database, ailments_files  # register them
from support.ailments import AILMENTS, Patient
from support.mariadb import PrivateMariaDB

assert ailments_database and ailments_files


class Ward:
    """Makes patients, on the tests' server or on one of their own; what was made is gone after the test."""

    def __init__(self, mariadb, folder):
        self.mariadb = mariadb
        self.folder = folder
        self.servers = []

    def patient(self, *arguments, server=None, prepared=True) -> Patient:
        home = self.folder / f"patient{len(list(self.folder.iterdir()))}"
        home.mkdir(mode=0o700)
        patient = Patient(server or self.mariadb, home, *arguments)
        return patient.prepare() if prepared else patient

    def server(self, *options, **environment) -> PrivateMariaDB:
        server = PrivateMariaDB(self.folder / "mariadb")
        self.servers.append(server)
        return server.start(*options, **environment)

    def restart(self, server, *options):
        server.stop()
        server.start(*options)

    @contextmanager
    def setting(self, name, value):
        """A global variable of the tests' server, for a while."""
        ((before,),) = self.mariadb.execute(f"SELECT @@GLOBAL.{name}")
        self.mariadb.execute(f"SET GLOBAL {name} = {value}")
        try:
            yield
        finally:
            self.mariadb.execute(f"SET GLOBAL {name} = {before}")

    def close(self):
        for server in self.servers:
            server.stop()


@pytest.fixture
def ward(mariadb, tmp_path):
    ward = Ward(mariadb, tmp_path)
    yield ward
    ward.close()


@pytest.mark.parametrize("ailment", [each for each in AILMENTS if each.on in ("files", "MariaDB")], ids=str)
def test_an_ailment_is_named_and_its_remedy_mends_it(ailment, ward):
    ailment.cause(ward)
