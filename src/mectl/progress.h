/*
 * How far a command has come, on standard error while it goes on: one line that is written over on
 * a terminal, a line now and then elsewhere.
 */
#ifndef ME_MECTL_PROGRESS_H
#define ME_MECTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mectl/invocation.h"

struct progress {
    const char *verb; /* "exported" */
    int64_t total, done;
    int64_t begin_us, next_us;
    bool is_on, is_terminal;
};

/* Off unless --progress was given, or standard error is a terminal and `output`, which may be NULL,
 * is none. `total` is set by the caller. */
void progress_begin(struct progress *progress, const struct invocation *invocation,
                    const char *verb, FILE *output);

void progress_tell(struct progress *progress, int64_t done);

/* The last line, for what was told last. */
void progress_end(struct progress *progress);

#endif
