"""Files of users, as mectl user import reads and user export writes them."""

import json
import uuid

from support.installation import Installation

TABLES = {
    "users": ["id", "status", "name", "bio", "createdAt", "updatedAt", "avatarUrl", "locale", "timezone"],
    "emails": ["userId", "id", "email", "verified", "passwordSet", "tokenSet", "default", "createdAt", "updatedAt"],
    "identities": ["userId", "id", "issuer", "name", "email", "avatarUrl", "provider", "createdAt", "updatedAt"],
    "phoneNumbers": ["userId", "id", "phoneNumber", "verified", "primary", "createdAt", "updatedAt"],
    "badges": ["userId", "badge"],
    "userFraudInformation": ["userId", "score"],
    "sessions": ["userId", "id", "createdAt", "expiresAt", "revokedAt"],
}
SQL_TABLES = ["users", "user_emails", "user_identities", "user_phone_numbers", "user_badges",
              "user_fraud_information", "sessions"]


def install(mariadb, folder, database) -> Installation:
    return Installation(mariadb, folder, database).prepare_database()


def id_of(kind: str, n: int) -> str:
    """The id of row n of its kind; those of users rise with n."""
    rest = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}{n}").hex[8:]
    return str(uuid.UUID(f"{n:08x}{rest}"))


def _times(n: int) -> dict:
    return {"createdAt": f"2025-07-{1 + n % 28:02d}T02:14:{n % 60:02d}.{n % 1000:03d}Z",
            "updatedAt": f"2025-08-{1 + n % 28:02d}T00:00:00.000Z"}


def person(n: int, **changes) -> dict:
    """A user with nothing but what has to be there; None leaves a member out."""
    members = {"id": id_of("user", n), "status": "active", "name": f"User {n}", **_times(n), "emails": [],
               "identities": [], "phoneNumbers": [], "badges": [], **changes}
    return {name: value for name, value in members.items() if value is not None}


def email(n: int, address: str, **changes) -> dict:
    return {"id": id_of(address, n), "userId": id_of("user", n), "email": address, "verified": False, "passwordSet": False,
            "tokenSet": False, "default": False, **_times(n), **changes}


def identity(n: int, subject: str, **changes) -> dict:
    members = {"id": subject, "issuer": "https://accounts.example.com", "name": None, "email": None, "avatarUrl": None,
               "provider": "example", **_times(n), **changes}
    return {name: value for name, value in members.items() if value is not None}


def whole(n: int) -> dict:
    """A user with every member and several rows of each kind, in the order in which export writes them."""
    user = id_of("user", n)
    return {
        "id": user, "status": "active", "name": f"Zoë “{n}”", "bio": f"line\n\ttab, \"{n}\" \\ /\u2028 😀", **_times(n),
        "emails": [email(n, f"b{n}@example.com", verified=True, passwordSet=True, default=True),
                   email(n, f"A{n}@Example.com", tokenSet=True, createdAt="2025-09-01T00:00:00.000Z")],
        "identities": [identity(n, f"{n}|é", name="Zoë", email="z@example.org",
                                avatarUrl="http://example.org/z?a=b&c"),
                       identity(n, f"{n}", createdAt="2025-09-01T00:00:00.000Z", provider="another",
                                issuer="https://other.example.com")],
        "avatarUrl": f"https://example.com/{n}.png?x=%20#y",
        "phoneNumbers": [
            {"id": id_of("phone", n), "userId": user, "phoneNumber": f"+1415{n:07d}", "verified": True, "primary": True,
             **_times(n)},
            {"id": id_of("mobile", n), "userId": user, "phoneNumber": f"+49170{n:07d}", "verified": False,
             "primary": False, **_times(n)}],
        "locale": "zh-Hant-TW", "timezone": "Asia/Calcutta", "badges": ["a-b:c", "a:b", "messagebird:cx"],
        "userFraudInformation": {"score": -n, "userId": user},
    }


ORDER = ["id", "status", "name", "bio", "createdAt", "updatedAt", "emails", "identities", "avatarUrl", "phoneNumbers",
         "locale", "timezone", "badges", "userFraudInformation", "sessions"]


def in_order(user: dict) -> dict:
    """Its members in the order in which export writes them."""
    return {name: user[name] for name in ORDER if name in user}


def session(session_id: str, **changes) -> dict:
    return {"id": session_id, "createdAt": "2025-07-03T02:14:22.094Z", "expiresAt": "2030-01-01T00:00:00.000Z", **changes}


def line(user: dict) -> str:
    """As export writes it: no blanks, characters as they are."""
    return json.dumps(user, ensure_ascii=False, separators=(",", ":")) + "\n"


def write_lines(path, users) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(map(line, users))
    return path


def everything(installation) -> dict:
    """All rows of all tables, by table, in the order of their keys, hidden columns included."""
    return {table: sorted(installation.execute(f"SELECT * FROM {table}")) for table in SQL_TABLES}


def counts(text: str) -> dict:
    """The closing line of an import: {"users": 3, "added": 1, ...}"""
    total, rest = text.split(" users: ")
    words = rest.split(";")[0].split(",")
    return {"users": int(total), **{name: int(count) for count, name in (word.split() for word in words)}}
