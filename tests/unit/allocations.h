/*
 * Allocations that fail on demand, those of libraries, too. A program that links this has its own
 * malloc in front of the C library's.
 */
#ifndef ME_TESTS_UNIT_ALLOCATIONS_H
#define ME_TESTS_UNIT_ALLOCATIONS_H

#include <stddef.h>

/* From now on the allocations with these numbers fail, counted from 0. */
void allocations_fail(size_t first, size_t last);

/* None fails any more. Returns how many were asked for since allocations_fail. */
size_t allocations_end(void);

/*
 * Skips the test in a program that has clang's address sanitizer linked into it, which cannot have
 * another malloc.
 */
void allocations_skip_where_none_can_fail(void);

#endif
