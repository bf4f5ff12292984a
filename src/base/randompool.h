/*
 * Random bytes that were drawn ahead, so that not each identifier is a call of the kernel. None is
 * given twice: what was given is wiped, and after a fork the child has none of its parent's.
 */
#ifndef ME_BASE_RANDOMPOOL_H
#define ME_BASE_RANDOMPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct randompool;

/* NULL: there is no memory for it, or none that a fork would not copy (before Linux 4.14). */
struct randompool *randompool_new(void) MUST_CHECK;
void randompool_free(struct randompool *pool);

/* As random_bytes, which is what it is with NULL for a pool. */
bool randompool_bytes(struct randompool *pool, void *out, size_t len) MUST_CHECK;

#endif
