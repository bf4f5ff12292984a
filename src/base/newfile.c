#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* A path of ours that is made of another one; it ends in NUL. */
struct path {
    char text[PATH_MAX + sizeof(".lock")];
};

static const struct {
    int error;
    const char *advice;
} advices[] = {
    {EACCES, "run this as a user who may write to the folder"},
    {EEXIST, "remove it first, or name another file"},
    {ENOENT, "make the folder first"},
    {ENOSPC, "make room on the disk"},
    {EPERM, "run this as its owner, or as root"},
    {EROFS, "name a file that can be written"},
};

/* As errno says. */
static bool fail(const char *path, struct err *err)
{
    int error = errno;
    const char *advice = NULL;

    for (size_t i = 0; i < ARRAY_LENGTH(advices); i++)
        if (advices[i].error == error)
            advice = advices[i].advice;
    err_set(err, "%s: %s%s%s", path, strerror(error), advice == NULL ? "" : ": ",
            advice == NULL ? "" : advice);
    return false;
}

static bool path_with(const char *path, const char *ending, struct path *out, struct err *err)
{
    int len = snprintf(out->text, sizeof(out->text), "%s%s", path, ending);

    if (len > 0 && (size_t)len < sizeof(out->text))
        return true;
    errno = ENAMETOOLONG;
    return fail(path, err);
}

/* Where symbolic links lead; a file that is not there yet has the name that was given. */
static bool resolve(const char *path, struct path *out, struct err *err)
{
    char resolved[PATH_MAX];

    if (realpath(path, resolved) != NULL)
        return path_with(resolved, "", out, err);
    return errno == ENOENT ? path_with(path, "", out, err) : fail(path, err);
}

/* The folder that the file lies in. */
static int open_folder(const char *path, struct err *err)
{
    struct path copy;
    int folder = -1;

    if (!path_with(path, "", &copy, err))
        return -1;
    folder = open(dirname(copy.text), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        (void)fail(path, err);
    return folder;
}

/* ---- writing */

static bool write_all(int descriptor, struct str text)
{
    while (text.len > 0) {
        ssize_t put = write(descriptor, text.data, text.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text.data += put;
        text.len -= (size_t)put;
    }
    return fsync(descriptor) == 0;
}

/* What the file was, so that its successor is the same to others. */
static bool take_after(int descriptor, const struct stat *old)
{
    uid_t owner = geteuid() == 0 ? old->st_uid : geteuid();

    return fchown(descriptor, owner, old->st_gid) == 0 &&
           fchmod(descriptor, old->st_mode & 0777U) == 0;
}

/* Writes a file of this name, where there is none; `old` is what it has to look like, or else it
 * gets the mode. A file that could not be written in full is removed. */
static bool write_new(const char *path, enum newfile_mode mode, const struct stat *old,
                      struct str text, struct err *err)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good;

    if (descriptor < 0)
        return fail(path, err);
    good = old == NULL ? fchmod(descriptor, (mode_t)mode) == 0 : take_after(descriptor, old);
    good = good && write_all(descriptor, text);
    if (!good)
        (void)fail(path, err);
    if (close(descriptor) != 0 && good)
        good = fail(path, err);
    if (!good)
        (void)unlink(path);
    return good;
}

/* Its name in the folder has to outlive a crash as well. */
static bool sync_folder(const char *path, struct err *err)
{
    int folder = open_folder(path, err);
    bool good;

    if (folder < 0)
        return false;
    good = fsync(folder) == 0 || errno == EINVAL || fail(path, err); /* some file systems do not */
    (void)close(folder);
    return good;
}

bool newfile_create(const char *path, enum newfile_mode mode, struct str text, struct err *err)
{
    return write_new(path, mode, NULL, text, err) && sync_folder(path, err);
}

/* ---- replacing */

static bool replace(const char *path, const struct stat *old, struct str text, struct err *err)
{
    struct path new;

    if (!path_with(path, ".new", &new, err))
        return false;
    (void)unlink(new.text); /* left by one that was killed: the lock is ours */
    if (!write_new(new.text, NEWFILE_PUBLIC, old, text, err))
        return false;
    if (rename(new.text, path) == 0)
        return sync_folder(path, err);
    (void)fail(path, err);
    (void)unlink(new.text);
    return false;
}

bool newfile_replace(const char *path, struct str text, struct err *err)
{
    struct path target;
    struct stat old;

    if (!resolve(path, &target, err))
        return false;
    if (stat(target.text, &old) != 0)
        return errno == ENOENT ? replace(target.text, NULL, text, err) : fail(path, err);
    if (S_ISREG(old.st_mode))
        return replace(target.text, &old, text, err);
    err_set(err, "%s: is not a regular file", path);
    return false;
}

/* ---- the lock */

/* Whom the folder belongs to may take the lock as well after root has made it. */
static bool give_to_folder(int lock, const char *path, struct err *err)
{
    int folder = geteuid() == 0 ? open_folder(path, err) : -1;
    struct stat info;
    bool good;

    if (geteuid() != 0)
        return true;
    if (folder < 0)
        return false;
    good = (fstat(folder, &info) == 0 && fchown(lock, info.st_uid, info.st_gid) == 0) ||
           fail(path, err);
    (void)close(folder);
    return good;
}

static bool wait_for(int lock, const char *path, int64_t wait_max_us, struct err *err)
{
    const struct timespec step = {.tv_nsec = 50000000};
    int64_t end_us = clock_monotonic_us() + wait_max_us;

    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail(path, err);
        if (clock_monotonic_us() >= end_us) {
            err_set(err, "%s: another process has held this lock for %lld s: wait, or end it", path,
                    (long long)(wait_max_us / 1000000));
            return false;
        }
        (void)nanosleep(&step, NULL);
    }
    return true;
}

/* Nothing is given away but what was made here: what is there already by this name may be any file,
 * of which the folder's owner made a link there. */
static int open_lock(const char *path, struct err *err)
{
    int lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (lock >= 0 && !give_to_folder(lock, path, err)) {
        (void)close(lock);
        return -1;
    }
    if (lock < 0 && errno == EEXIST)
        lock = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (lock < 0)
        (void)fail(path, err);
    return lock;
}

int newfile_lock(const char *path, int64_t wait_max_us, struct err *err)
{
    struct path target, name;
    int lock;

    if (!resolve(path, &target, err) || !path_with(target.text, ".lock", &name, err))
        return -1;
    lock = open_lock(name.text, err);
    if (lock >= 0 && wait_for(lock, name.text, wait_max_us, err))
        return lock;
    if (lock >= 0)
        (void)close(lock);
    return -1;
}
