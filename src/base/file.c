#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

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

static bool judge(const char *path, int descriptor, enum file_readers readers, struct err *err)
{
    struct stat info;

    if (fstat(descriptor, &info) != 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        err_set(err, "%s: is not a regular file", path);
        return false;
    }
    if (is_readable_by_others(&info, readers)) {
        bool others = (info.st_mode & S_IRWXO) != 0;

        err_set(err,
                "%s: holds a secret, but its mode is %04o, so %s can read it: run 'chmod %s %s'",
                path, (unsigned)info.st_mode & 07777U,
                others ? "every user of the system" : "a group that is not the worker's own",
                others && is_own_group(info.st_gid) ? "0640" : "0600", path);
        return false;
    }
    return true;
}

static bool read_all(const char *path, int descriptor, struct buf *out, struct err *err)
{
    enum { STEP_BYTES = 4096 };
    size_t room = out->max - out->len;

    for (;;) {
        char step[STEP_BYTES];
        ssize_t got = read(descriptor, step, sizeof(step));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            err_set(err, "%s: %s", path, strerror(errno));
            return false;
        }
        if (got == 0)
            return true;
        buf_append(out, step, (size_t)got);
        if (!buf_is_good(out)) {
            err_set(err, "%s: is larger than the %zu bytes that are allowed", path, room);
            return false;
        }
    }
}

bool file_read(const char *path, enum file_readers readers, struct buf *out, struct err *err)
{
    /* O_NONBLOCK: opening a FIFO by mistake must not hang. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool good;

    if (descriptor < 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        return false;
    }
    good = judge(path, descriptor, readers, err) && read_all(path, descriptor, out, err);
    (void)close(descriptor);
    return good;
}

bool file_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}
