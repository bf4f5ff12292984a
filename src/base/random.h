/*
 * Bytes from the kernel's generator: for identifiers and for jitter.
 */
#ifndef ME_BASE_RANDOM_H
#define ME_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* False only where the kernel has no generator. */
bool random_bytes(void *out, size_t len) MUST_CHECK;

/* From 0 to below `limit`, for jitter; 0 where there is no generator. */
uint32_t random_below(uint32_t limit);

#endif
