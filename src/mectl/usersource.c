#include "mectl/usersource.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "format/csv.h"
#include "format/jsonvalue.h"
#include "profile/recordjson.h"

enum { WHY_MAX_BYTES = 160 };

static struct record_reader reader_of(const struct usersource *source)
{
    return (struct record_reader){
        .zoneinfo = source->zoneinfo, .arena = source->arena, .is_bare = source->format.is_csv};
}

static enum usersource_result out_of_memory(const struct usersource *source, struct err *err)
{
    err_set(err, "%s:%zu: does not fit into memory", source->file->path, source->file->line);
    return USERSOURCE_FAILED;
}

static enum usersource_result refuse(struct usersource *source, size_t line, const char *why)
{
    faultreport_add(source->report, line, STR(""), why);
    return USERSOURCE_REFUSED;
}

/* ---- what stands in front: looked at, and not taken yet */

enum peek { PEEK_GOOD = 0, PEEK_LONG, PEEK_END, PEEK_FAILED };

static enum peek read_more(struct usersource *source, struct err *err)
{
    static const enum peek peeks[] = {
        [INFILE_OK] = PEEK_GOOD, [INFILE_FULL] = PEEK_LONG, [INFILE_FAILED] = PEEK_FAILED};

    return peeks[infile_more(source->file, err)];
}

/* A line with its end, which the last one may lack. */
static enum peek peek_any_line(struct usersource *source, struct str *line, struct err *err)
{
    for (;;) {
        const char *end;
        enum peek peek;

        *line = infile_rest(source->file);
        end = memchr(line->data, '\n', line->len);
        if (end != NULL)
            line->len = (size_t)(end - line->data) + 1;
        if (end != NULL || source->file->is_whole)
            return line->len == 0 ? PEEK_END : PEEK_GOOD;
        peek = read_more(source, err);
        if (peek != PEEK_GOOD)
            return peek;
    }
}

static bool is_blank(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!str_has_byte(STR(" \t\r\n"), line.data[i]))
            return false;
    return true;
}

/* Blank lines are passed over. */
static enum peek peek_line(struct usersource *source, struct str *line, struct err *err)
{
    enum peek peek = peek_any_line(source, line, err);

    while (peek == PEEK_GOOD && is_blank(*line)) {
        infile_take(source->file, line->len);
        peek = peek_any_line(source, line, err);
    }
    return peek;
}

/* A line of CSV, which may be several of the file; *fault where it is none. */
static enum peek peek_csv(struct usersource *source, struct csv_record *record,
                          enum csv_result *fault, struct err *err)
{
    struct str line;
    enum peek peek = peek_line(source, &line, err);

    while (peek == PEEK_GOOD) {
        *fault = csv_read(infile_rest(source->file), source->file->is_whole, source->arena, record);
        if (*fault != CSV_PARTIAL)
            break;
        peek = read_more(source, err);
    }
    return peek;
}

/* Drops what was read, and all up to the next line end. */
static enum usersource_result skip_long_line(struct usersource *source, struct err *err)
{
    size_t line = source->file->line;

    for (;;) {
        struct str rest = infile_rest(source->file);
        const char *end = memchr(rest.data, '\n', rest.len);

        infile_take(source->file, end == NULL ? rest.len : (size_t)(end - rest.data) + 1);
        if (end != NULL || source->file->is_whole)
            return refuse(source, line, "is longer than 4 MiB");
        if (infile_more(source->file, err) == INFILE_FAILED)
            return USERSOURCE_FAILED;
    }
}

/*
 * A line of CSV that never ends is the end: a quote was not closed, and what is read behind it as
 * lines might be the inside of a field.
 */
static enum usersource_result end_of(struct usersource *source, enum peek peek, struct err *err)
{
    if (peek == PEEK_END)
        return USERSOURCE_END;
    if (peek == PEEK_LONG && !source->format.is_csv)
        return skip_long_line(source, err);
    if (peek == PEEK_LONG)
        err_set(err, "%s:%zu: is longer than 4 MiB: is a quote never closed?", source->file->path,
                source->file->line);
    return USERSOURCE_FAILED;
}

/* ---- JSON Lines */

static enum usersource_result refuse_json(struct usersource *source, enum strictjson_result result,
                                          const struct strictjson_place *place)
{
    char why[WHY_MAX_BYTES];

    (void)snprintf(why, sizeof(why), "column %zu: %s", place->column, strictjson_text(result));
    return refuse(source, source->file->line, why);
}

static enum usersource_result read_object(struct usersource *source, struct json_object *object,
                                          struct record_change *change, struct err *err)
{
    struct record_reader reader = reader_of(source);

    if (!recordjson_read(&reader, object, change))
        return out_of_memory(source, err);
    faultreport_add_all(source->report, source->file->line, reader.first);
    return reader.first == NULL ? USERSOURCE_CHANGE : USERSOURCE_REFUSED;
}

static enum usersource_result read_json(struct usersource *source, struct str text,
                                        struct record_change *change, struct err *err)
{
    struct json_object *object = NULL;
    struct strictjson_place place;
    enum strictjson_result parsed;
    enum usersource_result result;

    text.len -= text.data[text.len - 1] == '\n';
    parsed = jsonvalue_parse_object(text, &object, &place);
    if (parsed == STRICTJSON_OUT_OF_MEMORY)
        return out_of_memory(source, err);
    if (parsed != STRICTJSON_OK)
        return refuse_json(source, parsed, &place);
    result = read_object(source, object, change, err);
    json_object_put(object);
    return result;
}

static enum usersource_result next_json(struct usersource *source, struct record_change *change,
                                        struct err *err)
{
    struct str text;
    enum peek peek = peek_line(source, &text, err);
    enum usersource_result result;

    if (peek != PEEK_GOOD)
        return end_of(source, peek, err);
    result = read_json(source, text, change, err);
    infile_take(source->file, text.len);
    return result;
}

/* ---- CSV */

/* What of the row was borrowed from the file is kept. */
static bool keep_texts(struct arena *arena, enum record_table table, struct record_row *row)
{
    const struct record_field *fields = record_tables[table].fields;

    for (size_t i = 0; fields[i].name != NULL; i++)
        if (!arena_copy(arena, row->values[i].text, &row->values[i].text))
            return false;
    return true;
}

/* Takes the line as one more row of the change. */
static enum usersource_result take_row(struct usersource *source, const struct csv_record *record,
                                       struct record_change *change, struct err *err)
{
    enum record_table table = source->format.table;
    struct record_reader reader = reader_of(source);
    struct record_row *row = record_rows_add(&change->tables[table], source->arena);
    bool has_user;

    if (row == NULL)
        return out_of_memory(source, err);
    recordcsv_read_row(&reader, &source->columns, record, &change->id, &has_user, row);
    if (reader.is_out_of_memory || !keep_texts(source->arena, table, row))
        return out_of_memory(source, err);
    faultreport_add_all(source->report, source->file->line, reader.first);
    infile_take(source->file, record->len);
    return reader.first == NULL ? USERSOURCE_CHANGE : USERSOURCE_REFUSED;
}

/* Whether another row of the user stands in front; anything else is left for the next call. */
static bool peek_row_of(struct usersource *source, const struct uuid *user,
                        struct csv_record *record)
{
    struct record_reader reader = reader_of(source);
    enum csv_result fault;
    struct record_row row;
    struct uuid other;
    struct err ignored;
    bool has_user = false;

    if (peek_csv(source, record, &fault, &ignored) != PEEK_GOOD || fault != CSV_OK)
        return false;
    recordcsv_read_row(&reader, &source->columns, record, &other, &has_user, &row);
    return has_user && uuid_equal(user, &other);
}

/* All rows of a user stand or fall together. */
static enum usersource_result take_rows(struct usersource *source, struct csv_record *record,
                                        struct record_change *change, struct err *err)
{
    enum usersource_result result = take_row(source, record, change, err), all = result;
    const struct uuid user = change->id;

    if (source->format.table == RECORD_USERS)
        return result;
    while (result != USERSOURCE_FAILED && peek_row_of(source, &user, record)) {
        result = take_row(source, record, change, err);
        if (result != USERSOURCE_CHANGE)
            all = result;
    }
    return all;
}

static enum usersource_result next_csv(struct usersource *source, struct record_change *change,
                                       struct err *err)
{
    enum record_table table = source->format.table;
    struct csv_record record;
    enum csv_result fault;
    enum peek peek = peek_csv(source, &record, &fault, err);
    size_t line = source->file->line;

    if (peek != PEEK_GOOD)
        return end_of(source, peek, err);
    if (fault == CSV_OUT_OF_MEMORY)
        return out_of_memory(source, err);
    if (fault != CSV_OK) {
        infile_take(source->file, record.len);
        return refuse(source, line, csv_text(fault));
    }
    *change = (struct record_change){0};
    change->modes[table] = table == RECORD_USERS ? RECORD_REPLACE : RECORD_MERGE;
    return take_rows(source, &record, change, err);
}

static enum usersource_result read_header(struct usersource *source, struct err *err)
{
    struct record_reader reader = reader_of(source);
    struct csv_record record;
    enum csv_result fault;
    enum peek peek = peek_csv(source, &record, &fault, err);

    if (peek == PEEK_END)
        return refuse(source, source->file->line, "has no header line, which names the columns");
    if (peek != PEEK_GOOD)
        return end_of(source, peek, err);
    if (fault != CSV_OK)
        return refuse(source, source->file->line, csv_text(fault));
    recordcsv_read_header(&reader, source->format.table, &record, &source->columns);
    faultreport_add_all(source->report, source->file->line, reader.first);
    infile_take(source->file, record.len);
    return reader.first == NULL ? USERSOURCE_CHANGE : USERSOURCE_REFUSED;
}

/* ---- both */

/* Spreadsheets write a byte order mark. */
static enum usersource_result skip_mark(struct usersource *source, struct err *err)
{
    const struct str mark = STR("\xEF\xBB\xBF");

    while (!source->file->is_whole && infile_rest(source->file).len < mark.len)
        if (infile_more(source->file, err) != INFILE_OK)
            return USERSOURCE_FAILED;
    if (str_starts_with(infile_rest(source->file), mark))
        infile_take(source->file, mark.len);
    return USERSOURCE_CHANGE;
}

enum usersource_result usersource_begin(struct usersource *source, struct err *err)
{
    enum usersource_result result = skip_mark(source, err);

    if (result == USERSOURCE_CHANGE && source->format.is_csv)
        result = read_header(source, err);
    return result;
}

/* The lines before the change, which are blank, are passed over with the peek. */
enum usersource_result usersource_next(struct usersource *source, struct record_change *change,
                                       size_t *line, struct err *err)
{
    struct str ignored;

    (void)peek_line(source, &ignored, err);
    *line = source->file->line;
    return source->format.is_csv ? next_csv(source, change, err) : next_json(source, change, err);
}
