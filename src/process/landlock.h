/*
 * The kernel's Landlock (Linux 5.13 and later): from a call on, a process reaches nothing but the
 * files, folders and TCP ports that it named in it. Each version of the kernel's interface (its
 * "ABI") can restrict more; what this kernel cannot restrict yet is left as it is.
 */
#ifndef ME_PROCESS_LANDLOCK_H
#define ME_PROCESS_LANDLOCK_H

#include <stdbool.h>

#include "base/compiler.h"
#include "process/reach.h"

enum { LANDLOCK_ABI_NETWORK = 4 }; /* the first that restricts TCP (Linux 6.7) */

/* 0: the kernel has no Landlock, or does not let it be used. */
int landlock_abi(void);

/*
 * For this process and for good. A place that is not there is left out, so one that is made later
 * cannot be reached. False with errno where the kernel refuses.
 */
bool landlock_restrict(const struct reach *reach, int abi) MUST_CHECK;

#endif
