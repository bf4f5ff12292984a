/*
 * Every statement that the program prepares, as data: its text, and the names and types of what
 * goes in and comes out. One table; whoever runs one names it by number. Knows nothing of the
 * client library.
 */
#ifndef ME_STORE_STATEMENT_H
#define ME_STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/uuid.h"

enum statement_id {
    STATEMENT_PROFILE_READ,
    STATEMENT_PROFILE_READ_OF_IDENTITY, /* the same rows */
    STATEMENT_PROFILE_PROBE,
    STATEMENT_PROFILE_UPDATE,
    STATEMENT_PROFILE_SWAP,
    STATEMENT_USER_LOCK,
    STATEMENT_USER_FIND, /* by an identity */
    STATEMENT_USER_ADD,
    STATEMENT_USER_LIST,
    STATEMENT_USER_SET_STATUS,
    STATEMENT_EMAIL_ADD,
    STATEMENT_EMAIL_CLEAR_DEFAULT,
    STATEMENT_EMAIL_REMOVE,
    STATEMENT_PHONE_ADD,
    STATEMENT_PHONE_CLEAR_PRIMARY,
    STATEMENT_PHONE_REMOVE,
    STATEMENT_IDENTITY_ADD,
    STATEMENT_IDENTITY_REMOVE,
    STATEMENT_BADGE_ADD,
    STATEMENT_BADGE_REMOVE,
    STATEMENT_FRAUD_SET,
    STATEMENT_FRAUD_REMOVE,
    STATEMENT_SESSION_ADD,
    STATEMENT_SESSION_LIST,
    STATEMENT_SESSION_FIND,
    STATEMENT_SESSION_REVOKE,
    STATEMENT_SESSION_REVOKE_ALL,
    STATEMENT_AUDIT_ADD,
    STATEMENT_AUDIT_OLDEST,
    STATEMENT_AUDIT_NEWEST,
    STATEMENT_AUDIT_SKIP,
    STATEMENT_AUDIT_COUNT,
    STATEMENT_AUDIT_REMOVE,
    STATEMENT_RECORD_PAGE,
    STATEMENT_RECORD_COUNT,
    STATEMENT_RECORD_NOW,
    STATEMENT_RECORD_USERS,
    STATEMENT_RECORD_USERS_LOCKED,
    STATEMENT_RECORD_EMAILS,
    STATEMENT_RECORD_IDENTITIES,
    STATEMENT_RECORD_PHONES,
    STATEMENT_RECORD_BADGES,
    STATEMENT_RECORD_FRAUD,
    STATEMENT_RECORD_SESSIONS,
    STATEMENT_RECORD_USER_ADD,
    STATEMENT_RECORD_USER_CHANGE,
    STATEMENT_RECORD_EMAIL_ADD,
    STATEMENT_RECORD_EMAIL_REMOVE,
    STATEMENT_RECORD_EMAIL_OWNER,
    STATEMENT_RECORD_IDENTITY_ADD,
    STATEMENT_RECORD_IDENTITY_OWNER,
    STATEMENT_RECORD_PHONE_ADD,
    STATEMENT_RECORD_PHONE_REMOVE,
    STATEMENT_RECORD_SESSION_ADD,
    STATEMENT_RECORD_SESSION_REMOVE,
    STATEMENT_MIGRATION_LOCK,
    STATEMENT_MIGRATION_TABLE_FIND,
    STATEMENT_MIGRATION_LIST,
    STATEMENT_MIGRATION_RECORD,
    STATEMENT_REVISION_GUARD,
    STATEMENT_SERVER_STATE,
    STATEMENT_RIGHT_LIST,
    STATEMENT_ROLE_LIST,
    STATEMENT_GRANTS_OF_ACCOUNT,
    STATEMENT_GRANTS_OF_ROLE, /* the one that is taken on, and what it has by others */
    STATEMENT_GRANTS_OF_PUBLIC,
    STATEMENT__MAX
};

enum value_type {
    VALUE_NUMBER = 1, /* 0 is the end of a row of columns */
    VALUE_TEXT,
    VALUE_UUID,
    VALUE_TIME,
    VALUE_BYTES, /* as a text, but of no character set */
    VALUE__MAX
};

/* A value on its way in or out. Only the member of its column's type is meant. */
struct value {
    bool is_null;
    int64_t number;
    struct str text; /* borrowed: in, for the call; out, until the visit returns */
    struct uuid uuid;
    int64_t time_ms;
};

enum { STATEMENT_COLUMNS_MAX = 16, UTF8_MAX_BYTES = 4 };

/* There are two thousand of them, which each process has to itself for the sake of the pointers. */
struct column {
    const char *name; /* for messages */
    enum value_type type;
    uint32_t max_bytes; /* of a text: a longer one is an error, never cut */
};

struct statement {
    const char *name; /* for messages */
    const char *sql;
    bool writes;
    struct column in[STATEMENT_COLUMNS_MAX],
        out[STATEMENT_COLUMNS_MAX]; /* end in one without type */
};

const struct statement *statement_get(enum statement_id id);

size_t statement_column_count(const struct column columns[STATEMENT_COLUMNS_MAX]);

/* How many users the statements that take many at once take: their ids, one behind the other. */
enum { STATEMENT_USERS_MAX = 256 };

/* Values for the way in; a text or id that is not set is NULL. */
struct value value_number(int64_t number);
struct value value_text(struct str text);
struct value value_uuid(const struct uuid *uuid);
struct value value_time(int64_t time_ms);

/*
 * The rows of STATEMENT_PROFILE_READ, in no order: what the generic columns hold depends on the
 * kind of row.
 *
 *   kind              number1          number2        number3    number4
 *   PROFILE_USER      revision         score or NULL  -          -
 *   PROFILE_EMAIL     verified         password_set   token_set  default
 *   PROFILE_IDENTITY  -                -              -          -
 *   PROFILE_PHONE     verified         primary        -          -
 *   PROFILE_BADGE     -                -              -          -
 *   PROFILE_SESSION   -                -              revoked    -
 *
 *   kind              text1    text2     text3     text4   text5  text6
 *   PROFILE_USER      name     locale    timezone  avatar  bio    status
 *   PROFILE_EMAIL     address  -         -         -       -      -
 *   PROFILE_IDENTITY  subject  provider  name      avatar  -      email
 *   PROFILE_PHONE     number   -         -         -       -      -
 *   PROFILE_BADGE     scope    name      -         -       -      -
 *   PROFILE_SESSION   id       -         -         -       -      -
 *
 * Sessions are those that are active, whose end is in `updated`, and the one that was asked for,
 * where `updated` is NULL when it is not active.
 */
enum profile_row {
    PROFILE_USER = 1,
    PROFILE_EMAIL,
    PROFILE_IDENTITY,
    PROFILE_PHONE,
    PROFILE_BADGE,
    PROFILE_SESSION,
    PROFILE_ROW__MAX
};

enum profile_column {
    PROFILE_KIND,
    PROFILE_ID,
    PROFILE_CREATED,
    PROFILE_UPDATED,
    PROFILE_NOW, /* of PROFILE_USER alone: the database's clock */
    PROFILE_NUMBER1,
    PROFILE_NUMBER2,
    PROFILE_NUMBER3,
    PROFILE_NUMBER4,
    PROFILE_TEXT1,
    PROFILE_TEXT2,
    PROFILE_TEXT3,
    PROFILE_TEXT4,
    PROFILE_TEXT5,
    PROFILE_TEXT6,
    PROFILE_COLUMN__MAX
};

#endif
