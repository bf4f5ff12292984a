/*
 * What a line of a file tells of a user (profile/record.h), and what becomes of the user by it:
 * applied to the user as the database has it, a change gives the user as it is to be, or faults.
 */
#ifndef ME_PROFILE_RECORDCHANGE_H
#define ME_PROFILE_RECORDCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/uuid.h"
#include "profile/record.h"

enum record_mode {
    RECORD_KEEP = 0, /* nothing is told of this table */
    RECORD_REPLACE,  /* the rows are all that there are to be */
    RECORD_MERGE     /* the rows are added, or changed where they are there */
};

struct record_change {
    struct uuid id;
    enum record_mode modes[RECORD_TABLE__MAX];
    struct record_rows tables[RECORD_TABLE__MAX];
};

enum record_outcome {
    RECORD_UNCHANGED,
    RECORD_CHANGED,
    RECORD_ADDED,
    RECORD_REFUSED,
    RECORD_OUTCOME__MAX
};

/*
 * *after is *before with the change; both may be one. RECORD_REFUSED: the reader has the faults,
 * and *after is as it was. Rows that stay are those of `before`, borrowed.
 */
enum record_outcome recordchange_apply(struct record_reader *reader, const struct record *before,
                                       const struct record_change *change, int64_t now_ms,
                                       struct record *after) MUST_CHECK;

#endif
