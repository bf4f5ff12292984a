/*
 * Whole files, read once, with their permissions judged on the open descriptor.
 */
#ifndef ME_BASE_FILE_H
#define ME_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

/* Who else may read a file. */
enum file_readers {
    FILE_READERS_ANY,       /* it is no secret */
    FILE_READERS_OWN_GROUP, /* a secret: nobody but its owner and a group of this process */
    FILE_READERS_ONE_GROUP, /* a secret: its owner and one group, whichever; for root, whom no group
                               binds */
};

/* What a process that reads a secret should demand: for root FILE_READERS_ONE_GROUP, else
 * OWN_GROUP. */
enum file_readers file_readers_of_operator(void);

/*
 * Appends the file's bytes to `out`, whose cap is the limit on its size. Takes regular files only.
 * On failure `err` names the file, what is wrong and, where it is a mode, the chmod that mends it.
 */
bool file_read(const char *path, enum file_readers readers, struct buf *out,
               struct err *err) MUST_CHECK;

/* True where there is a file or folder of this name that can be looked at. */
bool file_exists(const char *path);

#endif
