/*
 * What is wrong with the members of a request: every violation at once, each with a code of one
 * closed table.
 */
#ifndef ME_PROFILE_VIOLATION_H
#define ME_PROFILE_VIOLATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/str.h"

enum violation {
    VIOLATION_NONE = 0,
    VIOLATION_INVALID_TYPE,
    VIOLATION_NOT_UTF8, /* of mectl: a body that is not UTF-8 is no JSON and never gets this far */
    VIOLATION_NOT_NULLABLE,
    VIOLATION_BLANK,
    VIOLATION_TOO_LONG,
    VIOLATION_CONTROL_CHARACTER,
    VIOLATION_INVALID_URL,
    VIOLATION_INVALID_LOCALE,
    VIOLATION_INVALID_TIMEZONE,
    VIOLATION_READ_ONLY,
    VIOLATION_UNKNOWN_MEMBER,
    VIOLATION_INVALID_EMAIL, /* from here on: of mectl, never of PATCH */
    VIOLATION_INVALID_PHONE_NUMBER,
    VIOLATION_INVALID_BADGE,
    VIOLATION__MAX
};

/*
 * Fixed English texts, safe to send to a client: the code for programs ("invalid_locale"), the text
 * for people, to be read after the member's name ("is not a BCP 47 language tag"). Of
 * VIOLATION_NONE they are "none" and "is valid".
 */
const char *violation_code(enum violation violation);
const char *violation_text(enum violation violation);

struct violation_entry {
    struct str member; /* as the client named it; borrowed from the arena */
    enum violation violation;
    struct violation_entry *next;
};

struct violation_list {
    struct violation_entry *first, *last; /* in the order in which they were found */
};

/* Appends an entry to a list that began as {0}. False: out of memory; the list is as it was.
 * `member` is copied. */
bool violation_add(struct violation_list *list, struct arena *arena, struct str member,
                   enum violation violation) MUST_CHECK;

#endif
