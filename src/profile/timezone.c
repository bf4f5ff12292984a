#include "profile/timezone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profile/ascii.h"
#include "profile/zone.h"

/* RFC 8536, section 3.1. */
static const char magic[] = {'T', 'Z', 'i', 'f'};

/* First segments of what lies in the folder and names no zone. */
static const char *const reserved[] = {"posix", "right", "posixrules", "localtime"};

static bool is_reserved(struct str segment)
{
    for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
        if (str_equal(segment, str_from(reserved[i])))
            return true;
    return false;
}

/* No dot is among the characters: "." and ".." cannot be written. */
static bool is_segment(struct str segment)
{
    for (size_t i = 0; i < segment.len; i++)
        if (!ascii_is_alnum(segment.data[i]) && !str_has_byte(STR("_+-"), segment.data[i]))
            return false;
    return segment.len > 0;
}

static bool is_name(struct str name)
{
    struct str rest = name;

    if (name.len == 0 || name.len > TIMEZONE_MAX_BYTES || is_reserved(str_cut(&rest, '/')))
        return false;
    rest = name;
    while (str_is_set(rest))
        if (!is_segment(str_cut(&rest, '/')))
            return false;
    return true;
}

static bool is_regular_file(int descriptor)
{
    struct stat info;

    return fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

static bool has_magic(int descriptor)
{
    char bytes[sizeof(magic)];

    return pread(descriptor, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) &&
           memcmp(bytes, magic, sizeof(magic)) == 0;
}

static int open_retrying(int folder, const char *path, int flags)
{
    int descriptor;

    do {
        descriptor = openat(folder, path, flags | O_CLOEXEC);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static bool is_zone_file(int folder, struct str name)
{
    char path[TIMEZONE_MAX_BYTES + 1];
    int descriptor;
    bool is_zone;

    memcpy(path, name.data, name.len);
    path[name.len] = '\0';
    /* O_NONBLOCK: a FIFO in the folder must not hang the worker. */
    descriptor = open_retrying(folder, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return false;
    is_zone = is_regular_file(descriptor) && has_magic(descriptor);
    (void)close(descriptor);
    return is_zone;
}

static bool is_zone_of_system(struct str name, const char *zoneinfo)
{
    int folder = open_retrying(AT_FDCWD, zoneinfo, O_PATH | O_DIRECTORY);
    bool is_zone;

    if (folder < 0)
        return false;
    is_zone = is_zone_file(folder, name);
    (void)close(folder);
    return is_zone;
}

static bool is_zone(struct str name, const char *zoneinfo)
{
    const char *listed = wordlist_find(&zone_list, name);

    /* In another case it is wrong, also where the file system takes one case for the other. */
    return listed == NULL ? is_zone_of_system(name, zoneinfo) : str_equal(name, str_from(listed));
}

enum violation validate_timezone(struct str name, const char *zoneinfo)
{
    return is_name(name) && is_zone(name, zoneinfo) ? VIOLATION_NONE : VIOLATION_INVALID_TIMEZONE;
}
