/*
 * One open connection: where it leads, how its session is set up, and the statements that were
 * prepared on it. It is never reopened by itself: whoever owns it decides. Of this folder alone.
 */
#ifndef ME_STORE_CONNECTION_H
#define ME_STORE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "store/database.h"
#include "store/hosts.h"

struct connection;

struct connection_options {
    const struct settings *settings;
    const char *user, *password; /* password NULL: none is sent */
    int64_t read_timeout_s;
    struct hosts *hosts; /* asked in their order, and told what became of it */
};

enum { CONNECTION_SERVER_MAX_BYTES = 64 };

/* Why there is no connection: of the host that was tried last. */
struct connection_failure {
    enum store_result result;
    unsigned int number; /* of the server or the client library; 0: this program refused it */
    char server[CONNECTION_SERVER_MAX_BYTES + 1]; /* its version, where it came to tell it */
};

/*
 * NULL with `err`, which says of every host why not; *failure is then what that means. Where one of
 * them has too many connections, all are tried again for about a second.
 */
struct connection *connection_open(const struct connection_options *options,
                                   struct connection_failure *failure, struct err *err) MUST_CHECK;

/* As connection_open to one of them alone, which must also be ready to answer. */
struct connection *connection_open_host(const struct connection_options *options, size_t host,
                                        struct connection_failure *failure,
                                        struct err *err) MUST_CHECK;
void connection_close(struct connection *connection);

/* Makes a statement ready to be run, where it is not yet. */
enum store_result connection_prepare(struct connection *connection, enum statement_id statement,
                                     struct err *err) MUST_CHECK;
enum store_result connection_run(struct connection *connection, const struct call *call,
                                 struct err *err) MUST_CHECK;
/* As database_run_bulk. */
enum store_result connection_run_bulk(struct connection *connection, enum statement_id statement,
                                      const struct value *values, size_t rows,
                                      struct err *err) MUST_CHECK;
enum store_result connection_run_text(struct connection *connection, struct str sql,
                                      struct err *err) MUST_CHECK;

/* COMMIT; STORE_IN_DOUBT where the answer does not tell whether it was done. */
enum store_result connection_commit(struct connection *connection, struct err *err) MUST_CHECK;

/* The error number of the last call that failed; 0: of none, or this program refused it. */
unsigned int connection_error(const struct connection *connection);

/* Which one of the list of hosts it leads to. */
size_t connection_host(const struct connection *connection);

/* Whether the server says that a transaction is open. */
bool connection_is_in_transaction(const struct connection *connection);

/* Between statements: the server has said something unasked, which is its farewell, or hung up. */
bool connection_is_stale(const struct connection *connection);

/* After a failure: the connection is of no more use. */
bool connection_is_broken(const struct connection *connection);

/* After a failure of COMMIT, or of a write in no transaction: it may have been done all the same. */
bool connection_is_in_doubt(const struct connection *connection);

/* After a failure: the server refused it since it can serve nobody now, and has done nothing. */
bool connection_is_refused(const struct connection *connection);

/* After a failure: its host should not be asked next. It refuses, or was silent until a time-out;
 * one that hung up may have done so for many reasons, and is asked again. */
bool connection_is_elsewhere(const struct connection *connection);

#endif
