/*
 * What can still be done from within: each case is a process of its own that enters the sandbox of
 * a worker and then tries something. The same module is linked into me.fcgi.
 */
#include "process/sandbox.h"

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "folder.h"
#include "process/filter.h"
#include "process/landlock.h"
#include "unit.h"

/* keys/key, linked/key -> ../elsewhere/key, logs/, other/file, and two ports that are listened on. */
struct place {
    char *folder;
    int listeners[2], inherited;
    in_port_t ports[2]; /* the first is the database's */
    struct settings settings;
};

/* What a trial came to: 0, an errno, or ENDED + a signal. */
enum { ENDED = 1000, REFUSED_TO_START = 255 };

typedef int trial(const struct place *place);

static char *path_in(const struct place *place, const char *name)
{
    static char path[FOLDER_PATH_BYTES];

    return folder_path(place->folder, name, path);
}

static int try_open(const struct place *place, const char *name, int flags)
{
    int descriptor = open(name[0] == '/' ? name : path_in(place, name), flags, 0600);

    if (descriptor < 0)
        return errno;
    return close(descriptor) == 0 ? 0 : errno;
}

static int outcome_of(long result)
{
    return result < 0 ? errno : 0;
}

/* ---- processes */

static int try_exec(const struct place *place)
{
    char name[] = "true", *const arguments[] = {name, NULL}, *const environment[] = {NULL};

    (void)place;
    return outcome_of(execve("/bin/true", arguments, environment));
}

static int try_execveat(const struct place *place)
{
    char name[] = "true", *const arguments[] = {name, NULL}, *const environment[] = {NULL};

    (void)place;
    return outcome_of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, environment, 0));
}

static int try_fork(const struct place *place)
{
    pid_t child = fork();

    (void)place;
    if (child == 0)
        _exit(0);
    return outcome_of(child);
}

static int try_spawn(const struct place *place)
{
    char name[] = "true", *const arguments[] = {name, NULL}, *const environment[] = {NULL};
    pid_t child;

    (void)place;
    return posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment);
}

static void *do_nothing(void *context)
{
    return context;
}

static int try_thread(const struct place *place)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);

    (void)place;
    if (error == 0)
        (void)pthread_join(thread, NULL);
    return error;
}

static int try_ptrace(const struct place *place)
{
    (void)place;
    return outcome_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_reading_another(const struct place *place)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};

    (void)place;
    return outcome_of(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int try_kill(const struct place *place)
{
    (void)place;
    return outcome_of(kill(getppid(), 0));
}

static int try_abort(const struct place *place)
{
    (void)place;
    abort();
}

/* Another table of system calls, which a filter of this one's numbers would misjudge. */
static int try_other_calls(const struct place *place)
{
    (void)place;
#ifdef __x86_64__
    long result = 20; /* getpid there, writev here */

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return outcome_of(result);
#else
    return ENDED + SIGSYS;
#endif
}

/* ---- memory */

static int try_memory_to_write_and_run(const struct place *place)
{
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)place;
    return memory == MAP_FAILED ? errno : 0;
}

static int try_memory_made_to_run(const struct place *place)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)place;
    if (memory == MAP_FAILED)
        return 0;
    return outcome_of(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}

static int try_file_in_memory(const struct place *place)
{
    (void)place;
    return outcome_of(syscall(SYS_memfd_create, "x", 0));
}

static int try_dump(const struct place *place)
{
    struct rlimit limit;

    (void)place;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0)
        return 0;
    limit.rlim_max = RLIM_INFINITY;
    return outcome_of(setrlimit(RLIMIT_CORE, &limit));
}

/* ---- descriptors */

static int try_inherited(const struct place *place)
{
    return outcome_of(fcntl(place->inherited, F_GETFD));
}

static int try_many_descriptors(const struct place *place)
{
    int got = 0;

    (void)place;
    for (int i = 0; got >= 0 && i < 100; i++)
        got = dup(STDERR_FILENO);
    return outcome_of(got);
}

/* ---- files */

static int try_key(const struct place *place)
{
    return try_open(place, "keys/key", O_RDONLY);
}

/* A key that was replaced, as mectl and every editor do it. */
static int try_key_of_later(const struct place *place)
{
    return try_open(place, "keys/later", O_RDONLY);
}

static int try_linked_key(const struct place *place)
{
    return try_open(place, "linked/key", O_RDONLY);
}

static int try_zone(const struct place *place)
{
    return try_open(place, "/usr/share/zoneinfo", O_RDONLY | O_DIRECTORY);
}

static int try_library(const struct place *place)
{
    return try_open(place, "/usr/lib", O_RDONLY | O_DIRECTORY);
}

static int try_log(const struct place *place)
{
    char to[FOLDER_PATH_BYTES];
    int error = try_open(place, "logs/log", O_WRONLY | O_APPEND | O_CREAT);

    if (error != 0)
        return error;
    (void)folder_path(place->folder, "logs/log.1", to);
    if (rename(path_in(place, "logs/log"), to) != 0)
        return errno;
    error = try_open(place, "logs/log", O_WRONLY | O_APPEND | O_CREAT);
    return error != 0 ? error : outcome_of(unlink(to));
}

static int try_null(const struct place *place)
{
    return try_open(place, "/dev/null", O_RDWR);
}

static int try_reading_elsewhere(const struct place *place)
{
    return try_open(place, "other/file", O_RDONLY);
}

static int try_listing_elsewhere(const struct place *place)
{
    return try_open(place, "other", O_RDONLY | O_DIRECTORY);
}

static int try_accounts(const struct place *place)
{
    return try_open(place, "/etc/passwd", O_RDONLY);
}

static int try_own_memory(const struct place *place)
{
    return try_open(place, "/proc/self/maps", O_RDONLY);
}

static int try_writing_elsewhere(const struct place *place)
{
    return try_open(place, "other/file", O_WRONLY);
}

static int try_writing_a_key(const struct place *place)
{
    return try_open(place, "keys/key", O_WRONLY);
}

static int try_cutting_a_key(const struct place *place)
{
    return outcome_of(truncate(path_in(place, "keys/key"), 0));
}

static int try_making_a_key(const struct place *place)
{
    return try_open(place, "keys/new", O_WRONLY | O_CREAT | O_EXCL);
}

static int try_making_elsewhere(const struct place *place)
{
    return try_open(place, "made", O_WRONLY | O_CREAT | O_EXCL);
}

static int try_removing_a_key(const struct place *place)
{
    return outcome_of(unlink(path_in(place, "keys/key")));
}

static int try_folder_in_logs(const struct place *place)
{
    return outcome_of(mkdir(path_in(place, "logs/new"), 0700));
}

static int try_link_in_logs(const struct place *place)
{
    return outcome_of(symlink("/etc/passwd", path_in(place, "logs/new")));
}

/* ---- the network */

static int try_socket_of_ip(const struct place *place)
{
    (void)place;
    return outcome_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_socket_of_unix(const struct place *place)
{
    (void)place;
    return outcome_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_socket_of_packets(const struct place *place)
{
    (void)place;
    return outcome_of(socket(AF_PACKET, SOCK_RAW, 0));
}

static int connect_to(in_port_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    if (descriptor < 0)
        return errno;
    return outcome_of(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)));
}

static int try_database(const struct place *place)
{
    return connect_to(place->ports[0]);
}

static int try_foreign_connect(const struct place *place)
{
    return connect_to(place->ports[1]);
}

static int try_serving(const struct place *place)
{
    const struct sockaddr_in address = {.sin_family = AF_INET};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);

    (void)place;
    if (descriptor < 0)
        return errno;
    return outcome_of(bind(descriptor, (const struct sockaddr *)&address, sizeof(address)));
}

static int try_netlink(const struct place *place)
{
    (void)place;
    return outcome_of(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_netlink_of_audit(const struct place *place)
{
    (void)place;
    return outcome_of(socket(AF_NETLINK, SOCK_RAW, 9));
}

/* ---- the cases */

enum need { NOTHING, FILTER, LANDLOCK, TRUNCATION, LANDLOCK_NETWORK };

static const struct probe {
    const char *name;
    trial *trial;
    enum need need;
    bool is_network;     /* the database is at a port, not at a Unix socket */
    int wanted, or_else; /* either will do; 0: it goes through */
    bool fails_anyway;   /* or may, on some hosts, where there is no sandbox */
} probes[] = {
    {"exec ends the process", try_exec, FILTER, .wanted = ENDED + SIGSYS},
    {"exec by a descriptor ends the process", try_execveat, FILTER, .wanted = ENDED + SIGSYS},
    {"exec fails also where only files are restricted", try_exec, LANDLOCK,
     .wanted = ENDED + SIGSYS, .or_else = EACCES},
    {"fork fails", try_fork, FILTER, .wanted = EPERM},
    {"a spawned process fails", try_spawn, FILTER, .wanted = EPERM},
    {"a thread fails", try_thread, FILTER, .wanted = EPERM},
    {"ptrace ends the process", try_ptrace, FILTER, .wanted = ENDED + SIGSYS},
    {"reading the memory of another ends the process", try_reading_another, FILTER,
     .wanted = ENDED + SIGSYS, .fails_anyway = true},
    {"a signal to another fails", try_kill, FILTER, .wanted = ENOSYS},
    {"abort is an abort still", try_abort, FILTER, .wanted = ENDED + SIGABRT, .fails_anyway = true},
    {"the system calls of another machine end the process", try_other_calls, FILTER,
     .wanted = ENDED + SIGSYS, .or_else = ENDED + SIGSEGV, .fails_anyway = true},
    {"memory both to write and to run fails", try_memory_to_write_and_run, FILTER,
     .wanted = ENOSYS},
    {"memory that was written cannot be run", try_memory_made_to_run, FILTER, .wanted = ENOSYS},
    {"a file in memory fails", try_file_in_memory, FILTER, .wanted = ENOSYS},
    {"no memory is dumped, for good", try_dump, FILTER, .wanted = ENOSYS},
    {"an inherited descriptor is closed", try_inherited, NOTHING, .wanted = EBADF},
    {"a hundred descriptors are too many", try_many_descriptors, NOTHING, .wanted = EMFILE},
    {"keys are read again", try_key, NOTHING, .wanted = 0},
    {"a file that took the place of a key is read", try_key_of_later, NOTHING, .wanted = 0},
    {"a key behind a link is read", try_linked_key, NOTHING, .wanted = 0},
    {"zones are read", try_zone, NOTHING, .wanted = 0},
    {"libraries are read", try_library, NOTHING, .wanted = 0},
    {"the log is written, put away and begun anew", try_log, NOTHING, .wanted = 0},
    {"/dev/null is read and written", try_null, NOTHING, .wanted = 0},
    {"reading another file fails", try_reading_elsewhere, LANDLOCK, .wanted = EACCES},
    {"listing another folder fails", try_listing_elsewhere, LANDLOCK, .wanted = EACCES},
    {"reading /etc fails", try_accounts, LANDLOCK, .wanted = EACCES},
    {"reading of its own memory fails", try_own_memory, LANDLOCK, .wanted = EACCES},
    {"writing to another file fails", try_writing_elsewhere, LANDLOCK, .wanted = EACCES},
    {"writing to a key fails", try_writing_a_key, LANDLOCK, .wanted = EACCES},
    {"cutting a key short fails", try_cutting_a_key, TRUNCATION, .wanted = EACCES,
     .or_else = ENOSYS},
    {"making a key fails", try_making_a_key, LANDLOCK, .wanted = EACCES},
    {"making a file elsewhere fails", try_making_elsewhere, LANDLOCK, .wanted = EACCES},
    {"removing a key fails", try_removing_a_key, LANDLOCK, .wanted = EACCES},
    {"a folder among the logs fails", try_folder_in_logs, LANDLOCK, .wanted = EACCES,
     .or_else = ENOSYS},
    {"a link among the logs fails", try_link_in_logs, LANDLOCK, .wanted = EACCES,
     .or_else = ENOSYS},
    {"a Unix socket is made", try_socket_of_unix, NOTHING, .wanted = 0},
    {"with the database at a socket there is no IP", try_socket_of_ip, FILTER, .wanted = ENOSYS},
    {"and no foreign connect", try_foreign_connect, FILTER, .wanted = ENOSYS},
    {"and no netlink", try_netlink, FILTER, .wanted = ENOSYS},
    {"a socket of packets fails", try_socket_of_packets, FILTER, .is_network = true,
     .wanted = ENOSYS, .fails_anyway = true},
    {"the database is connected to", try_database, NOTHING, .is_network = true, .wanted = 0},
    {"a foreign connect fails", try_foreign_connect, LANDLOCK_NETWORK, .is_network = true,
     .wanted = EACCES},
    {"a port of its own fails", try_serving, LANDLOCK_NETWORK, .is_network = true,
     .wanted = EACCES},
    {"addresses are asked for over netlink", try_netlink, NOTHING, .is_network = true, .wanted = 0},
    {"other parts of the kernel are not", try_netlink_of_audit, FILTER, .is_network = true,
     .wanted = ENOSYS, .fails_anyway = true},
};

/* ---- running them */

static in_port_t listen_somewhere(int *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);

    *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*listener >= 0);
    assert_int_equal(bind(*listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(*listener, 8), 0);
    assert_int_equal(getsockname(*listener, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static void make_folder(struct place *place, const char *name)
{
    assert_int_equal(mkdir(path_in(place, name), 0700), 0);
}

static struct place *place_new(void)
{
    struct place *place = calloc(1, sizeof(*place));
    static const char *const folders[] = {"keys", "linked", "elsewhere", "logs", "other"};

    assert_non_null(place);
    place->folder = folder_new();
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
        make_folder(place, folders[i]);
    folder_add(place->folder, "keys/key", STR("k"), 0600);
    folder_add(place->folder, "elsewhere/key", STR("k"), 0600);
    folder_add(place->folder, "other/file", STR("x"), 0600);
    assert_int_equal(symlink("../elsewhere/key", path_in(place, "linked/key")), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(place->ports); i++)
        place->ports[i] = listen_somewhere(&place->listeners[i]);
    place->inherited = dup(STDERR_FILENO);
    assert_true(place->inherited >= 0);
    return place;
}

static void place_free(struct place *place)
{
    for (size_t i = 0; i < ARRAY_LENGTH(place->listeners); i++)
        assert_int_equal(close(place->listeners[i]), 0);
    assert_int_equal(close(place->inherited), 0);
    settings_free(&place->settings);
    folder_remove(place->folder);
    free(place);
}

static void load(struct place *place, bool is_network, const char *mode)
{
    enum { VARIABLES = 4, VARIABLE_BYTES = FOLDER_PATH_BYTES * 2 + 64 };
    char text[VARIABLES][VARIABLE_BYTES];
    char *environment[VARIABLES + 1] = {NULL};
    struct err err = {""};

    (void)snprintf(text[0], VARIABLE_BYTES, "ME_TOKEN_SECRET_FILE=%s/keys/key %s/linked/key",
                   place->folder, place->folder);
    (void)snprintf(text[1], VARIABLE_BYTES, "ME_LOG_FILE=%s/logs/log", place->folder);
    (void)snprintf(text[2], VARIABLE_BYTES, "ME_PROCESS_SANDBOX=%s", mode);
    (void)snprintf(text[3], VARIABLE_BYTES,
                   is_network ? "ME_DATABASE_HOST=127.0.0.1:%u" : "ME_DATABASE_HOST=/run/%u.sock",
                   (unsigned)place->ports[0]);
    for (size_t i = 0; i < VARIABLES; i++)
        environment[i] = text[i];
    if (!settings_load(NULL, environment, FILE_READERS_ANY, &place->settings, &err))
        fail_msg("%s", err.text);
}

static int wait_for(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? ENDED + WTERMSIG(status) : WEXITSTATUS(status);
}

static _Noreturn void enter_and_try(const struct place *place, trial *what)
{
    struct sandbox sandbox;
    struct err err;
    char byte = 'e';

    if (!sandbox_enter(&place->settings, &sandbox, &err) ||
        write(STDIN_FILENO, &byte, sizeof(byte)) != 1 || read(STDIN_FILENO, &byte, 1) != 1)
        _exit(REFUSED_TO_START);
    _exit(what(place));
}

/* Once the process is in its sandbox, a key comes to be that was not there before. */
static int run_trial(const struct place *place, trial *what)
{
    int pair[2];
    char byte;
    pid_t child;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    child = fork();
    if (child == 0) {
        if (dup2(pair[1], STDIN_FILENO) != STDIN_FILENO)
            _exit(REFUSED_TO_START);
        enter_and_try(place, what);
    }
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    folder_add(place->folder, "keys/later", STR("k"), 0600);
    assert_int_equal(write(pair[0], &byte, 1), 1);
    assert_int_equal(close(pair[0]), 0);
    return wait_for(child);
}

static void skip_unless_met(enum need need)
{
    static const char *const unfit = SANDBOX_UNFIT;

    if (unfit != NULL)
        skip_because("this build takes no sandbox");
    if (need == FILTER && filters[FILTER_LOCAL].len == 0)
        skip_because("this build was made without libseccomp");
    if (need >= LANDLOCK && landlock_abi() == 0)
        skip_because("this kernel has no Landlock (Linux 5.13)");
    if (need == TRUNCATION && landlock_abi() < 3)
        skip_because("this kernel's Landlock lets files be cut short (before Linux 6.2)");
    if (need == LANDLOCK_NETWORK && landlock_abi() < LANDLOCK_ABI_NETWORK)
        skip_because("this kernel's Landlock does not restrict TCP (before Linux 6.7)");
}

static void run_probe(void **state)
{
    const struct probe *probe = *state;
    struct place *place;
    int got;

    skip_unless_met(probe->need);
    place = place_new();
    load(place, probe->is_network, "auto");
    got = run_trial(place, probe->trial);
    place_free(place);
    if (got != probe->wanted && (probe->or_else == 0 || got != probe->or_else))
        fail_msg("came to %d (%s), not %d", got, got < ENDED ? strerror(got) : "a signal",
                 probe->wanted);
}

/* Each probe that is to fail goes through where there is no sandbox: so it was the sandbox. */
static void without_it_all_goes_through(void **state)
{
    (void)state;
    skip_unless_met(NOTHING);
    for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
        struct place *place = place_new();
        int got;

        load(place, probes[i].is_network, "off");
        got = run_trial(place, probes[i].trial);
        place_free(place);
        if (got != 0 && !probes[i].fails_anyway)
            fail_msg("%s: %d (%s)", probes[i].name, got, strerror(got));
    }
}

/* ---- hosts that lack something, as some containers do */

/* Landlock is not there, and neither are filters, nor close_range: who calls them meets this. */
static void lose_what_is_new(unsigned missing)
{
    enum {
        NUMBER = offsetof(struct seccomp_data, nr),
        FIRST = offsetof(struct seccomp_data, args)
    };
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 5, 0), /* landlock_create_ruleset */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, missing),
    };
    const struct sock_fprog program = {ARRAY_LENGTH(rules), rules};

    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        _exit(REFUSED_TO_START);
}

static int describe_into(int out, const char *text)
{
    return write(out, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : 1;
}

typedef bool enter_sandbox(const struct settings *settings, struct sandbox *out, struct err *err);

/* In a process of its own: whether it enters, and what it says of it. */
static bool enter_poor(const struct place *place, enter_sandbox *enter, unsigned missing,
                       char text[1024])
{
    int ends[2];
    pid_t child;
    ssize_t len;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct sandbox sandbox;
        struct err err = {""};
        struct buf said;
        bool good;

        lose_what_is_new(missing);
        buf_init(&said, SANDBOX_TEXT_MAX_BYTES);
        good = enter(&place->settings, &sandbox, &err);
        sandbox_describe(&sandbox, &said);
        buf_append_byte(&said, '\0');
        _exit(describe_into(ends[1], good ? said.data : err.text) == 0 && good ? 0 : 1);
    }
    assert_int_equal(close(ends[1]), 0);
    len = read(ends[0], text, 1023);
    assert_true(len > 0);
    text[len] = '\0';
    assert_int_equal(close(ends[0]), 0);
    return wait_for(child) == 0;
}

static void auto_goes_on_with_what_there_is(void **state)
{
    struct place *place;
    char text[1024];

    (void)state;
    skip_unless_met(FILTER);
    place = place_new();
    load(place, false, "auto");
    assert_true(enter_poor(place, sandbox_enter, SECCOMP_RET_ERRNO | ENOSYS, text));
    assert_string_equal(text,
                        "privileges, dumps, limits; without descriptors, files, syscalls, network");
    place_free(place);
}

static void required_says_what_is_missing(void **state)
{
    struct place *place;
    char text[1024];

    (void)state;
    skip_unless_met(FILTER);
    place = place_new();
    load(place, false, "required");
    assert_false(enter_poor(place, sandbox_enter, SECCOMP_RET_ERRNO | ENOSYS, text));
    assert_contains(text, "process.sandbox: is required, but cannot be had here: descriptors (");
    assert_contains(text, "files (needs Landlock");
    assert_contains(text, "syscalls (needs seccomp");
    assert_null(strstr(text, "privileges ("));
    assert_null(strstr(text, "network ("));
    place_free(place);
}

static void a_host_that_ends_who_tries_is_told(void **state)
{
    struct place *place;
    char text[1024];

    (void)state;
    skip_unless_met(FILTER);
    place = place_new();
    load(place, false, "auto");
    assert_false(enter_poor(place, sandbox_try, SECCOMP_RET_KILL_PROCESS, text));
    assert_contains(text,
                    "process.sandbox: cannot be tried: this host ends the process, by signal");
    place_free(place);
}

static void required_is_refused_by_a_build_that_takes_none(void **state)
{
    static const char *const unfit = SANDBOX_UNFIT;
    struct place *place = place_new();
    struct sandbox sandbox;
    struct err err;

    (void)state;
    load(place, false, "required");
    if (unfit == NULL) {
        place_free(place);
        skip_because("this build takes a sandbox");
    }
    assert_false(sandbox_enter(&place->settings, &sandbox, &err));
    assert_contains(err.text, "process.sandbox: is required, but it was built ");
    place_free(place);
}

static void trying_it_changes_nothing_here(void **state)
{
    static const char *const unfit = SANDBOX_UNFIT;
    struct place *place = place_new();
    struct sandbox sandbox;
    struct buf text;
    struct err err;

    (void)state;
    load(place, false, "auto");
    assert_true(sandbox_try(&place->settings, &sandbox, &err));
    buf_init(&text, SANDBOX_TEXT_MAX_BYTES);
    sandbox_describe(&sandbox, &text);
    assert_true(str_starts_with(buf_str(&text), unfit == NULL ? STR("privileges") : STR("none")));
    buf_free(&text);
    assert_int_equal(fcntl(place->inherited, F_GETFD), 0);
    assert_int_equal(try_open(place, "other/file", O_WRONLY), 0);
    place_free(place);
}

enum { OTHER_ACCOUNT = 65534 };

/* Two processes of one account that is not root's: whether one can open the memory of the other. */
static int peek(pid_t of)
{
    char path[64];
    pid_t child = fork();

    if (child != 0)
        return wait_for(child);
    (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)of);
    if (geteuid() == 0 && setuid(OTHER_ACCOUNT) != 0)
        _exit(REFUSED_TO_START);
    _exit(try_open(NULL, path, O_RDONLY));
}

static int peek_into_sandbox(const struct place *place)
{
    int pair[2], outcome;
    char byte = 'e';
    pid_t child;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    child = fork();
    if (child == 0) {
        struct sandbox sandbox;
        struct err err;

        if ((geteuid() == 0 && setuid(OTHER_ACCOUNT) != 0) || dup2(pair[1], STDIN_FILENO) != 0 ||
            prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || /* setuid took it away */
            !sandbox_enter(&place->settings, &sandbox, &err))
            _exit(REFUSED_TO_START);
        (void)(write(STDIN_FILENO, &byte, 1) == 1 && read(STDIN_FILENO, &byte, 1) == 1);
        _exit(0);
    }
    assert_int_equal(read(pair[0], &byte, 1), 1);
    outcome = peek(child);
    assert_int_equal(write(pair[0], &byte, 1), 1);
    assert_int_equal(wait_for(child), 0);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    return outcome;
}

static void its_memory_is_closed_to_its_account(void **state)
{
    struct place *place;

    (void)state;
    skip_unless_met(NOTHING);
    place = place_new();
    load(place, false, "off");
    assert_int_equal(peek_into_sandbox(place), 0);
    settings_free(&place->settings);
    load(place, false, "auto");
    assert_int_equal(peek_into_sandbox(place), EACCES);
    place_free(place);
}

static void off_takes_nothing(void **state)
{
    struct place *place = place_new();
    struct sandbox sandbox = {.has = 1};
    struct err err;

    (void)state;
    load(place, false, "off");
    assert_true(sandbox_enter(&place->settings, &sandbox, &err));
    assert_int_equal(sandbox.has, 0);
    assert_int_equal(fcntl(place->inherited, F_GETFD), 0);
    place_free(place);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(without_it_all_goes_through),
        cmocka_unit_test(auto_goes_on_with_what_there_is),
        cmocka_unit_test(required_says_what_is_missing),
        cmocka_unit_test(a_host_that_ends_who_tries_is_told),
        cmocka_unit_test(required_is_refused_by_a_build_that_takes_none),
        cmocka_unit_test(trying_it_changes_nothing_here),
        cmocka_unit_test(its_memory_is_closed_to_its_account),
        cmocka_unit_test(off_takes_nothing),
    };
    struct CMUnitTest tests[ARRAY_LENGTH(probes) + ARRAY_LENGTH(others)];
    size_t count = 0;

    for (; count < ARRAY_LENGTH(probes); count++)
        tests[count] = (struct CMUnitTest){.name = probes[count].name,
                                           .test_func = run_probe,
                                           .initial_state = (void *)(uintptr_t)&probes[count]};
    memcpy(tests + count, others, sizeof(others));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
