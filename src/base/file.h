/*
 * Whole files, read once, with their permissions judged on the open descriptor.
 */
#ifndef ME_BASE_FILE_H
#define ME_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/*
 * What tells a file apart from another one, and from itself after a change of its bytes, mode or
 * owner. Times are the file system's, as precise as it keeps them.
 */
struct file_stamp {
    uint64_t device, inode;
    int64_t size, modified_ns, changed_ns;
};

/* As file_read; *stamp is the file's from before its first byte was read. */
bool file_read_stamped(const char *path, enum file_readers readers, struct buf *out,
                       struct file_stamp *stamp, struct err *err) MUST_CHECK;

/* False, with *stamp all zero, where nothing of this name can be looked at. */
bool file_stamp_of(const char *path, struct file_stamp *stamp) MUST_CHECK;

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

/* Whether file_read would take the file with these readers; `err` as there. */
bool file_is_kept_from_others(const char *path, enum file_readers readers,
                              struct err *err) MUST_CHECK;

/* True where there is none of this name: not where that cannot be told for want of rights. */
bool file_is_missing(const char *path);

/* True where there is a file or folder of this name that can be looked at. */
bool file_exists(const char *path);

#endif
