/*
 * The log in a file of its own (log.file) instead of where the web server's standard error goes:
 * the file takes the place of standard error, so whatever is said there lands in it. Several
 * processes write to one file, each line with one write at its end, and rotate it by its size among
 * themselves.
 */
#ifndef ME_PROCESS_LOGFILE_H
#define ME_PROCESS_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct logfile {
    const char *path;  /* borrowed; NULL: standard error is left as it is */
    int64_t max_bytes; /* of one file */
    int64_t kept;      /* rotated files that are kept: PATH.1 is the newest */
};

/* Makes the file where it is not there yet, with mode 0640. */
bool logfile_open(const struct logfile *file, struct err *err) MUST_CHECK;

/*
 * To be called between requests: goes on in a new file where this one is full, or where another
 * process or a program such as logrotate has put it away. What fails is left as it was: the log
 * goes on in the old file.
 */
void logfile_keep_up(const struct logfile *file);

#endif
