#include "process/sandbox.h"

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/filter.h"
#include "process/landlock.h"
#include "process/reach.h"

enum { DESCRIPTORS_MAX = 64 };

/* ---- the parts; each is false where it cannot be had */

static bool set_limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0)
        return false;
    limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
    limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

static bool drop_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool forbid_dumps(void)
{
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && set_limit(RLIMIT_CORE, 0);
}

static bool close_descriptors(void)
{
    return syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, 0) == 0;
}

static bool lower_limits(void)
{
    return set_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX) && set_limit(RLIMIT_NPROC, 0);
}

static bool filter_syscalls(const struct reach *reach)
{
    const struct filter *filter = &filters[reach->port_count > 0 ? FILTER_NETWORK : FILTER_LOCAL];
    const struct sock_fprog program = {filter->len, (void *)(uintptr_t)filter->rules};

    return filter->len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static const struct {
    const char *name;
    const char *remedy; /* NULL: it is never required */
} parts[SANDBOX__MAX] = {
    [SANDBOX_PRIVILEGES] = {"privileges", "needs Linux 3.5 or later"},
    [SANDBOX_DUMPS] = {"dumps", "the host forbids prctl(2) or setrlimit(2)"},
    [SANDBOX_DESCRIPTORS] = {"descriptors", "needs Linux 5.9 or later"},
    [SANDBOX_LIMITS] = {"limits", "the host forbids setrlimit(2)"},
    [SANDBOX_FILES] = {"files",
                       "needs Landlock: Linux 5.13 or later, and landlock in its parameter lsm="},
    [SANDBOX_SYSCALLS] = {"syscalls", SANDBOX_SYSCALLS_REMEDY},
    [SANDBOX_NETWORK] = {"network", NULL}, /* newer than the others */
};

/* ---- the whole */

static bool has(const struct sandbox *sandbox, enum sandbox_part part)
{
    return (sandbox->has & 1U << part) != 0;
}

static void note(struct sandbox *sandbox, enum sandbox_part part, bool is_had)
{
    if (is_had)
        sandbox->has |= 1U << part;
}

/* No privileges first: for others than root, the kernel demands it of the rest. */
static void take(const struct settings *settings, struct sandbox *out)
{
    int abi = landlock_abi();
    struct reach reach;

    reach_from_settings(settings, &reach);
    note(out, SANDBOX_PRIVILEGES, drop_privileges());
    note(out, SANDBOX_DUMPS, forbid_dumps());
    note(out, SANDBOX_DESCRIPTORS, close_descriptors());
    note(out, SANDBOX_LIMITS, lower_limits());
    note(out, SANDBOX_FILES, abi > 0 && landlock_restrict(&reach, abi));
    note(out, SANDBOX_SYSCALLS, filter_syscalls(&reach));
    note(out, SANDBOX_NETWORK,
         (has(out, SANDBOX_FILES) && abi >= LANDLOCK_ABI_NETWORK) ||
             (has(out, SANDBOX_SYSCALLS) && reach.port_count == 0));
}

static bool judge(const struct sandbox *sandbox, const struct settings *settings, struct err *err)
{
    struct buf lacks;
    bool good = true;

    if (settings->process.sandbox != SETTINGS_SANDBOX_REQUIRED)
        return true;
    buf_init(&lacks, sizeof(err->text) / 2);
    for (size_t i = 0; i < SANDBOX__MAX; i++) {
        if (has(sandbox, (enum sandbox_part)i) || parts[i].remedy == NULL)
            continue;
        buf_append_format(&lacks, "%s%s (%s)", good ? "" : ", ", parts[i].name, parts[i].remedy);
        good = false;
    }
    if (!good)
        err_set(err,
                "process.sandbox: is required, but cannot be had here: %.*s; 'auto' goes on with "
                "what there is",
                STR_ARGS(buf_str(&lacks)));
    buf_free(&lacks);
    return good;
}

/* Whether it is to be taken. False, and `err`, also where this build takes none. */
static bool is_wanted(const struct settings *settings, struct err *err)
{
    static const char *const unfit = SANDBOX_UNFIT; /* NULL: this build is fit for it */

    err_clear(err);
    if (settings->process.sandbox == SETTINGS_SANDBOX_OFF)
        return false;
    if (unfit != NULL && settings->process.sandbox == SETTINGS_SANDBOX_REQUIRED)
        err_set(err, "process.sandbox: is required, but %s", unfit);
    return unfit == NULL;
}

bool sandbox_enter(const struct settings *settings, struct sandbox *out, struct err *err)
{
    *out = (struct sandbox){.has = 0};
    if (!is_wanted(settings, err))
        return err->text[0] == '\0';
    take(settings, out);
    return judge(out, settings, err);
}

bool sandbox_try(const struct settings *settings, struct sandbox *out, struct err *err)
{
    int status = 0;
    pid_t child;

    *out = (struct sandbox){.has = 0};
    if (!is_wanted(settings, err))
        return err->text[0] == '\0';
    child = fork();
    if (child == 0) {
        take(settings, out);
        _exit((int)out->has);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        err_set(err, "process.sandbox: cannot be tried: %s", strerror(errno));
        return false;
    }
    if (!WIFEXITED(status)) {
        err_set(err,
                "process.sandbox: cannot be tried: this host ends the process, by signal %d: set "
                "it to off",
                WTERMSIG(status));
        return false;
    }
    out->has = (unsigned)WEXITSTATUS(status);
    return judge(out, settings, err);
}

static void append_parts(const struct sandbox *sandbox, bool is_had, struct buf *out)
{
    const char *before = "";

    for (int part = 0; part < SANDBOX__MAX; part++) {
        if (has(sandbox, (enum sandbox_part)part) != is_had)
            continue;
        buf_append_format(out, "%s%s", before, parts[part].name);
        before = ", ";
    }
}

void sandbox_describe(const struct sandbox *sandbox, struct buf *out)
{
    if (sandbox->has == 0) {
        buf_append_text(out, "none");
        return;
    }
    append_parts(sandbox, true, out);
    if (sandbox->has == (1U << SANDBOX__MAX) - 1)
        return;
    buf_append_text(out, "; without ");
    append_parts(sandbox, false, out);
}
