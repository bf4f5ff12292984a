/*
 * Files written as a whole: nobody ever sees the half of one under its name, and what could not be
 * written leaves what was there before.
 */
#ifndef ME_BASE_NEWFILE_H
#define ME_BASE_NEWFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum newfile_mode { NEWFILE_SECRET = 0600, NEWFILE_PUBLIC = 0644 };

/* Never takes the place of a file that is there. False with `err`, which begins with the path, as
 * with all of these. */
bool newfile_create(const char *path, enum newfile_mode mode, struct str text,
                    struct err *err) MUST_CHECK;

/*
 * Puts `text` in the place of the file, or of the one that a symbolic link leads to, in one step
 * that also a crash of the machine cannot tear. It keeps the mode and the group of the old file,
 * and its owner where root does it; a new file gets NEWFILE_PUBLIC. Its other name until then is
 * PATH.new: only the holder of newfile_lock may call this.
 */
bool newfile_replace(const char *path, struct str text, struct err *err) MUST_CHECK;

/*
 * Takes the lock PATH.lock, a file that stays, and waits for whoever has it. Returns a descriptor
 * whose closing gives it back; -1 with `err`.
 */
int newfile_lock(const char *path, int64_t wait_max_us, struct err *err) MUST_CHECK;

#endif
