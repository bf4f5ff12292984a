/*
 * What the tests of the validators share: texts in memory of exactly their length, and the rows of
 * tests/vectors whose first field is "accept" or the code of a violation and whose second is the
 * text.
 */
#ifndef ME_TESTS_UNIT_JUDGE_H
#define ME_TESTS_UNIT_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "profile/violation.h"
#include "vectors.h"

typedef enum violation validator(struct str text);

/* A copy with nothing behind it: an address sanitizer sees who reads past the length. To be freed
 * with free_copy. */
struct str exact_copy(struct str text);
void free_copy(struct str copy);

/* Whether the violation is the one of the row; prints what differs. */
bool is_as_expected(const struct vector *vector, enum violation violation);

/* Judges every row of the file by the validator. */
void judge_vectors(const char *file, size_t least, validator *validate);

/* Appends the text `count` times. */
void repeat(struct buf *out, const char *text, size_t count);

/* Judges `prefix`, then `count` times `text`. */
enum violation judge_repeated(validator *validate, const char *prefix, const char *text,
                              size_t count);

#endif
