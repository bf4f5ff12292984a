#include "profile/recordjson.h"

#include <json-c/json.h>
#include <limits.h>

#include "base/clock.h"
#include "format/jsonvalue.h"

/* The members of a user in the order of the resource: a field of users, or a table. */
static const struct layout {
    const char *field;
    enum record_table table;
} layout[] = {
    {"id", RECORD_USERS},  {"status", RECORD_USERS},    {"name", RECORD_USERS},
    {"bio", RECORD_USERS}, {"createdAt", RECORD_USERS}, {"updatedAt", RECORD_USERS},
    {NULL, RECORD_EMAILS}, {NULL, RECORD_IDENTITIES},   {"avatarUrl", RECORD_USERS},
    {NULL, RECORD_PHONES}, {"locale", RECORD_USERS},    {"timezone", RECORD_USERS},
    {NULL, RECORD_BADGES}, {NULL, RECORD_FRAUD},        {NULL, RECORD_SESSIONS},
};

/* What the resource has besides. */
static const char *const derived[] = {"activeSessions", "defaultEmail", "phoneNumber"};

static const char is_derived[] = "is made of other members: leave it out";
static const char is_unknown[] = "is not known here";
static const char is_other_user[] = "is not the id of this user";

/* ---- writing: each takes *out from NULL to a value; false: out of memory */

static bool made(struct json_object *value, struct json_object **out)
{
    *out = value;
    return value != NULL;
}

static bool make_text(struct str text, struct json_object **out)
{
    return text.len <= INT_MAX && made(json_object_new_string_len(text.data, (int)text.len), out);
}

static bool make_uuid(const struct uuid *uuid, struct json_object **out)
{
    char text[UUID_TEXT_LEN + 1];

    uuid_format(uuid, text);
    return made(json_object_new_string_len(text, UUID_TEXT_LEN), out);
}

static bool make_time(int64_t time_ms, struct json_object **out)
{
    char text[CLOCK_TEXT_LEN + 1];

    clock_format(time_ms, text);
    return made(json_object_new_string_len(text, CLOCK_TEXT_LEN), out);
}

static bool make_value(enum record_type type, const struct record_value *value,
                       struct json_object **out)
{
    switch (type) {
    case RECORD_UUID:
        return make_uuid(&value->uuid, out);
    case RECORD_FLAG:
        return made(json_object_new_boolean(value->number != 0), out);
    case RECORD_NUMBER:
        return made(json_object_new_int64(value->number), out);
    case RECORD_TIME:
        return make_time(value->number, out);
    case RECORD_TEXT:
    default:
        return make_text(value->text, out);
    }
}

/* Takes the value over, also on failure. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
    const unsigned flags = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT;

    if (json_object_object_add_ex(object, name, value, flags) == 0)
        return true;
    json_object_put(value);
    return false;
}

static bool add_field(struct json_object *object, const struct record_field *field,
                      const struct record_value *value)
{
    struct json_object *made_value = NULL;

    if (field->is_hidden || !value->is_set)
        return true;
    return make_value(field->type, value, &made_value) && add(object, field->name, made_value);
}

static bool add_user(struct json_object *object, const struct uuid *user)
{
    struct json_object *value = NULL;

    return make_uuid(user, &value) && add(object, "userId", value);
}

static bool fill_row(struct json_object *object, enum record_table table, const struct uuid *user,
                     const struct record_row *row)
{
    const struct record_table_row *of = &record_tables[table];
    bool good = true;

    for (size_t i = 0; good && of->fields[i].name != NULL; i++) {
        good = add_field(object, &of->fields[i], &row->values[i]);
        if (good && i == 0 && of->shows_user)
            good = add_user(object, user);
    }
    return good;
}

static bool make_row(enum record_table table, const struct uuid *user, const struct record_row *row,
                     struct json_object **out)
{
    if (record_tables[table].is_plain)
        return make_value(record_tables[table].fields[0].type, &row->values[0], out);
    *out = json_object_new_object();
    if (*out != NULL && fill_row(*out, table, user, row))
        return true;
    json_object_put(*out);
    *out = NULL;
    return false;
}

static bool fill_rows(struct json_object *array, enum record_table table, const struct uuid *user,
                      const struct record_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct json_object *row = NULL;

        if (!make_row(table, user, &rows->rows[i], &row))
            return false;
        if (json_object_array_add(array, row) == 0)
            continue;
        json_object_put(row);
        return false;
    }
    return true;
}

static bool make_rows(enum record_table table, const struct uuid *user,
                      const struct record_rows *rows, struct json_object **out)
{
    *out = json_object_new_array();
    if (*out != NULL && fill_rows(*out, table, user, rows))
        return true;
    json_object_put(*out);
    *out = NULL;
    return false;
}

static bool add_table(struct json_object *object, enum record_table table,
                      const struct record *record)
{
    const struct record_table_row *of = &record_tables[table];
    const struct record_rows *rows = &record->tables[table];
    struct json_object *value = NULL;

    if (of->is_single && rows->count == 0)
        return true;
    return (of->is_single ? make_row(table, &record->id, rows->rows, &value)
                          : make_rows(table, &record->id, rows, &value)) &&
           add(object, of->name, value);
}

static bool add_member(struct json_object *object, const struct layout *member,
                       const struct record *record)
{
    size_t field;

    if (member->field == NULL)
        return add_table(object, member->table, record);
    field = record_field_find(RECORD_USERS, str_from(member->field));
    return add_field(object, &record_tables[RECORD_USERS].fields[field],
                     &record->tables[RECORD_USERS].rows[0].values[field]);
}

static bool fill_record(struct json_object *object, const struct record *record,
                        enum record_sessions sessions)
{
    bool good = true;

    for (size_t i = 0; good && i < ARRAY_LENGTH(layout); i++)
        if (sessions == RECORD_WITH_SESSIONS || !record_tables[layout[i].table].is_optional)
            good = add_member(object, &layout[i], record);
    return good;
}

bool recordjson_render(const struct record *record, enum record_sessions sessions, struct buf *out)
{
    struct json_object *object = json_object_new_object();
    bool good =
        object != NULL && fill_record(object, record, sessions) && jsonvalue_append(object, out);

    json_object_put(object);
    return good;
}

/* ---- reading */

static bool take_text(struct record_reader *reader, const struct record_field *field,
                      struct json_object *value, struct record_value *out, const char **wrong)
{
    struct str text;

    if (!json_object_is_type(value, json_type_string)) {
        *wrong = "is not a string";
        return true;
    }
    if (!arena_copy(reader->arena, jsonvalue_string(value), &text))
        return false;
    *wrong = record_parse(reader, field, text, out);
    return true;
}

static const char *take_flag(struct json_object *value, struct record_value *out)
{
    if (!json_object_is_type(value, json_type_boolean))
        return "is neither true nor false";
    *out = (struct record_value){
        .is_told = true, .is_set = true, .number = json_object_get_boolean(value)};
    return NULL;
}

static const char *take_number(struct json_object *value, struct record_value *out)
{
    return record_take_number(
        json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : INT64_MAX, out);
}

/* A null is as good as no member. */
static void take_value(struct record_reader *reader, struct record_place place,
                       const struct record_field *field, struct json_object *value,
                       struct record_value *out)
{
    const char *wrong = NULL;

    if (value == NULL)
        wrong = record_parse_nothing(field, out);
    else if (field->type == RECORD_FLAG)
        wrong = take_flag(value, out);
    else if (field->type == RECORD_NUMBER)
        wrong = take_number(value, out);
    else if (!take_text(reader, field, value, out, &wrong))
        reader->is_out_of_memory = true;
    if (wrong == NULL)
        return;
    *out = (struct record_value){.is_told = true}; /* so that it is not missing as well */
    record_complain(reader, place, str_from(field->name), wrong);
}

/* All fields of the table as members of one object that has none of them yet. */
static void begin_row(enum record_table table, struct record_row *row)
{
    const struct record_field *fields = record_tables[table].fields;

    for (size_t i = 0; fields[i].name != NULL; i++)
        if (fields[i].absence == ABSENT_UNSET)
            (void)record_parse_nothing(&fields[i], &row->values[i]);
}

/* An object is whole: what a row needs has to be there, also where the row is there already. */
static void require_fields(struct record_reader *reader, struct record_place place,
                           const struct record_row *row)
{
    const struct record_field *fields = record_tables[place.table].fields;
    struct record_value nothing;

    for (size_t i = 0; fields[i].name != NULL; i++)
        if (fields[i].absence == ABSENT_FAULT && !row->values[i].is_told)
            record_complain(reader, place, str_from(fields[i].name),
                            record_parse_nothing(&fields[i], &nothing));
}

static void take_user_id(struct record_reader *reader, struct record_place place,
                         struct json_object *value, const struct uuid *user)
{
    struct uuid id;

    if (!uuid_parse(jsonvalue_string(value), &id) || !uuid_equal(&id, user))
        record_complain(reader, place, STR("userId"), is_other_user);
}

static void take_members(struct record_reader *reader, struct record_place place,
                         struct json_object *object, const struct uuid *user,
                         struct record_row *row)
{
    const struct record_table_row *of = &record_tables[place.table];

    begin_row(place.table, row);
    json_object_object_foreach(object, name, value)
    {
        size_t field = record_field_find(place.table, str_from(name));

        if (field < RECORD_FIELDS_MAX)
            take_value(reader, place, &of->fields[field], value, &row->values[field]);
        else if (of->shows_user && str_equal(str_from(name), STR("userId")))
            take_user_id(reader, place, value, user);
        else
            record_complain(reader, place, str_from(name), is_unknown);
    }
    require_fields(reader, place, row);
}

static void take_row(struct record_reader *reader, struct record_place place,
                     struct json_object *value, const struct uuid *user, struct record_rows *rows)
{
    bool is_plain = record_tables[place.table].is_plain;
    struct record_row *row = record_rows_add(rows, reader->arena);

    if (row == NULL)
        reader->is_out_of_memory = true;
    else if (is_plain)
        take_value(reader, place, &record_tables[place.table].fields[0], value, &row->values[0]);
    else if (json_object_is_type(value, json_type_object))
        take_members(reader, place, value, user, row);
    else
        record_complain(reader, place, STR_NONE, "is not an object");
}

static void take_rows(struct record_reader *reader, struct record_place place,
                      struct json_object *value, const struct uuid *user, struct record_rows *rows)
{
    if (!json_object_is_type(value, json_type_array)) {
        record_complain(reader, place, STR_NONE, "is not an array");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(value) && !reader->is_out_of_memory; i++) {
        place.row = (int64_t)i;
        take_row(reader, place, json_object_array_get_idx(value, i), user, rows);
    }
}

static void take_table(struct record_reader *reader, enum record_table table,
                       struct json_object *object, struct record_change *out)
{
    const struct record_table_row *of = &record_tables[table];
    const struct record_place place = {table, RECORD_ROW_ALONE};
    bool is_there = false;
    struct json_object *value = jsonvalue_member(object, of->name, &is_there);

    if (value == NULL && !of->is_single)
        return;
    out->modes[table] = RECORD_REPLACE;
    if (!of->is_single)
        take_rows(reader, place, value, &out->id, &out->tables[table]);
    else if (value != NULL)
        take_row(reader, place, value, &out->id, &out->tables[table]);
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(str_from(name), str_from(names[i])))
            return true;
    return false;
}

static void take_user_member(struct record_reader *reader, const char *name,
                             struct json_object *value, struct record_row *user)
{
    const struct record_place place = {RECORD_USERS, RECORD_ROW_ALONE};
    size_t field = record_field_find(RECORD_USERS, str_from(name));
    enum record_table table;

    if (field < RECORD_FIELDS_MAX)
        take_value(reader, place, &record_tables[RECORD_USERS].fields[field], value,
                   &user->values[field]);
    else if (!record_table_from_name(str_from(name), &table) || table == RECORD_USERS)
        record_complain(reader, place, str_from(name),
                        is_one_of(name, derived, ARRAY_LENGTH(derived)) ? is_derived : is_unknown);
}

bool recordjson_read(struct record_reader *reader, struct json_object *object,
                     struct record_change *out)
{
    const struct record_place place = {RECORD_USERS, RECORD_ROW_ALONE};
    struct record_row *user;

    *out = (struct record_change){.modes = {[RECORD_USERS] = RECORD_REPLACE}};
    user = record_rows_add(&out->tables[RECORD_USERS], reader->arena);
    if (user == NULL)
        return false;
    begin_row(RECORD_USERS, user);
    json_object_object_foreach(object, name, value)
    {
        take_user_member(reader, name, value, user);
    }
    require_fields(reader, place, user);
    out->id = user->values[record_field_find(RECORD_USERS, STR("id"))].uuid;
    for (size_t i = RECORD_USERS + 1; i < RECORD_TABLE__MAX; i++)
        take_table(reader, (enum record_table)i, object, out);
    return !reader->is_out_of_memory;
}
