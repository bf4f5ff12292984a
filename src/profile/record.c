#include "profile/record.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "format/timestamp.h"
#include "profile/profile.h"
#include "profile/validate.h"

enum { LABEL_MAX_LENGTH = 255, ROWS_FIRST_COUNT = 4, PLACE_MAX_BYTES = 128 };

/* What the database's DATETIME holds: the years 1 to 9999. */
static const int64_t time_min_ms = -62135596800000, time_max_ms = 253402300799999;

const char record_missing[] = "is missing";

/* ---- judges of texts */

static const char *why(enum violation violation)
{
    return violation == VIOLATION_NONE ? NULL : violation_text(violation);
}

static const char *judge_status(struct record_reader *reader, struct str *text)
{
    enum user_status status;

    (void)reader;
    return user_status_from_name(*text, &status)
               ? NULL
               : "is no status: there are pending, active, deleted, invited, banned";
}

static const char *judge_name(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return why(validate_name(*text));
}

static const char *judge_bio(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return why(validate_bio(*text));
}

static const char *judge_url(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return why(validate_url(*text));
}

static const char *judge_locale(struct record_reader *reader, struct str *text)
{
    char canonical[LOCALE_MAX_BYTES + 1];
    enum violation violation = validate_locale(*text, canonical);

    if (violation == VIOLATION_NONE && !arena_copy(reader->arena, str_from(canonical), text))
        reader->is_out_of_memory = true;
    return why(violation);
}

static const char *judge_timezone(struct record_reader *reader, struct str *text)
{
    return why(validate_timezone(*text, reader->zoneinfo));
}

static const char *judge_email(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return why(validate_email(*text));
}

static const char *judge_phone(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return why(validate_phone_number(*text));
}

static const char *judge_badge(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return why(validate_badge(*text));
}

/* Issuers, subjects, sessions: any string that another system made. */
static const char *judge_label(struct record_reader *reader, struct str *text)
{
    (void)reader;
    return text->len > 0 && utf8_is_valid(*text) && !str_has_byte(*text, '\0') &&
                   utf8_length(*text) <= LABEL_MAX_LENGTH
               ? NULL
               : "is not a text of 1 to 255 characters";
}

/* ---- what there is; the order of fields is that of the resource */

enum { USER_ID };
enum { EMAIL_ID, EMAIL_ADDRESS, EMAIL_DEFAULT = 5 };
enum { IDENTITY_SUBJECT, IDENTITY_ISSUER };
enum { PHONE_ID, PHONE_NUMBER, PHONE_PRIMARY = 3 };

#define CREATED                                                                                    \
    {                                                                                              \
        "createdAt", RECORD_TIME, ABSENT_NOW, NULL, false, false                                   \
    }
#define UPDATED                                                                                    \
    {                                                                                              \
        "updatedAt", RECORD_TIME, ABSENT_MOVED, NULL, false, false                                 \
    }
#define ID                                                                                         \
    {                                                                                              \
        "id", RECORD_UUID, ABSENT_NEW_ID, NULL, false, false                                       \
    }
#define FLAG(name)                                                                                 \
    {                                                                                              \
        name, RECORD_FLAG, ABSENT_UNSET, NULL, false, false                                        \
    }
#define OPTIONAL(name, judge)                                                                      \
    {                                                                                              \
        name, RECORD_TEXT, ABSENT_UNSET, judge, false, false                                       \
    }
#define REQUIRED(name, judge)                                                                      \
    {                                                                                              \
        name, RECORD_TEXT, ABSENT_FAULT, judge, false, false                                       \
    }

const struct record_table_row record_tables[RECORD_TABLE__MAX] =
    {
        [RECORD_USERS] =
            {
                .name = "users",
                .fields = {{"id", RECORD_UUID, ABSENT_FAULT, NULL, false, false},
                           {"status", RECORD_TEXT, ABSENT_ACTIVE, judge_status, false, false},
                           REQUIRED("name", judge_name),
                           OPTIONAL("bio", judge_bio),
                           CREATED,
                           UPDATED,
                           OPTIONAL("avatarUrl", judge_url),
                           OPTIONAL("locale", judge_locale),
                           OPTIONAL("timezone", judge_timezone)},
                .keys = {RECORD_BIT(USER_ID)},
                .key_count = 1,
            },
        [RECORD_EMAILS] =
            {
                .name = "emails",
                .fields = {ID,
                           {"email", RECORD_TEXT, ABSENT_FAULT, judge_email, true, false},
                           FLAG("verified"),
                           FLAG("passwordSet"),
                           FLAG("tokenSet"),
                           FLAG("default"),
                           CREATED,
                           UPDATED},
                .keys = {RECORD_BIT(EMAIL_ID), RECORD_BIT(EMAIL_ADDRESS)},
                .key_count = 2,
                .role = RECORD_BIT(EMAIL_DEFAULT),
                .second_role = "is a second default: a user has one default address at most",
                .shows_user = true,
            },
        [RECORD_IDENTITIES] =
            {
                .name = "identities",
                .fields = {REQUIRED("id", judge_label),
                           REQUIRED("issuer", judge_label),
                           OPTIONAL("name", judge_name),
                           OPTIONAL("email", judge_email),
                           OPTIONAL("avatarUrl", judge_url),
                           REQUIRED("provider", judge_label),
                           CREATED,
                           UPDATED,
                           {"rowId", RECORD_UUID, ABSENT_NEW_ID, NULL, false, true}},
                .keys = {RECORD_BIT(IDENTITY_SUBJECT) | RECORD_BIT(IDENTITY_ISSUER)},
                .key_count = 1,
            },
        [RECORD_PHONES] =
            {
                .name = "phoneNumbers",
                .fields = {ID, REQUIRED("phoneNumber", judge_phone), FLAG("verified"),
                           FLAG("primary"), CREATED, UPDATED},
                .keys = {RECORD_BIT(PHONE_ID), RECORD_BIT(PHONE_NUMBER)},
                .key_count = 2,
                .role = RECORD_BIT(PHONE_PRIMARY),
                .second_role = "is a second primary one: a user has one primary number at most",
                .shows_user = true,
            },
        [RECORD_BADGES] =
            {
                .name = "badges",
                .fields = {REQUIRED("badge", judge_badge)},
                .keys = {RECORD_BIT(0)},
                .key_count = 1,
                .is_plain = true,
            },
        [RECORD_FRAUD] =
            {
                .name = "userFraudInformation",
                .fields = {{"score", RECORD_NUMBER, ABSENT_FAULT, NULL, false, false}},
                .keys = {0}, /* any two rows are the same one */
                .key_count = 1,
                .shows_user = true,
                .is_single = true,
            },
        [RECORD_SESSIONS] =
            {
                .name = "sessions",
                .fields = {REQUIRED("id", judge_label),
                           CREATED,
                           {"expiresAt", RECORD_TIME, ABSENT_FAULT, NULL, false, false},
                           {"revokedAt", RECORD_TIME, ABSENT_UNSET, NULL, false, false}},
                .keys = {RECORD_BIT(0)},
                .key_count = 1,
                .is_optional = true,
            },
};

bool record_table_from_name(struct str name, enum record_table *out)
{
    for (size_t i = 0; i < RECORD_TABLE__MAX; i++) {
        if (!str_equal(name, str_from(record_tables[i].name)))
            continue;
        *out = (enum record_table)i;
        return true;
    }
    return false;
}

size_t record_field_find(enum record_table table, struct str name)
{
    const struct record_field *fields = record_tables[table].fields;

    for (size_t i = 0; fields[i].name != NULL; i++)
        if (!fields[i].is_hidden && str_equal(name, str_from(fields[i].name)))
            return i;
    return RECORD_FIELDS_MAX;
}

/* ---- memory */

struct record_row *record_rows_add(struct record_rows *rows, struct arena *arena)
{
    size_t count = rows->count;
    bool is_full = count == 0 || (count >= ROWS_FIRST_COUNT && (count & (count - 1)) == 0);

    if (is_full) {
        size_t room = count == 0 ? ROWS_FIRST_COUNT : count * 2;
        struct record_row *grown = arena_array(arena, room, sizeof(*grown));

        if (grown == NULL)
            return NULL;
        if (count > 0)
            memcpy(grown, rows->rows, count * sizeof(*grown));
        rows->rows = grown;
    }
    return &rows->rows[rows->count++];
}

/* ---- faults */

/* "emails[1].email", "badges[0]", "userFraudInformation.score", "name". */
static bool format_place(struct record_place place, bool is_bare, struct str name,
                         char out[PLACE_MAX_BYTES])
{
    const bool is_alone = is_bare || record_tables[place.table].is_single;
    const char *table = is_bare ? "" : record_tables[place.table].name;
    const char *dot = is_bare || !str_is_set(name) ? "" : ".";
    char row[24] = "";

    if (!is_alone && place.row != RECORD_ROW_ALONE)
        (void)snprintf(row, sizeof(row), "[%lld]", (long long)place.row);
    return snprintf(out, PLACE_MAX_BYTES, "%s%s%s%.*s", table, row, dot,
                    name.len > 64 ? 64 : (int)name.len, name.len == 0 ? "" : name.data) >= 0;
}

void record_complain(struct record_reader *reader, struct record_place place, struct str name,
                     const char *text)
{
    struct record_fault *fault = arena_alloc(reader->arena, sizeof(*fault));
    char where[PLACE_MAX_BYTES];

    if (fault == NULL ||
        !format_place(place, reader->is_bare || place.table == RECORD_USERS, name, where) ||
        !arena_copy(reader->arena, str_from(where), &fault->where)) {
        reader->is_out_of_memory = true;
        return;
    }
    fault->why = text;
    if (reader->last == NULL)
        reader->first = fault;
    else
        reader->last->next = fault;
    reader->last = fault;
}

/* ---- values of texts */

static const char *parse_text(struct str text, struct record_value *out)
{
    out->text = text;
    return NULL;
}

static const char *parse_uuid(struct str text, struct record_value *out)
{
    return uuid_parse(text, &out->uuid)
               ? NULL
               : "is not a UUID, as 01890a5d-ac96-774b-bcce-b302099a8057 is";
}

static const char *parse_flag(struct str text, struct record_value *out)
{
    static const char *const words[][3] = {{"false", "0", "f"}, {"true", "1", "t"}};

    for (size_t i = 0; i < ARRAY_LENGTH(words[0]); i++)
        for (int flag = 0; flag < 2; flag++)
            if (str_equal(text, str_from(words[flag][i]))) {
                out->number = flag;
                return NULL;
            }
    return "is neither true nor false";
}

const char *record_take_number(int64_t number, struct record_value *out)
{
    *out = (struct record_value){.is_told = true, .is_set = true, .number = number};
    return number >= INT32_MIN && number <= INT32_MAX
               ? NULL
               : "is not a whole number from -2147483648 to 2147483647";
}

static const char *parse_number(struct str text, struct record_value *out)
{
    bool is_negative = str_starts_with(text, STR("-"));
    struct str digits = {text.data + is_negative, text.len - is_negative};
    int64_t number = 0;

    if (!str_to_number(digits, (int64_t)INT32_MAX + 1, &number))
        number = INT64_MAX;
    return record_take_number(is_negative ? -number : number, out);
}

static const char *parse_time(struct str text, struct record_value *out)
{
    return timestamp_parse(text, &out->number) && out->number >= time_min_ms &&
                   out->number <= time_max_ms
               ? NULL
               : "is no time, as 2025-07-03T02:14:22.094Z is";
}

typedef const char *parse_value(struct str text, struct record_value *out);
static parse_value *const parsers[] = {
    [RECORD_TEXT] = parse_text,     [RECORD_UUID] = parse_uuid, [RECORD_FLAG] = parse_flag,
    [RECORD_NUMBER] = parse_number, [RECORD_TIME] = parse_time,
};

const char *record_parse(struct record_reader *reader, const struct record_field *field,
                         struct str text, struct record_value *out)
{
    const char *wrong;

    *out = (struct record_value){.is_told = true, .is_set = true};
    wrong = parsers[field->type](text, out);
    if (wrong == NULL && field->judge != NULL)
        wrong = field->judge(reader, &out->text);
    if (wrong != NULL)
        *out = (struct record_value){.is_told = true};
    return wrong;
}

const char *record_parse_nothing(const struct record_field *field, struct record_value *out)
{
    *out = (struct record_value){.is_told = field->absence == ABSENT_UNSET,
                                 .is_set = field->type == RECORD_FLAG};
    return field->absence == ABSENT_FAULT ? record_missing : NULL;
}

/* ---- comparing */

static bool is_same_text(const struct record_field *field, struct str a, struct str b)
{
    return field->is_caseless ? str_equal_nocase(a, b) : str_equal(a, b);
}

static bool is_equal(const struct record_value *a, const struct record_value *b)
{
    return a->is_set == b->is_set && a->number == b->number && str_equal(a->text, b->text) &&
           uuid_equal(&a->uuid, &b->uuid);
}

bool record_equal(enum record_table table, const struct record_row *a, const struct record_row *b)
{
    const struct record_field *fields = record_tables[table].fields;

    for (size_t i = 0; fields[i].name != NULL; i++)
        if (!is_equal(&a->values[i], &b->values[i]))
            return false;
    return true;
}

bool record_has_key(const struct record_row *row, unsigned int key)
{
    for (size_t i = 0; i < RECORD_FIELDS_MAX; i++)
        if ((key & RECORD_BIT(i)) != 0 && !row->values[i].is_set)
            return false;
    return true;
}

static bool is_same_key(enum record_table table, unsigned int key, const struct record_row *a,
                        const struct record_row *b)
{
    const struct record_field *fields = record_tables[table].fields;

    for (size_t i = 0; i < RECORD_FIELDS_MAX; i++)
        if ((key & RECORD_BIT(i)) != 0 &&
            (!uuid_equal(&a->values[i].uuid, &b->values[i].uuid) ||
             !is_same_text(&fields[i], a->values[i].text, b->values[i].text)))
            return false;
    return true;
}

size_t record_find_by(enum record_table table, unsigned int key, const struct record_rows *rows,
                      const struct record_row *row)
{
    size_t i = 0;

    while (i < rows->count && !is_same_key(table, key, &rows->rows[i], row))
        i++;
    return i;
}

const struct record_row *record_find(enum record_table table, const struct record_rows *rows,
                                     const struct record_row *row)
{
    size_t i = record_find_by(table, record_tables[table].keys[0], rows, row);

    return i < rows->count ? &rows->rows[i] : NULL;
}
