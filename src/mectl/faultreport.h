/*
 * Where an import tells what it refuses: a line for each fault, as compilers write them,
 * "FILE:LINE: MEMBER: REASON". On standard error, or in a file that nobody but its owner may read.
 */
#ifndef ME_MECTL_FAULTREPORT_H
#define ME_MECTL_FAULTREPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "mectl/progress.h"
#include "profile/record.h"

struct faultreport {
    const char *input; /* what FILE is called */
    const char *path;  /* NULL: standard error */
    FILE *stream;
    struct progress *progress; /* is hidden while standard error is written to */
};

/* All borrowed; takes the place of a file that is there. */
bool faultreport_open(const char *path, const char *input, struct progress *progress,
                      struct faultreport *out, struct err *err) MUST_CHECK;

/* `where` may be empty: the whole line. */
void faultreport_add(struct faultreport *report, size_t line, struct str where, const char *why);
void faultreport_add_all(struct faultreport *report, size_t line,
                         const struct record_fault *faults);

/* False with `err`: not all of it could be written. */
bool faultreport_close(struct faultreport *report, struct err *err) MUST_CHECK;

#endif
