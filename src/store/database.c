#include "store/database.h"

#include <stdlib.h>

#include <mysql.h>

#include <mysqld_error.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "store/connection.h"

enum {
    PASSWORD_MAX_BYTES = 4096,
    TRIES_MIN = 4,             /* of a transaction that meets conflicts, and more ... */
    PATIENCE_US = 1500 * 1000, /* ... where they come quicker than this in all */
    PAUSE_MIN_MS = 2,
    PAUSE_STEP_MS = 10, /* doubled with each try; the pause is a random part of it */
    PAUSE_DOUBLED_MAX = 4,
    MIGRATION_READ_TIMEOUT_S = 24 * 60 * 60
};

struct database {
    const struct settings *settings; /* borrowed */
    enum database_account account;
    enum file_readers readers; /* demanded of the password's file */
    const char *user;
    struct buf password; /* ends in a NUL that is part of it; empty: none is sent */
    struct connection *connection;
    struct hosts *hosts;
    bool is_refused;          /* the last call, by a server that serves nobody now */
    unsigned int lost_number; /* what the connection that was closed last was broken by */
    int64_t used_us;          /* clock_monotonic_us at the end of the last use */
    struct database_counts counts;
    bool is_pinned; /* for migrations: never reopened by itself */
    struct {
        bool is_open, has_written;
        enum store_result failed; /* the first conflict or loss in it: it can only be rolled back */
    } transaction;
};

static const char *const result_names[STORE__MAX] = {
    [STORE_OK] = "ok",
    [STORE_ABANDONED] = "abandoned",
    [STORE_NOT_FOUND] = "not_found",
    [STORE_DUPLICATE] = "duplicate",
    [STORE_REFUSED] = "refused",
    [STORE_CONFLICT] = "conflict",
    [STORE_LOST] = "lost",
    [STORE_UNAVAILABLE] = "unavailable",
    [STORE_IN_DOUBT] = "in_doubt",
    [STORE_FAILED] = "failed",
};

const char *store_result_name(enum store_result result)
{
    return result_names[result];
}

struct account {
    const char *user, *password_file, *password; /* NULL: none */
};

static struct account account_of(const struct settings *settings, enum database_account account)
{
    const struct account worker = {settings->database.user, settings->database.password_file,
                                   settings->database.password};
    const struct account admin = {settings->admin.user, settings->admin.password_file, NULL};
    const struct account provision = {settings->provision.user, settings->provision.password_file,
                                      NULL};
    const struct account accounts[] = {
        [DATABASE_WORKER] = worker,
        [DATABASE_ADMIN] = admin.user != NULL ? admin : worker,
        [DATABASE_PROVISION] = provision,
    };
    return accounts[account];
}

/* A password file holds one line; the line feed at its end is no part of it. */
static bool trim_password(struct buf *password, const char *path, struct err *err)
{
    if (password->len > 0 && password->data[password->len - 1] == '\n')
        password->len--;
    if (password->len > 0 && password->data[password->len - 1] == '\r')
        password->len--;
    if (password->len == 0) {
        err_set(err, "%s: holds no password: write it there, or leave the setting out", path);
        return false;
    }
    if (!str_has_byte(buf_str(password), '\n') && !str_has_byte(buf_str(password), '\0'))
        return true;
    err_set(err, "%s: holds more than one line: a password is one", path);
    return false;
}

static bool read_password(const char *path, enum file_readers readers, struct buf *out,
                          struct err *err)
{
    struct err fault;
    if (file_read(path, readers, out, err))
        return trim_password(out, path, err);
    if (!file_is_missing(path))
        return false;
    fault = *err;
    err_set(err, "%s: write the password of the account there, as one line, with mode 0600",
            fault.text);
    return false;
}

bool database_password(const struct settings *settings, enum database_account account,
                       enum file_readers readers, struct buf *out, struct err *err)
{
    struct account of = account_of(settings, account);
    if (of.password_file != NULL)
        return read_password(of.password_file, readers, out, err);
    if (of.password != NULL)
        buf_append_text(out, of.password);
    if (!buf_is_good(out))
        err_set(err, "database.password: out of memory, or longer than any password");
    return buf_is_good(out);
}

/* The client library takes C strings. */
static bool load_password(struct database *database, struct err *err)
{
    struct buf *password = &database->password;
    buf_init(password, PASSWORD_MAX_BYTES);
    if (!database_password(database->settings, database->account, database->readers, password, err))
        return false;
    if (password->len > 0)
        buf_append_byte(password, '\0');
    if (!buf_is_good(password))
        err_set(err, "the password of the database is too long");
    return buf_is_good(password);
}

struct str database_secret(const struct database *database)
{
    return buf_str(&database->password);
}

const char *database_user(const struct settings *settings, enum database_account account)
{
    return account_of(settings, account).user;
}

struct database *database_new(const struct settings *settings, enum database_account account,
                              enum file_readers readers, struct err *err)
{
    struct database *database = calloc(1, sizeof(*database));
    if (database == NULL || mysql_library_init(0, NULL, NULL) != 0) {
        err_set(err, "out of memory");
        free(database);
        return NULL;
    }
    database->settings = settings;
    database->account = account;
    database->readers = readers;
    database->user = database_user(settings, account);
    database->hosts = hosts_new(&settings->database.host);
    if (database->hosts == NULL)
        err_set(err, "out of memory");
    else if (load_password(database, err))
        return database;
    database_free(database);
    return NULL;
}

void database_free(struct database *database)
{
    if (database == NULL)
        return;
    database_close(database);
    hosts_free(database->hosts);
    buf_free_secret(&database->password);
    free(database);
}

void database_close(struct database *database)
{
    connection_close(database->connection);
    database->connection = NULL;
    database->is_pinned = false;
}

/* Closes a connection that is of no more use, and remembers not to look there next. */
static void discard(struct database *database)
{
    bool is_pinned = database->is_pinned;
    const struct connection *connection = database->connection;
    database->is_refused = connection_is_refused(connection);
    database->lost_number = connection_error(connection);
    if (connection_is_elsewhere(connection))
        hosts_note_failure(database->hosts, connection_host(connection), clock_monotonic_us());
    database_close(database);
    database->is_pinned = is_pinned;
}

static struct connection_options options_of(const struct database *database, int64_t read_timeout_s)
{
    return (struct connection_options){
        .settings = database->settings,
        .user = database->user,
        .password = database->password.len > 0 ? database->password.data : NULL,
        .read_timeout_s = read_timeout_s,
        .hosts = database->hosts,
    };
}

static enum store_result open_once(struct database *database, int64_t read_timeout_s,
                                   struct connection_failure *failure, struct err *err)
{
    const struct connection_options options = options_of(database, read_timeout_s);
    int64_t start_us = clock_monotonic_us();
    database->connection = connection_open(&options, failure, err);
    database->counts.spent_us += (uint64_t)(clock_monotonic_us() - start_us);
    if (database->connection != NULL)
        database->counts.connections++;
    else
        database->counts.failures[failure->result]++;
    return failure->result;
}

/* Reads it again, and keeps the one that it had where that fails. */
static bool has_other_password(struct database *database)
{
    struct buf before = database->password;
    struct err ignored;
    if (load_password(database, &ignored) &&
        !str_equal(buf_str(&before), buf_str(&database->password))) {
        buf_free_secret(&before);
        return true;
    }
    buf_free_secret(&database->password);
    database->password = before; /* transferred */
    return false;
}

static bool is_denied(const struct connection_failure *failure)
{
    return failure->result != STORE_OK && (failure->number == ER_ACCESS_DENIED_ERROR ||
                                           failure->number == ER_ACCESS_DENIED_NO_PASSWORD_ERROR);
}

/* A password that was changed while the worker lives is found in its file when the old one is
 * refused. */
static enum store_result open_connection(struct database *database, int64_t read_timeout_s,
                                         struct connection_failure *failure, struct err *err)
{
    enum store_result result = open_once(database, read_timeout_s, failure, err);
    if (!is_denied(failure) || !has_other_password(database))
        return result;
    err_clear(err);
    return open_once(database, read_timeout_s, failure, err);
}

enum store_result database_open(struct database *database, struct connection_failure *failure,
                                struct err *err)
{
    if (database->connection != NULL)
        return STORE_OK;
    return open_connection(database, database->settings->database.read_timeout_s, failure, err);
}

unsigned int database_error(const struct database *database)
{
    return database->connection == NULL ? 0 : connection_error(database->connection);
}

unsigned int database_last_error(const struct database *database)
{
    return database->connection == NULL ? database->lost_number : database_error(database);
}

/* A transaction, and the lock of the migrations, are lost with their connection. */
static enum store_result ensure_connection(struct database *database, struct err *err)
{
    database->is_refused = false;
    if (database->connection != NULL)
        return STORE_OK;
    if (database->transaction.is_open || database->is_pinned) {
        err_set(err, "the connection to MariaDB was lost");
        return STORE_LOST;
    }
    struct connection_failure failure;
    return database_open(database, &failure, err);
}

const struct database_counts *database_counts(const struct database *database)
{
    return &database->counts;
}

bool database_is_open(const struct database *database)
{
    return database->connection != NULL;
}

/* Of one try, from its start to now. What is no failure is not shown as one. */
static void note_use(struct database *database, int64_t start_us, enum store_result result)
{
    database->used_us = clock_monotonic_us();
    database->counts.spent_us += (uint64_t)(database->used_us - start_us);
    if (result != STORE_OK)
        database->counts.failures[result]++;
    if (database->connection != NULL && connection_is_broken(database->connection))
        discard(database);
}

enum store_result database_run_text(struct database *database, struct str sql, struct err *err)
{
    enum store_result result = ensure_connection(database, err);
    if (result != STORE_OK)
        return result;
    int64_t start_us = clock_monotonic_us();
    result = connection_run_text(database->connection, sql, err);
    note_use(database, start_us, result);
    return result;
}

/* After a failure. In a transaction nothing is done before its COMMIT. */
static bool may_be_done(const struct database *database, const struct call *call)
{
    return !database->transaction.is_open && statement_get(call->statement)->writes &&
           connection_is_in_doubt(database->connection);
}

static enum store_result run_once(struct database *database, const struct call *call,
                                  struct err *err)
{
    enum store_result result = ensure_connection(database, err);
    if (result != STORE_OK)
        return result;
    int64_t start_us = clock_monotonic_us();
    result = connection_run(database->connection, call, err);
    if (result != STORE_OK && may_be_done(database, call))
        result = STORE_IN_DOUBT;
    note_use(database, start_us, result);
    return result;
}

/* Of one read, or one transaction. */
struct tries {
    unsigned int conflicts, moves;
    int64_t begun_us;
};

static void pause_before(unsigned int attempt)
{
    unsigned int doubled = attempt < PAUSE_DOUBLED_MAX ? attempt : PAUSE_DOUBLED_MAX;
    clock_pause_ms(PAUSE_MIN_MS + random_below((uint32_t)PAUSE_STEP_MS << doubled));
}

/* On a cluster a row stays locked for as long as the nodes take to agree on who is there. */
static bool outlasts_conflict(struct tries *tries)
{
    if (++tries->conflicts >= TRIES_MIN && clock_monotonic_us() - tries->begun_us >= PATIENCE_US)
        return false;
    pause_before(tries->conflicts);
    return true;
}

/* Whether what failed with this result is worth another try, after a pause where that helps. A
 * connection may be lost for reasons of its own, and is then made again; for the rest each host has
 * one try. */
static bool try_again(const struct database *database, enum store_result result,
                      struct tries *tries)
{
    size_t hosts = hosts_count(database->hosts);
    if (result == STORE_CONFLICT)
        return outlasts_conflict(tries);
    if (result == STORE_LOST)
        return ++tries->moves < (hosts > 1 ? hosts : 2);
    return result == STORE_UNAVAILABLE && database->is_refused && ++tries->moves < hosts;
}

/* After a deadlock the server has rolled back and would run what follows outside of any
 * transaction. */
static enum store_result begin_in_transaction(struct database *database,
                                              enum statement_id statement, struct err *err)
{
    if (database->transaction.failed != STORE_OK)
        err_set(err, "the transaction failed before");
    database->transaction.has_written |= statement_get(statement)->writes;
    return database->transaction.failed;
}

static enum store_result end_in_transaction(struct database *database, enum store_result result)
{
    if (result == STORE_CONFLICT || result == STORE_LOST)
        database->transaction.failed = result;
    return result;
}

static enum store_result run_in_transaction(struct database *database, const struct call *call,
                                            struct err *err)
{
    enum store_result result = begin_in_transaction(database, call->statement, err);
    if (result != STORE_OK)
        return result;
    return end_in_transaction(database, run_once(database, call, err));
}

enum store_result database_run_bulk(struct database *database, enum statement_id statement,
                                    const struct value *values, size_t rows, struct err *err)
{
    if (rows == 0)
        return STORE_OK;
    enum store_result result = begin_in_transaction(database, statement, err);
    if (result != STORE_OK)
        return result;
    result = ensure_connection(database, err);
    if (result == STORE_OK) {
        int64_t start_us = clock_monotonic_us();
        result = connection_run_bulk(database->connection, statement, values, rows, err);
        note_use(database, start_us, result);
    }
    return end_in_transaction(database, result);
}

enum store_result database_run(struct database *database, const struct call *call, struct err *err)
{
    if (database->transaction.is_open)
        return run_in_transaction(database, call, err);
    struct tries tries = {.begun_us = clock_monotonic_us()};
    for (;;) {
        enum store_result result = run_once(database, call, err);
        if (statement_get(call->statement)->writes && result != STORE_CONFLICT)
            return result;
        if (database->is_pinned || !try_again(database, result, &tries))
            return result;
        err_clear(err);
    }
}

enum store_result database_connect(struct database *database, struct err *err)
{
    return ensure_connection(database, err);
}

enum store_result database_prepare(struct database *database, enum statement_id statement,
                                   struct err *err)
{
    enum store_result result = ensure_connection(database, err);
    if (result != STORE_OK)
        return result;
    int64_t start_us = clock_monotonic_us();
    result = connection_prepare(database->connection, statement, err);
    note_use(database, start_us, result);
    return result;
}

enum store_result database_run_counted(struct database *database, enum statement_id statement,
                                       const struct value *in, int64_t *rows, struct err *err)
{
    const struct call call = {.statement = statement, .in = in, .rows = rows};
    return database_run(database, &call, err);
}

enum store_result database_open_for_migrations(struct database *database, struct err *err)
{
    struct connection_failure failure;
    database_close(database);
    enum store_result result = open_connection(database, MIGRATION_READ_TIMEOUT_S, &failure, err);
    database->is_pinned = result == STORE_OK;
    return result;
}

static enum store_result commit(struct database *database, struct err *err)
{
    enum store_result result = database->transaction.failed;
    if (result != STORE_OK) {
        err_set(err, "the transaction failed before its COMMIT");
        return result;
    }
    result = ensure_connection(database, err);
    if (result == STORE_OK) {
        int64_t start_us = clock_monotonic_us();
        result = connection_commit(database->connection, err);
        note_use(database, start_us, result);
    }
    return result;
}

/* A connection that cannot roll back is closed; that rolls back too. */
static void roll_back(struct database *database)
{
    struct err ignored;
    if (database->connection == NULL)
        return;
    if (connection_run_text(database->connection, STR("ROLLBACK"), &ignored) != STORE_OK)
        discard(database);
}

static enum store_result transact_once(struct database *database, struct str start,
                                       database_work *work, void *context, struct err *err)
{
    enum store_result result = database_run_text(database, start, err);
    database->transaction.has_written = false;
    database->transaction.failed = STORE_OK;
    if (result != STORE_OK)
        return result;
    database->transaction.is_open = true;
    result = work(database, context, err);
    if (result == STORE_OK)
        result = commit(database, err);
    if (result != STORE_OK)
        roll_back(database);
    database->transaction.is_open = false;
    return result;
}

enum store_result database_transact(struct database *database, database_work *work, void *context,
                                    struct err *err)
{
    struct tries tries = {.begun_us = clock_monotonic_us()};
    for (;;) {
        enum store_result result =
            transact_once(database, STR("START TRANSACTION"), work, context, err);
        if ((result == STORE_LOST && database->transaction.has_written) ||
            !try_again(database, result, &tries))
            return result;
        err_clear(err);
    }
}

/* The level is that of the next transaction alone. */
enum store_result database_read_snapshot(struct database *database, database_work *work,
                                         void *context, struct err *err)
{
    enum store_result result =
        database_run_text(database, STR("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"), err);
    if (result != STORE_OK)
        return result;
    return transact_once(database, STR("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"),
                         work, context, err);
}

/* What is served by a later host goes back to an earlier one once that is there again. */
static void return_to_earlier_host(struct database *database)
{
    const struct connection_options options =
        options_of(database, database->settings->database.read_timeout_s);
    struct connection_failure ignored;
    struct err untold;
    size_t current = connection_host(database->connection);
    size_t host = hosts_find_returned(database->hosts, current, clock_monotonic_us());
    if (host == current)
        return;
    struct connection *connection = connection_open_host(&options, host, &ignored, &untold);
    if (connection == NULL)
        return;
    database_close(database);
    database->connection = connection; /* transferred */
    database->counts.connections++;
}

void database_begin_request(struct database *database)
{
    if (database->connection != NULL && connection_is_in_transaction(database->connection))
        database_close(database);
    if (database->connection != NULL)
        return_to_earlier_host(database);
}

bool database_is_settled(const struct database *database)
{
    return database->connection != NULL && !connection_is_in_transaction(database->connection);
}

bool database_close_stale(struct database *database)
{
    if (database->connection == NULL || !connection_is_stale(database->connection))
        return false;
    database_close(database);
    return true;
}

struct database_link database_link(const struct database *database)
{
    if (database->connection == NULL)
        return (struct database_link){0, 0};
    return (struct database_link){database->counts.connections,
                                  connection_host(database->connection)};
}

int64_t database_close_idle(struct database *database, int64_t monotonic_us)
{
    if (database->connection == NULL)
        return -1;
    int64_t due_us = database->used_us + database->settings->database.idle_close_s * 1000000;
    if (monotonic_us < due_us)
        return (due_us - monotonic_us + 999) / 1000;
    database_close(database);
    return -1;
}
