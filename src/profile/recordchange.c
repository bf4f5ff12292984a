#include "profile/recordchange.h"

#include "profile/profile.h"

/* By the first key that the row tells. */
static size_t find_told(enum record_table table, const struct record_rows *rows,
                        const struct record_row *row)
{
    const struct record_table_row *of = &record_tables[table];

    for (size_t i = 0; i < of->key_count; i++)
        if (record_has_key(row, of->keys[i]))
            return record_find_by(table, of->keys[i], rows, row);
    return rows->count;
}

/* ---- applying a change */

struct applying {
    struct record_reader *reader;
    struct record_place place; /* of the row in hand */
    int64_t now_ms;
    bool has_changed, has_fault;
};

static void refuse(struct applying *applying, const char *name, const char *text)
{
    record_complain(applying->reader, applying->place, str_from(name), text);
    applying->has_fault = true;
}

static struct record_value new_id(struct applying *applying)
{
    struct record_value value = {.is_set = true};

    if (!uuid_new(applying->now_ms, &value.uuid))
        applying->reader->is_out_of_memory = true;
    return value;
}

/* Of a row that is new. */
static struct record_value absent_value(struct applying *applying, const struct record_field *field)
{
    switch (field->absence) {
    case ABSENT_ACTIVE:
        return (struct record_value){.is_set = true,
                                     .text = str_from(user_status_name(USER_ACTIVE))};
    case ABSENT_NOW:
    case ABSENT_MOVED:
        return (struct record_value){.is_set = true, .number = applying->now_ms};
    case ABSENT_NEW_ID:
        return new_id(applying);
    case ABSENT_FAULT:
        refuse(applying, field->name, record_missing);
        return (struct record_value){.is_set = false};
    case ABSENT_UNSET:
    default:
        return (struct record_value){.is_set = field->type == RECORD_FLAG};
    }
}

static struct record_value told_value(const struct record_value *value)
{
    struct record_value told = *value;

    told.is_told = false;
    return told;
}

/* The row has changed: what moves with it does, to later than it was, unless it is told. */
static void move_times(const struct applying *applying, const struct record_field *fields,
                       const struct record_row *change, struct record_row *row)
{
    for (size_t i = 0; fields[i].name != NULL; i++) {
        int64_t *time_ms = &row->values[i].number;

        if (fields[i].absence == ABSENT_MOVED && !change->values[i].is_told)
            *time_ms = applying->now_ms > *time_ms ? applying->now_ms : *time_ms + 1;
    }
}

/* *row as it was, or all zero with `is_new`, becomes what it is to be. */
static void change_row(struct applying *applying, const struct record_row *change, bool is_new,
                       struct record_row *row)
{
    const enum record_table table = applying->place.table;
    const struct record_field *fields = record_tables[table].fields;
    const struct record_row before = *row;

    for (size_t i = 0; fields[i].name != NULL; i++) {
        if (change->values[i].is_told)
            row->values[i] = told_value(&change->values[i]);
        else if (is_new)
            row->values[i] = absent_value(applying, &fields[i]);
    }
    if (is_new || record_equal(table, &before, row)) {
        applying->has_changed |= is_new;
        return;
    }
    move_times(applying, fields, change, row);
    applying->has_changed = true;
}

/* The rows of the change stand in the order of the change; those that were there and are not among
 * them are gone. */
static void replace_rows(struct applying *applying, const struct record_rows *before,
                         const struct record_rows *change, struct record_rows *after)
{
    size_t found = 0;

    *after = (struct record_rows){NULL, 0};
    for (size_t i = 0; i < change->count; i++) {
        size_t at = find_told(applying->place.table, before, &change->rows[i]);
        bool is_new = at == before->count;
        struct record_row *row = record_rows_add(after, applying->reader->arena);

        if (row == NULL) {
            applying->reader->is_out_of_memory = true;
            return;
        }
        if (!is_new)
            *row = before->rows[at];
        applying->place.row = (int64_t)i;
        change_row(applying, &change->rows[i], is_new, row);
        found += !is_new;
    }
    applying->has_changed |= found < before->count;
}

static bool copy_rows(struct arena *arena, const struct record_rows *from, struct record_rows *to)
{
    *to = (struct record_rows){NULL, 0};
    for (size_t i = 0; i < from->count; i++) {
        struct record_row *row = record_rows_add(to, arena);

        if (row == NULL)
            return false;
        *row = from->rows[i];
    }
    return true;
}

static void merge_rows(struct applying *applying, const struct record_rows *before,
                       const struct record_rows *change, struct record_rows *after)
{
    struct arena *arena = applying->reader->arena;

    if (!copy_rows(arena, before, after)) {
        applying->reader->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < change->count; i++) {
        size_t at = find_told(applying->place.table, after, &change->rows[i]);
        bool is_new = at == after->count;

        if (is_new && record_rows_add(after, arena) == NULL) {
            applying->reader->is_out_of_memory = true;
            return;
        }
        applying->place.row = (int64_t)i;
        change_row(applying, &change->rows[i], is_new, &after->rows[at]);
    }
}

/* Against the rows in front of it. */
static void check_row(struct applying *applying, const struct record_rows *rows, size_t at,
                      size_t *role)
{
    const struct record_table_row *of = &record_tables[applying->place.table];
    const struct record_rows front = {rows->rows, at};
    const struct record_row *row = &rows->rows[at];

    applying->place.row = (int64_t)at;
    for (size_t i = 0; i < of->key_count; i++)
        if (record_find_by(applying->place.table, of->keys[i], &front, row) < at)
            refuse(applying, NULL, "is there twice: no two rows of a user are the same one");
    for (size_t i = 0; i < RECORD_FIELDS_MAX; i++)
        if ((of->role & RECORD_BIT(i)) != 0 && row->values[i].number != 0 && ++*role > 1)
            refuse(applying, of->fields[i].name, of->second_role);
}

static void check_rows(struct applying *applying, const struct record_rows *rows)
{
    size_t role = 0;

    for (size_t i = 0; i < rows->count; i++)
        check_row(applying, rows, i, &role);
}

static void apply_table(struct applying *applying, const struct record *before,
                        const struct record_change *change, struct record *after)
{
    enum record_table table = applying->place.table;

    after->tables[table] = before->tables[table];
    if (change->modes[table] == RECORD_KEEP)
        return;
    if (change->modes[table] == RECORD_REPLACE)
        replace_rows(applying, &before->tables[table], &change->tables[table],
                     &after->tables[table]);
    else
        merge_rows(applying, &before->tables[table], &change->tables[table], &after->tables[table]);
    if (!applying->has_fault && !applying->reader->is_out_of_memory)
        check_rows(applying, &after->tables[table]);
}

enum record_outcome recordchange_apply(struct record_reader *reader, const struct record *before,
                                       const struct record_change *change, int64_t now_ms,
                                       struct record *after)
{
    struct applying applying = {.reader = reader, .now_ms = now_ms};
    bool is_new = before->tables[RECORD_USERS].count == 0;
    struct record result = {.id = change->id};

    applying.place = (struct record_place){RECORD_USERS, RECORD_ROW_ALONE};
    if (is_new && change->modes[RECORD_USERS] == RECORD_KEEP)
        refuse(&applying, "userId", "names no user: there is none of this id");
    for (size_t i = 0; i < RECORD_TABLE__MAX && !reader->is_out_of_memory; i++) {
        applying.place.table = (enum record_table)i;
        apply_table(&applying, before, change, &result);
    }
    if (applying.has_fault || reader->is_out_of_memory)
        return RECORD_REFUSED;
    *after = result;
    if (is_new)
        return RECORD_ADDED;
    return applying.has_changed ? RECORD_CHANGED : RECORD_UNCHANGED;
}
