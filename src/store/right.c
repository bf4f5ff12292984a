#include "store/right.h"

#include <string.h>

/* Cuts off what stands before the next comma outside of brackets. */
static struct str cut_item(struct str *rest)
{
    struct str item = *rest;
    size_t depth = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->data[i];
        depth += c == '(';
        depth -= c == ')' && depth > 0;
        if (c != ',' || depth > 0)
            continue;
        item.len = i;
        *rest = (struct str){rest->data + i + 1, rest->len - i - 1};
        return item;
    }
    *rest = STR_NONE;
    return item;
}

static struct right right_from(struct str item, struct str table)
{
    struct str columns = str_trim(item), privilege = str_cut(&columns, '(');
    return (struct right){
        .privilege = str_trim(privilege),
        .columns = str_is_set(columns) ? str_cut(&columns, ')') : STR_NONE,
        .table = table,
    };
}

size_t right_parse(const char *row, struct right *out, size_t max)
{
    static const struct str on = STR(" ON %.");
    const char *place = strstr(row, on.data);
    size_t count = 0;
    if (place == NULL)
        return 0;
    struct str rest = {row, (size_t)(place - row)};
    struct str table = str_from(place + on.len);
    while (str_is_set(rest)) {
        if (count == max)
            return 0;
        out[count++] = right_from(cut_item(&rest), table);
    }
    return count;
}

static bool names_column(struct str columns, struct str column)
{
    while (str_is_set(columns))
        if (str_equal(str_trim(str_cut(&columns, ',')), column))
            return true;
    return false;
}

static bool covers_table(const struct right *right, struct str table)
{
    return str_equal(right->table, STR("*")) || str_equal(right->table, table);
}

bool right_covers(const struct right *right, struct str database, const struct right_held *held)
{
    if (held->can_be_granted_on || !str_equal(held->database, database) ||
        !str_equal(held->privilege, right->privilege) || !covers_table(right, held->table))
        return false;
    return !str_is_set(right->columns) || names_column(right->columns, held->column);
}

/* ---- trials */

/* One piece of text for each column, `%` standing for its name. */
static void append_columns(struct str columns, const char *piece, struct buf *out)
{
    for (size_t i = 0; str_is_set(columns); i++) {
        struct str column = str_trim(str_cut(&columns, ','));
        buf_append_text(out, i == 0 ? "" : ", ");
        for (const char *c = piece; *c != '\0'; c++)
            buf_append_str(out, *c == '%' ? column : (struct str){c, 1});
    }
}

static void append_select(const struct right *right, struct buf *out)
{
    buf_append_format(out, "SELECT * FROM %.*s", STR_ARGS(right->table));
}

static void append_update(const struct right *right, struct buf *out)
{
    buf_append_format(out, "UPDATE %.*s SET ", STR_ARGS(right->table));
    append_columns(right->columns, "% = NULL", out);
}

static void append_insert(const struct right *right, struct buf *out)
{
    buf_append_format(out, "INSERT INTO %.*s (", STR_ARGS(right->table));
    append_columns(right->columns, "%", out);
    buf_append_text(out, ") VALUES (");
    append_columns(right->columns, "NULL", out);
    buf_append_byte(out, ')');
}

void right_append_trial(const struct right *right, struct buf *out)
{
    static const struct {
        struct str privilege;
        void (*append)(const struct right *right, struct buf *out);
    } trials[] = {
        {STR("SELECT"), append_select},
        {STR("UPDATE"), append_update},
        {STR("INSERT"), append_insert},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(trials); i++)
        if (str_equal(right->privilege, trials[i].privilege))
            trials[i].append(right, out);
}
