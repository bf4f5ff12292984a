#include "store/prepared.h"

#include <stdlib.h>
#include <string.h>

#include <mysql.h>

#include "base/clock.h"
#include "store/failure.h"

/* The place of one value, in or out. The bind array points here, so it never moves. */
struct cell {
    const struct column *column;
    union {
        long long number;
        MYSQL_TIME time;
        unsigned char uuid[UUID_BYTES];
        char *text; /* column->max_bytes of them, no NUL */
    } as;
    unsigned long length; /* bytes of a text or id, also of one that did not fit */
    my_bool is_null, error;
};

struct prepared {
    const struct statement *statement;
    MYSQL_STMT *stmt;
    size_t in_count, out_count;
    struct cell in[STATEMENT_COLUMNS_MAX], out[STATEMENT_COLUMNS_MAX];
    char *texts; /* of all cells */
};

/* What is wrong with a value, as the end of a sentence; NULL: nothing. */
typedef const char *put_value(struct cell *cell, const struct value *value);
typedef const char *take_value(const struct cell *cell, struct value *value);

static const char *put_number(struct cell *cell, const struct value *value)
{
    cell->as.number = value->number;
    return NULL;
}

static const char *take_number(const struct cell *cell, struct value *value)
{
    value->number = cell->as.number;
    return cell->error ? "is out of range" : NULL;
}

static const char *put_text(struct cell *cell, const struct value *value)
{
    if (value->text.len > cell->column->max_bytes)
        return "is too long";
    memcpy(cell->as.text, value->text.data, value->text.len);
    cell->length = value->text.len;
    return NULL;
}

static const char *take_text(const struct cell *cell, struct value *value)
{
    if (cell->length > cell->column->max_bytes)
        return "is longer than this program can hold";
    value->text = (struct str){cell->as.text, cell->length};
    return NULL;
}

static const char *put_uuid(struct cell *cell, const struct value *value)
{
    memcpy(cell->as.uuid, value->uuid.bytes, UUID_BYTES);
    cell->length = UUID_BYTES;
    return NULL;
}

static const char *take_uuid(const struct cell *cell, struct value *value)
{
    if (cell->length != UUID_BYTES)
        return "is not a UUID of 16 bytes";
    memcpy(value->uuid.bytes, cell->as.uuid, UUID_BYTES);
    return NULL;
}

static const char *put_time(struct cell *cell, const struct value *value)
{
    struct clock_parts parts;
    clock_to_parts(value->time_ms, &parts);
    cell->as.time = (MYSQL_TIME){.year = (unsigned int)parts.year,
                                 .month = (unsigned int)parts.month,
                                 .day = (unsigned int)parts.day,
                                 .hour = (unsigned int)parts.hour,
                                 .minute = (unsigned int)parts.minute,
                                 .second = (unsigned int)parts.second,
                                 .second_part = (unsigned long)parts.millisecond * 1000,
                                 .time_type = MYSQL_TIMESTAMP_DATETIME};
    return NULL;
}

/* A zero date ('0000-00-00') can come from an application whose sql_mode is not strict. */
static const char *take_time(const struct cell *cell, struct value *value)
{
    const MYSQL_TIME *time = &cell->as.time;
    if (cell->error || time->month == 0 || time->day == 0)
        return "is not a date";
    value->time_ms =
        clock_from_parts(&(struct clock_parts){.year = (int)time->year,
                                               .month = (int)time->month,
                                               .day = (int)time->day,
                                               .hour = (int)time->hour,
                                               .minute = (int)time->minute,
                                               .second = (int)time->second,
                                               .millisecond = (int)(time->second_part / 1000)});
    return NULL;
}

static const struct codec {
    enum enum_field_types type;
    put_value *put;
    take_value *take;
} codecs[VALUE__MAX] = {
    [VALUE_NUMBER] = {MYSQL_TYPE_LONGLONG, put_number, take_number},
    [VALUE_TEXT] = {MYSQL_TYPE_STRING, put_text, take_text},
    [VALUE_UUID] = {MYSQL_TYPE_BLOB, put_uuid, take_uuid},
    [VALUE_TIME] = {MYSQL_TYPE_DATETIME, put_time, take_time},
    [VALUE_BYTES] = {MYSQL_TYPE_BLOB, put_text, take_text},
};

static void bind_cell(struct cell *cell, const struct column *column, char **texts,
                      MYSQL_BIND *bind)
{
    cell->column = column;
    *bind = (MYSQL_BIND){.buffer_type = codecs[column->type].type,
                         .buffer = &cell->as,
                         .buffer_length = sizeof(cell->as),
                         .length = &cell->length,
                         .is_null = &cell->is_null,
                         .error = &cell->error};
    if (column->type == VALUE_UUID)
        bind->buffer_length = UUID_BYTES;
    if (column->type == VALUE_TEXT || column->type == VALUE_BYTES) {
        cell->as.text = *texts;
        bind->buffer = *texts;
        bind->buffer_length = column->max_bytes;
        *texts += column->max_bytes;
    }
}

static size_t text_bytes(const struct column columns[STATEMENT_COLUMNS_MAX])
{
    size_t sum = 0;
    for (size_t i = 0; i < STATEMENT_COLUMNS_MAX; i++)
        sum += columns[i].max_bytes;
    return sum;
}

static enum store_result report(const struct prepared *prepared, unsigned int *number,
                                struct err *err)
{
    *number = failure_number(mysql_stmt_errno(prepared->stmt));
    return failure_report(*number, prepared->statement->name, mysql_stmt_error(prepared->stmt),
                          err);
}

static enum store_result bind_all(struct prepared *prepared, unsigned int *number, struct err *err)
{
    MYSQL_BIND in[STATEMENT_COLUMNS_MAX], out[STATEMENT_COLUMNS_MAX];
    char *texts = prepared->texts;
    for (size_t i = 0; i < prepared->in_count; i++)
        bind_cell(&prepared->in[i], &prepared->statement->in[i], &texts, &in[i]);
    for (size_t i = 0; i < prepared->out_count; i++)
        bind_cell(&prepared->out[i], &prepared->statement->out[i], &texts, &out[i]);
    if ((prepared->in_count > 0 && mysql_stmt_bind_param(prepared->stmt, in)) ||
        (prepared->out_count > 0 && mysql_stmt_bind_result(prepared->stmt, out)))
        return report(prepared, number, err);
    return STORE_OK;
}

static enum store_result prepare(struct prepared *prepared, unsigned int *number, struct err *err)
{
    const struct statement *statement = prepared->statement;
    if (mysql_stmt_prepare(prepared->stmt, statement->sql, strlen(statement->sql)))
        return report(prepared, number, err);
    if (mysql_stmt_param_count(prepared->stmt) != prepared->in_count ||
        mysql_stmt_field_count(prepared->stmt) != prepared->out_count) {
        err_set(err, "%s: the statement has %lu values in and %u out, its table row %zu and %zu",
                statement->name, mysql_stmt_param_count(prepared->stmt),
                mysql_stmt_field_count(prepared->stmt), prepared->in_count, prepared->out_count);
        return STORE_FAILED;
    }
    return bind_all(prepared, number, err);
}

enum store_result prepared_new(struct st_mysql *mysql, const struct statement *statement,
                               struct prepared **out, unsigned int *number, struct err *err)
{
    enum store_result result = STORE_FAILED;
    struct prepared *prepared = calloc(1, sizeof(*prepared));
    *number = 0;
    *out = NULL;
    if (prepared == NULL)
        goto out;
    prepared->statement = statement;
    prepared->in_count = statement_column_count(statement->in);
    prepared->out_count = statement_column_count(statement->out);
    prepared->texts = calloc(1, text_bytes(statement->in) + text_bytes(statement->out) + 1);
    prepared->stmt = mysql_stmt_init(mysql);
    if (prepared->texts == NULL || prepared->stmt == NULL)
        goto out;
    result = prepare(prepared, number, err);
    if (result != STORE_OK)
        goto failed;
    *out = prepared;
    prepared = NULL; /* transferred */
    goto failed;
out:
    err_set(err, "%s: out of memory", statement->name);
failed:
    prepared_free(prepared);
    return result;
}

void prepared_free(struct prepared *prepared)
{
    if (prepared == NULL)
        return;
    if (prepared->stmt != NULL)
        (void)mysql_stmt_close(prepared->stmt); /* of a lost connection it cannot succeed */
    free(prepared->texts);
    free(prepared);
}

static enum store_result put_values(struct prepared *prepared, const struct value *values,
                                    struct err *err)
{
    for (size_t i = 0; i < prepared->in_count; i++) {
        struct cell *cell = &prepared->in[i];
        const char *wrong = NULL;
        cell->is_null = values[i].is_null;
        if (!cell->is_null)
            wrong = codecs[cell->column->type].put(cell, &values[i]);
        if (wrong != NULL) {
            err_set(err, "%s: %s %s", prepared->statement->name, cell->column->name, wrong);
            return STORE_REFUSED;
        }
    }
    return STORE_OK;
}

/* The client library leaves what the row before had in the place of a NULL, so that is never looked
 * at. */
static enum store_result take_row(const struct prepared *prepared, struct value *row,
                                  struct err *err)
{
    for (size_t i = 0; i < prepared->out_count; i++) {
        const struct cell *cell = &prepared->out[i];
        const char *wrong = NULL;
        row[i] = (struct value){.is_null = cell->is_null};
        if (!cell->is_null)
            wrong = codecs[cell->column->type].take(cell, &row[i]);
        if (wrong != NULL) {
            err_set(err, "%s: column %s %s", prepared->statement->name, cell->column->name, wrong);
            return STORE_FAILED;
        }
    }
    return STORE_OK;
}

static enum store_result visit_rows(struct prepared *prepared, const struct call *call,
                                    unsigned int *number, struct err *err)
{
    struct value row[STATEMENT_COLUMNS_MAX];
    for (;;) {
        int fetched = mysql_stmt_fetch(prepared->stmt);
        if (fetched == MYSQL_NO_DATA)
            return STORE_OK;
        if (fetched != 0 && fetched != MYSQL_DATA_TRUNCATED)
            return report(prepared, number, err);
        enum store_result result = take_row(prepared, row, err);
        if (result == STORE_OK && call->visit != NULL)
            result = call->visit(call->context, row, err);
        if (result != STORE_OK)
            return result;
    }
}

/*
 * The server can fail in the middle of the rows: a lock that it waited for there, a limit of time.
 * Unless it is reset the statement then takes rows for outstanding that never come, and its next
 * execution waits for them until the read times out.
 */
static enum store_result give_up_rows(struct prepared *prepared, unsigned int *number,
                                      struct err *err)
{
    enum store_result result = report(prepared, number, err);
    (void)mysql_stmt_reset(prepared->stmt); /* of a lost connection it cannot succeed */
    return result;
}

static enum store_result execute(struct prepared *prepared, const struct call *call,
                                 unsigned int *number, struct err *err)
{
    bool has_rows = prepared->out_count > 0;
    if (mysql_stmt_execute(prepared->stmt))
        return report(prepared, number, err);
    if (has_rows && mysql_stmt_store_result(prepared->stmt))
        return give_up_rows(prepared, number, err);
    if (call->rows != NULL)
        *call->rows = (int64_t)(has_rows ? mysql_stmt_num_rows(prepared->stmt)
                                         : mysql_stmt_affected_rows(prepared->stmt));
    return has_rows ? visit_rows(prepared, call, number, err) : STORE_OK;
}

enum store_result prepared_run(struct prepared *prepared, const struct call *call,
                               unsigned int *number, struct err *err)
{
    *number = 0;
    enum store_result result = put_values(prepared, call->in, err);
    if (result == STORE_OK)
        result = execute(prepared, call, number, err);
    if (prepared->out_count > 0)
        (void)mysql_stmt_free_result(prepared->stmt); /* frees what was stored; sends nothing */
    return result;
}
