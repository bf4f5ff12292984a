/*
 * Whether users.revision can be relied on: whether the triggers that move it stand, as the view of
 * schema/0004_revision_triggers.sql sees them. It costs the server about a millisecond.
 */
#ifndef ME_STORE_REVISION_H
#define ME_STORE_REVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "store/database.h"

struct revision_guard {
    bool stands;
    /* Another number once a trigger or table was made anew, or the server started: revisions that
     * were read under another one prove nothing, though they be equal. */
    int64_t epoch;
    /* The account that made the triggers was dropped: every write of a user fails (1449). */
    bool lacks_definer;
    int64_t now_us; /* the database's clock at the look */
};

/*
 * STORE_OK also where the view is not there, cannot be read by this account, or fails: nothing
 * stands then, and `err` says why; where the view itself says no it is empty. Any other result is
 * the connection's, and *out says that nothing stands.
 */
enum store_result revision_guard_read(struct database *database, struct revision_guard *out,
                                      struct err *err) MUST_CHECK;

#endif
