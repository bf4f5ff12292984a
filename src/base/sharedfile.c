#include "base/sharedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/shell.h"

enum { TRIES_MAX = 8, REMEDY_MAX_BYTES = 4 * PATH_MAX };

/* What became of a try to open the file or to make it. */
enum attempt {
    ATTEMPT_DONE,
    ATTEMPT_ABSENT, /* there is none, or one that is to be replaced */
    ATTEMPT_MADE,   /* there is a new one, of this process or of one that was quicker */
    ATTEMPT_FAILED
};

struct opening {
    const struct sharedfile *file;
    int descriptor;      /* -1: none */
    struct stat useless; /* the one that is to be replaced; st_nlink 0: there is none */
    struct err *err;
};

static enum attempt fail(const struct opening *opening, const char *what)
{
    err_set(opening->err, "%s: %s", opening->file->path, what);
    return ATTEMPT_FAILED;
}

static void forget(struct opening *opening)
{
    if (opening->descriptor >= 0)
        (void)close(opening->descriptor);
    opening->descriptor = -1;
}

/* ---- what is there */

static void refuse_mode(const struct opening *opening, mode_t mode)
{
    const struct sharedfile *file = opening->file;
    struct buf word;

    buf_init(&word, REMEDY_MAX_BYTES);
    shell_append_word(&word, file->path);
    err_set(opening->err,
            "%s: its mode is %04o, which lets others do too much: take it away, or run: chmod "
            "%04o %.*s",
            file->path, (unsigned)mode & 07777U, (unsigned)file->mode, STR_ARGS(buf_str(&word)));
    buf_free(&word);
}

static enum attempt judge(const struct opening *opening, int access)
{
    const struct sharedfile *file = opening->file;
    struct stat info;

    if (fstat(opening->descriptor, &info) != 0)
        return fail(opening, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return fail(opening, "is not a regular file");
    if (access != O_RDONLY && info.st_uid != geteuid()) {
        err_set(opening->err, "%s: is another user's: name another %s", file->path, file->setting);
        return ATTEMPT_FAILED;
    }
    if ((info.st_mode & file->forbidden) == 0)
        return ATTEMPT_DONE;
    refuse_mode(opening, info.st_mode);
    return ATTEMPT_FAILED;
}

static enum attempt open_judged(struct opening *opening, int access)
{
    enum attempt attempt;

    opening->descriptor =
        open(opening->file->path, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (opening->descriptor < 0) {
        bool is_absent = errno == ENOENT;

        (void)fail(opening, errno == ELOOP ? "is a symbolic link" : strerror(errno));
        return is_absent ? ATTEMPT_ABSENT : ATTEMPT_FAILED;
    }
    attempt = judge(opening, access);
    if (attempt != ATTEMPT_DONE)
        forget(opening);
    return attempt;
}

static enum attempt open_good(struct opening *opening)
{
    const struct sharedfile *file = opening->file;
    enum attempt attempt;

    opening->useless.st_nlink = 0;
    attempt = open_judged(opening, O_RDWR);
    if (attempt != ATTEMPT_DONE || file->is_good(file->context, opening->descriptor))
        return attempt;
    attempt = fstat(opening->descriptor, &opening->useless) == 0 ? ATTEMPT_ABSENT
                                                                 : fail(opening, strerror(errno));
    forget(opening);
    return attempt;
}

/* ---- a new one */

static bool is_still(const char *path, const struct stat *file)
{
    struct stat now;

    return lstat(path, &now) == 0 && now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

/*
 * False with errno. All processes begin at once, and each would have a file of its own if the last
 * one to be made took the place of the others. Between the look and rename() lies so little that
 * this is left to chance.
 */
static bool put_in_place(const char *name, const char *path, const struct stat *useless)
{
    if (useless->st_nlink == 0)
        return link(name, path) == 0 || errno == EEXIST;
    return !is_still(path, useless) || rename(name, path) == 0;
}

/* Made beside it and put in its place at once: nobody finds half a file. Its other name is its own
 * alone; process numbers are not, where containers share a folder. */
static enum attempt make(const struct opening *opening)
{
    const struct sharedfile *file = opening->file;
    char name[PATH_MAX];
    int len = snprintf(name, sizeof(name), "%s.XXXXXX", file->path), descriptor;
    bool good;

    if (len < 0 || (size_t)len >= sizeof(name))
        return fail(opening, strerror(ENAMETOOLONG));
    descriptor = mkostemp(name, O_CLOEXEC);
    good = descriptor >= 0 && file->fill(file->context, descriptor) &&
           fchmod(descriptor, file->mode) == 0 && put_in_place(name, file->path, &opening->useless);
    if (!good)
        err_set(opening->err, "%s: cannot be made: %s", file->path, strerror(errno));
    if (descriptor >= 0) {
        (void)close(descriptor);
        (void)unlink(name);
    }
    return good ? ATTEMPT_MADE : ATTEMPT_FAILED;
}

/* ---- the whole */

int sharedfile_open(const struct sharedfile *file, struct err *err)
{
    struct opening opening = {.file = file, .descriptor = -1, .err = err};
    enum attempt attempt = ATTEMPT_MADE;

    for (int tries = 0; attempt == ATTEMPT_MADE && tries < TRIES_MAX; tries++) {
        attempt = open_good(&opening);
        if (attempt == ATTEMPT_ABSENT)
            attempt = make(&opening);
    }
    if (attempt == ATTEMPT_MADE)
        (void)fail(&opening, "is made anew again and again by others");
    if (attempt == ATTEMPT_DONE)
        err_clear(err);
    return opening.descriptor;
}

int sharedfile_open_to_read(const struct sharedfile *file, struct err *err)
{
    struct opening opening = {.file = file, .descriptor = -1, .err = err};

    (void)open_judged(&opening, O_RDONLY);
    return opening.descriptor;
}

bool sharedfile_is_in_place(const char *path, int descriptor)
{
    struct stat ours;

    return fstat(descriptor, &ours) == 0 && is_still(path, &ours);
}
