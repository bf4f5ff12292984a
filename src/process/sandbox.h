/*
 * What a worker gives up once it has its settings, so that somebody who takes it over by a fault in
 * it, or in a library, can do little: process.sandbox. Each part is taken where the host has it.
 */
#ifndef ME_PROCESS_SANDBOX_H
#define ME_PROCESS_SANDBOX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "format/settings.h"

enum sandbox_part {
    SANDBOX_PRIVILEGES,  /* none can be gained any more */
    SANDBOX_DUMPS,       /* no core dump, no debugger of the same account */
    SANDBOX_DESCRIPTORS, /* what was open at the start, other than standard ones, is closed */
    SANDBOX_LIMITS,      /* no new process, few descriptors */
    SANDBOX_FILES,       /* Landlock: process/reach.h tells which can be reached */
    SANDBOX_SYSCALLS,    /* seccomp: process/filter.h */
    SANDBOX_NETWORK,     /* no connection but to the database's ports and DNS; or none at all */
    SANDBOX__MAX
};

struct sandbox {
    unsigned has; /* a bit for each part: 1 << SANDBOX_FILES, ... */
};

/*
 * For good, and to be called while nothing is open yet but what stays open: the standard
 * descriptors. `err` may not be NULL. *out tells what was taken: nothing where the setting is `off`. False where it is
 * `required` and the host, or this build, lacks a part that it takes (all but the network, which
 * is newer than the others): `err` says which, and what to do.
 */
bool sandbox_enter(const struct settings *settings, struct sandbox *out,
                   struct err *err) MUST_CHECK;

/* The same in a process of its own, which ends at once: what a worker would get here. */
bool sandbox_try(const struct settings *settings, struct sandbox *out, struct err *err) MUST_CHECK;

/* "privileges, dumps, files; without network": the parts that were taken, and those that were not,
 * for people. */
enum { SANDBOX_TEXT_MAX_BYTES = 256 };
void sandbox_describe(const struct sandbox *sandbox, struct buf *out);

#endif
