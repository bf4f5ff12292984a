#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/shell.h"

enum { REMEDY_MAX_BYTES = 8 * PATH_MAX };

enum file_readers file_readers_of_operator(void)
{
    return geteuid() == 0 ? FILE_READERS_ONE_GROUP : FILE_READERS_OWN_GROUP;
}

static bool is_own_group(gid_t group)
{
    gid_t *groups = NULL;
    int count;
    bool found = group == getegid();

    if (found)
        return true;
    count = getgroups(0, NULL);
    if (count <= 0)
        return false;
    groups = calloc((size_t)count, sizeof(*groups));
    if (groups == NULL)
        return false;
    count = getgroups(count, groups);
    for (int i = 0; i < count && !found; i++)
        found = groups[i] == group;
    free(groups);
    return found;
}

static bool is_readable_by_others(const struct stat *info, enum file_readers readers)
{
    if (readers == FILE_READERS_ANY)
        return false;
    if ((info->st_mode & S_IRWXO) != 0)
        return true;
    if ((info->st_mode & S_IRWXG) == 0 || readers == FILE_READERS_ONE_GROUP)
        return false;
    return !is_own_group(info->st_gid);
}

/* The command after which nobody else can read the file, but its owner, or we by our group, can. */
static void append_remedy(const char *path, const struct stat *info, enum file_readers readers,
                          struct buf *out)
{
    bool is_for_group = readers == FILE_READERS_ONE_GROUP || is_own_group(info->st_gid);
    bool is_for_owner = !is_for_group && (geteuid() == 0 || geteuid() == info->st_uid);

    if (!is_for_group && !is_for_owner) {
        buf_append_format(out, "chgrp %u ", (unsigned)getegid());
        shell_append_word(out, path);
        buf_append_text(out, " && ");
    }
    buf_append_text(out, is_for_owner ? "chmod 0600 " : "chmod 0640 ");
    shell_append_word(out, path);
}

static void refuse_readers(const char *path, const struct stat *info, enum file_readers readers,
                           struct err *err)
{
    struct buf remedy;

    buf_init(&remedy, REMEDY_MAX_BYTES);
    append_remedy(path, info, readers, &remedy);
    err_set(err, "%s: holds a secret, but its mode is %04o, so %s can read it; run: %.*s", path,
            (unsigned)info->st_mode & 07777U,
            (info->st_mode & S_IRWXO) != 0 ? "every user of the system"
                                           : "a group that is not the worker's own",
            STR_ARGS(buf_str(&remedy)));
    buf_free(&remedy);
}

static bool judge(const char *path, const struct stat *info, enum file_readers readers,
                  struct err *err)
{
    if (!S_ISREG(info->st_mode)) {
        err_set(err, "%s: is not a regular file", path);
        return false;
    }
    if (is_readable_by_others(info, readers)) {
        refuse_readers(path, info, readers, err);
        return false;
    }
    return true;
}

static ssize_t read_step(int descriptor, char *step, size_t size)
{
    ssize_t got;

    do
        got = read(descriptor, step, size);
    while (got < 0 && errno == EINTR);
    return got;
}

static bool read_all(const char *path, int descriptor, struct buf *out, struct err *err)
{
    enum { STEP_BYTES = 4096 };
    size_t room = out->max - out->len;
    char step[STEP_BYTES];
    ssize_t got;

    while ((got = read_step(descriptor, step, sizeof(step))) > 0) {
        buf_append(out, step, (size_t)got);
        if (!buf_is_good(out))
            break;
    }
    if (got < 0)
        err_set(err, "%s: %s", path, strerror(errno));
    else if (got > 0)
        err_set(err, "%s: is larger than the %zu bytes that are allowed", path, room);
    OPENSSL_cleanse(step, sizeof(step));
    return got == 0;
}

static void say_not_opened(const char *path, int error, struct err *err)
{
    if (error == EACCES)
        err_set(err,
                "%s: %s: user %u may not read it, by its mode, that of a folder above it, or a "
                "rule of SELinux or AppArmor",
                path, strerror(error), (unsigned)geteuid());
    else
        err_set(err, "%s: %s", path, strerror(error));
}

/* -1 with `err`. */
static int open_judged(const char *path, enum file_readers readers, struct stat *info,
                       struct err *err)
{
    /* O_NONBLOCK: opening a FIFO by mistake must not hang. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (descriptor < 0 || fstat(descriptor, info) != 0)
        say_not_opened(path, errno, err);
    else if (judge(path, info, readers, err))
        return descriptor;
    if (descriptor >= 0)
        (void)close(descriptor);
    return -1;
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static void stamp_from(const struct stat *info, struct file_stamp *stamp)
{
    *stamp = (struct file_stamp){
        .device = info->st_dev,
        .inode = info->st_ino,
        .size = info->st_size,
        .modified_ns = nanoseconds(&info->st_mtim),
        .changed_ns = nanoseconds(&info->st_ctim),
    };
}

bool file_read_stamped(const char *path, enum file_readers readers, struct buf *out,
                       struct file_stamp *stamp, struct err *err)
{
    struct stat info;
    int descriptor = open_judged(path, readers, &info, err);
    bool good;

    if (descriptor < 0)
        return false;
    stamp_from(&info, stamp);
    good = read_all(path, descriptor, out, err);
    (void)close(descriptor);
    return good;
}

bool file_read(const char *path, enum file_readers readers, struct buf *out, struct err *err)
{
    struct file_stamp stamp;

    return file_read_stamped(path, readers, out, &stamp, err);
}

bool file_stamp_of(const char *path, struct file_stamp *stamp)
{
    struct stat info;

    *stamp = (struct file_stamp){.inode = 0};
    if (stat(path, &info) != 0)
        return false;
    stamp_from(&info, stamp);
    return true;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

bool file_is_kept_from_others(const char *path, enum file_readers readers, struct err *err)
{
    struct stat info;
    int descriptor = open_judged(path, readers, &info, err);

    if (descriptor < 0)
        return false;
    (void)close(descriptor);
    return true;
}

bool file_is_missing(const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

bool file_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}
