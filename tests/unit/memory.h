/*
 * The allocations of a program under test, by the linker's --wrap (see WRAP_MEMORY in Makefile.am):
 * made to fail on demand, and the freed blocks searched for a secret that should have been wiped.
 */
#ifndef ME_TESTS_UNIT_MEMORY_H
#define ME_TESTS_UNIT_MEMORY_H

#include <stddef.h>

/* From now on `count` allocations succeed and all others fail; memory_is_plenty ends that. */
void memory_allows(size_t count);
void memory_is_plenty(void);

/* Searches every block that is freed from now on for `secret` (a C string). NULL ends that. */
void memory_watch(const char *secret);

/* How many blocks had it since memory_watch. */
size_t memory_leaks(void);

/* How many blocks were freed since memory_watch. */
size_t memory_frees(void);

#endif
