#include "process/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool take_place_of_standard_error(const char *path)
{
    int descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                          S_IRUSR | S_IWUSR | S_IRGRP);
    struct stat info;
    bool good = descriptor >= 0 && fstat(descriptor, &info) == 0;

    if (good && !S_ISREG(info.st_mode)) {
        errno = EINVAL;
        good = false;
    }
    good = good && dup2(descriptor, STDERR_FILENO) == STDERR_FILENO;
    if (descriptor >= 0 && descriptor != STDERR_FILENO) {
        int error = errno;

        (void)close(descriptor);
        errno = error;
    }
    return good;
}

bool logfile_open(const struct logfile *file, struct err *err)
{
    if (file->path == NULL || take_place_of_standard_error(file->path))
        return true;
    err_set(err,
            "log.file: %s: %s: name a file in a folder that this user may write to, or take the "
            "setting out",
            file->path, errno == EINVAL ? "is not a regular file" : strerror(errno));
    return false;
}

/* ---- rotation */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the path still leads to the file that is written to. */
static bool is_in_place(const char *path, const struct stat *ours)
{
    struct stat there;

    return stat(path, &there) == 0 && is_same_file(&there, ours);
}

/* PATH for 0, PATH.1, PATH.2, ... False: too long for a name. */
static bool name_rotated(const char *path, int64_t number, char out[PATH_MAX])
{
    int len = number == 0 ? snprintf(out, PATH_MAX, "%s", path)
                          : snprintf(out, PATH_MAX, "%s.%lld", path, (long long)number);

    return len > 0 && len < PATH_MAX;
}

/* Each goes one on; the oldest is written over, or taken away where none is kept. */
static void put_away(const struct logfile *file)
{
    char from[PATH_MAX], to[PATH_MAX];

    if (file->kept == 0)
        (void)unlink(file->path);
    for (int64_t number = file->kept; number > 0; number--)
        if (name_rotated(file->path, number - 1, from) && name_rotated(file->path, number, to))
            (void)rename(from, to); /* most are not there yet */
}

/* One process does it; the others find the file gone from its place at their next request. */
static void rotate(const struct logfile *file, const struct stat *ours)
{
    if (flock(STDERR_FILENO, LOCK_EX | LOCK_NB) != 0)
        return;
    if (is_in_place(file->path, ours))
        put_away(file);
    (void)flock(STDERR_FILENO, LOCK_UN);
    (void)take_place_of_standard_error(file->path);
}

void logfile_keep_up(const struct logfile *file)
{
    struct stat ours;

    if (file->path == NULL || fstat(STDERR_FILENO, &ours) != 0)
        return;
    if (!is_in_place(file->path, &ours))
        (void)take_place_of_standard_error(file->path);
    else if (ours.st_size >= file->max_bytes)
        rotate(file, &ours);
}
