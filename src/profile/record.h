/*
 * A user with all child rows as rows of tables, every value of them: what import and export carry,
 * in JSON (profile/recordjson.h) and CSV (profile/recordcsv.h); profile/recordchange.h changes one.
 * One table of fields tells all who read, write, compare or store them what there is. Pure: knows
 * no file and no database.
 * All memory is an arena's.
 */
#ifndef ME_PROFILE_RECORD_H
#define ME_PROFILE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/str.h"
#include "base/uuid.h"

/* Named after the members of the resource; "users" are the users themselves. */
enum record_table {
    RECORD_USERS,
    RECORD_EMAILS,
    RECORD_IDENTITIES,
    RECORD_PHONES,
    RECORD_BADGES,
    RECORD_FRAUD,
    RECORD_SESSIONS,
    RECORD_TABLE__MAX
};

enum { RECORD_FIELDS_MAX = 9 };

enum record_type { RECORD_TEXT = 1, RECORD_UUID, RECORD_FLAG, RECORD_NUMBER, RECORD_TIME };

/* What becomes of a field that is not told of. */
enum record_absence {
    ABSENT_UNSET,  /* it is unset, or false */
    ABSENT_FAULT,  /* a new row needs it */
    ABSENT_ACTIVE, /* from here on: it stays as it is; of a new row it is the status active, */
    ABSENT_NOW,    /* the time of now, */
    ABSENT_MOVED,  /* the time of now, to which it also moves with any other field of the row, */
    ABSENT_NEW_ID  /* a new id */
};

struct record_reader;

/* NULL, or what is wrong with the text, to be read after the field's name. May put another text in
 * its place. */
typedef const char *record_judge(struct record_reader *reader, struct str *text);

struct record_field {
    const char *name; /* of the member and of the column; NULL: the list ends */
    enum record_type type;
    enum record_absence absence;
    record_judge *judge; /* of a text */
    bool is_caseless;    /* A-Z and a-z are the same in it where rows are looked for */
    bool is_hidden;      /* in no file */
};

struct record_table_row {
    const char *name; /* "emails" */
    struct record_field fields[RECORD_FIELDS_MAX + 1];
    /* Sets of fields, as bits, of which no two rows of a user have the same values. The first is
     * the primary key; a row that does not tell its fields is looked for by the second. */
    unsigned int keys[2];
    size_t key_count;
    unsigned int role;       /* the flag that one row at most may have, as a bit; 0: none */
    const char *second_role; /* what is wrong with a second one */
    bool shows_user;         /* objects have a member userId, behind their first */
    bool is_plain;           /* an array of texts, not of objects */
    bool is_single;          /* no array: one object, or none */
    bool is_optional;        /* left out of JSON unless asked for */
};

/* A field's bit in a set of them. */
#define RECORD_BIT(field) (1U << (field))

extern const struct record_table_row record_tables[RECORD_TABLE__MAX];

/* False: no table has this name. */
bool record_table_from_name(struct str name, enum record_table *out) MUST_CHECK;

/* RECORD_FIELDS_MAX where no field that is in files has this name. */
size_t record_field_find(enum record_table table, struct str name);

struct record_value {
    bool is_told; /* in a change: false leaves it to the field's absence */
    bool is_set;
    int64_t number;  /* of a flag 0 or 1; of a time as in base/clock.h */
    struct str text; /* STR_NONE where it is not set */
    struct uuid uuid;
};

struct record_row {
    struct record_value values[RECORD_FIELDS_MAX];
};

struct record_rows {
    struct record_row *rows;
    size_t count;
};

/* A new row at the end, all zero; NULL: out of memory. */
struct record_row *record_rows_add(struct record_rows *rows, struct arena *arena) MUST_CHECK;

/* The row of users is there, or there is no such user. */
struct record {
    struct uuid id;
    struct record_rows tables[RECORD_TABLE__MAX];
};

/* ---- faults */

struct record_fault {
    struct str where; /* "emails[1].email" */
    const char *why;  /* "is not ...": to be read after it; lives as long as the arena */
    struct record_fault *next;
};

/* What reading and changing need; starts as {.zoneinfo, .arena, .is_bare}. */
struct record_reader {
    const char *zoneinfo; /* as in validate_timezone */
    struct arena *arena;
    bool is_bare;                      /* in a line of CSV: a fault's place is the column's name */
    struct record_fault *first, *last; /* in the order in which they were found */
    bool is_out_of_memory;             /* also: no random numbers for an id */
};

/* Which row of the table, from 0, or the table itself. */
enum { RECORD_ROW_ALONE = -1 };
struct record_place {
    enum record_table table;
    int64_t row;
};

extern const char record_missing[]; /* "is missing" */

/* Adds a fault; `name` may be STR_NONE: the row itself, or the whole. `why` is not copied. */
void record_complain(struct record_reader *reader, struct record_place place, struct str name,
                     const char *why);

/* ---- values */

/* Of text, as CSV and the strings of JSON have it; what does not pass is no value, and the result
 * says why. Flags are true or false, 1 or 0, t or f. */
const char *record_parse(struct record_reader *reader, const struct record_field *field,
                         struct str text, struct record_value *out) MUST_CHECK;

/* The value that a field has which is named and has none: NULL, or why it needs one. */
const char *record_parse_nothing(const struct record_field *field, struct record_value *out);

/* The range of whole numbers, which is that of the database. */
const char *record_take_number(int64_t number, struct record_value *out) MUST_CHECK;

/* ---- rows */

/* Whether all fields of the key are set. */
bool record_has_key(const struct record_row *row, unsigned int key);

/* The first row of `rows` that has the values of `row` in all fields of the key; rows->count: none.
 */
size_t record_find_by(enum record_table table, unsigned int key, const struct record_rows *rows,
                      const struct record_row *row);

/* The row of `rows` that has the primary key of `row`; NULL: none. */
const struct record_row *record_find(enum record_table table, const struct record_rows *rows,
                                     const struct record_row *row);

/* All fields, hidden ones included. */
bool record_equal(enum record_table table, const struct record_row *a, const struct record_row *b);

#endif
