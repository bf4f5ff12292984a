/*
 * What the integration tests in C share: a database of their own, migrated, on the server whose
 * socket ME_TEST_SOCKET names; a connection of root for what the store cannot or must not do; and
 * the store itself, as root, with time-outs of a second or two.
 */
#ifndef ME_TESTS_INTEGRATION_FIXTURE_H
#define ME_TESTS_INTEGRATION_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../unit/unit.h"

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "format/settings.h"
#include "store/database.h"

struct st_mysql;

enum { FIXTURE_SKIPPED = 77 };

struct fixture {
    struct st_mysql *root;
    char name[64]; /* of the database */
    const char *host[1];
    struct settings settings;
    struct database *database;
    struct arena *arena;
    struct err err;
};

/* Prints why not. */
bool fixture_is_possible(void);

/* For cmocka, around the group: *state is the fixture. */
int fixture_open(void **state);
int fixture_close(void **state);

/* For cmocka, before a test: no rows, no connection of the store. */
int fixture_reset(void **state);

/* Runs one statement as root; the test fails where it does. */
void fixture_sql(struct fixture *fixture, const char *format, ...) PRINTF_LIKE(2, 3);

/* Runs one statement as root; its error number, 0: none. */
unsigned int fixture_sql_error(struct fixture *fixture, const char *sql);

/* The first value of the first row, as a number; INT64_MIN for NULL and for no row. */
int64_t fixture_number(struct fixture *fixture, const char *format, ...) PRINTF_LIKE(2, 3);

/* Ends all connections to the database but root's, and waits until they are gone. */
void fixture_kill_connections(struct fixture *fixture);

/*
 * Another client of the database, a process of its own: has run the statements of `first` when this
 * returns, and runs those of `then` as soon as somebody waits for a lock that it holds. Both end in
 * NULL. fixture_join waits for its end, and the test fails where it did not go so.
 */
pid_t fixture_rival(struct fixture *fixture, const char *const *first, const char *const *then);
void fixture_join(pid_t rival);

/* The id whose bytes are all `byte`, in C and as it is written in SQL. */
struct uuid fixture_id(unsigned char byte);
#define FIXTURE_ID(hex) "REPEAT(x'" hex "', 16)"

/* Another object of the store on the same server, with these settings changed by the caller. */
struct database *fixture_database(struct fixture *fixture, const struct settings *settings);

/* Runs what grants_print prints for an account of these settings. */
void fixture_grant(struct fixture *fixture, const struct settings *settings,
                   enum database_account account);

#define assert_stored(fixture, call)                                                               \
    do {                                                                                           \
        enum store_result result_ = (call);                                                        \
        if (result_ != STORE_OK)                                                                   \
            fail_msg("%s: %s", store_result_name(result_), (fixture)->err.text);                   \
    } while (0)

/* The result, and a part of what is said about it. */
#define assert_refused(fixture, expected, call, part)                                              \
    do {                                                                                           \
        enum store_result result_ = (call);                                                        \
        if (result_ != (expected))                                                                 \
            fail_msg("is %s, not %s: %s", store_result_name(result_), store_result_name(expected), \
                     (fixture)->err.text);                                                         \
        assert_contains((fixture)->err.text, (part));                                              \
    } while (0)

#endif
