/*
 * The storage layer as a fuzz target has it: what it answers comes out of the target's input. Linked
 * in the place of store/database.c, whose functions these are.
 */
#ifndef ME_TESTS_FUZZ_STORAGE_H
#define ME_TESTS_FUZZ_STORAGE_H

#include "base/str.h"
#include "base/uuid.h"

enum { STORAGE_RESULTS = 8, STORAGE_ROWS_MAX = 8 };

/* What it is to answer, and what became of that. */
struct storage {
    struct str input; /* STORAGE_RESULTS bytes for what calls end in, and the rows of the profile */
    struct uuid user;
    bool has_user;         /* a row of a user was shown */
    bool is_wrong;         /* a row, or a result, was one that no database of ours gives */
    bool has_refused;      /* a call did not end in STORE_OK */
    bool is_committed;     /* a transaction came to its end */
    bool may_be_shown;     /* the user's status is neither banned nor deleted */
    bool is_active;        /* the session that the token names is */
    unsigned transactions; /* that are open */
};

/* There is one. */
extern struct storage storage;

#endif
