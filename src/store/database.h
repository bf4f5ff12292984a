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

#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "format/settings.h"

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
    STORE_IN_DOUBT,    /* the connection was lost at COMMIT: done or not, nobody knows */
    STORE_FAILED,      /* anything else: a fault of this program or of the schema */
    STORE__MAX
};

struct database;

/* Whose account of the settings is used. */
enum database_account { DATABASE_WORKER, DATABASE_ADMIN };

/*
 * Connects nothing yet. Reads the password file, with `readers` demanded of it; NULL with `err`
 * where that fails. The settings are borrowed for the life of the object.
 */
struct database *database_new(const struct settings *settings, enum database_account account,
                              enum file_readers readers, struct err *err) MUST_CHECK;
void database_free(struct database *database);

/*
 * To be called when a request begins: a connection that is found inside a transaction is closed
 * (the next statement opens another).
 */
void database_begin_request(struct database *database);

/* Closes the connection where it was idle for database.idle_close_s. Returns the milliseconds until
 * that is due, -1: no connection. */
int64_t database_close_idle(struct database *database, int64_t monotonic_us);

void database_close(struct database *database);

/*
 * Runs `work` inside a transaction and commits when it returns STORE_OK; anything else rolls back
 * and is returned. STORE_CONFLICT, from the work or from COMMIT, is tried again a few times with
 * jitter, and so is STORE_LOST once when nothing was written yet; so `work` must be repeatable. A
 * COMMIT that got no answer is STORE_IN_DOUBT, never STORE_OK.
 */
typedef enum store_result database_work(struct database *database, void *context, struct err *err);
enum store_result database_transact(struct database *database, database_work *work, void *context,
                                    struct err *err) MUST_CHECK;

#endif
