/*
 * Counts of several processes in one file, which outlive the processes. Each process has a slot of
 * the file to itself, and a lock of the system on it, which ends with the process however that
 * ends. The next one that takes the slot counts on from what is there: so the sum over all slots
 * never falls when processes come and go, and nobody has to tidy up after the dead.
 *
 *   head    magic, what the counts mean (layout), how many, a checksum
 *   slot    twice: a number that rises with each writing, a checksum, the counts
 *
 * A slot is written to its two places in turn: who is killed while writing leaves the other, and so
 * does who is read while writing. It is read and written by pread and pwrite, not mapped: a file
 * that somebody cuts short is then a file without counts, where a mapped one would be a SIGBUS.
 * Nobody waits for anybody. A file that was damaged, cut or taken away is made anew, and each
 * process writes into that all that it knows.
 */
#ifndef ME_PROCESS_COUNTFILE_H
#define ME_PROCESS_COUNTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

enum { COUNTFILE_SLOTS = 256, COUNTFILE_COUNTS_MAX = 1024 };

struct countfile_place {
    const char *path; /* borrowed for the life of the object */
    size_t counts;    /* in each slot: COUNTFILE_COUNTS_MAX at most */
    uint64_t layout;  /* another one where the counts mean something else */
    size_t levels;    /* so many at the end are no counts: who takes a slot begins them at 0 */
};

struct countfile;

/*
 * Opens the file, or makes it, mode 0640, and takes a slot. A file of another layout is replaced:
 * another version of the program wrote it. NULL with `err` where that cannot be, or the file is
 * another user's, can be written by others, or is a link.
 */
struct countfile *countfile_open(const struct countfile_place *place, struct err *err) MUST_CHECK;

/* For reading alone, also another user's. A file of another layout is a failure. */
struct countfile *countfile_open_to_read(const struct countfile_place *place,
                                         struct err *err) MUST_CHECK;
void countfile_close(struct countfile *file);

/* Writes what this process counted since it began; where all slots were taken, it tries again to
 * take one. False: not written, and not lost: the next call writes it too. */
bool countfile_write(struct countfile *file, const uint64_t *counts);

/* To be called now and then: makes a file that was damaged or taken away anew, and goes on in one
 * that another process made. `counts` as countfile_write. */
void countfile_keep_up(struct countfile *file, const uint64_t *counts);

/* One slot; `is_alive`: its process runs. `counts` is borrowed for the call. */
typedef void countfile_visit(void *context, const uint64_t *counts, bool is_alive);

/* Visits all slots that were ever taken. False: the file cannot be read, or was damaged. */
bool countfile_read(struct countfile *file, countfile_visit *visit, void *context) MUST_CHECK;

#endif
