#include "process/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h, of which systems have older versions than their kernels are. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1 };
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_ALL_OF_FIRST = (1 << 13) - 1,
    NET_BIND_TCP = 1 << 0,
    NET_CONNECT_TCP = 1 << 1,
    SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0,
    SCOPE_SIGNAL = 1 << 1,
    FS_OF_A_FILE = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE
};

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct net_port_attr {
    uint64_t allowed, port;
};

/* What a version added to what can be restricted. */
static const struct {
    int abi;
    struct ruleset_attr attr;
} additions[] = {
    {1, {FS_ALL_OF_FIRST, 0, 0}},
    {2, {1 << 13 /* to move between folders */, 0, 0}},
    {3, {FS_TRUNCATE, 0, 0}},
    {LANDLOCK_ABI_NETWORK, {0, NET_BIND_TCP | NET_CONNECT_TCP, 0}},
    {5, {1 << 15 /* ioctl on devices */, 0, 0}},
    {6, {0, 0, SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL}},
};

static const struct {
    unsigned right; /* enum reach_right */
    uint64_t fs;
} meanings[] = {
    {REACH_READ, FS_READ_FILE | FS_READ_DIR},
    {REACH_WRITE, FS_WRITE_FILE | FS_TRUNCATE},
    {REACH_MAKE, FS_MAKE_REG | FS_REMOVE_FILE},
};

int landlock_abi(void)
{
    long abi = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

    return abi < 0 ? 0 : (int)abi;
}

static struct ruleset_attr attr_of(int abi)
{
    struct ruleset_attr attr = {0, 0, 0};

    for (size_t i = 0; i < ARRAY_LENGTH(additions); i++) {
        if (additions[i].abi > abi)
            break;
        attr.fs |= additions[i].attr.fs;
        attr.net |= additions[i].attr.net;
        attr.scoped |= additions[i].attr.scoped;
    }
    return attr;
}

/* ---- places */

/* The kernel takes no rule with a right that the ruleset does not restrict, or of folders for a
 * file. */
static uint64_t fs_of(unsigned rights, uint64_t handled, bool is_folder)
{
    uint64_t fs = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(meanings); i++)
        if ((rights & meanings[i].right) != 0)
            fs |= meanings[i].fs;
    return fs & handled & (is_folder ? UINT64_MAX : FS_OF_A_FILE);
}

static bool add_place(int ruleset, uint64_t handled, const char *path, unsigned rights)
{
    struct path_beneath_attr rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
    struct stat info;
    bool good = true;

    if (rule.parent < 0)
        return true; /* it is not there */
    if (fstat(rule.parent, &info) == 0) {
        rule.allowed = fs_of(rights, handled, S_ISDIR(info.st_mode));
        good = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    }
    (void)close(rule.parent);
    return good;
}

static bool add_folder_of(int ruleset, uint64_t handled, const char *path, unsigned rights)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    if (slash == NULL)
        return add_place(ruleset, handled, ".", rights);
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash + 1 - path), path);
    return add_place(ruleset, handled, folder, rights);
}

static bool add_beside(int ruleset, uint64_t handled, const char *path, unsigned rights)
{
    char real[PATH_MAX];
    bool good = add_folder_of(ruleset, handled, path, rights);

    if (good && realpath(path, real) != NULL && strcmp(real, path) != 0)
        good = add_folder_of(ruleset, handled, real, rights);
    return good;
}

static bool add_places(int ruleset, uint64_t handled, const struct reach *reach)
{
    bool good = true;

    for (size_t i = 0; good && i < reach->place_count; i++) {
        const struct reach_place *place = &reach->places[i];

        good = (place->rights & REACH_BESIDE) != 0
                   ? add_beside(ruleset, handled, place->path, place->rights)
                   : add_place(ruleset, handled, place->path, place->rights);
    }
    return good;
}

/* ---- ports */

static bool add_ports(int ruleset, const struct reach *reach)
{
    bool good = true;

    for (size_t i = 0; good && i < reach->port_count; i++) {
        const struct net_port_attr rule = {NET_CONNECT_TCP, reach->ports[i]};

        good = syscall(ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0) == 0;
    }
    return good;
}

/* ---- the whole */

bool landlock_restrict(const struct reach *reach, int abi)
{
    const struct ruleset_attr attr = attr_of(abi);
    int ruleset = (int)syscall(CREATE_RULESET, &attr, sizeof(attr), 0);
    bool good = ruleset >= 0 && add_places(ruleset, attr.fs, reach) &&
                (attr.net == 0 || add_ports(ruleset, reach)) &&
                syscall(RESTRICT_SELF, ruleset, 0) == 0;
    int error = errno;

    if (ruleset >= 0)
        (void)close(ruleset);
    errno = error;
    return good;
}
