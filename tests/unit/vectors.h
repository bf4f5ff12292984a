/*
 * Reads a file of tests/vectors: one row a line, its fields separated by tabs, `#` lines and empty
 * lines left out. In a field \t \n \r \\ and \xHH stand for bytes.
 */
#ifndef ME_TESTS_UNIT_VECTORS_H
#define ME_TESTS_UNIT_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { VECTOR_FIELDS_MAX = 6 };

struct vector {
    const char *file;
    size_t line;
    struct str
        field[VECTOR_FIELDS_MAX]; /* unescaped; STR_NONE past the last; valid during the call */
};

/*
 * Calls `judge` for every row and fails the test, after all of them were judged, when any returned
 * false or when the file had fewer than `least` rows. `judge` prints what it got with print_error
 * and vector_name.
 */
typedef bool vector_judge(const struct vector *vector, void *context);
void vectors_run(const char *name, size_t least, vector_judge *judge, void *context);

/* Prints "FILE:LINE: expected …, got …" and returns false. */
bool vector_wrong(const struct vector *vector, const char *expected, const char *actual);

#endif
