#include "store/right.h"

#include <string.h>

enum { NAME_MAX_BYTES = 1024 };

/*
 * Cuts the part of *rest before the first `separator` off that is outside of quotes and of brackets
 * and returns it; *rest is then what comes after it, or STR_NONE where there was none.
 */
static struct str cut_outside(struct str *rest, struct str separator)
{
    struct str part = *rest;
    size_t depth = 0;
    char quote = '\0';
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        struct str tail = {part.data + i, part.len - i};
        if (quote == '\0' && depth == 0 && str_starts_with(tail, separator)) {
            *rest = (struct str){tail.data + separator.len, tail.len - separator.len};
            part.len = i;
            return part;
        }
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '`' || c == '\'')
            quote = c;
        depth += c == '(' && quote == '\0';
        depth -= c == ')' && quote == '\0' && depth > 0;
    }
    *rest = STR_NONE;
    return part;
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
        out[count++] = right_from(cut_outside(&rest, STR(",")), table);
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
    if (held->can_be_granted_on || str_is_set(held->kind) || !str_equal(held->database, database) ||
        !str_equal(held->privilege, right->privilege) || !covers_table(right, held->table))
        return false;
    return !str_is_set(right->columns) || names_column(right->columns, held->column);
}

/* ---- what the server shows */

/* A name in backticks, or one that needs none, decoded; `*` is no name. */
static void take_name(struct str *rest, struct buf *out)
{
    if (rest->len == 0)
        return;
    bool is_quoted = rest->data[0] == '`';
    size_t i = is_quoted ? 1 : 0;
    for (; i < rest->len; i++) {
        char c = rest->data[i];
        bool ends = is_quoted ? c == '`' : c == '.';
        bool is_doubled = is_quoted && i + 1 < rest->len && rest->data[i + 1] == '`';
        if (ends && !is_doubled)
            break;
        i += ends;
        if (is_quoted || c != '*')
            buf_append_byte(out, c);
    }
    i += is_quoted && i < rest->len;
    *rest = (struct str){rest->data + i, rest->len - i};
}

/* "*.*", "`me`.*", "`me`.`users`", "PROCEDURE `me`.`clean`". */
static void read_object(struct str object, struct right_held *held, struct buf *database,
                        struct buf *name)
{
    struct str rest = object, kind = cut_outside(&rest, STR(" `"));
    held->kind = str_is_set(rest) ? kind : STR_NONE;
    if (str_is_set(rest))
        object = (struct str){object.data + kind.len + 1, object.len - kind.len - 1};
    take_name(&object, database);
    (void)str_cut(&object, '.');
    take_name(&object, name);
    held->database = buf_str(database);
    held->table = buf_str(name);
}

static void visit_columns(struct str columns, const struct right_held *item, right_visit *visit,
                          void *context)
{
    struct right_held held = *item;
    while (str_is_set(columns)) {
        struct str column = str_trim(cut_outside(&columns, STR(",")));
        struct buf name;
        buf_init(&name, NAME_MAX_BYTES);
        take_name(&column, &name);
        held.column = buf_str(&name);
        visit(context, &held);
        buf_free(&name);
    }
}

static void visit_item(struct str item, struct right_held *held, right_visit *visit, void *context)
{
    struct str columns = str_trim(item);
    held->privilege = str_trim(cut_outside(&columns, STR("(")));
    held->column = STR("");
    if (str_equal(held->privilege, STR("USAGE"))) /* is none */
        return;
    if (columns.len > 0)
        visit_columns((struct str){columns.data, columns.len - 1}, held, visit, context);
    else
        visit(context, held);
}

bool right_shown_parse(struct str row, struct right_shown *out)
{
    static const struct str start = STR("GRANT ");
    if (!str_starts_with(row, start))
        return false;
    struct str head = {row.data + start.len, row.len - start.len};
    struct str rest = head, items = cut_outside(&rest, STR(" ON "));
    *out = (struct right_shown){.is_role = !str_is_set(rest)};
    if (out->is_role)
        rest = head;
    else
        out->items = items;
    out->object = cut_outside(&rest, STR(" TO "));
    out->grantee = cut_outside(&rest, STR(" "));
    (void)cut_outside(&rest, STR("WITH GRANT OPTION"));
    out->can_be_granted_on = str_is_set(rest);
    return str_is_set(out->grantee);
}

void right_shown_visit(const struct right_shown *shown, right_visit *visit, void *context)
{
    struct right_held held = {.can_be_granted_on = shown->can_be_granted_on};
    struct str rest = shown->items;
    struct buf database, name;
    buf_init(&database, NAME_MAX_BYTES);
    buf_init(&name, NAME_MAX_BYTES);
    read_object(shown->object, &held, &database, &name);
    while (str_is_set(rest))
        visit_item(cut_outside(&rest, STR(",")), &held, visit, context);
    buf_free(&database);
    buf_free(&name);
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
