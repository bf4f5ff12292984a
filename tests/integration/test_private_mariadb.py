"""scripts/private-mariadb beside other servers of the same machine."""

import secrets
import tempfile
from pathlib import Path

from support.mariadb import PrivateMariaDB


def test_it_leaves_the_temporary_tables_of_other_servers_alone(tmp_path):
    """A server that starts removes all of them that it finds in its own folder for such."""
    theirs = Path(tempfile.gettempdir()) / f"#sql-temptable-{secrets.token_hex(4)}"
    theirs.touch()
    try:
        PrivateMariaDB(tmp_path / "own").start().stop()
        assert theirs.exists()
    finally:
        theirs.unlink(missing_ok=True)
