/*
 * Users with all child rows (profile/record.h), many at once: read in pages for export, and changed
 * in batches for import. Needs the account of DATABASE_ADMIN.
 */
#ifndef ME_STORE_RECORDS_H
#define ME_STORE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "profile/record.h"
#include "profile/recordchange.h"
#include "store/database.h"

/* In one page or batch. */
enum { RECORDS_MAX = 256 };

/* Which tables are read besides users, as bits: RECORD_BIT(RECORD_EMAILS). */
enum { RECORDS_ALL_TABLES = (1 << RECORD_TABLE__MAX) - 1 };

struct records_page {
    unsigned int tables;
    struct arena *arena;    /* of the records; the caller resets it */
    struct record *records; /* in the order of ids; their rows in that of the resource */
    size_t count;           /* less than RECORDS_MAX: it is the last page */
};

/* Reads the page behind `after` (NULL: the first). */
enum store_result records_read(struct database *database, const struct uuid *after,
                               struct records_page *page, struct err *err) MUST_CHECK;

enum store_result records_count(struct database *database, int64_t *count,
                                struct err *err) MUST_CHECK;

/* What became of one change. */
struct records_outcome {
    enum record_outcome outcome;
    struct record_fault *faults; /* of RECORD_REFUSED; in the arena of the batch */
};

struct records_batch {
    const struct record_change *changes;
    size_t count; /* RECORDS_MAX at most */
    bool is_bare; /* as in struct record_reader */
    bool is_dry;  /* all is tried, and nothing stays */
    struct arena *arena;
    struct records_outcome *outcomes; /* one for each change, filled in on STORE_OK */
};

/*
 * Applies all changes, one after the other, in one transaction; RECORD_REFUSED leaves its user as
 * it was, and the others go on. On STORE_DUPLICATE and STORE_REFUSED the database refused one of
 * them, and none was made. Resets the arena first.
 */
enum store_result records_apply(struct database *database, const struct records_batch *batch,
                                struct err *err) MUST_CHECK;

/* After STORE_DUPLICATE: complains of each email and identity of the change that is another
 * user's. */
enum store_result records_find_rivals(struct database *database, const struct record_change *change,
                                      struct record_reader *reader, struct err *err) MUST_CHECK;

#endif
