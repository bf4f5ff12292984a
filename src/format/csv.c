#include "format/csv.h"

#include <string.h>

static const char *const texts[CSV__MAX] = {
    [CSV_OK] = "is well-formed",
    [CSV_PARTIAL] = "is not complete",
    [CSV_STRAY_QUOTE] = "has a quote inside of a field that does not begin with one",
    [CSV_BEHIND_QUOTE] = "has something between a closing quote and the comma",
    [CSV_STRAY_CR] = "has a carriage return without a line feed, outside of quotes",
    [CSV_UNCLOSED] = "has a quote that is never closed",
    [CSV_TOO_MANY] = "has more fields than any table has columns",
    [CSV_OUT_OF_MEMORY] = "does not fit into memory",
};

const char *csv_text(enum csv_result result)
{
    return texts[result];
}

struct scan {
    struct str text;
    size_t at;
    bool is_whole;
    struct arena *arena;
};

static bool is_at_end(const struct scan *scan)
{
    return scan->at == scan->text.len;
}

/* The text is over where there should be more of it. */
static enum csv_result end_of(const struct scan *scan, enum csv_result if_whole)
{
    return scan->is_whole ? if_whole : CSV_PARTIAL;
}

static bool ends_plain_field(char c)
{
    return c == ',' || c == '\n' || c == '\r';
}

static enum csv_result take_plain(struct scan *scan, struct csv_field *field)
{
    size_t begin = scan->at;

    while (!is_at_end(scan) && !ends_plain_field(scan->text.data[scan->at]))
        if (scan->text.data[scan->at++] == '"')
            return CSV_STRAY_QUOTE;
    *field = (struct csv_field){.text = {scan->text.data + begin, scan->at - begin}};
    return CSV_OK;
}

/* Past the closing quote; *doubled counts the pairs before it. */
static enum csv_result skip_quoted(struct scan *scan, size_t *doubled)
{
    *doubled = 0;
    for (scan->at++;; scan->at++) {
        const char *quote = memchr(scan->text.data + scan->at, '"', scan->text.len - scan->at);

        if (quote == NULL)
            return end_of(scan, CSV_UNCLOSED);
        scan->at = (size_t)(quote - scan->text.data) + 1;
        if (is_at_end(scan))
            return end_of(scan, CSV_OK);
        if (*(quote + 1) != '"')
            return CSV_OK;
        ++*doubled;
    }
}

/* One quote for two, into the arena. */
static bool undouble(struct scan *scan, struct str *text, size_t doubled)
{
    char *to = arena_alloc(scan->arena, text->len);
    size_t len = 0;

    if (to == NULL)
        return false;
    for (size_t from = 0; from < text->len; from++) {
        to[len++] = text->data[from];
        from += text->data[from] == '"';
    }
    *text = (struct str){to, text->len - doubled};
    return true;
}

static enum csv_result take_quoted(struct scan *scan, struct csv_field *field)
{
    size_t begin = scan->at + 1, doubled;
    enum csv_result result = skip_quoted(scan, &doubled);

    if (result != CSV_OK)
        return result;
    *field = (struct csv_field){{scan->text.data + begin, scan->at - begin - 1}, true};
    if (doubled > 0 && !undouble(scan, &field->text, doubled))
        return CSV_OUT_OF_MEMORY;
    if (is_at_end(scan) || ends_plain_field(scan->text.data[scan->at]))
        return CSV_OK;
    return CSV_BEHIND_QUOTE;
}

static enum csv_result take_field(struct scan *scan, struct csv_field *field)
{
    bool is_quoted = !is_at_end(scan) && scan->text.data[scan->at] == '"';

    return is_quoted ? take_quoted(scan, field) : take_plain(scan, field);
}

/* Whatever stands behind a field: *is_last tells whether it was a comma. */
static enum csv_result take_separator(struct scan *scan, bool *is_last)
{
    char c = is_at_end(scan) ? '\0' : scan->text.data[scan->at];

    *is_last = c != ',';
    if (is_at_end(scan))
        return end_of(scan, CSV_OK);
    scan->at++;
    if (c != '\r')
        return CSV_OK;
    if (is_at_end(scan))
        return end_of(scan, CSV_STRAY_CR);
    return scan->text.data[scan->at++] == '\n' ? CSV_OK : CSV_STRAY_CR;
}

static enum csv_result take_fields(struct scan *scan, struct csv_record *record)
{
    enum csv_result result = CSV_OK;
    bool is_last = false;

    while (result == CSV_OK && !is_last) {
        if (record->count == CSV_FIELDS_MAX)
            return CSV_TOO_MANY;
        result = take_field(scan, &record->fields[record->count++]);
        if (result == CSV_OK)
            result = take_separator(scan, &is_last);
    }
    return result;
}

/* Behind a fault, reading goes on with the next line. */
static enum csv_result skip_line(struct scan *scan, enum csv_result fault)
{
    const char *end = memchr(scan->text.data + scan->at, '\n', scan->text.len - scan->at);

    if (end == NULL && !scan->is_whole)
        return CSV_PARTIAL;
    scan->at = end == NULL ? scan->text.len : (size_t)(end - scan->text.data) + 1;
    return fault;
}

enum csv_result csv_read(struct str text, bool is_whole, struct arena *arena,
                         struct csv_record *record)
{
    struct scan scan = {.text = text, .is_whole = is_whole, .arena = arena};
    enum csv_result result;

    record->count = 0;
    result = take_fields(&scan, record);
    if (result == CSV_UNCLOSED)
        scan.at = text.len;
    else if (result != CSV_OK && result != CSV_PARTIAL)
        result = skip_line(&scan, result);
    record->len = scan.at;
    return result;
}

static bool needs_quotes(struct str text)
{
    static const char special[] = {',', '"', '\r', '\n'};

    for (size_t i = 0; i < sizeof(special); i++)
        if (str_has_byte(text, special[i]))
            return true;
    return text.len == 0;
}

void csv_append(struct buf *out, struct str text)
{
    if (!str_is_set(text))
        return;
    if (!needs_quotes(text)) {
        buf_append_str(out, text);
        return;
    }
    buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buf_append_byte(out, '"');
        buf_append_byte(out, text.data[i]);
    }
    buf_append_byte(out, '"');
}

void csv_append_end(struct buf *out)
{
    buf_append(out, "\r\n", 2);
}
