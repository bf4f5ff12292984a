"""
Users with their child rows, written by SQL, and the resource that they make.

The expectation is built from the rows that were written, by the documentation of the resource and
independently of the program: members in their order, children in theirs.
"""

import itertools
import uuid
from datetime import datetime, timedelta, timezone

_counter = itertools.count(1)


def moment(text: str) -> datetime:
    """A time in UTC, as 2025-07-03T02:14:22.094Z."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def rfc3339(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


CREATED = moment("2025-07-03T02:14:22.094Z")
UPDATED = moment("2025-08-01T00:00:00.000Z")
_TIMES = {"created_at": CREATED, "updated_at": UPDATED}


class User:
    """The rows of one user, as they were written; by table."""

    def __init__(self, row: dict):
        self.row = row
        self.emails, self.identities, self.phones = [], [], []
        self.badges, self.sessions = [], []
        self.fraud_score = None

    @property
    def id(self) -> str:
        return str(self.row["id"])

    def __str__(self):
        """A user stands for its id, as in tokens.mint(user)."""
        return self.id

    def expected(self, active_sessions=None) -> dict:
        """The resource that these rows make, its members in order."""
        if active_sessions is None:
            active_sessions = sum(_is_live(session) for session in self.sessions)
        emails = sorted(self.emails, key=lambda row: (not row["is_default"], *_age(row)))
        phones = sorted(self.phones, key=lambda row: (not row["is_primary"], *_age(row)))
        row = self.row
        resource = {
            "id": self.id,
            "status": row["status"],
            "name": row["name"],
            "bio": row["bio"],
            "activeSessions": active_sessions,
            **_times(row),
            "emails": [self._email(email) for email in emails],
            "defaultEmail": next((e["email"] for e in emails if e["is_default"]), None),
            "identities": [_identity(identity) for identity in sorted(self.identities, key=_identity_order)],
            "avatarUrl": row["avatar_url"],
            "phoneNumber": next((p["number"] for p in phones if p["is_primary"]), None),
            "phoneNumbers": [self._phone(phone) for phone in phones],
            "locale": row["locale"],
            "timezone": row["timezone"],
            "badges": sorted(self.badges),
            "userFraudInformation": self._fraud(),
        }
        return _without_none(resource)

    def _email(self, row: dict) -> dict:
        return {
            "id": str(row["id"]), "userId": self.id, "email": row["email"],
            "verified": row["verified"], "passwordSet": row["password_set"],
            "tokenSet": row["token_set"], **_times(row),
        }

    def _phone(self, row: dict) -> dict:
        return {
            "id": str(row["id"]), "userId": self.id, "phoneNumber": row["number"],
            "verified": row["verified"], "primary": row["is_primary"], **_times(row),
        }

    def _fraud(self):
        return None if self.fraud_score is None else {"score": self.fraud_score, "userId": self.id}


def _identity(row: dict) -> dict:
    return _without_none({
        "id": row["subject"], "name": row["name"], "email": row["email"],
        "avatarUrl": row["avatar_url"], "provider": row["provider"], **_times(row),
    })


def _identity_order(row: dict) -> tuple:
    return row["created_at"], row["provider"], row["subject"]


def _age(row: dict) -> tuple:
    return row["created_at"], row["id"].bytes


def _times(row: dict) -> dict:
    return {"createdAt": rfc3339(row["created_at"]), "updatedAt": rfc3339(row["updated_at"])}


def _without_none(members: dict) -> dict:
    return {name: value for name, value in members.items() if value is not None}


def _is_live(session: dict) -> bool:
    return session["revoked_at"] is None and session["expires_at"] > datetime.now(timezone.utc)


_COLUMNS = {"status": "status", "name": "name", "bio": "bio", "avatar_url": "avatarUrl", "locale": "locale",
            "timezone": "timezone"}


def _shown_times(entry: dict) -> dict:
    return {"created_at": moment(entry["createdAt"]), "updated_at": moment(entry["updatedAt"])}


def _shown_row(entry: dict) -> dict:
    return {"id": uuid.UUID(entry["id"]), "verified": entry["verified"], **_shown_times(entry)}


class Users:
    """Writes users into the database of an installation; each call makes new ones."""

    def __init__(self, installation):
        self.installation = installation

    def _insert(self, table: str, row: dict):
        columns = ", ".join(f"`{column}`" for column in row)
        marks = ", ".join(["%s"] * len(row))
        self.installation.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})", [_sql(v) for v in row.values()])

    def add(self, name="Ada Lovelace", *, status="active", **changes) -> User:
        """A user without children; `changes` are other columns of users."""
        row = {
            "id": uuid.uuid4(), "status": status, "name": name, "bio": None, "avatar_url": None,
            "locale": None, "timezone": None, **_TIMES, **changes,
        }
        self._insert("users", row)
        return User(row)

    def add_email(self, user: User, email=None, **changes) -> dict:
        row = {
            "user_id": user.row["id"], "id": uuid.uuid4(),
            "email": email or f"ada{next(_counter)}@example.com", "verified": True,
            "is_default": False, "password_set": False, "token_set": False, **_TIMES, **changes,
        }
        self._insert("user_emails", row)
        user.emails.append(row)
        return row

    def add_phone(self, user: User, number="+14155550100", **changes) -> dict:
        row = {
            "user_id": user.row["id"], "id": uuid.uuid4(), "number": number,
            "verified": True, "is_primary": False, **_TIMES, **changes,
        }
        self._insert("user_phone_numbers", row)
        user.phones.append(row)
        return row

    def add_identity(self, user: User, subject=None, **changes) -> dict:
        row = {
            "user_id": user.row["id"], "id": uuid.uuid4(),
            "issuer": "https://accounts.example.com",
            "subject": subject or f"subject-{next(_counter)}", "provider": "example",
            "name": None, "email": None, "avatar_url": None, **_TIMES, **changes,
        }
        self._insert("user_identities", row)
        user.identities.append(row)
        return row

    def add_badge(self, user: User, badge: str):
        scope, _, name = badge.partition(":")
        self._insert("user_badges", {"user_id": user.row["id"], "scope": scope, "name": name})
        user.badges.append(badge)

    def set_fraud_score(self, user: User, score: int):
        self._insert("user_fraud_information", {"user_id": user.row["id"], "score": score})
        user.fraud_score = score

    def add_session(self, user: User, *, expires_in_s=3600, revoked=False, session_id=None) -> str:
        """A session of the user; returns its id, for the token's sid."""
        now = datetime.now(timezone.utc)
        row = {
            "user_id": user.row["id"], "id": session_id or f"session-{uuid.uuid4()}",
            "created_at": now - timedelta(days=1),
            "expires_at": now + timedelta(seconds=expires_in_s),
            "revoked_at": now - timedelta(hours=1) if revoked else None,
        }
        self._insert("sessions", row)
        user.sessions.append(row)
        return row["id"]

    def add_change(self, user: User):
        """What a PATCH leaves in the audit trail where that is on."""
        self._insert("profile_changes", {
            "user_id": user.row["id"], "request_id": f"request-{next(_counter)}", "client": "web",
            "issuer": "https://accounts.example.com", "members": "bio",
            "member_values": '{"bio":{"old":null,"new":""}}',
        })

    def revoke_session(self, session_id: str):
        self.installation.execute(
            "UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3) WHERE id = %s", [session_id])

    def set_column(self, user: User, column: str, value):
        """Changes a column of users behind the program's back."""
        self.installation.execute(
            f"UPDATE users SET `{column}` = %s WHERE id = %s", [value, user.row["id"].bytes])
        user.row[column] = value

    def delete(self, user: User):
        self.installation.execute("DELETE FROM users WHERE id = %s", [user.row["id"].bytes])

    def column(self, user: User, column: str):
        """What the database has."""
        rows = self.installation.execute(
            f"SELECT `{column}` FROM users WHERE id = %s", [user.row["id"].bytes])
        return rows[0][0]

    def full(self) -> User:
        """A user with every member set and several children of each kind, written out of order."""
        user = self.add(
            "Zoë Nuñez-Þórsdóttir 王小明 👩‍🚀", bio='Zeile eins\n\tZeile zwei "quoted" \\ / \u2028 end',
            avatar_url="https://images.example.com/a?size=64&x=%20#top", locale="zh-Hant-TW",
            timezone="America/Argentina/Buenos_Aires",
        )
        self._add_full_emails(user)
        self._add_full_phones(user)
        self._add_full_identities(user)
        for badge in ("messagebird:cx", "flow:beta", "a:b", "flow:alpha"):
            self.add_badge(user, badge)
        self.set_fraud_score(user, 42)
        self.add_session(user)
        self.add_session(user, expires_in_s=7200)
        self.add_session(user, expires_in_s=-60)
        self.add_session(user, revoked=True)
        return user

    def add_shown(self, resource: dict, **changes) -> User:
        """A user whose resource is this one, ids and times included; `changes` are columns of users."""
        columns = {column: resource.get(member) for column, member in _COLUMNS.items()}
        row = {**columns, "id": uuid.UUID(resource["id"]), **_shown_times(resource), **changes}
        user = self.add(row.pop("name"), status=row.pop("status"), **row)
        for email in resource["emails"]:
            self.add_email(
                user, email["email"], **_shown_row(email), is_default=email["email"] == resource.get("defaultEmail"),
                password_set=email["passwordSet"], token_set=email["tokenSet"])
        for phone in resource["phoneNumbers"]:
            self.add_phone(user, phone["phoneNumber"], **_shown_row(phone), is_primary=phone["primary"])
        for identity in resource["identities"]:
            self.add_identity(
                user, identity["id"], provider=identity["provider"], name=identity.get("name"),
                email=identity.get("email"), avatar_url=identity.get("avatarUrl"), **_shown_times(identity))
        for badge in resource["badges"]:
            self.add_badge(user, badge)
        if "userFraudInformation" in resource:
            self.set_fraud_score(user, resource["userFraudInformation"]["score"])
        for _ in range(resource["activeSessions"]):
            self.add_session(user)
        return user

    def _add_full_emails(self, user: User):
        late = CREATED + timedelta(days=3)
        same = {"created_at": CREATED + timedelta(days=1)}
        self.add_email(user, id=uuid.UUID("ffffffff-0000-4000-8000-" + user.id[-12:]), **same)
        self.add_email(user, id=uuid.UUID("00000000-0000-4000-8000-" + user.id[-12:]), **same)
        self.add_email(user, is_default=True, created_at=late, password_set=True, token_set=True)
        self.add_email(user, f"Grüße{next(_counter)}@bücher.example", verified=False)

    def _add_full_phones(self, user: User):
        same = {"created_at": CREATED + timedelta(hours=1)}
        self.add_phone(user, "+31201234567", id=uuid.UUID("ffffffff-0000-4000-9000-" + user.id[-12:]), **same)
        self.add_phone(user, "+442079460000", id=uuid.UUID("00000000-0000-4000-9000-" + user.id[-12:]), **same)
        self.add_phone(user, "+12025550123", is_primary=True, created_at=CREATED + timedelta(days=9))
        self.add_phone(user, "+819012345678", verified=False)

    def _add_full_identities(self, user: User):
        self.add_identity(
            user, "sub|" + user.id, provider="google", name="Zoë 王", email="zoe@example.com",
            avatar_url="https://images.example.com/zoe", created_at=CREATED + timedelta(seconds=2),
        )
        self.add_identity(user, provider="github")
        self.add_identity(user, provider="apple")


def _sql(value):
    if isinstance(value, uuid.UUID):
        return value.bytes
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
