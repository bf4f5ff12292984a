#include "store/recordplan.h"

#include "base/str.h"

static struct value value_of(enum record_type type, const struct record_value *value)
{
    struct value out = {.is_null = !value->is_set};
    if (out.is_null)
        return out;
    switch (type) {
    case RECORD_UUID:
        return value_uuid(&value->uuid);
    case RECORD_TIME:
        return value_time(value->number);
    case RECORD_FLAG:
    case RECORD_NUMBER:
        return value_number(value->number);
    case RECORD_TEXT:
    default:
        return value_text(value->text);
    }
}

static struct value field_of(enum record_table table, const struct record_row *row, size_t field)
{
    return value_of(record_tables[table].fields[field].type, &row->values[field]);
}

/* All fields from `first` on. */
static size_t put_fields(enum record_table table, const struct record_row *row, size_t first,
                         struct value *out)
{
    size_t count = 0;
    for (size_t i = first; record_tables[table].fields[i].name != NULL; i++)
        out[count++] = field_of(table, row, i);
    return count;
}

static size_t put_user(enum record_table table, const struct uuid *user,
                       const struct record_row *row, struct value *out)
{
    (void)user;
    return put_fields(table, row, 0, out);
}

/* An UPDATE names the id behind all else. */
static size_t put_user_last(enum record_table table, const struct uuid *user,
                            const struct record_row *row, struct value *out)
{
    size_t count = put_fields(table, row, 1, out);
    out[count] = value_uuid(user);
    return count + 1;
}

static size_t put_child(enum record_table table, const struct uuid *user,
                        const struct record_row *row, struct value *out)
{
    out[0] = value_uuid(user);
    return put_fields(table, row, 0, out + 1) + 1;
}

/* An id, of whatever type, is the first field of its table. */
static size_t put_id(enum record_table table, const struct uuid *user, const struct record_row *row,
                     struct value *out)
{
    out[0] = value_uuid(user);
    out[1] = field_of(table, row, 0);
    return 2;
}

static size_t put_nothing(enum record_table table, const struct uuid *user,
                          const struct record_row *row, struct value *out)
{
    (void)table;
    (void)row;
    out[0] = value_uuid(user);
    return 1;
}

/* The issuer, which is the second field, stands before the subject. */
static size_t put_identity_key(enum record_table table, const struct uuid *user,
                               const struct record_row *row, struct value *out)
{
    out[0] = value_uuid(user);
    out[1] = field_of(table, row, 1);
    out[2] = field_of(table, row, 0);
    return 3;
}

/* Stored as scope and name. */
static size_t put_badge(enum record_table table, const struct uuid *user,
                        const struct record_row *row, struct value *out)
{
    struct str name = row->values[0].text;
    (void)table;
    out[0] = value_uuid(user);
    out[1] = value_text(str_cut(&name, ':'));
    out[2] = value_text(name);
    return 3;
}

const struct recordplan recordplans[RECORD_TABLE__MAX] = {
    [RECORD_USERS] = {STATEMENT_RECORD_USERS,
                      {[RECORDPLAN_CHANGE] = {STATEMENT_RECORD_USER_CHANGE, put_user_last},
                       [RECORDPLAN_ADD] = {STATEMENT_RECORD_USER_ADD, put_user}}},
    [RECORD_EMAILS] = {STATEMENT_RECORD_EMAILS,
                       {[RECORDPLAN_REMOVE] = {STATEMENT_RECORD_EMAIL_REMOVE, put_id},
                        [RECORDPLAN_ADD] = {STATEMENT_RECORD_EMAIL_ADD, put_child}}},
    [RECORD_IDENTITIES] = {STATEMENT_RECORD_IDENTITIES,
                           {[RECORDPLAN_REMOVE] = {STATEMENT_IDENTITY_REMOVE, put_identity_key},
                            [RECORDPLAN_ADD] = {STATEMENT_RECORD_IDENTITY_ADD, put_child}}},
    [RECORD_PHONES] = {STATEMENT_RECORD_PHONES,
                       {[RECORDPLAN_REMOVE] = {STATEMENT_RECORD_PHONE_REMOVE, put_id},
                        [RECORDPLAN_ADD] = {STATEMENT_RECORD_PHONE_ADD, put_child}}},
    [RECORD_BADGES] = {STATEMENT_RECORD_BADGES,
                       {[RECORDPLAN_REMOVE] = {STATEMENT_BADGE_REMOVE, put_badge},
                        [RECORDPLAN_ADD] = {STATEMENT_BADGE_ADD, put_badge}}},
    [RECORD_FRAUD] = {STATEMENT_RECORD_FRAUD,
                      {[RECORDPLAN_REMOVE] = {STATEMENT_FRAUD_REMOVE, put_nothing},
                       [RECORDPLAN_CHANGE] = {STATEMENT_FRAUD_SET, put_child},
                       [RECORDPLAN_ADD] = {STATEMENT_FRAUD_SET, put_child}}},
    [RECORD_SESSIONS] = {STATEMENT_RECORD_SESSIONS,
                         {[RECORDPLAN_REMOVE] = {STATEMENT_RECORD_SESSION_REMOVE, put_id},
                          [RECORDPLAN_ADD] = {STATEMENT_RECORD_SESSION_ADD, put_child}}},
};

static bool take_value(enum record_type type, const struct value *value, struct arena *arena,
                       struct record_value *out)
{
    *out = (struct record_value){.is_set = !value->is_null};
    if (value->is_null)
        return true;
    out->number = type == RECORD_TIME ? value->time_ms : value->number;
    out->uuid = value->uuid;
    return type != RECORD_TEXT || arena_copy(arena, value->text, &out->text);
}

bool recordplan_take(enum record_table table, const struct value *values, struct arena *arena,
                     struct record_row *out)
{
    const struct record_field *fields = record_tables[table].fields;
    size_t first = table == RECORD_USERS ? 0 : 1; /* the user's id is the first field of users */
    for (size_t i = 0; fields[i].name != NULL; i++)
        if (!take_value(fields[i].type, &values[first + i], arena, &out->values[i]))
            return false;
    return true;
}
