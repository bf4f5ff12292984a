/*
 * A file that is read from its front to its end in parts of any length, in constant memory, with
 * the count of its lines.
 */
#ifndef ME_MECTL_INFILE_H
#define ME_MECTL_INFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct infile {
    const char *path; /* borrowed */
    int file;
    struct buf text;
    size_t at;     /* where what was not taken yet begins in it */
    size_t line;   /* the number of the line that begins or goes on there, from 1 */
    int64_t taken; /* bytes */
    int64_t size;  /* bytes of all; 0: not known, as of a pipe */
    bool is_whole; /* the file ends where the text does */
};

/* "-" is standard input. `max_bytes` is the longest part. False with `err`, which names the file.
 */
bool infile_open(const char *path, size_t max_bytes, struct infile *out,
                 struct err *err) MUST_CHECK;
void infile_close(struct infile *in);

/* What was read and not taken yet; borrowed until the next infile_more. */
struct str infile_rest(const struct infile *in);

enum infile_result {
    INFILE_OK = 0,
    INFILE_FULL,  /* the rest is as long as a part may be */
    INFILE_FAILED /* `err` names the file and says why */
};

/* Adds more of the file to the rest; sets is_whole where there is no more. */
enum infile_result infile_more(struct infile *in, struct err *err) MUST_CHECK;

/* Takes bytes off the front of the rest. */
void infile_take(struct infile *in, size_t len);

#endif
