#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mysql.h>

#include "store/grants.h"
#include "store/migrations.h"

enum { SQL_MAX_BYTES = 100000, RIVAL_LOOKS_MAX = 60, RIVAL_LOOK_NS = 150000000 };

bool fixture_is_possible(void)
{
    if (getenv("ME_TEST_SOCKET") != NULL)
        return true;
    puts("skipped: ME_TEST_SOCKET does not name the socket of a MariaDB for tests: "
         "scripts/private-mariadb start DIR; scripts/private-mariadb socket DIR");
    return false;
}

static bool visit_applied(void *context, const struct migration_row *row)
{
    (void)context;
    (void)row;
    return true;
}

static void migrate(struct fixture *fixture)
{
    struct migrations *migrations = migrations_open(NULL, &fixture->err);
    assert_non_null(migrations);
    assert_stored(fixture, migrations_apply(migrations, fixture->database, visit_applied, NULL,
                                            &fixture->err));
    migrations_close(migrations);
}

int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    *state = fixture;
    (void)snprintf(fixture->name, sizeof(fixture->name), "me_test_%ld", (long)getpid());
    fixture->host[0] = getenv("ME_TEST_SOCKET");
    fixture->settings.database.host = (struct settings_list){fixture->host, 1};
    fixture->settings.database.name = fixture->name;
    fixture->settings.database.user = "root";
    fixture->settings.database.connect_timeout_s = 2;
    fixture->settings.database.read_timeout_s = 1;
    fixture->settings.database.write_timeout_s = 1;
    fixture->settings.database.idle_close_s = 60;
    fixture->arena = arena_new(1 << 20);
    fixture->root = mysql_init(NULL);
    assert_non_null(fixture->arena);
    assert_int_equal(mysql_options(fixture->root, MYSQL_SET_CHARSET_NAME, "utf8mb4"), 0);
    if (mysql_real_connect(fixture->root, NULL, "root", NULL, NULL, 0, fixture->host[0], 0) == NULL)
        fail_msg("%s", mysql_error(fixture->root));
    fixture_sql(fixture, "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'");
    fixture_sql(fixture, "DROP DATABASE IF EXISTS %s", fixture->name);
    fixture_sql(fixture, "CREATE DATABASE %s", fixture->name);
    fixture_sql(fixture, "USE %s", fixture->name);
    fixture->database = fixture_database(fixture, &fixture->settings);
    migrate(fixture);
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *fixture = *state;
    database_free(fixture->database);
    fixture_sql(fixture, "DROP DATABASE %s", fixture->name);
    mysql_close(fixture->root);
    arena_free(fixture->arena);
    free(fixture);
    mysql_library_end();
    return 0;
}

int fixture_reset(void **state)
{
    struct fixture *fixture = *state;
    database_close(fixture->database);
    fixture_sql(fixture, "DELETE FROM users");
    arena_reset(fixture->arena);
    err_clear(&fixture->err);
    return 0;
}

static void forget_rows(MYSQL *mysql)
{
    MYSQL_RES *rows = mysql_store_result(mysql);
    mysql_free_result(rows);
}

static void run(struct fixture *fixture, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
static void run(struct fixture *fixture, const char *format, va_list arguments)
{
    char *sql = NULL;
    int len = vasprintf(&sql, format, arguments);
    assert_true(len >= 0 && len < SQL_MAX_BYTES);
    if (mysql_real_query(fixture->root, sql, (unsigned long)len) != 0)
        fail_msg("%s: %s", sql, mysql_error(fixture->root));
    free(sql);
}

void fixture_sql(struct fixture *fixture, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    run(fixture, format, arguments);
    va_end(arguments);
    forget_rows(fixture->root);
}

unsigned int fixture_sql_error(struct fixture *fixture, const char *sql)
{
    if (mysql_real_query(fixture->root, sql, strlen(sql)) == 0)
        forget_rows(fixture->root);
    return mysql_errno(fixture->root);
}

int64_t fixture_number(struct fixture *fixture, const char *format, ...)
{
    int64_t number = INT64_MIN;
    va_list arguments;
    va_start(arguments, format);
    run(fixture, format, arguments);
    va_end(arguments);
    MYSQL_RES *rows = mysql_store_result(fixture->root);
    assert_non_null(rows);
    MYSQL_ROW row = mysql_fetch_row(rows);
    if (row != NULL && row[0] != NULL)
        number = strtoll(row[0], NULL, 10);
    mysql_free_result(rows);
    return number;
}

#define OTHERS "FROM information_schema.PROCESSLIST WHERE DB = '%s' AND ID <> CONNECTION_ID()"

void fixture_kill_connections(struct fixture *fixture)
{
    int64_t id;
    while ((id = fixture_number(fixture, "SELECT ID " OTHERS, fixture->name)) != INT64_MIN) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "KILL %lld", (long long)id);
        (void)fixture_sql_error(fixture, sql); /* it may have gone by itself */
        (void)nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
}

/* From here on in the rival's process, where no assertion of cmocka may end. */
static void run_all(MYSQL *mysql, const char *const *statements)
{
    for (; *statements != NULL; statements++) {
        if (mysql_real_query(mysql, *statements, strlen(*statements)) == 0)
            continue;
        (void)fprintf(stderr, "%s: %s\n", *statements, mysql_error(mysql));
        _exit(1);
    }
}

static bool is_awaited(MYSQL *mysql)
{
    static const char sql[] = "SELECT 1 FROM information_schema.INNODB_TRX"
                              " WHERE trx_state = 'LOCK WAIT'";
    if (mysql_real_query(mysql, sql, sizeof(sql) - 1) != 0)
        return false;
    MYSQL_RES *rows = mysql_store_result(mysql);
    bool found = rows != NULL && mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    return found;
}

/* Not more often than ten times a second: InnoDB renews that table only when nobody read it for so
 * long. */
static void wait_until_awaited(MYSQL *mysql)
{
    for (int i = 0; i < RIVAL_LOOKS_MAX; i++) {
        (void)nanosleep(&(struct timespec){0, RIVAL_LOOK_NS}, NULL);
        if (is_awaited(mysql))
            return;
    }
    (void)fputs("nobody waits for the rival\n", stderr);
    _exit(1);
}

static void be_rival(const struct fixture *fixture, const char *const *first,
                     const char *const *then, int ready)
{
    MYSQL *mysql = mysql_init(NULL);
    if (mysql == NULL || mysql_real_connect(mysql, NULL, "root", NULL, fixture->name, 0,
                                            fixture->host[0], 0) == NULL)
        _exit(1);
    run_all(mysql, first);
    if (write(ready, "", 1) != 1)
        _exit(1);
    wait_until_awaited(mysql);
    run_all(mysql, then);
    mysql_close(mysql);
    _exit(0);
}

pid_t fixture_rival(struct fixture *fixture, const char *const *first, const char *const *then)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t rival = fork();
    assert_true(rival >= 0);
    if (rival == 0)
        be_rival(fixture, first, then, ready[1]);
    assert_int_equal(close(ready[1]), 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(close(ready[0]), 0);
    return rival;
}

void fixture_join(pid_t rival)
{
    int status = -1;
    assert_int_equal(waitpid(rival, &status, 0), rival);
    assert_int_equal(status, 0);
}

struct uuid fixture_id(unsigned char byte)
{
    struct uuid id;
    memset(id.bytes, byte, sizeof(id.bytes));
    return id;
}

void fixture_grant(struct fixture *fixture, const struct settings *settings,
                   enum database_account account)
{
    struct buf sql;
    buf_init(&sql, 8192);
    if (!grants_print(settings, account, FILE_READERS_ANY, &sql, &fixture->err))
        fail_msg("%s", fixture->err.text);
    struct str rest = buf_str(&sql);
    while (str_is_set(rest)) {
        struct str line = str_cut(&rest, '\n');
        if (line.len > 0 && !str_starts_with(line, STR("--")))
            fixture_sql(fixture, "%.*s", (int)line.len - 1, line.data);
    }
    buf_free(&sql);
}

struct database *fixture_database(struct fixture *fixture, const struct settings *settings)
{
    struct database *database =
        database_new(settings, DATABASE_WORKER, FILE_READERS_ANY, &fixture->err);
    if (database == NULL)
        fail_msg("%s", fixture->err.text);
    return database;
}
