/*
 * Rights on tables as values: the rows that store/grants.c grants, taken apart, so that what an
 * account has can be compared with them. Pure.
 */
#ifndef ME_STORE_RIGHT_H
#define ME_STORE_RIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

/* All of it is borrowed from the row. */
struct right {
    struct str privilege; /* "UPDATE" */
    struct str columns;   /* "name, bio"; STR_NONE: of the whole table */
    struct str table;     /* "users"; "*": every table of the database */
};

/* What an account has, as the server lists it; a part that is empty stands for all. */
struct right_held {
    struct str database, table, column, privilege;
    bool can_be_granted_on;
    struct str kind; /* "PROCEDURE", where `table` is none; STR_NONE: it is one */
};

/* Takes a row apart, as "SELECT, UPDATE (name, bio) ON %.users"; the number of its rights, 0 where
 * it is none or has more than `max`. */
size_t right_parse(const char *row, struct right *out, size_t max) MUST_CHECK;

/* Whether what is held is no more than the right, in the database of this name. */
bool right_covers(const struct right *right, struct str database, const struct right_held *held);

/* A row of SHOW GRANTS, borrowed. */
struct right_shown {
    bool is_role;       /* it grants a role: `object` is that, and there are no items */
    struct str items;   /* "SELECT, UPDATE (`bio`)" */
    struct str object;  /* "`me`.`users`", as SQL has it */
    struct str grantee; /* "`ada`@`localhost`", "`a_role`", "PUBLIC", as SQL has it */
    bool can_be_granted_on;
};

/* Takes a row apart, as "GRANT SELECT ON `me`.`users` TO `ada`@`localhost`"; false: it grants
 * nothing. */
bool right_shown_parse(struct str row, struct right_shown *out) MUST_CHECK;

/* Borrowed for the call. */
typedef void right_visit(void *context, const struct right_held *held);

/* Visits each right of a row that grants no role, those on several columns one by one. */
void right_shown_visit(const struct right_shown *shown, right_visit *visit, void *context);

/* Appends a statement that can be prepared only by whoever has the right, and is never to be run. */
void right_append_trial(const struct right *right, struct buf *out);

#endif
