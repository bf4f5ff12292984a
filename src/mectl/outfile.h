/*
 * A file that is written bit by bit and has its name only once it is complete. Nobody but its owner
 * may read it, and it takes no other file's place.
 */
#ifndef ME_MECTL_OUTFILE_H
#define ME_MECTL_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

struct outfile {
    FILE *stream;
    int error;        /* the errno of the first line that was not taken; 0: none */
    const char *path; /* borrowed; NULL: standard output */
    struct buf other; /* its name until it is complete: PATH.new */
};

/* "-" is standard output. False with `err`, which names the file; nothing is to be closed then. */
bool outfile_open(const char *path, struct outfile *out, struct err *err) MUST_CHECK;

/* Adds a line. False: it was not taken; outfile_finish will tell why. */
bool outfile_add(struct outfile *out, const char *text) MUST_CHECK;

/* Adds bytes as they are, likewise. */
bool outfile_add_bytes(struct outfile *out, struct str bytes) MUST_CHECK;

/* Everything is on the disk under its name, or `err` says why not and nothing is there. Whether
 * standard output took everything is seen at the end of every command. */
bool outfile_finish(struct outfile *out, struct err *err) MUST_CHECK;

/* Leaves nothing. */
void outfile_abandon(struct outfile *out);

#endif
