#include "store/statement.h"

#include "profile/profile.h"
#include "profile/validate.h"
#include "store/audit.h"
#include "store/sessions.h"

enum {
    NAME_BYTES = NAME_MAX_LENGTH * UTF8_MAX_BYTES,
    BIO_BYTES = BIO_MAX_LENGTH * UTF8_MAX_BYTES,
    URL_BYTES =
        AVATAR_URL_MAX_BYTES * UTF8_MAX_BYTES, /* another application may store other characters */
    LOCALE_BYTES = LOCALE_MAX_BYTES * UTF8_MAX_BYTES,
    TIMEZONE_BYTES = TIMEZONE_MAX_BYTES * UTF8_MAX_BYTES,
    EMAIL_BYTES = EMAIL_MAX_BYTES * UTF8_MAX_BYTES,
    IDENTITY_BYTES = IDENTITY_MAX_BYTES * UTF8_MAX_BYTES,
    NUMBER_BYTES = 16 * UTF8_MAX_BYTES,
    BADGE_BYTES = BADGE_PART_MAX_BYTES * UTF8_MAX_BYTES,
    STATUS_BYTES = 16,
    SESSION_BYTES = SESSION_ID_MAX_BYTES * UTF8_MAX_BYTES,
    REQUEST_ID_BYTES = 64 * UTF8_MAX_BYTES,
    CLAIM_BYTES = 65535, /* what a TEXT column holds, and no claim of a token is as long */
    MEMBERS_BYTES = 128 * UTF8_MAX_BYTES,
    IDS_BYTES = STATEMENT_USERS_MAX * UUID_BYTES,
    MIGRATION_NAME_BYTES = 255 * UTF8_MAX_BYTES,
    CHECKSUM_BYTES = 64,
    SERVER_TEXT_BYTES = 512,
    GRANT_MAX_BYTES = 64 * 1024, /* one row has all columns of a table */
};

/* Later than the time that is there, also where the clock was set back. */
#define LATER(column) "GREATEST(UTC_TIMESTAMP(3), " column " + INTERVAL 1000 MICROSECOND)"

/* The account that is logged in, as the server writes it into lists of rights: 'name'@'host'. */
#define GRANTEE                                                                                    \
    "CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH("                 \
    "SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), '''@''', "                                    \
    "SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')"

#define USER_IN                                                                                    \
    {                                                                                              \
        "user", VALUE_UUID, 0                                                                      \
    }
#define ROW_ID_IN                                                                                  \
    {                                                                                              \
        "id", VALUE_UUID, 0                                                                        \
    }

#define ISSUER_IN                                                                                  \
    {                                                                                              \
        "issuer", VALUE_TEXT, IDENTITY_BYTES                                                       \
    }
#define SUBJECT_IN                                                                                 \
    {                                                                                              \
        "subject", VALUE_TEXT, IDENTITY_BYTES                                                      \
    }

/* What each branch of the UNION selects, from a table or join that has the rows as c. */
#define PROFILE_OF_USER                                                                            \
    "SELECT 1 AS kind, c.id AS id, c.created_at AS created, c.updated_at AS updated,"              \
    " UTC_TIMESTAMP(3) AS now,"                                                                    \
    " c.revision AS number1, f.score AS number2, NULL AS number3, NULL AS number4,"                \
    " c.name AS text1, c.locale AS text2, c.timezone AS text3, c.avatar_url AS text4,"             \
    " c.bio AS text5, c.status AS text6"
#define PROFILE_USER_JOINS " LEFT JOIN user_fraud_information f ON f.user_id = c.id"
#define PROFILE_OF_EMAILS                                                                          \
    " UNION ALL SELECT 2, c.id, c.created_at, c.updated_at, NULL, c.verified, c.password_set,"     \
    " c.token_set, c.is_default, c.email, NULL, NULL, NULL, NULL, NULL"
#define PROFILE_OF_IDENTITIES                                                                      \
    " UNION ALL SELECT 3, NULL, c.created_at, c.updated_at, NULL, NULL, NULL, NULL, NULL,"         \
    " c.subject, c.provider, c.name, c.avatar_url, NULL, c.email"
#define PROFILE_OF_PHONES                                                                          \
    " UNION ALL SELECT 4, c.id, c.created_at, c.updated_at, NULL, c.verified, c.is_primary,"       \
    " NULL, NULL, c.number, NULL, NULL, NULL, NULL, NULL"
#define PROFILE_OF_BADGES                                                                          \
    " UNION ALL SELECT 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"                         \
    " c.scope, c.name, NULL, NULL, NULL, NULL"
#define SESSION_IS_ACTIVE "c.revoked_at IS NULL AND c.expires_at > UTC_TIMESTAMP(3)"
#define PROFILE_OF_SESSIONS                                                                        \
    " UNION ALL SELECT 6, NULL, NULL, IF(" SESSION_IS_ACTIVE ", c.expires_at, NULL), NULL, NULL,"  \
    " NULL, c.revoked_at IS NOT NULL, NULL, c.id, NULL, NULL, NULL, NULL, NULL"
#define SESSION_IS_WANTED "(c.id = ? OR (" SESSION_IS_ACTIVE "))"

/* The same by an identity: its unique key, which the index alone answers, is looked up before a
 * branch is planned, so from there on the plan is that of a user's id. */
#define BY_IDENTITY " FROM user_identities k JOIN "
#define OF_THE_SAME " c ON c.user_id = k.user_id WHERE k.issuer = ? AND k.subject = ?"

#define PROFILE_OUT                                                                                \
    {                                                                                              \
        [PROFILE_KIND] = {"kind", VALUE_NUMBER, 0}, [PROFILE_ID] = {"id", VALUE_UUID, 0},          \
        [PROFILE_CREATED] = {"created_at", VALUE_TIME, 0},                                         \
        [PROFILE_UPDATED] = {"updated_at", VALUE_TIME, 0}, [PROFILE_NOW] = {"now", VALUE_TIME, 0}, \
        [PROFILE_NUMBER1] = {"revision or verified", VALUE_NUMBER, 0},                             \
        [PROFILE_NUMBER2] = {"score, password_set or is_primary", VALUE_NUMBER, 0},                \
        [PROFILE_NUMBER3] = {"token_set or revoked", VALUE_NUMBER, 0},                             \
        [PROFILE_NUMBER4] = {"is_default", VALUE_NUMBER, 0},                                       \
        [PROFILE_TEXT1] = {"name, email, subject, number, scope or id", VALUE_TEXT, NAME_BYTES},   \
        [PROFILE_TEXT2] = {"locale, provider or badge", VALUE_TEXT, IDENTITY_BYTES},               \
        [PROFILE_TEXT3] = {"timezone or identity's name", VALUE_TEXT, NAME_BYTES},                 \
        [PROFILE_TEXT4] = {"avatar_url", VALUE_TEXT, URL_BYTES},                                   \
        [PROFILE_TEXT5] = {"bio", VALUE_TEXT, BIO_BYTES},                                          \
        [PROFILE_TEXT6] = {"status or identity's email", VALUE_TEXT, EMAIL_BYTES},                 \
    }

/*
 * Rows of one user, or of all, between two ends, by time and then id. What is behind a place is
 * written in two terms, since MariaDB finds no range of an index in (a, b) > (?, ?); it does leave
 * out of account what is known once the values are. It has to go by one of the two indexes: of a
 * table that it takes for small, or the rows of which it takes for few, it would look at all, and
 * where it removes some wait for those who add.
 */
#define AUDIT_ROWS                                                                                 \
    "profile_changes c FORCE INDEX (profile_changes_by_time, profile_changes_by_user) WHERE "
#define AUDIT_USER "(? IS NULL OR user_id = ?)"
#define AUDIT_BEHIND AUDIT_USER " AND changed_at >= ? AND (changed_at > ? OR id > ?)"
#define AUDIT_AHEAD " AND changed_at <= ? AND (changed_at < ? OR id < ?)"
#define AUDIT_ROW                                                                                  \
    "SELECT id, changed_at, user_id, request_id, issuer, client, members, member_values"           \
    " FROM " AUDIT_ROWS

#define AUDIT_USER_IN                                                                              \
    {"user", VALUE_UUID, 0},                                                                       \
    {                                                                                              \
        "user", VALUE_UUID, 0                                                                      \
    }
#define AUDIT_PLACE_IN(name)                                                                       \
    {name, VALUE_TIME, 0}, {name, VALUE_TIME, 0},                                                  \
    {                                                                                              \
        name, VALUE_NUMBER, 0                                                                      \
    }
#define AUDIT_ROW_OUT                                                                              \
    {"id", VALUE_NUMBER, 0}, {"changed_at", VALUE_TIME, 0}, {"user_id", VALUE_UUID, 0},            \
        {"request_id", VALUE_TEXT, REQUEST_ID_BYTES}, {"issuer", VALUE_TEXT, CLAIM_BYTES},         \
        {"client", VALUE_TEXT, CLAIM_BYTES}, {"members", VALUE_TEXT, MEMBERS_BYTES},               \
    {                                                                                              \
        "member_values", VALUE_TEXT, AUDIT_VALUES_MAX_BYTES                                        \
    }

/*
 * Many users at once: their ids come as one value, cut up again by a table of numbers, and each is
 * looked for by its primary key. The rows of a user come in the order of the resource.
 */
#define RECORDS_OF " FROM wanted STRAIGHT_JOIN "
#define RECORDS_WANTED                                                                             \
    "WITH RECURSIVE wanted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM wanted WHERE n + 1 < ?) "
#define RECORDS_ID "SUBSTR(?, n * 16 + 1, 16)"
#define RECORDS_IN                                                                                 \
    {"count", VALUE_NUMBER, 0},                                                                    \
    {                                                                                              \
        "ids", VALUE_BYTES, IDS_BYTES                                                              \
    }
#define RECORD_USERS_SQL                                                                           \
    RECORDS_WANTED "SELECT u.id, u.status, u.name, u.bio, u.created_at, u.updated_at,"             \
                   " u.avatar_url, u.locale, u.timezone" RECORDS_OF                                \
                   "users u ON u.id = " RECORDS_ID
#define RECORD_USERS_OUT                                                                           \
    {"id", VALUE_UUID, 0}, {"status", VALUE_TEXT, STATUS_BYTES}, {"name", VALUE_TEXT, NAME_BYTES}, \
        {"bio", VALUE_TEXT, BIO_BYTES}, {"created_at", VALUE_TIME, 0},                             \
        {"updated_at", VALUE_TIME, 0}, {"avatar_url", VALUE_TEXT, URL_BYTES},                      \
        {"locale", VALUE_TEXT, LOCALE_BYTES},                                                      \
    {                                                                                              \
        "timezone", VALUE_TEXT, TIMEZONE_BYTES                                                     \
    }
#define RECORD_EMAILS_COLUMNS                                                                      \
    USER_IN, ROW_ID_IN, {"email", VALUE_TEXT, EMAIL_BYTES}, {"verified", VALUE_NUMBER, 0},         \
        {"password_set", VALUE_NUMBER, 0}, {"token_set", VALUE_NUMBER, 0},                         \
        {"is_default", VALUE_NUMBER, 0}, {"created_at", VALUE_TIME, 0},                            \
    {                                                                                              \
        "updated_at", VALUE_TIME, 0                                                                \
    }
#define RECORD_IDENTITIES_COLUMNS                                                                  \
    USER_IN, {"subject", VALUE_TEXT, IDENTITY_BYTES}, {"issuer", VALUE_TEXT, IDENTITY_BYTES},      \
        {"name", VALUE_TEXT, NAME_BYTES}, {"email", VALUE_TEXT, EMAIL_BYTES},                      \
        {"avatar_url", VALUE_TEXT, URL_BYTES}, {"provider", VALUE_TEXT, IDENTITY_BYTES},           \
        {"created_at", VALUE_TIME, 0}, {"updated_at", VALUE_TIME, 0}, ROW_ID_IN
#define RECORD_PHONES_COLUMNS                                                                      \
    USER_IN, ROW_ID_IN, {"number", VALUE_TEXT, NUMBER_BYTES}, {"verified", VALUE_NUMBER, 0},       \
        {"is_primary", VALUE_NUMBER, 0}, {"created_at", VALUE_TIME, 0},                            \
    {                                                                                              \
        "updated_at", VALUE_TIME, 0                                                                \
    }
#define RECORD_SESSIONS_COLUMNS                                                                    \
    USER_IN, {"id", VALUE_TEXT, SESSION_BYTES}, {"created_at", VALUE_TIME, 0},                     \
        {"expires_at", VALUE_TIME, 0},                                                             \
    {                                                                                              \
        "revoked_at", VALUE_TIME, 0                                                                \
    }

#define SESSION_IN                                                                                 \
    {                                                                                              \
        "session", VALUE_TEXT, SESSION_BYTES                                                       \
    }
#define PROFILE_CHANGE_IN                                                                          \
    {"name", VALUE_TEXT, NAME_BYTES}, {"bio", VALUE_TEXT, BIO_BYTES},                              \
        {"avatar_url", VALUE_TEXT, URL_BYTES}, {"locale", VALUE_TEXT, LOCALE_BYTES},               \
    {                                                                                              \
        "timezone", VALUE_TEXT, TIMEZONE_BYTES                                                     \
    }

static const struct statement statements[STATEMENT__MAX] = {
    [STATEMENT_PROFILE_READ] =
        {
            .name = "profile_read",
            .sql = PROFILE_OF_USER
            " FROM users c" PROFILE_USER_JOINS " WHERE c.id = ?" PROFILE_OF_EMAILS
            " FROM user_emails c WHERE c.user_id = ?" PROFILE_OF_IDENTITIES
            " FROM user_identities c WHERE c.user_id = ?" PROFILE_OF_PHONES
            " FROM user_phone_numbers c WHERE c.user_id = ?" PROFILE_OF_BADGES
            " FROM user_badges c WHERE c.user_id = ?" PROFILE_OF_SESSIONS
            " FROM sessions c WHERE c.user_id = ? AND " SESSION_IS_WANTED,
            .in = {USER_IN, USER_IN, USER_IN, USER_IN, USER_IN, USER_IN, SESSION_IN},
            .out = PROFILE_OUT,
        },
    [STATEMENT_PROFILE_READ_OF_IDENTITY] =
        {
            .name = "profile_read_of_identity",
            .sql = PROFILE_OF_USER BY_IDENTITY
            "users c ON c.id = k.user_id" PROFILE_USER_JOINS
            " WHERE k.issuer = ? AND k.subject = ?" PROFILE_OF_EMAILS BY_IDENTITY
            "user_emails" OF_THE_SAME PROFILE_OF_IDENTITIES BY_IDENTITY
            "user_identities" OF_THE_SAME PROFILE_OF_PHONES BY_IDENTITY
            "user_phone_numbers" OF_THE_SAME PROFILE_OF_BADGES BY_IDENTITY
            "user_badges" OF_THE_SAME PROFILE_OF_SESSIONS BY_IDENTITY "sessions" OF_THE_SAME
            " AND " SESSION_IS_WANTED,
            .in = {ISSUER_IN, SUBJECT_IN, ISSUER_IN, SUBJECT_IN, ISSUER_IN, SUBJECT_IN, ISSUER_IN,
                   SUBJECT_IN, ISSUER_IN, SUBJECT_IN, ISSUER_IN, SUBJECT_IN, SESSION_IN},
            .out = PROFILE_OUT,
        },
    [STATEMENT_PROFILE_PROBE] =
        {
            .name = "profile_probe",
            .sql = "SELECT revision, UTC_TIMESTAMP(3) FROM users WHERE id = ?",
            .in = {USER_IN},
            .out = {{"revision", VALUE_NUMBER, 0}, {"now", VALUE_TIME, 0}},
        },
    [STATEMENT_PROFILE_UPDATE] =
        {
            .name = "profile_update",
            .sql = "UPDATE users SET name = ?, bio = ?, avatar_url = ?, locale = ?, timezone = ?,"
                   " updated_at = ? WHERE id = ?",
            .writes = true,
            .in = {PROFILE_CHANGE_IN, {"updated_at", VALUE_TIME, 0}, USER_IN},
        },
    [STATEMENT_PROFILE_SWAP] =
        {
            .name = "profile_swap",
            .sql = "UPDATE users SET name = ?, bio = ?, avatar_url = ?, locale = ?, timezone = ?,"
                   " updated_at = ?, revision = ? WHERE id = ? AND revision = ?"
                   " AND UTC_TIMESTAMP(3) >= ? AND UTC_TIMESTAMP(3) < ?",
            .writes = true,
            .in = {PROFILE_CHANGE_IN,
                   {"updated_at", VALUE_TIME, 0},
                   {"revision", VALUE_NUMBER, 0},
                   USER_IN,
                   {"revision", VALUE_NUMBER, 0},
                   {"since", VALUE_TIME, 0},
                   {"until", VALUE_TIME, 0}},
        },
    [STATEMENT_USER_LOCK] =
        {
            .name = "user_lock",
            .sql = "SELECT id FROM users WHERE id = ? FOR UPDATE",
            .in = {USER_IN},
            .out = {{"id", VALUE_UUID, 0}},
        },
    [STATEMENT_USER_FIND] =
        {
            .name = "user_find",
            .sql = "SELECT user_id FROM user_identities WHERE issuer = ? AND subject = ?",
            .in = {ISSUER_IN, SUBJECT_IN},
            .out = {{"user_id", VALUE_UUID, 0}},
        },
    [STATEMENT_USER_ADD] =
        {
            .name = "user_add",
            .sql = "INSERT INTO users (id, status, name, bio, avatar_url, locale, timezone, "
                   "created_at,"
                   " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
            .writes = true,
            .in = {USER_IN,
                   {"status", VALUE_TEXT, STATUS_BYTES},
                   {"name", VALUE_TEXT, NAME_BYTES},
                   {"bio", VALUE_TEXT, BIO_BYTES},
                   {"avatar_url", VALUE_TEXT, URL_BYTES},
                   {"locale", VALUE_TEXT, LOCALE_BYTES},
                   {"timezone", VALUE_TEXT, TIMEZONE_BYTES}},
        },
    [STATEMENT_USER_LIST] =
        {
            .name = "user_list",
            .sql = "SELECT u.id, u.status, u.name, e.email, u.created_at, u.updated_at FROM users u"
                   " LEFT JOIN user_emails e ON e.user_id = u.id AND e.default_slot = 1"
                   " WHERE (? IS NULL OR u.id > ?) AND (? IS NULL OR u.status = ?)"
                   " ORDER BY u.id LIMIT ?",
            .in = {{"after", VALUE_UUID, 0},
                   {"after", VALUE_UUID, 0},
                   {"status", VALUE_TEXT, STATUS_BYTES},
                   {"status", VALUE_TEXT, STATUS_BYTES},
                   {"limit", VALUE_NUMBER, 0}},
            .out = {{"id", VALUE_UUID, 0},
                    {"status", VALUE_TEXT, STATUS_BYTES},
                    {"name", VALUE_TEXT, NAME_BYTES},
                    {"email", VALUE_TEXT, EMAIL_BYTES},
                    {"created_at", VALUE_TIME, 0},
                    {"updated_at", VALUE_TIME, 0}},
        },
    /* MariaDB assigns from left to right, so the time is judged by the old status. */
    [STATEMENT_USER_SET_STATUS] =
        {
            .name = "user_set_status",
            .sql =
                "UPDATE users SET updated_at = IF(status = ?, updated_at, " LATER(
                    "updated_at") "), status = ? WHERE id = ?",
            .writes = true,
            .in = {{"status", VALUE_TEXT, STATUS_BYTES},
                   {"status", VALUE_TEXT, STATUS_BYTES},
                   USER_IN},
        },
    [STATEMENT_EMAIL_ADD] =
        {
            .name = "email_add",
            .sql = "INSERT INTO user_emails (user_id, id, email, verified, password_set, token_set,"
                   " is_default, created_at, updated_at)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
            .writes = true,
            .in = {USER_IN,
                   ROW_ID_IN,
                   {"email", VALUE_TEXT, EMAIL_BYTES},
                   {"verified", VALUE_NUMBER, 0},
                   {"password_set", VALUE_NUMBER, 0},
                   {"token_set", VALUE_NUMBER, 0},
                   {"is_default", VALUE_NUMBER, 0}},
        },
    [STATEMENT_EMAIL_CLEAR_DEFAULT] =
        {
            .name = "email_clear_default",
            .sql =
                "UPDATE user_emails SET is_default = 0, updated_at = " LATER(
                    "updated_at") " WHERE user_id = ? AND default_slot = 1",
            .writes = true,
            .in = {USER_IN},
        },
    [STATEMENT_EMAIL_REMOVE] =
        {
            .name = "email_remove",
            .sql = "DELETE FROM user_emails WHERE user_id = ?"
                   " AND email_key = LOWER(? COLLATE utf8mb4_nopad_bin)",
            .writes = true,
            .in = {USER_IN, {"email", VALUE_TEXT, EMAIL_BYTES}},
        },
    [STATEMENT_PHONE_ADD] =
        {
            .name = "phone_add",
            .sql = "INSERT INTO user_phone_numbers (user_id, id, number, verified, is_primary,"
                   " created_at, updated_at)"
                   " VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
            .writes = true,
            .in = {USER_IN,
                   ROW_ID_IN,
                   {"number", VALUE_TEXT, NUMBER_BYTES},
                   {"verified", VALUE_NUMBER, 0},
                   {"is_primary", VALUE_NUMBER, 0}},
        },
    [STATEMENT_PHONE_CLEAR_PRIMARY] =
        {
            .name = "phone_clear_primary",
            .sql =
                "UPDATE user_phone_numbers SET is_primary = 0, updated_at = " LATER(
                    "updated_at") " WHERE user_id = ? AND primary_slot = 1",
            .writes = true,
            .in = {USER_IN},
        },
    [STATEMENT_PHONE_REMOVE] =
        {
            .name = "phone_remove",
            .sql = "DELETE FROM user_phone_numbers WHERE user_id = ? AND number = ?",
            .writes = true,
            .in = {USER_IN, {"number", VALUE_TEXT, NUMBER_BYTES}},
        },
    [STATEMENT_IDENTITY_ADD] =
        {
            .name = "identity_add",
            .sql =
                "INSERT INTO user_identities (user_id, id, issuer, subject, provider, name, email,"
                " avatar_url, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
            .writes = true,
            .in = {USER_IN,
                   ROW_ID_IN,
                   ISSUER_IN,
                   SUBJECT_IN,
                   {"provider", VALUE_TEXT, IDENTITY_BYTES},
                   {"name", VALUE_TEXT, NAME_BYTES},
                   {"email", VALUE_TEXT, EMAIL_BYTES},
                   {"avatar_url", VALUE_TEXT, URL_BYTES}},
        },
    [STATEMENT_IDENTITY_REMOVE] =
        {
            .name = "identity_remove",
            .sql = "DELETE FROM user_identities WHERE user_id = ? AND issuer = ? AND subject = ?",
            .writes = true,
            .in = {USER_IN, ISSUER_IN, SUBJECT_IN},
        },
    [STATEMENT_BADGE_ADD] =
        {
            .name = "badge_add",
            .sql = "INSERT INTO user_badges (user_id, scope, name, created_at)"
                   " VALUES (?, ?, ?, UTC_TIMESTAMP(3))",
            .writes = true,
            .in = {USER_IN, {"scope", VALUE_TEXT, BADGE_BYTES}, {"name", VALUE_TEXT, BADGE_BYTES}},
        },
    [STATEMENT_BADGE_REMOVE] =
        {
            .name = "badge_remove",
            .sql = "DELETE FROM user_badges WHERE user_id = ? AND scope = ? AND name = ?",
            .writes = true,
            .in = {USER_IN, {"scope", VALUE_TEXT, BADGE_BYTES}, {"name", VALUE_TEXT, BADGE_BYTES}},
        },
    [STATEMENT_FRAUD_SET] =
        {
            .name = "fraud_set",
            .sql = "INSERT INTO user_fraud_information (user_id, score, created_at, updated_at)"
                   " VALUES (?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE"
                   " updated_at = IF(score = VALUES(score), updated_at, " LATER(
                       "updated_at") "), score = VALUES(score)",
            .writes = true,
            .in = {USER_IN, {"score", VALUE_NUMBER, 0}},
        },
    [STATEMENT_FRAUD_REMOVE] =
        {
            .name = "fraud_remove",
            .sql = "DELETE FROM user_fraud_information WHERE user_id = ?",
            .writes = true,
            .in = {USER_IN},
        },
    [STATEMENT_SESSION_ADD] =
        {
            .name = "session_add",
            .sql = "INSERT INTO sessions (user_id, id, created_at, expires_at)"
                   " VALUES (?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL ? SECOND)",
            .writes = true,
            .in = {USER_IN, {"id", VALUE_TEXT, SESSION_BYTES}, {"lifetime", VALUE_NUMBER, 0}},
        },
    [STATEMENT_SESSION_LIST] =
        {
            .name = "session_list",
            .sql = "SELECT id, created_at, expires_at, revoked_at,"
                   " revoked_at IS NULL AND expires_at > UTC_TIMESTAMP(3)"
                   " FROM sessions WHERE user_id = ? ORDER BY created_at, id",
            .in = {USER_IN},
            .out = {{"id", VALUE_TEXT, SESSION_BYTES},
                    {"created_at", VALUE_TIME, 0},
                    {"expires_at", VALUE_TIME, 0},
                    {"revoked_at", VALUE_TIME, 0},
                    {"active", VALUE_NUMBER, 0}},
        },
    [STATEMENT_SESSION_FIND] =
        {
            .name = "session_find",
            .sql = "SELECT 1 FROM sessions WHERE user_id = ? AND id = ?",
            .in = {USER_IN, {"id", VALUE_TEXT, SESSION_BYTES}},
            .out = {{"found", VALUE_NUMBER, 0}},
        },
    [STATEMENT_SESSION_REVOKE] =
        {
            .name = "session_revoke",
            .sql = "UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3)"
                   " WHERE user_id = ? AND id = ? AND revoked_at IS NULL",
            .writes = true,
            .in = {USER_IN, {"id", VALUE_TEXT, SESSION_BYTES}},
        },
    [STATEMENT_SESSION_REVOKE_ALL] =
        {
            .name = "session_revoke_all",
            .sql = "UPDATE sessions SET revoked_at = UTC_TIMESTAMP(3)"
                   " WHERE user_id = ? AND revoked_at IS NULL",
            .writes = true,
            .in = {USER_IN},
        },
    /* Id and time are the database's: the worker has no right to give them. */
    [STATEMENT_AUDIT_ADD] =
        {
            .name = "audit_add",
            .sql = "INSERT INTO profile_changes"
                   " (user_id, request_id, issuer, client, members, member_values)"
                   " VALUES (?, ?, ?, ?, ?, ?)",
            .writes = true,
            .in = {USER_IN,
                   {"request_id", VALUE_TEXT, REQUEST_ID_BYTES},
                   {"issuer", VALUE_TEXT, CLAIM_BYTES},
                   {"client", VALUE_TEXT, CLAIM_BYTES},
                   {"members", VALUE_TEXT, MEMBERS_BYTES},
                   {"member_values", VALUE_TEXT, AUDIT_VALUES_MAX_BYTES}},
        },
    [STATEMENT_AUDIT_OLDEST] =
        {
            .name = "audit_oldest",
            .sql = AUDIT_ROW AUDIT_BEHIND " AND changed_at < ? ORDER BY changed_at, id LIMIT ?",
            .in = {AUDIT_USER_IN,
                   AUDIT_PLACE_IN("after"),
                   {"until", VALUE_TIME, 0},
                   {"limit", VALUE_NUMBER, 0}},
            .out = {AUDIT_ROW_OUT},
        },
    [STATEMENT_AUDIT_NEWEST] =
        {
            .name = "audit_newest",
            .sql = AUDIT_ROW AUDIT_USER AUDIT_AHEAD
            " AND changed_at >= ? ORDER BY changed_at DESC, id DESC LIMIT ?",
            .in = {AUDIT_USER_IN,
                   AUDIT_PLACE_IN("before"),
                   {"since", VALUE_TIME, 0},
                   {"limit", VALUE_NUMBER, 0}},
            .out = {AUDIT_ROW_OUT},
        },
    [STATEMENT_AUDIT_SKIP] =
        {
            .name = "audit_skip",
            .sql = "SELECT changed_at, id FROM " AUDIT_ROWS AUDIT_BEHIND
                   " AND changed_at < ? ORDER BY changed_at, id LIMIT 1 OFFSET ?",
            .in = {AUDIT_USER_IN,
                   AUDIT_PLACE_IN("after"),
                   {"until", VALUE_TIME, 0},
                   {"offset", VALUE_NUMBER, 0}},
            .out = {{"changed_at", VALUE_TIME, 0}, {"id", VALUE_NUMBER, 0}},
        },
    [STATEMENT_AUDIT_COUNT] =
        {
            .name = "audit_count",
            .sql = "SELECT COUNT(*) FROM " AUDIT_ROWS AUDIT_BEHIND " AND changed_at < ?",
            .in = {AUDIT_USER_IN, AUDIT_PLACE_IN("after"), {"until", VALUE_TIME, 0}},
            .out = {{"count", VALUE_NUMBER, 0}},
        },
    /* From place to place: a LIMIT would look at what was just removed again, each time anew, until
       the server has cleared it away. An index can be demanded in this form of DELETE alone. */
    [STATEMENT_AUDIT_REMOVE] =
        {
            .name = "audit_remove",
            .sql = "DELETE c FROM " AUDIT_ROWS AUDIT_BEHIND AUDIT_AHEAD,
            .writes = true,
            .in = {AUDIT_USER_IN, AUDIT_PLACE_IN("after"), AUDIT_PLACE_IN("before")},
        },
    [STATEMENT_RECORD_PAGE] =
        {
            .name = "record_page",
            .sql = "SELECT id FROM users WHERE (? IS NULL OR id > ?) ORDER BY id LIMIT ?",
            .in = {{"after", VALUE_UUID, 0}, {"after", VALUE_UUID, 0}, {"limit", VALUE_NUMBER, 0}},
            .out = {{"id", VALUE_UUID, 0}},
        },
    [STATEMENT_RECORD_COUNT] =
        {
            .name = "record_count",
            .sql = "SELECT COUNT(*) FROM users",
            .out = {{"count", VALUE_NUMBER, 0}},
        },
    [STATEMENT_RECORD_NOW] =
        {
            .name = "record_now",
            .sql = "SELECT UTC_TIMESTAMP(3)",
            .out = {{"now", VALUE_TIME, 0}},
        },
    [STATEMENT_RECORD_USERS] =
        {
            .name = "record_users",
            .sql = RECORD_USERS_SQL,
            .in = {RECORDS_IN},
            .out = {RECORD_USERS_OUT},
        },
    [STATEMENT_RECORD_USERS_LOCKED] =
        {
            .name = "record_users_locked",
            .sql = RECORD_USERS_SQL " FOR UPDATE",
            .in = {RECORDS_IN},
            .out = {RECORD_USERS_OUT},
        },
    [STATEMENT_RECORD_EMAILS] =
        {
            .name = "record_emails",
            .sql = RECORDS_WANTED
            "SELECT user_id, id, email, verified, password_set, token_set, is_default, created_at,"
            " updated_at" RECORDS_OF "user_emails ON user_id = " RECORDS_ID
            " ORDER BY is_default DESC, created_at, id",
            .in = {RECORDS_IN},
            .out = {RECORD_EMAILS_COLUMNS},
        },
    [STATEMENT_RECORD_IDENTITIES] =
        {
            .name = "record_identities",
            .sql = RECORDS_WANTED
            "SELECT user_id, subject, issuer, name, email, avatar_url, provider, created_at,"
            " updated_at, id" RECORDS_OF "user_identities ON user_id = " RECORDS_ID
            " ORDER BY created_at, provider, subject, issuer",
            .in = {RECORDS_IN},
            .out = {RECORD_IDENTITIES_COLUMNS},
        },
    [STATEMENT_RECORD_PHONES] =
        {
            .name = "record_phones",
            .sql = RECORDS_WANTED
            "SELECT user_id, id, number, verified, is_primary, created_at, updated_at" RECORDS_OF
            "user_phone_numbers ON user_id = " RECORDS_ID
            " ORDER BY is_primary DESC, created_at, id",
            .in = {RECORDS_IN},
            .out = {RECORD_PHONES_COLUMNS},
        },
    [STATEMENT_RECORD_BADGES] =
        {
            .name = "record_badges",
            .sql = RECORDS_WANTED "SELECT user_id, CONCAT(scope, ':', name) AS badge" RECORDS_OF
                                  "user_badges ON user_id = " RECORDS_ID " ORDER BY badge",
            .in = {RECORDS_IN},
            .out = {USER_IN, {"badge", VALUE_TEXT, 2 * BADGE_BYTES + 1}},
        },
    [STATEMENT_RECORD_FRAUD] =
        {
            .name = "record_fraud",
            .sql = RECORDS_WANTED "SELECT user_id, score" RECORDS_OF
                                  "user_fraud_information ON user_id = " RECORDS_ID,
            .in = {RECORDS_IN},
            .out = {USER_IN, {"score", VALUE_NUMBER, 0}},
        },
    [STATEMENT_RECORD_SESSIONS] =
        {
            .name = "record_sessions",
            .sql =
                RECORDS_WANTED "SELECT user_id, id, created_at, expires_at, revoked_at" RECORDS_OF
                               "sessions ON user_id = " RECORDS_ID " ORDER BY created_at, id",
            .in = {RECORDS_IN},
            .out = {RECORD_SESSIONS_COLUMNS},
        },
    [STATEMENT_RECORD_USER_ADD] =
        {
            .name = "record_user_add",
            .sql = "INSERT INTO users (id, status, name, bio, created_at, updated_at, avatar_url,"
                   " locale, timezone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            .writes = true,
            .in = {RECORD_USERS_OUT},
        },
    [STATEMENT_RECORD_USER_CHANGE] =
        {
            .name = "record_user_change",
            .sql = "UPDATE users SET status = ?, name = ?, bio = ?, created_at = ?, updated_at = ?,"
                   " avatar_url = ?, locale = ?, timezone = ? WHERE id = ?",
            .writes = true,
            .in = {{"status", VALUE_TEXT, STATUS_BYTES},
                   {"name", VALUE_TEXT, NAME_BYTES},
                   {"bio", VALUE_TEXT, BIO_BYTES},
                   {"created_at", VALUE_TIME, 0},
                   {"updated_at", VALUE_TIME, 0},
                   {"avatar_url", VALUE_TEXT, URL_BYTES},
                   {"locale", VALUE_TEXT, LOCALE_BYTES},
                   {"timezone", VALUE_TEXT, TIMEZONE_BYTES},
                   USER_IN},
        },
    [STATEMENT_RECORD_EMAIL_ADD] =
        {
            .name = "record_email_add",
            .sql = "INSERT INTO user_emails (user_id, id, email, verified, password_set, token_set,"
                   " is_default, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            .writes = true,
            .in = {RECORD_EMAILS_COLUMNS},
        },
    [STATEMENT_RECORD_EMAIL_REMOVE] =
        {
            .name = "record_email_remove",
            .sql = "DELETE FROM user_emails WHERE user_id = ? AND id = ?",
            .writes = true,
            .in = {USER_IN, ROW_ID_IN},
        },
    [STATEMENT_RECORD_EMAIL_OWNER] =
        {
            .name = "record_email_owner",
            .sql = "SELECT user_id FROM user_emails"
                   " WHERE email_key = LOWER(? COLLATE utf8mb4_nopad_bin)",
            .in = {{"email", VALUE_TEXT, EMAIL_BYTES}},
            .out = {USER_IN},
        },
    [STATEMENT_RECORD_IDENTITY_ADD] =
        {
            .name = "record_identity_add",
            .sql = "INSERT INTO user_identities (user_id, subject, issuer, name, email, avatar_url,"
                   " provider, created_at, updated_at, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            .writes = true,
            .in = {RECORD_IDENTITIES_COLUMNS},
        },
    [STATEMENT_RECORD_IDENTITY_OWNER] =
        {
            .name = "record_identity_owner",
            .sql = "SELECT user_id FROM user_identities WHERE issuer = ? AND subject = ?",
            .in = {{"issuer", VALUE_TEXT, IDENTITY_BYTES}, {"subject", VALUE_TEXT, IDENTITY_BYTES}},
            .out = {USER_IN},
        },
    [STATEMENT_RECORD_PHONE_ADD] =
        {
            .name = "record_phone_add",
            .sql = "INSERT INTO user_phone_numbers (user_id, id, number, verified, is_primary,"
                   " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .writes = true,
            .in = {RECORD_PHONES_COLUMNS},
        },
    [STATEMENT_RECORD_PHONE_REMOVE] =
        {
            .name = "record_phone_remove",
            .sql = "DELETE FROM user_phone_numbers WHERE user_id = ? AND id = ?",
            .writes = true,
            .in = {USER_IN, ROW_ID_IN},
        },
    [STATEMENT_RECORD_SESSION_ADD] =
        {
            .name = "record_session_add",
            .sql = "INSERT INTO sessions (user_id, id, created_at, expires_at, revoked_at)"
                   " VALUES (?, ?, ?, ?, ?)",
            .writes = true,
            .in = {RECORD_SESSIONS_COLUMNS},
        },
    [STATEMENT_RECORD_SESSION_REMOVE] =
        {
            .name = "record_session_remove",
            .sql = "DELETE FROM sessions WHERE user_id = ? AND id = ?",
            .writes = true,
            .in = {USER_IN, {"id", VALUE_TEXT, SESSION_BYTES}},
        },
    /* A lock's name is the whole server's and of 64 characters at most, so it carries a digest of
       the database. */
    [STATEMENT_MIGRATION_LOCK] =
        {
            .name = "migration_lock",
            .sql = "SELECT GET_LOCK(CONCAT('me-fcgi migrate ', MD5(DATABASE())), ?)",
            .in = {{"timeout", VALUE_NUMBER, 0}},
            .out = {{"taken", VALUE_NUMBER, 0}},
        },
    [STATEMENT_MIGRATION_TABLE_FIND] =
        {
            .name = "migration_table_find",
            .sql = "SELECT COUNT(*) FROM information_schema.TABLES"
                   " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'schema_migrations'",
            .out = {{"count", VALUE_NUMBER, 0}},
        },
    [STATEMENT_MIGRATION_LIST] =
        {
            .name = "migration_list",
            .sql = "SELECT version, name, checksum, statements, statements_done, applied_at"
                   " FROM schema_migrations ORDER BY version",
            .out = {{"version", VALUE_NUMBER, 0},
                    {"name", VALUE_TEXT, MIGRATION_NAME_BYTES},
                    {"checksum", VALUE_TEXT, CHECKSUM_BYTES},
                    {"statements", VALUE_NUMBER, 0},
                    {"statements_done", VALUE_NUMBER, 0},
                    {"applied_at", VALUE_TIME, 0}},
        },
    [STATEMENT_MIGRATION_RECORD] =
        {
            .name = "migration_record",
            .sql = "INSERT INTO schema_migrations (version, name, checksum, statements,"
                   " statements_done, applied_at)"
                   " VALUES (?, ?, ?, ?, ?, IF(?, UTC_TIMESTAMP(3), NULL)) ON DUPLICATE KEY UPDATE"
                   " name = VALUES(name), checksum = VALUES(checksum), statements = "
                   "VALUES(statements),"
                   " statements_done = VALUES(statements_done), applied_at = VALUES(applied_at)",
            .writes = true,
            .in = {{"version", VALUE_NUMBER, 0},
                   {"name", VALUE_TEXT, MIGRATION_NAME_BYTES},
                   {"checksum", VALUE_TEXT, CHECKSUM_BYTES},
                   {"statements", VALUE_NUMBER, 0},
                   {"statements_done", VALUE_NUMBER, 0},
                   {"is_finished", VALUE_NUMBER, 0}},
        },
    [STATEMENT_REVISION_GUARD] =
        {
            .name = "revision_guard",
            .sql = "SELECT stands, epoch, TIMESTAMPDIFF(MICROSECOND, '1970-01-01',"
                   " UTC_TIMESTAMP(6)) FROM revision_guard",
            .out = {{"stands", VALUE_NUMBER, 0},
                    {"epoch", VALUE_NUMBER, 0},
                    {"now", VALUE_NUMBER, 0}},
        },
    [STATEMENT_SERVER_STATE] =
        {
            .name = "server_state",
            .sql = "SELECT VERSION(), CURRENT_USER(), UTC_TIMESTAMP(3), @@read_only,"
                   " @@max_connections, @@max_user_connections,"
                   " (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"
                   " WHERE VARIABLE_NAME = 'SSL_CIPHER')",
            .out = {{"version", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"account", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"now", VALUE_TIME, 0},
                    {"read_only", VALUE_NUMBER, 0},
                    {"max_connections", VALUE_NUMBER, 0},
                    {"max_user_connections", VALUE_NUMBER, 0},
                    {"cipher", VALUE_TEXT, SERVER_TEXT_BYTES}},
        },
    /* Who may read the server's own tables sees the rights of others, too. USAGE is none. */
    [STATEMENT_RIGHT_LIST] =
        {
            .name = "right_list",
            .sql = "SELECT place, name, part, right_name, can_grant FROM"
                   " (SELECT '' AS place, '' AS name, '' AS part, PRIVILEGE_TYPE AS right_name,"
                   " IS_GRANTABLE AS can_grant, GRANTEE AS grantee"
                   " FROM information_schema.USER_PRIVILEGES"
                   " UNION ALL SELECT TABLE_SCHEMA, '', '', PRIVILEGE_TYPE, IS_GRANTABLE, GRANTEE"
                   " FROM information_schema.SCHEMA_PRIVILEGES"
                   " UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME, '', PRIVILEGE_TYPE, IS_GRANTABLE,"
                   " GRANTEE FROM information_schema.TABLE_PRIVILEGES"
                   " UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, PRIVILEGE_TYPE,"
                   " IS_GRANTABLE, GRANTEE FROM information_schema.COLUMN_PRIVILEGES) AS held"
                   " WHERE grantee = " GRANTEE " AND right_name <> 'USAGE'"
                   " ORDER BY place, name, right_name, part",
            .out = {{"database", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"table", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"column", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"privilege", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"can_be_granted_on", VALUE_TEXT, SERVER_TEXT_BYTES}},
        },
    /* With the roles that came by others. */
    [STATEMENT_ROLE_LIST] =
        {
            .name = "role_list",
            .sql = "SELECT GRANTEE = CURRENT_USER(), GRANTEE, ROLE_NAME, IS_GRANTABLE = 'YES',"
                   " IS_DEFAULT = 'YES' AND IS_DEFAULT IS NOT NULL"
                   " FROM information_schema.APPLICABLE_ROLES ORDER BY ROLE_NAME",
            .out = {{"is_own", VALUE_NUMBER, 0},
                    {"grantee", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"role", VALUE_TEXT, SERVER_TEXT_BYTES},
                    {"is_grantable", VALUE_NUMBER, 0},
                    {"is_default", VALUE_NUMBER, 0}},
        },
    [STATEMENT_GRANTS_OF_ACCOUNT] =
        {
            .name = "grants_of_account",
            .sql = "SHOW GRANTS FOR CURRENT_USER",
            .out = {{"grant", VALUE_TEXT, GRANT_MAX_BYTES}},
        },
    [STATEMENT_GRANTS_OF_ROLE] =
        {
            .name = "grants_of_role",
            .sql = "SHOW GRANTS FOR CURRENT_ROLE",
            .out = {{"grant", VALUE_TEXT, GRANT_MAX_BYTES}},
        },
    [STATEMENT_GRANTS_OF_PUBLIC] =
        {
            .name = "grants_of_public",
            .sql = "SHOW GRANTS FOR PUBLIC",
            .out = {{"grant", VALUE_TEXT, GRANT_MAX_BYTES}},
        },
};

const struct statement *statement_get(enum statement_id id)
{
    return &statements[id];
}

size_t statement_column_count(const struct column columns[STATEMENT_COLUMNS_MAX])
{
    size_t count = 0;
    while (count < STATEMENT_COLUMNS_MAX && columns[count].type != 0)
        count++;
    return count;
}

struct value value_number(int64_t number)
{
    return (struct value){.number = number};
}

struct value value_text(struct str text)
{
    return (struct value){.is_null = !str_is_set(text), .text = text};
}

struct value value_uuid(const struct uuid *uuid)
{
    return uuid != NULL ? (struct value){.uuid = *uuid} : (struct value){.is_null = true};
}

struct value value_time(int64_t time_ms)
{
    return (struct value){.time_ms = time_ms};
}
