/*
 * The floor of a service that proves anything by the database: libfcgi, one look-up of a users row
 * by its key with a statement that is prepared once, then the fixed answer. Which rows: those of
 * the users whose tokens come first, in turn. BENCH_SOCKET, BENCH_ACCOUNT, BENCH_PASSWORD and
 * BENCH_DATABASE say where; BENCH_USERS how many.
 */
#include <fcgiapp.h>
#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

enum { ID_BYTES = 16 };

/* Columns of each kind: what such a proof would have to read. */
static const char lookup_sql[] =
    "SELECT updated_at, status, UTC_TIMESTAMP(3) FROM users WHERE id = ?";

struct lookup {
    MYSQL *mysql;
    MYSQL_STMT *statement;
    unsigned char (*ids)[ID_BYTES];
    size_t count, next;
    unsigned char id[ID_BYTES];
    MYSQL_TIME updated_at, now;
    char status[16];
};

static void die(const char *what)
{
    (void)fprintf(stderr, "lookup: %s\n", what);
    exit(1);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    if (value == NULL)
        die(name);
    return value;
}

static void open_database(struct lookup *lookup)
{
    lookup->mysql = mysql_init(NULL);
    if (lookup->mysql == NULL ||
        mysql_real_connect(lookup->mysql, NULL, variable("BENCH_ACCOUNT"),
                           variable("BENCH_PASSWORD"), variable("BENCH_DATABASE"), 0,
                           variable("BENCH_SOCKET"), 0) == NULL)
        die(mysql_error(lookup->mysql));
}

static void read_ids(struct lookup *lookup)
{
    char sql[80];
    MYSQL_RES *result;
    MYSQL_ROW row;

    (void)snprintf(sql, sizeof(sql), "SELECT id FROM users ORDER BY CRC32(id), id LIMIT %lu",
                   strtoul(variable("BENCH_USERS"), NULL, 10));
    if (mysql_query(lookup->mysql, sql) != 0 ||
        (result = mysql_store_result(lookup->mysql)) == NULL)
        die(mysql_error(lookup->mysql));
    lookup->ids = calloc(mysql_num_rows(result), ID_BYTES);
    if (lookup->ids == NULL)
        die("there are no users");
    while ((row = mysql_fetch_row(result)) != NULL)
        memcpy(lookup->ids[lookup->count++], row[0], ID_BYTES);
    mysql_free_result(result);
}

static void prepare(struct lookup *lookup)
{
    MYSQL_BIND in[] = {{.buffer_type = MYSQL_TYPE_BLOB,
                        .buffer = lookup->id,
                        .buffer_length = ID_BYTES,
                        .length_value = ID_BYTES}};
    MYSQL_BIND out[] = {
        {.buffer_type = MYSQL_TYPE_DATETIME, .buffer = &lookup->updated_at},
        {.buffer_type = MYSQL_TYPE_STRING,
         .buffer = lookup->status,
         .buffer_length = sizeof(lookup->status)},
        {.buffer_type = MYSQL_TYPE_DATETIME, .buffer = &lookup->now},
    };

    lookup->statement = mysql_stmt_init(lookup->mysql);
    if (lookup->statement == NULL ||
        mysql_stmt_prepare(lookup->statement, lookup_sql, sizeof(lookup_sql) - 1) != 0 ||
        mysql_stmt_bind_param(lookup->statement, in) ||
        mysql_stmt_bind_result(lookup->statement, out))
        die(mysql_error(lookup->mysql));
}

static bool look_up(struct lookup *lookup)
{
    bool found;

    memcpy(lookup->id, lookup->ids[lookup->next], ID_BYTES);
    lookup->next = (lookup->next + 1) % lookup->count;
    found = mysql_stmt_execute(lookup->statement) == 0 && mysql_stmt_fetch(lookup->statement) == 0;
    return mysql_stmt_free_result(lookup->statement) == 0 && found;
}

int main(void)
{
    const struct answer answer = answer_read();
    struct lookup lookup = {.mysql = NULL};
    FCGX_Request request;

    open_database(&lookup);
    read_ids(&lookup);
    prepare(&lookup);
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        if (!look_up(&lookup))
            die(mysql_stmt_error(lookup.statement));
        (void)FCGX_PutStr(answer.data, answer.len, request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}
