#include "store/bulk.h"

#include <stdlib.h>
#include <string.h>

#include <mysql.h>

#include <errmsg.h>

#include "base/clock.h"
#include "store/failure.h"

/* What a time is sent as: the client library disagrees with itself on how long an element of an
 * array of MYSQL_TIME is, so it is sent as text, "2025-07-03T02:14:22.094". */
enum { TIME_TEXT_LEN = CLOCK_TEXT_LEN - 1 };

/* The values of one column. The client library takes numbers as an array of them, all else as one
 * of pointers; each of these arrays has `room` elements. */
struct bulk_column {
    long long *numbers;
    const void **pointers;
    unsigned long *lengths;
    char *indicators;
    char (*times)[CLOCK_TEXT_LEN + 1];
};

struct bulk {
    const struct statement *statement;
    MYSQL_STMT *stmt;
    size_t count, room; /* of columns, of rows */
    struct bulk_column columns[STATEMENT_COLUMNS_MAX];
};

/* ---- room */

static void free_column(struct bulk_column *column)
{
    free(column->numbers);
    free(column->pointers);
    free(column->lengths);
    free(column->indicators);
    free(column->times);
    *column = (struct bulk_column){.numbers = NULL};
}

static bool make_column(struct bulk_column *column, size_t rows)
{
    column->numbers = calloc(rows, sizeof(*column->numbers));
    column->pointers = calloc(rows, sizeof(*column->pointers));
    column->lengths = calloc(rows, sizeof(*column->lengths));
    column->indicators = calloc(rows, sizeof(*column->indicators));
    column->times = calloc(rows, sizeof(*column->times));
    return column->numbers != NULL && column->pointers != NULL && column->lengths != NULL &&
           column->indicators != NULL && column->times != NULL;
}

static bool make_room(struct bulk *bulk, size_t rows)
{
    if (rows <= bulk->room)
        return true;
    bulk->room = 0;
    for (size_t i = 0; i < bulk->count; i++) {
        free_column(&bulk->columns[i]);
        if (!make_column(&bulk->columns[i], rows))
            return false;
    }
    bulk->room = rows;
    return true;
}

/* ---- values */

static void put_bytes(struct bulk_column *column, size_t row, struct str bytes)
{
    column->pointers[row] = bytes.data;
    column->lengths[row] = bytes.len;
}

static void put_number(struct bulk_column *column, size_t row, const struct value *value)
{
    column->numbers[row] = value->number;
}

static void put_text(struct bulk_column *column, size_t row, const struct value *value)
{
    put_bytes(column, row, value->text);
}

static void put_uuid(struct bulk_column *column, size_t row, const struct value *value)
{
    put_bytes(column, row, (struct str){(const char *)value->uuid.bytes, UUID_BYTES});
}

static void put_time(struct bulk_column *column, size_t row, const struct value *value)
{
    clock_format(value->time_ms, column->times[row]);
    put_bytes(column, row, (struct str){column->times[row], TIME_TEXT_LEN});
}

static const struct codec {
    enum enum_field_types type;
    void (*put)(struct bulk_column *column, size_t row, const struct value *value);
} codecs[VALUE__MAX] = {
    [VALUE_NUMBER] = {MYSQL_TYPE_LONGLONG, put_number},
    [VALUE_TEXT] = {MYSQL_TYPE_STRING, put_text},
    [VALUE_UUID] = {MYSQL_TYPE_BLOB, put_uuid},
    [VALUE_TIME] = {MYSQL_TYPE_STRING, put_time},
    [VALUE_BYTES] = {MYSQL_TYPE_BLOB, put_text},
};

static bool is_too_long(const struct column *column, const struct value *value)
{
    return column->max_bytes > 0 && !value->is_null && value->text.len > column->max_bytes;
}

static enum store_result put_row(struct bulk *bulk, size_t row, const struct value *values,
                                 struct err *err)
{
    for (size_t i = 0; i < bulk->count; i++) {
        const struct column *column = &bulk->statement->in[i];
        if (is_too_long(column, &values[i])) {
            err_set(err, "%s: %s is too long", bulk->statement->name, column->name);
            return STORE_REFUSED;
        }
        bulk->columns[i].indicators[row] =
            (char)(values[i].is_null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE);
        put_bytes(&bulk->columns[i], row, STR(""));
        if (!values[i].is_null)
            codecs[column->type].put(&bulk->columns[i], row, &values[i]);
    }
    return STORE_OK;
}

/* ---- the statement */

static enum store_result report(const struct bulk *bulk, unsigned int *number, struct err *err)
{
    *number = failure_number(mysql_stmt_errno(bulk->stmt));
    return failure_report(*number, bulk->statement->name, mysql_stmt_error(bulk->stmt), err);
}

static bool bind(struct bulk *bulk, unsigned int rows)
{
    MYSQL_BIND in[STATEMENT_COLUMNS_MAX];
    for (size_t i = 0; i < bulk->count; i++) {
        struct bulk_column *column = &bulk->columns[i];
        enum enum_field_types type = codecs[bulk->statement->in[i].type].type;
        void *data = column->pointers;
        if (type == MYSQL_TYPE_LONGLONG)
            data = column->numbers;
        in[i] = (MYSQL_BIND){.buffer_type = type, .buffer = data, .length = column->lengths};
        in[i].u.indicator = column->indicators;
    }
    return mysql_stmt_attr_set(bulk->stmt, STMT_ATTR_ARRAY_SIZE, &rows) == 0 &&
           mysql_stmt_bind_param(bulk->stmt, in) == 0;
}

enum store_result bulk_new(struct st_mysql *mysql, const struct statement *statement,
                           struct bulk **out, unsigned int *number, struct err *err)
{
    enum store_result result = STORE_FAILED;
    struct bulk *bulk = calloc(1, sizeof(*bulk));
    *number = 0;
    *out = NULL;
    if (bulk != NULL)
        bulk->stmt = mysql_stmt_init(mysql);
    if (bulk == NULL || bulk->stmt == NULL) {
        err_set(err, "%s: out of memory", statement->name);
        goto out;
    }
    bulk->statement = statement;
    bulk->count = statement_column_count(statement->in);
    if (mysql_stmt_prepare(bulk->stmt, statement->sql, strlen(statement->sql)) != 0) {
        result = report(bulk, number, err);
        goto out;
    }
    *out = bulk;
    bulk = NULL; /* transferred */
    result = STORE_OK;
out:
    bulk_free(bulk);
    return result;
}

void bulk_free(struct bulk *bulk)
{
    if (bulk == NULL)
        return;
    if (bulk->stmt != NULL)
        (void)mysql_stmt_close(bulk->stmt); /* of a lost connection it cannot succeed */
    for (size_t i = 0; i < STATEMENT_COLUMNS_MAX; i++)
        free_column(&bulk->columns[i]);
    free(bulk);
}

enum store_result bulk_run(struct bulk *bulk, const struct value *values, size_t rows,
                           unsigned int *number, struct err *err)
{
    *number = 0;
    if (!make_room(bulk, rows)) {
        err_set(err, "%s: out of memory", bulk->statement->name);
        return STORE_FAILED;
    }
    for (size_t i = 0; i < rows; i++) {
        enum store_result result = put_row(bulk, i, values + i * bulk->count, err);
        if (result != STORE_OK)
            return result;
    }
    if (!bind(bulk, (unsigned int)rows) || mysql_stmt_execute(bulk->stmt) != 0)
        return report(bulk, number, err);
    return STORE_OK;
}

bool bulk_is_unknown(unsigned int number)
{
    return number == CR_FUNCTION_NOT_SUPPORTED;
}
