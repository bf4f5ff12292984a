/*
 * Where the profiles that were shown are kept, and what the file has to be to be ours: of this
 * build of the program, and for this database.
 */
#ifndef ME_API_KEPTPLACE_H
#define ME_API_KEPTPLACE_H

#include <limits.h>

#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "cache/cachefile.h"
#include "format/settings.h"

struct keptplace {
    struct cachefile_place place; /* its path is the one below */
    char path[PATH_MAX];
};

/*
 * By the settings. Where they name no path, it is one in /dev/shm that no other user or
 * configuration has. False with `err`, which says what to set, where there is no such folder, or it
 * is not in memory.
 */
bool keptplace_choose(const struct settings *settings, struct digest *digest, struct keptplace *out,
                      struct err *err) MUST_CHECK;

#endif
