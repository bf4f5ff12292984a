/*
 * The audit trail: a row for each PATCH that changed a profile, written within its transaction. The
 * worker's account may only add to it; all else is for the operator's tool and needs the account of
 * DATABASE_ADMIN. However many rows there are, each statement sees a bounded number of them, and so
 * is over within the time-outs of the settings and holds no lock for long.
 */
#ifndef ME_STORE_AUDIT_H
#define ME_STORE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "base/uuid.h"
#include "store/database.h"

/* As the schema has it. What a PATCH can make of the longest values is less. */
enum { AUDIT_VALUES_MAX_BYTES = 128 * 1024 };

/* What one change leaves behind. */
struct audit_entry {
    struct uuid user;
    struct str request_id;
    struct str issuer, client; /* of the token; may be unset */
    struct str members;        /* names, separated by commas */
    struct str values;         /* JSON; unset where they are not kept */
};

/* Within the transaction of the change. */
enum store_result audit_add(struct database *database, const struct audit_entry *entry,
                            struct err *err) MUST_CHECK;

/* Whether audit_add could succeed: the table is there, and the account has the right. Adds nothing.
 */
enum store_result audit_probe(struct database *database, struct err *err) MUST_CHECK;

struct audit_row {
    int64_t id, changed_ms;
    struct audit_entry entry; /* valid during the call */
};
typedef bool audit_visit(void *context, const struct audit_row *row); /* false stops */

/* Which rows: those from `since` on and before `until`. The times of MariaDB end with the year
 * 9999, so INT64_MIN and INT64_MAX are no ends. */
struct audit_range {
    const struct uuid *user; /* NULL: of all users */
    int64_t since_ms, until_ms;
};

enum audit_order { AUDIT_OLDEST_FIRST, AUDIT_NEWEST_FIRST, AUDIT_ORDER__MAX };

/* At most `limit` rows, by time and then id; a few are held at a time. A row that is added
 * meanwhile is visited where its place comes later, and one at most once. */
enum store_result audit_list(struct database *database, const struct audit_range *range,
                             enum audit_order order, int64_t limit, audit_visit *visit,
                             void *context, struct err *err) MUST_CHECK;

/* How many there are. */
enum store_result audit_count(struct database *database, const struct audit_range *range,
                              int64_t *count, struct err *err) MUST_CHECK;

/*
 * Removes them, the oldest first, some in each of many transactions. *count is how many are gone,
 * also on failure; `tell`, where not NULL, is told in between.
 */
typedef void audit_tell(void *context, int64_t count);
enum store_result audit_prune(struct database *database, const struct audit_range *range,
                              audit_tell *tell, void *context, int64_t *count,
                              struct err *err) MUST_CHECK;

#endif
