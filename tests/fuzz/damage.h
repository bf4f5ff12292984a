/*
 * What may befall a file of cache/cachefile.h from outside, for fuzz targets: the input says what and
 * where. Offsets count in the pages that were written, so that an input of any kind finds some.
 */
#ifndef ME_TESTS_FUZZ_DAMAGE_H
#define ME_TESTS_FUZZ_DAMAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* A path in a folder of its own below $TMPDIR. Whoever runs a target empties that: one that finds
 * something has no end at which it could. */
const char *damage_path(void);

/* Leaves the head of the file and nothing else. */
void damage_empty(int file);

/* Takes an act of damage off the input, and does it. `before` is what damage_save once had. False: the
 * file is shorter than it was. */
bool damage_take(int file, struct str *rest, const struct buf *before);

/* Keeps what is in the file, for an act that brings it back. */
void damage_save(int file, struct buf *out);

#endif
