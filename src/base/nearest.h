/*
 * Which word of several a mistyped one was meant to be. Knows no words itself.
 */
#ifndef ME_BASE_NEAREST_H
#define ME_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { NEAREST_WORD_MAX_BYTES = 64 }; /* nothing is near a longer one */

/* The best so far; starts as {STR_NONE, 0}. */
struct nearest {
    struct str word; /* borrowed; STR_NONE: none comes near */
    size_t distance;
};

/*
 * How many bytes have to be put in, left out, replaced, or swapped with the next one to make `b` of
 * `a` (optimal string alignment), A-Z and a-z taken as the same. Both have at most
 * NEAREST_WORD_MAX_BYTES.
 */
size_t nearest_distance(struct str a, struct str b);

/*
 * Takes `word` where it is near to what was typed, at most a third of it being different, and
 * nearer than the best so far; whether it did.
 */
bool nearest_try(struct nearest *nearest, struct str typed, struct str word);

#endif
