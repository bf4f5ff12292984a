"""scripts/private-mariadb: a server that is alone with its files, however many there are on a machine."""

from support.mariadb import PrivateMariaDB


def test_a_server_leaves_the_temporary_tables_of_another_one_alone(tmp_path):
    """At its start a server removes what looks like one of its own that it left behind when it was killed."""
    shared = tmp_path / "shared"
    shared.mkdir()
    anothers = shared / "#sql-temptable-1-2-3.MAI"
    anothers.touch()
    server = PrivateMariaDB(tmp_path / "server")
    try:
        server.start(TMPDIR=str(shared))
        assert server.execute("SELECT @@tmpdir")[0][0].startswith(str(tmp_path / "server"))
    finally:
        server.stop()
    assert anothers.exists()
