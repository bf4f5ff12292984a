/*
 * A folder of its own for a test, with files in it.
 */
#ifndef ME_TESTS_UNIT_FOLDER_H
#define ME_TESTS_UNIT_FOLDER_H

#include <sys/types.h>

#include "base/str.h"

enum { FOLDER_PATH_BYTES = 512 };

/* The path of a new folder, without links in it; folder_remove deletes the folder and frees the
 * path. */
char *folder_new(void);
void folder_remove(char *folder);

/* "FOLDER/NAME" into `path`, which is returned. */
char *folder_path(const char *folder, const char *name, char path[FOLDER_PATH_BYTES]);

/* The same place by a path of this length, which is to be freed. */
char *folder_long_path(const char *folder, const char *name, size_t len);

/* Writes a file with exactly this mode, in place of one that is there. */
void folder_add(const char *folder, const char *name, struct str bytes, mode_t mode);

#endif
