#include "profile/recordcsv.h"

#include <stdio.h>

#include "base/clock.h"

/* In place of a field. */
enum { COLUMN_USER = RECORD_FIELDS_MAX, COLUMN_UNKNOWN };

static const char user_column[] = "userId";

/* ---- writing */

static void write_text(const struct record_value *value, struct buf *out)
{
    csv_append(out, value->text);
}

static void write_uuid(const struct record_value *value, struct buf *out)
{
    char text[UUID_TEXT_LEN + 1];

    uuid_format(&value->uuid, text);
    csv_append(out, str_from(text));
}

static void write_flag(const struct record_value *value, struct buf *out)
{
    csv_append(out, value->number != 0 ? STR("true") : STR("false"));
}

static void write_number(const struct record_value *value, struct buf *out)
{
    buf_append_format(out, "%lld", (long long)value->number);
}

static void write_time(const struct record_value *value, struct buf *out)
{
    char text[CLOCK_TEXT_LEN + 1];

    clock_format(value->number, text);
    csv_append(out, str_from(text));
}

typedef void write_value(const struct record_value *value, struct buf *out);
static write_value *const writers[] = {
    [RECORD_TEXT] = write_text,     [RECORD_UUID] = write_uuid, [RECORD_FLAG] = write_flag,
    [RECORD_NUMBER] = write_number, [RECORD_TIME] = write_time,
};

static bool is_column(const struct record_field *field)
{
    return field->name != NULL && !field->is_hidden;
}

void recordcsv_write_header(enum record_table table, struct buf *out)
{
    const struct record_field *fields = record_tables[table].fields;

    if (table != RECORD_USERS)
        buf_append_format(out, "%s,", user_column);
    for (size_t i = 0; is_column(&fields[i]); i++) {
        if (i > 0)
            buf_append_byte(out, ',');
        csv_append(out, str_from(fields[i].name));
    }
    csv_append_end(out);
}

void recordcsv_write_row(enum record_table table, const struct uuid *user,
                         const struct record_row *row, struct buf *out)
{
    const struct record_field *fields = record_tables[table].fields;

    if (table != RECORD_USERS) {
        write_uuid(&(struct record_value){.uuid = *user}, out);
        buf_append_byte(out, ',');
    }
    for (size_t i = 0; is_column(&fields[i]); i++) {
        if (i > 0)
            buf_append_byte(out, ',');
        if (row->values[i].is_set)
            writers[fields[i].type](&row->values[i], out);
    }
    csv_append_end(out);
}

/* ---- the header */

static size_t column_of(enum record_table table, struct str name)
{
    size_t field = record_field_find(table, name);

    if (field < RECORD_FIELDS_MAX)
        return field;
    return table != RECORD_USERS && str_equal(name, str_from(user_column)) ? COLUMN_USER
                                                                           : COLUMN_UNKNOWN;
}

static bool has_column(const struct recordcsv *columns, size_t column)
{
    for (size_t i = 0; i < columns->count; i++)
        if (columns->fields[i] == column)
            return true;
    return false;
}

static void take_column(struct record_reader *reader, struct record_place place, struct str name,
                        struct recordcsv *columns)
{
    size_t column = column_of(columns->table, name);

    if (column == COLUMN_UNKNOWN)
        record_complain(reader, place, name, "is no column of this table");
    else if (has_column(columns, column))
        record_complain(reader, place, name, "is there twice");
    columns->fields[columns->count++] = column;
}

/* The fields of the last key, which every row has; ids may be made. */
static void require_columns(struct record_reader *reader, struct record_place place,
                            const struct recordcsv *columns)
{
    const struct record_table_row *of = &record_tables[columns->table];
    unsigned int key = of->keys[of->key_count - 1];

    if (columns->table != RECORD_USERS && !has_column(columns, COLUMN_USER))
        record_complain(reader, place, str_from(user_column), "is a column that has to be there");
    for (size_t i = 0; is_column(&of->fields[i]); i++)
        if ((key & (1U << i)) != 0 && !has_column(columns, i))
            record_complain(reader, place, str_from(of->fields[i].name),
                            "is a column that has to be there");
}

void recordcsv_read_header(struct record_reader *reader, enum record_table table,
                           const struct csv_record *header, struct recordcsv *out)
{
    const struct record_place place = {table, RECORD_ROW_ALONE};

    *out = (struct recordcsv){.table = table};
    for (size_t i = 0; i < header->count; i++)
        take_column(reader, place, header->fields[i].text, out);
    require_columns(reader, place, out);
}

/* ---- a line */

/* Nothing stands in the field; nor does it in quotes, but where the empty text is a value. */
static bool is_nothing(struct record_reader *reader, const struct record_field *field,
                       const struct csv_field *from)
{
    struct str text = from->text;

    if (text.len > 0)
        return false;
    return !from->is_quoted || field->type != RECORD_TEXT || field->judge(reader, &text) != NULL;
}

static void take_field(struct record_reader *reader, struct record_place place,
                       const struct record_field *field, const struct csv_field *from,
                       struct record_value *out)
{
    const char *wrong = is_nothing(reader, field, from)
                            ? record_parse_nothing(field, out)
                            : record_parse(reader, field, from->text, out);

    if (wrong != NULL)
        record_complain(reader, place, str_from(field->name), wrong);
}

static void take_user(struct record_reader *reader, struct record_place place,
                      const struct csv_field *from, struct uuid *user, bool *has_user)
{
    static const struct record_field field = {user_column, RECORD_UUID, ABSENT_FAULT,
                                              NULL,        false,       false};
    struct record_value value;

    take_field(reader, place, &field, from, &value);
    *user = value.uuid;
    *has_user = value.is_set;
}

void recordcsv_read_row(struct record_reader *reader, const struct recordcsv *columns,
                        const struct csv_record *line, struct uuid *user, bool *has_user,
                        struct record_row *row)
{
    const struct record_place place = {columns->table, RECORD_ROW_ALONE};
    const struct record_field *fields = record_tables[columns->table].fields;

    *row = (struct record_row){.values = {{.is_told = false}}};
    *has_user = false;
    if (line->count != columns->count) {
        record_complain(reader, place, STR_NONE,
                        "has not as many fields as the header has columns");
        return;
    }
    for (size_t i = 0; i < line->count; i++) {
        size_t column = columns->fields[i];

        if (column == COLUMN_USER)
            take_user(reader, place, &line->fields[i], user, has_user);
        else
            take_field(reader, place, &fields[column], &line->fields[i], &row->values[column]);
    }
    if (columns->table == RECORD_USERS) {
        *user = row->values[0].uuid;
        *has_user = row->values[0].is_set;
    }
}
