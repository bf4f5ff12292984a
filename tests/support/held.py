"""A user whom somebody else holds in the database, and those who wait for that."""

from contextlib import contextmanager


@contextmanager
def held(installation, user):
    """Whoever changes this user waits in the database."""
    connection = installation.server.connect(database=installation.database)
    connection.autocommit(False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM users WHERE id = %s FOR UPDATE", [user.row["id"].bytes])
            yield
    finally:
        connection.rollback()
        connection.close()


def count_waiting(installation):
    return installation.execute(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE user = %s AND time_ms > 20"
        " AND (info LIKE %s OR info LIKE %s)", [installation.worker_account, "%FOR UPDATE%", "UPDATE users SET %"])[0][0]
