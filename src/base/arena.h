/*
 * Memory for one request: many small allocations, given back all at once. The first block is kept
 * from request to request, so a usual request allocates nothing. Capped; wiped on reset, so that no
 * request sees what the one before it left.
 */
#ifndef ME_BASE_ARENA_H
#define ME_BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

struct arena;

/* `max_bytes` is for all blocks together. NULL: out of memory. */
struct arena *arena_new(size_t max_bytes) MUST_CHECK;
void arena_free(struct arena *arena);

/* All pointers that the arena gave are invalid after this. */
void arena_reset(struct arena *arena);

/* Zeroed and aligned for any type; NULL at the cap or out of memory. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;

/* A zeroed array of `count` elements of `size` bytes; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_CHECK;

/* A copy with a NUL behind it that is not counted. STR_NONE in gives STR_NONE and is no failure. */
bool arena_copy(struct arena *arena, struct str s, struct str *out) MUST_CHECK;

#endif
