/*
 * Reads the rows of given users into their records. Of this folder alone.
 */
#ifndef ME_STORE_RECORDREAD_H
#define ME_STORE_RECORDREAD_H

#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "profile/record.h"
#include "store/database.h"

/* Records in the order of their ids, none twice, STATEMENT_USERS_MAX at most. */
struct recordread {
    struct record *records;
    size_t count;
    struct arena *arena;
};

/* The record of the id; NULL: it is none of them. */
struct record *recordread_find(const struct recordread *reading, const struct uuid *id);

/* Reads all users rows, by the statement; a user who is not there has none. */
enum store_result recordread_users(struct database *database, const struct recordread *reading,
                                   enum statement_id statement, struct err *err) MUST_CHECK;

/* Reads the rows that the users who are there have in the tables, given as bits. */
enum store_result recordread_tables(struct database *database, const struct recordread *reading,
                                    unsigned int tables, struct err *err) MUST_CHECK;

#endif
