/*
 * Files that processes of one user share: the first makes one as a whole, and all others open that
 * one. Nobody waits for anybody. What lies by the name already is not trusted for it: it has to be
 * a regular file of the user's own that lets others do no more than it should. A link is not
 * followed, since whoever may make one there could have any file of the user's overwritten.
 */
#ifndef ME_BASE_SHAREDFILE_H
#define ME_BASE_SHAREDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/err.h"

struct sharedfile {
    const char *path;
    const char *setting; /* that names it, for people */
    mode_t mode;         /* of one that is made */
    mode_t forbidden;    /* of these bits one that is there may have none */
    /* Whether it can be used as it is. Another one takes the place of one that cannot. */
    bool (*is_good)(void *context, int descriptor);
    /* Writes a new one; false with errno. */
    bool (*fill)(void *context, int descriptor);
    void *context;
};

/* A descriptor to read and write; -1 with `err`, which begins with the path, as it does below. */
int sharedfile_open(const struct sharedfile *file, struct err *err) MUST_CHECK;

/* A descriptor to read, whether it is good or not, of another user's too; nothing is made. */
int sharedfile_open_to_read(const struct sharedfile *file, struct err *err) MUST_CHECK;

/* Whether the descriptor's file is still the one that has the name. */
bool sharedfile_is_in_place(const char *path, int descriptor);

#endif
