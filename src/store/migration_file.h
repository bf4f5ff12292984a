/*
 * One file of migrations as text: what its name says, its statements, its checksums. Pure; runs
 * nothing.
 *
 * A file is NNNN_name.sql, from 0001 up. A statement ends with a `;` that is the last character of
 * its line but white space; a line that begins with `--` is a comment and ends none, and comments
 * before a statement are no part of it.
 *
 * One that begins with `-- optional:` may be left out where the account may not apply it. What
 * follows, up to the first line that is no comment or an empty one, tells people what it takes and
 * what is lost without it.
 */
#ifndef ME_STORE_MIGRATION_FILE_H
#define ME_STORE_MIGRATION_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum {
    MIGRATION_NAME_MAX_BYTES = 255,
    MIGRATION_CHECKSUM_LEN = 64 /* SHA-256 in lower case hex, as sha256sum prints it */
};

struct migration_statement {
    struct str sql; /* without its `;` */
    size_t line;    /* of its first word, from 1 */
};

struct migration_file {
    int64_t version;
    char *path;                             /* owned; as messages name it */
    char *name;                             /* owned; without number and ending */
    char *optional;                         /* owned; what is said of an optional one, in one line;
                                               NULL: it is none */
    struct buf text;                        /* owned */
    struct migration_statement *statements; /* owned; they point into the text */
    size_t count;
};

/*
 * Takes the file apart. `path` is where it was found, its last part the file's name. The text is
 * copied. On failure `err` names the file and line, and *out holds nothing.
 */
bool migration_file_read(const char *path, struct str text, struct migration_file *out,
                         struct err *err) MUST_CHECK;
void migration_file_free(struct migration_file *file);

/* Of the whole file. False: out of memory. */
bool migration_file_checksum(const struct migration_file *file,
                             char out[MIGRATION_CHECKSUM_LEN + 1]) MUST_CHECK;

/* Of its first `count` statements, whatever is between them and follows: at most all of them. */
bool migration_file_partial_checksum(const struct migration_file *file, size_t count,
                                     char out[MIGRATION_CHECKSUM_LEN + 1]) MUST_CHECK;

#endif
