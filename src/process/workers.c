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

enum { NS_PER_MS = 1000000, MS_PER_S = 1000, READ_MAX_BYTES = 256 * 1024 };

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

static void read_conf(int folder, struct worker *worker)
{
    struct str rest, variable;
    struct buf text;

    buf_init(&text, READ_MAX_BYTES);
    if (!read_file(folder, "environ", &text))
        worker->is_readable = false;
    rest = buf_str(&text);
    while (str_is_set(rest)) {
        variable = str_cut(&rest, '\0');
        if (str_starts_with(variable, STR("ME_CONF=")))
            (void)snprintf(worker->conf, sizeof(worker->conf), "%.*s", (int)variable.len - 8,
                           variable.data + 8);
    }
    buf_free_secret(&text);
}

/* ---- all of them */

static bool read_worker(int folder, struct worker *worker)
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
        read_conf(folder, worker);
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
    if (read_worker(folder, &worker))
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
