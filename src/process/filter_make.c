/*
 * Writes the C source of filters (filter.h) to standard output. It runs when me.fcgi is built, and
 * is no part of it.
 *
 * What is not listed fails with ENOSYS: a C library that is newer than this list then goes on as it
 * does on an older kernel. What no library tries, and only somebody who has taken over the worker
 * would, ends it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "process/filter.h"

/* Of other kernels and libseccomps than this one as well: a name that is unknown is passed over. */
static const char *const allowed[] = {
    /* memory */
    "brk",
    "madvise",
    "membarrier",
    "mremap",
    "msync",
    "munmap",
    /* threads of one process, as the C library keeps them also where there is but one */
    "futex",
    "futex_time64",
    "futex_wait",
    "futex_wake",
    "get_robust_list",
    "rseq",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "getcpu",
    /* time */
    "alarm",
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "getitimer",
    "gettimeofday",
    "nanosleep",
    "setitimer",
    "time",
    "times",
    /* signals and the end */
    "exit",
    "exit_group",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "sigaltstack",
    "sigreturn",
    /* who and where we are */
    "getcwd",
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getgroups",
    "getgroups32",
    "getpgrp",
    "getpid",
    "getppid",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "gettid",
    "getuid",
    "getuid32",
    "sysinfo",
    "ugetrlimit",
    "uname",
    /* descriptors */
    "_llseek",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "flock",
    "fsync",
    "lseek",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readv",
    "write",
    "writev",
    /* files: Landlock judges which */
    "access",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fadvise64_64",
    "fallocate",
    "fchmod",
    "fstat",
    "fstat64",
    "fstatat64",
    "fstatfs",
    "fstatfs64",
    "ftruncate",
    "ftruncate64",
    "getdents",
    "getdents64",
    "link",
    "linkat",
    "lstat",
    "lstat64",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statx",
    "umask",
    "unlink",
    "unlinkat",
    /* waiting */
    "_newselect",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd2",
    "pipe2",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pselect6",
    "pselect6_time64",
    "select",
    /* sockets, once there are any; bind is netlink's, by which the C library asks for addresses */
    "accept",
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmmsg_time64",
    "recvmsg",
    "send",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    /* randomness */
    "getrandom",
};

/* Calls that are allowed where arguments are as they should be. */
static const struct conditional {
    const char *name;
    unsigned count;
    struct scmp_arg_cmp when[2];
} conditionals[] = {
    /* Nothing is both written and run. */
    {"mmap", 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}},
    {"mmap", 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC}}},
    {"mmap2", 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}},
    {"mmap2", 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC}}},
    {"mprotect", 1, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}},
    /* abort() */
    {"tgkill", 1, {{2, SCMP_CMP_EQ, SIGABRT, 0}}},
    /* Limits are read, not set. */
    {"prlimit64", 1, {{2, SCMP_CMP_EQ, 0, 0}}},
    {"ioctl", 1, {{1, SCMP_CMP_EQ, FIONBIO, 0}}},
    {"ioctl", 1, {{1, SCMP_CMP_EQ, FIONREAD, 0}}},
    {"ioctl", 1, {{1, SCMP_CMP_EQ, TCGETS, 0}}},
    {"socket", 1, {{0, SCMP_CMP_EQ, AF_UNIX, 0}}},
};
static const struct conditional conditionals_of_network[] = {
    {"socket", 1, {{0, SCMP_CMP_EQ, AF_INET, 0}}},
    {"socket", 1, {{0, SCMP_CMP_EQ, AF_INET6, 0}}},
    {"socket", 2, {{0, SCMP_CMP_EQ, AF_NETLINK, 0}, {2, SCMP_CMP_EQ, NETLINK_ROUTE, 0}}},
};

/* EPERM: clone is what the C library falls back to, and nothing is older than that. */
static const char *const refused[] = {"clone", "fork", "vfork"};

static const char *const deadly[] = {
    "bpf",         "chroot",     "execve",  "execveat",         "finit_module",
    "init_module", "kexec_load", "mount",   "perf_event_open",  "pivot_root",
    "ptrace",      "setns",      "unshare", "process_vm_readv", "process_vm_writev",
    "userfaultfd", "move_pages",
};

static bool add(scmp_filter_ctx context, uint32_t action, const char *name, unsigned count,
                const struct scmp_arg_cmp *when)
{
    int number = seccomp_syscall_resolve_name(name);
    int result = number == __NR_SCMP_ERROR
                     ? 0
                     : seccomp_rule_add_array(context, action, number, count, when);

    /* A call that this kind of machine does not have. */
    return result == 0 || result == -EDOM;
}

static bool add_names(scmp_filter_ctx context, uint32_t action, const char *const *names,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!add(context, action, names[i], 0, NULL))
            return false;
    return true;
}

static bool add_conditionals(scmp_filter_ctx context, const struct conditional *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!add(context, SCMP_ACT_ALLOW, rows[i].name, rows[i].count, rows[i].when))
            return false;
    return true;
}

static bool fill(scmp_filter_ctx context, enum filter_id filter)
{
    /* 2: as a tree, so that no call is compared with all others. */
    return seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
           add_names(context, SCMP_ACT_ALLOW, allowed, ARRAY_LENGTH(allowed)) &&
           add_names(context, SCMP_ACT_ERRNO(EPERM), refused, ARRAY_LENGTH(refused)) &&
           add_names(context, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LENGTH(deadly)) &&
           add_conditionals(context, conditionals, ARRAY_LENGTH(conditionals)) &&
           (filter != FILTER_NETWORK || add_conditionals(context, conditionals_of_network,
                                                         ARRAY_LENGTH(conditionals_of_network)));
}

static bool print_rules(FILE *from, unsigned *count)
{
    struct sock_filter rule;

    for (*count = 0; fread(&rule, sizeof(rule), 1, from) == 1; ++*count)
        if (printf("    {%uU, %uU, %uU, %uU},\n", rule.code, rule.jt, rule.jf, rule.k) < 0)
            return false;
    return *count > 0 && *count <= BPF_MAXINSNS && ferror(from) == 0;
}

static bool print_filter(enum filter_id filter, unsigned *count)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    FILE *file = tmpfile();
    bool good = context != NULL && file != NULL && fill(context, filter) &&
                seccomp_export_bpf(context, fileno(file)) == 0 && fseek(file, 0, SEEK_SET) == 0 &&
                printf("static const struct sock_filter rules%d[] = {\n", (int)filter) > 0 &&
                print_rules(file, count) && puts("};\n") >= 0;

    if (file != NULL)
        (void)fclose(file);
    seccomp_release(context);
    return good;
}

int main(void)
{
    unsigned counts[FILTER__MAX];
    bool good = printf("/* Made by filter_make.c. */\n#include \"process/filter.h\"\n\n"
                       "#include <linux/filter.h>\n\n") > 0;

    for (int filter = 0; good && filter < FILTER__MAX; filter++)
        good = print_filter((enum filter_id)filter, &counts[filter]);
    good = good && printf("const struct filter filters[FILTER__MAX] = {\n") > 0;
    for (int filter = 0; good && filter < FILTER__MAX; filter++)
        good = printf("    {rules%d, %u},\n", filter, counts[filter]) > 0;
    if (good && puts("};") >= 0 && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    (void)fputs("filter_make: the filters cannot be made\n", stderr);
    return EXIT_FAILURE;
}
