/*
 * How each table of profile/record.h is read and written: which statements, and how its values go
 * through them. Of this folder alone.
 */
#ifndef ME_STORE_RECORDPLAN_H
#define ME_STORE_RECORDPLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/record.h"
#include "store/statement.h"

/* Writes the values of a row that a statement takes; how many. */
typedef size_t recordplan_put(enum record_table table, const struct uuid *user,
                              const struct record_row *row, struct value *out);

/* What is done with a row. */
enum recordplan_step { RECORDPLAN_REMOVE, RECORDPLAN_CHANGE, RECORDPLAN_ADD, RECORDPLAN__MAX };

struct recordplan_write {
    enum statement_id statement;
    recordplan_put *put; /* NULL: there is no such step */
};

/* A table without RECORDPLAN_CHANGE removes a row and adds it anew. */
struct recordplan {
    enum statement_id read;
    struct recordplan_write writes[RECORDPLAN__MAX];
};

extern const struct recordplan recordplans[RECORD_TABLE__MAX];

/* The values of a row that was read, the user's id in front of them. */
bool recordplan_take(enum record_table table, const struct value *values, struct arena *arena,
                     struct record_row *out) MUST_CHECK;

#endif
