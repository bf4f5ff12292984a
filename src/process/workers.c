#include "process/workers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { NS_PER_MS = 1000000, MS_PER_S = 1000, READ_MAX_BYTES = 4 * 1024 * 1024 };

/* What the program is called, as gateway/path.c has it; the kernel keeps 15 bytes of it. */
static const char *const names[] = {"me.fcgi", "me.cgi"};

static bool is_number(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "0123456789")] == '\0';
}

/* Files of /proc have no size. False where it cannot be read. */
static bool read_file(int folder, const char *name, struct buf *out)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    bool good = file >= 0;

    while (good) {
        char *room = buf_reserve(out, 4096);
        ssize_t got = room == NULL ? -1 : read(file, room, 4096);

        good = got >= 0;
        if (got <= 0)
            break;
        buf_added(out, (size_t)got);
    }
    if (file >= 0)
        (void)close(file);
    return good;
}

/* ---- stat: "PID (NAME) STATE ...", whose name may hold blanks and brackets */

struct status {
    struct str name;
    struct str fields; /* from the state on, which is field 3 */
};

static bool cut_status(struct str line, struct status *out)
{
    const char *open = memchr(line.data, '(', line.len);
    const char *close = memrchr(line.data, ')', line.len);
    const char *end = line.data + line.len;

    if (open == NULL || close == NULL || close < open || close + 2 > end)
        return false;
    out->name = (struct str){open + 1, (size_t)(close - open - 1)};
    out->fields = (struct str){close + 2, (size_t)(end - close - 2)};
    return true;
}

static bool is_worker(const struct status *status)
{
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_equal(status->name, str_from(names[i])))
            return status->fields.len > 0 && status->fields.data[0] != 'Z';
    return false;
}

static int64_t clock_of(clockid_t clock)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* Field 22 counts clock ticks from the start of the system. */
static int64_t started_ms(struct str fields)
{
    struct str field = STR_NONE;
    int64_t ticks = 0;

    for (int i = 3; i <= 22 && str_is_set(fields); i++)
        field = str_cut(&fields, ' ');
    if (!str_is_set(field) || !str_to_number(field, INT64_MAX / MS_PER_S, &ticks))
        return 0;
    return clock_now_ms() - clock_of(CLOCK_BOOTTIME) + ticks * MS_PER_S / sysconf(_SC_CLK_TCK);
}

/* ---- program and environment */

/* The kernel adds " (deleted)" where the file is gone or was replaced. */
static void read_program(int folder, struct worker *worker)
{
    static const struct str gone = STR(" (deleted)");
    ssize_t len = readlinkat(folder, "exe", worker->program, sizeof(worker->program) - 1);
    struct str path = {worker->program, len < 0 ? 0 : (size_t)len};

    worker->is_readable = len > 0;
    worker->is_replaced = str_ends_with(path, gone);
    if (worker->is_replaced)
        path.len -= gone.len;
    worker->program[path.len] = '\0';
}

/* Takes the value where it is of this variable. */
static void take_variable(struct str variable, struct str start, char *out, size_t size)
{
    if (str_starts_with(variable, start))
        (void)snprintf(out, size, "%.*s", (int)(variable.len - start.len),
                       variable.data + start.len);
}

static void read_environment(int folder, struct worker *worker)
{
    struct str rest;
    struct buf text;

    buf_init(&text, READ_MAX_BYTES);
    if (!read_file(folder, "environ", &text))
        worker->is_readable = false;
    rest = buf_str(&text);
    while (str_is_set(rest)) {
        struct str variable = str_cut(&rest, '\0');

        take_variable(variable, STR("ME_CONF="), worker->conf, sizeof(worker->conf));
        take_variable(variable, STR("ME_PROCESS_SOCKET="), worker->socket_setting,
                      sizeof(worker->socket_setting));
    }
    buf_free_secret(&text);
}

/* ---- its socket */

/* A line of net/unix: "ADDRESS: REFERENCES PROTOCOL FLAGS TYPE STATE INODE PATH". */
static bool is_line_of_listener(struct str line, ino_t socket)
{
    static const struct str listens = STR("00010000");
    struct str flags = STR_NONE;
    int64_t inode = 0;
    int i = 0;

    while (str_is_set(line) && i < 7) {
        struct str field = str_cut(&line, ' ');

        if (field.len == 0) /* of several blanks */
            continue;
        if (i == 3)
            flags = field;
        if (i == 6 && !str_to_number(field, INT64_MAX, &inode))
            return false;
        i++;
    }
    return str_equal(flags, listens) && (ino_t)inode == socket;
}

static bool is_unix_listener(int folder, ino_t socket)
{
    struct buf text;
    struct str rest;
    bool found = false;

    buf_init(&text, READ_MAX_BYTES);
    if (read_file(folder, "net/unix", &text))
        for (rest = buf_str(&text); str_is_set(rest) && !found;)
            found = is_line_of_listener(str_cut(&rest, '\n'), socket);
    buf_free(&text);
    return found;
}

static bool has_open(int descriptors, ino_t socket)
{
    DIR *open = fdopendir(descriptors);
    const struct dirent *entry;
    struct stat info;
    bool found = false;

    if (open == NULL) {
        (void)close(descriptors);
        return false;
    }
    while (!found && (entry = readdir(open)) != NULL)
        found = is_number(entry->d_name) && fstatat(dirfd(open), entry->d_name, &info, 0) == 0 &&
                S_ISSOCK(info.st_mode) && info.st_ino == socket;
    (void)closedir(open);
    return found;
}

/* What the parent, field 4, is called, and whether it has the socket. */
static void read_parent(int proc, struct str fields, struct worker *worker)
{
    char path[WORKER_WORD_MAX_BYTES + 1];
    int descriptors;
    struct buf text;
    struct str rest;

    (void)str_cut(&fields, ' ');
    fields = str_cut(&fields, ' ');
    buf_init(&text, READ_MAX_BYTES);
    (void)snprintf(path, sizeof(path), "%.*s/comm", STR_ARGS(fields));
    if (read_file(proc, path, &text)) {
        rest = buf_str(&text);
        rest = str_cut(&rest, '\n');
        (void)snprintf(worker->parent, sizeof(worker->parent), "%.*s", STR_ARGS(rest));
    }
    buf_free(&text);
    (void)snprintf(path, sizeof(path), "%.*s/fd", STR_ARGS(fields));
    descriptors = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    worker->parent_has_socket = descriptors >= 0 && has_open(descriptors, worker->socket);
}

static void read_socket(int proc, int folder, struct str fields, struct worker *worker)
{
    struct stat info;

    if (fstatat(folder, "fd/0", &info, 0) != 0 || !S_ISSOCK(info.st_mode) ||
        !is_unix_listener(folder, info.st_ino))
        return;
    worker->socket = info.st_ino;
    read_parent(proc, fields, worker);
}

/* ---- all of them */

static bool read_worker(int proc, int folder, struct worker *worker)
{
    struct status status;
    struct stat info;
    struct buf text;
    bool good;

    buf_init(&text, READ_MAX_BYTES);
    good = read_file(folder, "stat", &text) && cut_status(buf_str(&text), &status) &&
           is_worker(&status) && fstat(folder, &info) == 0;
    if (good) {
        worker->user = info.st_uid;
        worker->started_ms = started_ms(status.fields);
        read_program(folder, worker);
        read_environment(folder, worker);
        read_socket(proc, folder, status.fields, worker);
    }
    buf_free(&text);
    return good;
}

static void look(int proc, const char *name, workers_visit *visit, void *context)
{
    int folder = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct worker worker = {.program = "", .conf = ""};

    if (folder < 0)
        return; /* it has ended meanwhile */
    worker.pid = (pid_t)strtol(name, NULL, 10);
    if (read_worker(proc, folder, &worker))
        visit(context, &worker);
    (void)close(folder);
}

bool workers_find(workers_visit *visit, void *context)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    if (proc == NULL)
        return false;
    while ((entry = readdir(proc)) != NULL)
        if (is_number(entry->d_name))
            look(dirfd(proc), entry->d_name, visit, context);
    (void)closedir(proc);
    return true;
}
