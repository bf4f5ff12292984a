/*
 * The storage layer as a fuzz target has it: what it answers comes out of the target's input, and
 * what is written is there afterwards. Linked in the place of store/database.c, whose functions
 * these are.
 */
#ifndef ME_TESTS_FUZZ_STORAGE_H
#define ME_TESTS_FUZZ_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/uuid.h"

enum { STORAGE_RESULTS = 8, STORAGE_ROWS_MAX = 8, STORAGE_TEXTS = 5, STORAGE_TEXT_BYTES = 4096 };

/* Whether a column has another value than the row of the input says. */
struct storage_text {
    bool is_written, is_null;
    size_t len;
    char bytes[STORAGE_TEXT_BYTES];
};

enum storage_session {
    STORAGE_SESSION_ACTIVE,
    STORAGE_SESSION_REVOKED,
    STORAGE_SESSION_EXPIRED,
    STORAGE_SESSION_UNKNOWN,
    STORAGE_SESSION_ENDING, /* a second and a half from the beginning */
    STORAGE_SESSION__MAX
};

enum storage_status {
    STORAGE_ACTIVE,
    STORAGE_PENDING,
    STORAGE_INVITED,
    STORAGE_DELETED,
    STORAGE_BANNED,
    STORAGE_UNHEARD_OF,
    STORAGE_STATUS__MAX
};

/* All that a database would hold, beside the rows of the input; a copy brings it back. */
struct storage_state {
    struct storage_text texts[STORAGE_TEXTS]; /* as the columns of a change come */
    bool is_changed;                          /* `updated_ms` is meant */
    int64_t updated_ms, revision;
    bool has_status, has_session; /* another than the rows say */
    enum storage_status status;
    enum storage_session session;
    bool triggers_stand;
    int64_t epoch;
    uint64_t link;  /* of the connection */
    int64_t now_ms; /* of the database, and of the host where the target wraps its clocks */
};

/* What it is to answer, and what became of that. */
struct storage {
    struct str input; /* STORAGE_RESULTS bytes for what calls end in, and the rows of the profile */
    struct storage_state state;
    struct uuid user;
    bool never_fails;      /* whatever the input says */
    bool has_user;         /* there is a row of a user */
    bool is_wrong;         /* a row, or a result, is one that no database of ours gives */
    bool has_refused;      /* a call did not end in STORE_OK */
    bool is_committed;     /* a change came to its end */
    bool may_be_shown;     /* the user's status is neither banned nor deleted */
    bool is_active;        /* the session that the token names is */
    unsigned transactions; /* that are open */
    uint64_t inputs;       /* that began: none has a link or an epoch of another */
};

/* There is one. */
extern struct storage storage;

/* An input of its own, and nothing that was written. */
void storage_begin(struct str input);

/* Sets has_user, is_wrong, may_be_shown and is_active by what is there now. */
void storage_judge(void);

/* What others do to the database while nobody asks. */
enum storage_change {
    STORAGE_CHANGE_NOTHING,
    STORAGE_CHANGE_NAME,
    STORAGE_CHANGE_STATUS_ACTIVE,
    STORAGE_CHANGE_STATUS_BANNED,
    STORAGE_CHANGE_STATUS_DELETED,
    STORAGE_CHANGE_LOG_OUT,
    STORAGE_CHANGE_LOG_IN,
    STORAGE_CHANGE_TRIGGERS_GONE, /* for as long as a look at them may be old */
    STORAGE_CHANGE_TRIGGERS_MADE,
    STORAGE_CHANGE_RESTART, /* of the server */
    STORAGE_CHANGE__MAX
};
void storage_change(enum storage_change change);

#endif
