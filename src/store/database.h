/*
 * One connection to MariaDB, made when it is first needed, with its prepared statements, which live
 * as long as it does. Every connection has autocommit on, READ COMMITTED, a strict sql_mode,
 * time_zone +00:00 and utf8mb4; all of its waits are bounded by the settings. Statements are named
 * by number (store/statement.h); no type of the client library leaves this folder.
 */
#ifndef ME_STORE_DATABASE_H
#define ME_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "format/settings.h"
#include "store/statement.h"

enum store_result {
    STORE_OK = 0,
    STORE_ABANDONED, /* the work asked for a rollback: see database_transact */
    STORE_NOT_FOUND, /* no such row */
    STORE_DUPLICATE, /* a unique key refused it (1062) */
    STORE_REFUSED, /* a constraint or a right refused it; what may be tried again once it was mended
                    */
    STORE_CONFLICT, /* 1213, 1205, 1020: the transaction was rolled back and may be tried again */
    STORE_LOST,     /* 2006, 2013 and the like: the connection is gone, nothing was committed */
    STORE_UNAVAILABLE, /* not reached, overloaded (1040, 1203, 1226), shutting down, not migrated */
    STORE_IN_DOUBT,    /* a COMMIT, or a write outside of one: done or not, nobody knows */
    STORE_FAILED,      /* anything else: a fault of this program or of the schema */
    STORE__MAX
};

/* For the log: "unavailable". */
const char *store_result_name(enum store_result result);

struct database;

/* Whose account of the settings is used. */
enum database_account { DATABASE_WORKER, DATABASE_ADMIN, DATABASE_PROVISION };

/*
 * Connects nothing yet. Reads the password file, with `readers` demanded of it; NULL with `err`
 * where that fails. It is read again when a server refuses the password. The settings are borrowed
 * for the life of the object. The client library is initialised with the first object and stays so
 * until the process ends.
 */
struct database *database_new(const struct settings *settings, enum database_account account,
                              enum file_readers readers, struct err *err) MUST_CHECK;
void database_free(struct database *database);

/* What nobody knows who cannot log in as this account: its password, empty where it has none.
 * Borrowed until the next call. */
struct str database_secret(const struct database *database);

/* Connects where that was not done yet; the first statement does so by itself. */
enum store_result database_connect(struct database *database, struct err *err) MUST_CHECK;

/*
 * To be called when a request begins: a connection that is found inside a transaction is closed
 * (the next statement opens another).
 */
void database_begin_request(struct database *database);

/*
 * Whether what was read or written last was so outside of any transaction: what was read is what
 * was committed then, and what was written is committed.
 */
bool database_is_settled(const struct database *database);

/* Closes a connection that the server has closed, as far as can be told without asking it. */
bool database_close_stale(struct database *database);

/* The connection that is open: its number, another one whenever there is another one (0: none is
 * open), and which of the hosts it leads to. */
struct database_link {
    uint64_t number;
    size_t host;
};
struct database_link database_link(const struct database *database);
/* What was seen so far, whatever was made of it. */
struct database_counts {
    uint64_t connections;          /* that were opened */
    uint64_t spent_us;             /* on opening them, and on all that was asked */
    uint64_t failures[STORE__MAX]; /* by their result: each try that failed */
};

/* Borrowed for the life of the object. */
const struct database_counts *database_counts(const struct database *database);

bool database_is_open(const struct database *database);

/* Closes the connection where it was idle for database.idle_close_s. Returns the milliseconds until
 * that is due, -1: no connection. */
int64_t database_close_idle(struct database *database, int64_t monotonic_us);

void database_close(struct database *database);

/*
 * Runs `work` inside a transaction and commits when it returns STORE_OK; anything else rolls back
 * and is returned. STORE_CONFLICT, from the work or from COMMIT, is tried again a few times with
 * jitter, and for a second and a half; STORE_LOST when nothing was written yet, and what a server
 * refuses that can serve nobody now, are tried again at the next of the hosts. So `work` must be
 * repeatable. A COMMIT that got no answer is STORE_IN_DOUBT, never STORE_OK.
 */
typedef enum store_result database_work(struct database *database, void *context, struct err *err);
enum store_result database_transact(struct database *database, database_work *work, void *context,
                                    struct err *err) MUST_CHECK;

/* The account's name, borrowed from the settings; NULL: DATABASE_PROVISION is not set. */
const char *database_user(const struct settings *settings, enum database_account account);

/* Appends the account's password, nothing where it has none. As with database_new, `readers` are
 * demanded of its file. */
bool database_password(const struct settings *settings, enum database_account account,
                       enum file_readers readers, struct buf *out, struct err *err) MUST_CHECK;

/*
 * Runs `work`, which writes nothing, inside a transaction in which every read sees the database as
 * it was when the transaction began. Nothing is tried again.
 */
enum store_result database_read_snapshot(struct database *database, database_work *work,
                                         void *context, struct err *err) MUST_CHECK;

/*
 * From here on for the other modules of this folder.
 *
 * Sees one row; its values are borrowed until it returns. Anything but STORE_OK ends the rows and
 * is the result of the call.
 */
typedef enum store_result row_visit(void *context, const struct value *row, struct err *err);

struct call {
    enum statement_id statement;
    const struct value *in; /* as many as the statement takes */
    row_visit *visit;       /* of a statement that has columns out; NULL: nobody looks */
    void *context;          /* for visit */
    int64_t
        *rows; /* NULL, or set to the rows found, by a write also those that it left as they were */
};

/*
 * Runs one statement, connecting and preparing it where that was not done yet. All rows have
 * arrived before the first is visited, so a visit may run statements of its own, but not the same
 * one. Outside of a transaction a read is tried again as database_transact tries, and a write
 * where it met a conflict; a write that may have been done though it failed is STORE_IN_DOUBT.
 */
enum store_result database_run(struct database *database, const struct call *call,
                               struct err *err) MUST_CHECK;

/* Has the server judge a statement without running it: are its tables there, and has the account
 * the rights that it takes? */
enum store_result database_prepare(struct database *database, enum statement_id statement,
                                   struct err *err) MUST_CHECK;

/* As database_run for a statement whose rows, if any, nobody looks at; `rows` as in struct call. */
enum store_result database_run_counted(struct database *database, enum statement_id statement,
                                       const struct value *in, int64_t *rows,
                                       struct err *err) MUST_CHECK;

/*
 * Within a transaction: runs a write for many rows, whose values stand row behind row, in one go
 * where the server can. None: nothing is done. After a refusal some of the rows may have been
 * written: roll back.
 */
enum store_result database_run_bulk(struct database *database, enum statement_id statement,
                                    const struct value *values, size_t rows,
                                    struct err *err) MUST_CHECK;

/* Runs one statement of the migrations as it stands. What it returns is thrown away. */
enum store_result database_run_text(struct database *database, struct str sql,
                                    struct err *err) MUST_CHECK;

/* Opens a connection where none is open; *failure (store/connection.h) tells more of a failure than
 * the result. */
struct connection_failure;
enum store_result database_open(struct database *database, struct connection_failure *failure,
                                struct err *err) MUST_CHECK;

/* The error number of the last call that failed on the open connection; 0: none is open, or this
 * program refused it. */
unsigned int database_error(const struct database *database);

/* As database_error; also of a connection that was closed since it was broken. */
unsigned int database_last_error(const struct database *database);

/*
 * Opens a connection for migrations: answers may take a day, and from here to database_close a
 * connection that is lost stays lost, since the lock of the migrations goes with it.
 */
enum store_result database_open_for_migrations(struct database *database,
                                               struct err *err) MUST_CHECK;

#endif
