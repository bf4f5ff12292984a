/*
 * Reads a file of users (mectl/userfile.h) as changes, one user after the other: from JSON Lines
 * each line, from CSV each line of users, and of another table all lines of one user that follow
 * each other. What cannot be read is told to the report, and reading goes on behind it.
 */
#ifndef ME_MECTL_USERSOURCE_H
#define ME_MECTL_USERSOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "mectl/faultreport.h"
#include "mectl/infile.h"
#include "mectl/userfile.h"
#include "profile/recordchange.h"
#include "profile/recordcsv.h"

enum { USERSOURCE_LINE_MAX_BYTES = 4 * 1024 * 1024 };

struct usersource {
    struct userfile format;
    const char *zoneinfo; /* as in validate_timezone */
    struct faultreport *report;
    struct infile *file;
    struct arena *arena; /* of the changes; the caller resets it */
    struct recordcsv columns;
};

enum usersource_result {
    USERSOURCE_CHANGE = 0,
    USERSOURCE_REFUSED, /* the report has the faults */
    USERSOURCE_END,
    USERSOURCE_FAILED /* with `err` */
};

/* Reads what comes before the users: the header of CSV. USERSOURCE_REFUSED: it is no use. */
enum usersource_result usersource_begin(struct usersource *source, struct err *err) MUST_CHECK;

/* *line is where the change begins. */
enum usersource_result usersource_next(struct usersource *source, struct record_change *change,
                                       size_t *line, struct err *err) MUST_CHECK;

#endif
