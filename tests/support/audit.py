"""An installation that keeps an audit trail, and the trail as the database has it."""

import json
import uuid
from datetime import timezone

from support.installation import Installation

COLUMNS = ("id", "changed_at", "user_id", "request_id", "issuer", "client", "members", "member_values")


def install(mariadb, folder, database, level) -> Installation:
    """The documented way, with audit.level set from the start."""
    installation = Installation(mariadb, folder, database)
    installation.conf = installation.write_conf("me.conf", audit__level=level)
    return installation.prepare_database()


def trail(installation, user=None) -> list:
    """The rows in the order in which they were added, of all users or one."""
    found = installation.execute(f"SELECT {', '.join(COLUMNS)} FROM profile_changes ORDER BY id")
    rows = [_row(dict(zip(COLUMNS, columns, strict=True))) for columns in found]
    return [row for row in rows if user is None or row["user_id"] == str(user)]


def _row(row: dict) -> dict:
    values = row.pop("member_values")
    return {
        **row,
        "user_id": str(uuid.UUID(bytes=row["user_id"])),
        "changed_at": row["changed_at"].replace(tzinfo=timezone.utc),
        "members": row["members"].split(","),
        "values": None if values is None else json.loads(values),
    }
