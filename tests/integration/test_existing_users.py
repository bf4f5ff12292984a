"""
Profiles out of the table of users that an application has already, by cgi-bin/examples/existing-users.sql, word for
word: read and patched through the worker, and what either side writes the other sees.
"""

import json
import uuid
from datetime import datetime

import pytest

from support.cgi import Program
from support.commands import objects, quiet
from support.installation import Installation
from support.paths import SOURCE
from support.records import install

EXAMPLE = SOURCE / "cgi-bin" / "examples" / "existing-users.sql"
ISSUER = "https://shop.example.com"

# As an application of some years would have it; nothing here knows of profiles.
APPLICATION = """
CREATE DATABASE shop DEFAULT CHARACTER SET utf8mb3;
USE shop;
CREATE TABLE users (
    id                 INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email              VARCHAR(190) NOT NULL UNIQUE,
    password_hash      VARCHAR(255) NULL,
    display_name       VARCHAR(100) NOT NULL,
    about              TEXT         NULL,
    photo_url          VARCHAR(500) NOT NULL DEFAULT '',
    language           VARCHAR(8)   NULL,
    time_zone          VARCHAR(40)  NULL,
    phone              VARCHAR(32)  NULL,
    role               ENUM('customer', 'staff') NOT NULL DEFAULT 'customer',
    blocked            TINYINT(1)   NOT NULL DEFAULT 0,
    email_confirmed_at DATETIME     NULL,
    deleted_at         DATETIME     NULL,
    created_at         DATETIME     NOT NULL DEFAULT UTC_TIMESTAMP,
    updated_at         DATETIME     NOT NULL DEFAULT UTC_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
) ENGINE = InnoDB;
INSERT INTO users (id, email, password_hash, display_name, about, photo_url, language, time_zone, phone, role, blocked,
                   email_confirmed_at, deleted_at, created_at, updated_at) VALUES
    (41, 'Ada@example.com', 'x', 'Ada Lovelace', 'Countess', 'https://shop.example.com/41.png', 'en', 'Europe/London',
     '+442071234567', 'staff', 0, '2020-01-02 00:00:00', NULL, '2020-01-01 12:00:00', '2021-01-01 12:00:00'),
    (42, 'bob@example.com', NULL, 'Bob', '', '', '', NULL, '020 7123', 'customer', 0, NULL, NULL, '2020-01-01', '2020-01-01'),
    (43, 'eve@example.com', 'x', 'Eve', NULL, '', NULL, NULL, NULL, 'customer', 1, '2020-01-02', NULL, '2020-01-01', '2020-01-01'),
    (44, 'old@example.com', 'x', 'Old', NULL, '', NULL, NULL, NULL, 'customer', 0, '2020-01-02', '2022-01-01', '2020-01-01', '2020-01-01');
"""


class Shop:
    """The application with its table, and me-fcgi on top of it."""

    def __init__(self, mariadb, folder):
        self.installation = Installation(mariadb, folder, "profile")
        self.installation.conf = self.installation.write_conf("me.conf", token__sessions="off")
        self.by_number = self.installation.write_conf(
            "number.conf", token__sessions="off", token__subject="identity", token__issuer=ISSUER)
        mariadb.run_script(APPLICATION)
        self.installation.grant("mectl")
        mariadb.run_script(EXAMPLE.read_text())
        self.installation.grant("worker")
        self.tokens = self.installation.tokens
        secrets = [self.installation.secret, self.installation.worker_password]
        self.worker = Program(self.installation.conf, secrets)
        self.worker_by_number = Program(self.by_number, secrets)

    def sql(self, statement, arguments=None):
        """As the application, which knows its own database alone."""
        self.installation.server.root.select_db("shop")
        return self.installation.server.execute(statement, arguments)

    def id_of(self, number) -> str:
        return str(uuid.UUID(bytes=self.sql("SELECT profile_id FROM users WHERE id = %s", [number])[0][0]))

    def bearer(self, number, **headers) -> dict:
        return {**self.tokens.bearer(self.id_of(number)), **headers}

    def get(self, number):
        return self.worker.get(self.bearer(number))

    def patch(self, number, body, **headers):
        return self.worker("PATCH", headers=self.bearer(number, **headers), body=body)


@pytest.fixture(scope="module")
def shop(mariadb, tmp_path_factory):
    yield Shop(mariadb, tmp_path_factory.mktemp("shop"))
    mariadb.run_script("DROP DATABASE profile; DROP DATABASE shop")


def test_a_user_with_everything(shop):
    answer = shop.get(41)
    user = shop.id_of(41)
    times = {"createdAt": "2020-01-01T12:00:00.000Z", "updatedAt": "2020-01-01T12:00:00.000Z"}
    assert answer.status == 200
    assert list(answer.json.items()) == list({
        "id": user, "status": "active", "name": "Ada Lovelace", "bio": "Countess", "activeSessions": 0,
        **times, "updatedAt": "2021-01-01T12:00:00.000Z",
        "emails": [{"id": user, "userId": user, "email": "Ada@example.com", "verified": True, "passwordSet": True,
                    "tokenSet": False, **times}],
        "defaultEmail": "Ada@example.com",
        "identities": [{"id": "41", "provider": "shop", **{name: answer.json["identities"][0][name] for name in times}}],
        "avatarUrl": "https://shop.example.com/41.png", "phoneNumber": "+442071234567",
        "phoneNumbers": [{"id": user, "userId": user, "phoneNumber": "+442071234567", "verified": False,
                          "primary": True, **times}],
        "locale": "en", "timezone": "Europe/London", "badges": ["shop:staff"],
    }.items())


def test_a_user_with_next_to_nothing(shop):
    user = shop.get(42).json
    assert user["status"] == "pending" and user["phoneNumbers"] == [] and user["badges"] == []
    assert not {"bio", "avatarUrl", "locale", "timezone", "userFraudInformation"} & set(user)


def test_who_is_blocked_or_gone(shop):
    assert shop.get(43).status == 403
    assert shop.get(44).status == 401
    shop.sql("UPDATE users SET blocked = 0 WHERE id = 43")
    assert shop.get(43).status == 200
    shop.sql("UPDATE users SET blocked = 1 WHERE id = 43")
    assert shop.get(43).status == 403


CHANGE = {"name": "Zoë 王 " + "x" * 240, "bio": "😀" * 4096, "avatarUrl": "https://example.com/" + "a" * 2000,
          "locale": "zh-hant-tw", "timezone": "America/Argentina/ComodRivadavia"}


def test_a_patch_is_what_the_application_reads(shop):
    before = shop.get(42)
    answer = shop.patch(42, CHANGE, **{"If-Match": before.headers["ETag"]})
    assert answer.status == 200 and answer.json["locale"] == "zh-Hant-TW"
    row = shop.sql("SELECT display_name, about, photo_url, language, time_zone FROM users WHERE id = 42")[0]
    assert row == (CHANGE["name"], CHANGE["bio"], CHANGE["avatarUrl"], "zh-Hant-TW", CHANGE["timezone"])
    again = shop.get(42)
    assert again.json == answer.json and again.headers["ETag"] == answer.headers["ETag"]
    assert answer.json["updatedAt"] > before.json["updatedAt"]
    assert shop.patch(42, {"bio": "x"}, **{"If-Match": before.headers["ETag"]}).status == 412
    assert shop.patch(42, {name: None for name in CHANGE if name != "name"}).status == 200
    assert shop.sql("SELECT about, photo_url, language, time_zone FROM users WHERE id = 42") == [(None,) * 4]


def test_what_the_application_writes_is_what_a_request_reads(shop):
    tag = shop.get(41).headers["ETag"]
    shop.sql("UPDATE users SET about = 'changed', updated_at = '2022-01-01' WHERE id = 41")
    answer = shop.worker.get(shop.bearer(41, **{"If-None-Match": tag}))
    assert (answer.status, answer.json["bio"]) == (200, "changed")
    shop.sql("UPDATE users SET about = 'Countess', updated_at = '2021-01-01 12:00:00' WHERE id = 41")
    assert shop.get(41).headers["ETag"] == tag


def test_new_and_deleted_users_of_the_application(shop):
    """Its INSERTs name no columns, and know nothing of profiles."""
    shop.sql("INSERT INTO users VALUES (NULL, 'new@example.com', NULL, 'New', NULL, NULL, NULL, NULL, NULL, 'customer', 0,"
             " NULL, NULL, UTC_TIMESTAMP, UTC_TIMESTAMP)")
    number = shop.sql("SELECT id FROM users WHERE email = 'new@example.com'")[0][0]
    headers = shop.bearer(number)
    assert shop.worker.get(headers).json["identities"][0]["id"] == str(number)
    shop.sql("DELETE FROM users WHERE id = %s", [number])
    assert shop.worker.get(headers).status == 401
    assert shop.installation.execute("SELECT COUNT(*) FROM user_identities WHERE subject = %s", [str(number)]) == [(0,)]


def test_the_application_does_not_see_the_new_column(shop):
    columns = [row[0] for row in shop.sql("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop'"
                                          " AND TABLE_NAME = 'users' AND EXTRA NOT LIKE '%INVISIBLE%'")]
    assert len(shop.sql("SELECT * FROM users LIMIT 1")[0]) == len(columns) == 15


# ---- tokens that name users by the application's number

def test_by_the_number_in_the_token(shop):
    answer = shop.worker_by_number.get(shop.tokens.bearer("41", iss=ISSUER))
    assert answer.status == 200 and answer.json["id"] == shop.id_of(41)
    answer = shop.worker_by_number("PATCH", headers=shop.tokens.bearer("41", iss=ISSUER), body={"locale": "en-GB"})
    assert answer.status == 200 and answer.json["locale"] == "en-GB"
    assert shop.sql("SELECT language FROM users WHERE id = 41") == [("en-GB",)]
    shop.sql("UPDATE users SET language = 'en', updated_at = '2021-01-01 12:00:00' WHERE id = 41")


@pytest.mark.parametrize("subject", ["41x", "041", "41.0", "4.1e1", " 41", "41 ", "99", "+41"])
def test_a_number_is_a_text_and_compared_as_one(shop, subject):
    assert shop.worker_by_number.get(shop.tokens.bearer(subject, iss=ISSUER)).status == 401


# ---- what stands in the example

def test_each_request_is_a_lookup(shop):
    shop.installation.server.root.select_db("profile")
    key = shop.installation.execute("SELECT id FROM users LIMIT 1")[0][0]
    for view, column in (("users", "id"), ("user_emails", "user_id"), ("user_phone_numbers", "user_id"), ("user_badges", "user_id")):
        for row in shop.installation.execute(f"EXPLAIN SELECT * FROM {view} WHERE {column} = %s", [key]):
            assert row[3] in ("const", "system") and row[5] == "users_profile_id", (view, row)


def test_the_id_for_tokens_as_the_example_makes_it(shop):
    text = EXAMPLE.read_text()
    at = text.index("SELECT INSERT(")
    statement = " ".join(line.removeprefix("--").strip() for line in text[at:text.index(";", at)].splitlines())
    assert shop.sql(statement) == [(shop.id_of(42),)]


def test_the_worker_has_no_rights_in_the_applications_database(shop):
    rights = "".join(str(shop.installation.server.execute(f"SHOW GRANTS FOR {account}")) for (account,) in
                     shop.installation.server.execute("SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user"
                                                      " WHERE User = %s", [shop.installation.worker_account]))
    assert "`profile`.`users`" in rights and "shop" not in rights


def test_mectl_reads_through_the_views(shop):
    rows = objects(shop.installation.mectl("user", "list", "--json"))
    assert {row["name"]: row["defaultEmail"] for row in rows}["Ada Lovelace"] == "Ada@example.com"
    assert json.loads(quiet(shop.installation.mectl("user", "show", shop.id_of(41)))) == shop.get(41).json


def test_moving_over_to_tables_of_its_own(shop, mariadb, tmp_path):
    """Export through the views, import into a database of me-fcgi's own: the same answers."""
    path = tmp_path / "users.jsonl"
    quiet(shop.installation.mectl("user", "export", path))
    moved = install(mariadb, tmp_path, f"moved_{uuid.uuid4().hex[:8]}")
    assert quiet(moved.mectl("user", "import", path)).startswith("4 users: 4 added, ")
    for number in (41, 42, 43, 44):
        before = json.loads(quiet(shop.installation.mectl("user", "show", shop.id_of(number))))
        assert json.loads(quiet(moved.mectl("user", "show", shop.id_of(number)))) == before
    assert datetime.fromisoformat(before["createdAt"]).year == 2020
