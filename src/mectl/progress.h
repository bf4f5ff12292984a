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
    const char *verb;    /* "exported" */
    const char *unit;    /* "rows" */
    int64_t done;        /* units */
    int64_t total;       /* units; -1: nobody knows */
    int64_t part, whole; /* then: how much of something else; whole 0: of nothing */
    int64_t begin_us, next_us;
    bool is_on, is_terminal, is_shown;
};

/* Off unless --progress was given, or standard error is a terminal and `output`, which may be NULL,
 * is none. The unit is rows, and there are none; the caller sets what is otherwise. */
void progress_begin(struct progress *progress, const struct invocation *invocation,
                    const char *verb, FILE *output);

void progress_tell(struct progress *progress, int64_t done);

/* Clears the line from the terminal, before another text goes there; it comes back by itself. */
void progress_hide(struct progress *progress);

/* The last line, for what was told last. */
void progress_end(struct progress *progress);

#endif
