#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api.h"
#include "mectl/doctor/inside.h"
#include "process/workers.h"

extern char **environ;

enum {
    NS_PER_MS = 1000000,
    MS_PER_S = 1000,
    SLACK_MS = 50, /* the start of a process is known to a hundredth of a second */
    PIDS_MAX_BYTES = 4096,
    PATH_MAX_BYTES = 8192,
    SOCKETS_MAX = 256 /* of more than these, the others are taken for right */
};

/* The workers that have the settings of the report. */
struct crew {
    struct report *report;
    struct stat conf; /* me.conf as it is now */
    bool has_conf;
    int64_t count, outdated, roots;
    uid_t user;                     /* of the first one */
    struct buf pids, outdated_pids; /* " 12 34" */
    const char *reason;             /* why the last outdated one is */
    ino_t sockets[SOCKETS_MAX];     /* of those workers that would refuse what comes to them */
    size_t socket_count;
    int64_t taking, losing; /* the process id of one whose process.socket does not fit */
};

/* ---- those that run */

static bool is_our_conf(const struct crew *crew, const char *path)
{
    struct stat info;

    return crew->has_conf && stat(path, &info) == 0 && info.st_dev == crew->conf.st_dev &&
           info.st_ino == crew->conf.st_ino;
}

/* Without ME_CONF a worker takes the me.conf beside its program. */
static bool is_our_program(const struct crew *crew, const char *program)
{
    const char *slash = strrchr(program, '/');
    struct buf path;
    bool is_ours;

    buf_init(&path, PATH_MAX_BYTES);
    buf_append(&path, program, slash == NULL ? 0 : (size_t)(slash + 1 - program));
    buf_append(&path, "me.conf", sizeof("me.conf"));
    is_ours = buf_is_good(&path) && is_our_conf(crew, path.data);
    buf_free(&path);
    return is_ours;
}

/* One that cannot be looked into is somebody else's. */
static bool is_ours(const struct crew *crew, const struct worker *worker)
{
    if (!worker->is_readable)
        return false;
    return worker->conf[0] != '\0' ? is_our_conf(crew, worker->conf)
                                   : is_our_program(crew, worker->program);
}

static const char *reason_to_restart(const struct crew *crew, const struct worker *worker)
{
    int64_t changed_ms =
        (int64_t)crew->conf.st_mtim.tv_sec * MS_PER_S + crew->conf.st_mtim.tv_nsec / NS_PER_MS;

    if (worker->is_replaced)
        return "another file has taken the place of its program";
    return changed_ms > worker->started_ms + SLACK_MS ? "me.conf was changed after it had started"
                                                      : NULL;
}

/* ---- process.socket */

static bool is_own(const struct crew *crew, const struct worker *worker)
{
    if (worker->socket_setting[0] != '\0')
        return strcmp(worker->socket_setting, "own") == 0;
    return crew->report->invocation->settings.process.socket == SETTINGS_SOCKET_OWN;
}

static bool has_another(const struct crew *crew, ino_t socket)
{
    for (size_t i = 0; i < crew->socket_count; i++)
        if (crew->sockets[i] == socket)
            return true;
    return false;
}

static void judge_own(struct crew *crew, const struct worker *worker)
{
    if (worker->parent_has_socket || has_another(crew, worker->socket))
        crew->taking = worker->pid;
    if (crew->socket_count < SOCKETS_MAX)
        crew->sockets[crew->socket_count++] = worker->socket;
}

static void judge_socket(struct crew *crew, const struct worker *worker)
{
    if (worker->socket == 0)
        return;
    if (is_own(crew, worker))
        judge_own(crew, worker);
    else if (strcmp(worker->parent, "lighttpd") == 0 && !worker->parent_has_socket)
        crew->losing = worker->pid;
}

static void visit_worker(void *context, const struct worker *worker)
{
    struct crew *crew = context;
    const char *reason;

    if (!is_ours(crew, worker))
        return;
    if (crew->count++ == 0)
        crew->user = worker->user;
    buf_append_format(&crew->pids, " %lld", (long long)worker->pid);
    crew->roots += worker->user == 0;
    judge_socket(crew, worker);
    reason = reason_to_restart(crew, worker);
    if (reason == NULL)
        return;
    crew->outdated++;
    crew->reason = reason;
    buf_append_format(&crew->outdated_pids, " %lld", (long long)worker->pid);
}

/* False: there is no /proc to look for them. */
static bool find_crew(struct report *report, struct crew *crew)
{
    const char *conf = report->invocation->settings.file;

    *crew = (struct crew){.report = report};
    crew->has_conf = conf != NULL && stat(conf, &crew->conf) == 0;
    buf_init(&crew->pids, PIDS_MAX_BYTES);
    buf_init(&crew->outdated_pids, PIDS_MAX_BYTES);
    return workers_find(visit_worker, crew);
}

static void free_crew(struct crew *crew)
{
    buf_free(&crew->pids);
    buf_free(&crew->outdated_pids);
}

static void tell_crew(struct crew *crew)
{
    struct report *report = crew->report;

    if (crew->count > 0)
        report_good(report, "workers", "%lld run with these settings", (long long)crew->count);
    if (crew->roots > 0)
        report_finding(report, FINDING_WORKER_IS_ROOT, NULL, "%lld of %lld", (long long)crew->roots,
                       (long long)crew->count);
    if (crew->taking > 0)
        report_finding(report, FINDING_SOCKET_TAKEN, NULL, "as pid %lld has",
                       (long long)crew->taking);
    if (crew->losing > 0)
        report_finding(report, FINDING_SOCKET_LOST, NULL, "as pid %lld has",
                       (long long)crew->losing);
    buf_append_byte(&crew->outdated_pids, '\0');
    if (crew->outdated > 0 && buf_is_good(&crew->outdated_pids))
        report_finding(report, FINDING_WORKER_OUTDATED, crew->outdated_pids.data + 1,
                       "%lld of %lld (pid%s): %s", (long long)crew->outdated,
                       (long long)crew->count, crew->outdated_pids.data, crew->reason);
}

/* ---- one that would be started */

typedef bool trial_work(const struct settings *settings, struct err *err);

/* As me.fcgi does it; what it would log is told by others. */
static bool try_start(const struct settings *settings, struct err *err)
{
    const struct log log = {.descriptor = -1, .level = LOG_ERROR};
    struct settings own = {.file = NULL};
    struct api *api;

    if (!settings_load(settings->file, environ, FILE_READERS_OWN_GROUP, &own, err))
        return false;
    api = api_new(&own, &log, FILE_READERS_OWN_GROUP, err);
    api_free(api);
    settings_free(&own);
    return api != NULL;
}

/* The log is made where it is not there yet. */
static bool try_log(const struct settings *settings, struct err *err)
{
    const char *path = settings->log.file, *slash = strrchr(path, '/');
    struct buf folder;
    bool good = access(path, W_OK) == 0;

    if (good || errno != ENOENT) {
        err_set(err, "%s: %s", path, strerror(errno));
        return good;
    }
    buf_init(&folder, PATH_MAX_BYTES);
    buf_append(&folder, path, slash == NULL ? 0 : (size_t)(slash + 1 - path));
    buf_append_byte(&folder, '.');
    buf_append_byte(&folder, '\0');
    good = buf_is_good(&folder) && access(folder.data, W_OK | X_OK) == 0;
    if (!good)
        err_set(err, "the folder of %s: %s", path, strerror(errno));
    buf_free(&folder);
    return good;
}

/* The child's whole life; its text goes through the pipe. */
static void live_as(const struct passwd *account, trial_work *work, const struct settings *settings,
                    int pipe_end)
{
    struct err err = {""};
    bool good = false;

    if (initgroups(account->pw_name, account->pw_gid) != 0 || setgid(account->pw_gid) != 0 ||
        setuid(account->pw_uid) != 0)
        err_set(&err, "cannot become %s: %s", account->pw_name, strerror(errno));
    else
        good = work(settings, &err);
    if (write(pipe_end, err.text, strlen(err.text)) < 0)
        good = false;
    _exit(good ? 0 : 1);
}

static void read_text(int pipe_end, struct err *err)
{
    size_t len = 0;
    ssize_t got;

    while (len < sizeof(err->text) - 1 &&
           (got = read(pipe_end, err->text + len, sizeof(err->text) - 1 - len)) > 0)
        len += (size_t)got;
    err->text[len] = '\0';
}

static bool run_as(const struct passwd *account, trial_work *work, const struct settings *settings,
                   struct err *err)
{
    int ends[2], status = 1;
    pid_t child;

    if (pipe(ends) != 0) {
        err_set(err, "%s", strerror(errno));
        return false;
    }
    child = fork();
    if (child == 0)
        live_as(account, work, settings, ends[1]);
    (void)close(ends[1]);
    read_text(ends[0], err);
    (void)close(ends[0]);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* What is tried, and what it is when it fails. */
struct trial {
    const char *topic;
    enum finding finding;
    trial_work *work;
};

static void try_as(struct report *report, const struct passwd *account, const struct trial *trial)
{
    const struct settings *settings = &report->invocation->settings;
    struct err err = {""};
    bool is_self = account->pw_uid == geteuid();

    if (is_self ? trial->work(settings, &err) : run_as(account, trial->work, settings, &err))
        report_good(report, trial->topic, "good for %s", account->pw_name);
    else
        report_finding(report, trial->finding, account->pw_name, "as %s: %s", account->pw_name,
                       err.text);
}

static void try_start_and_log(struct report *report, const struct passwd *account)
{
    static const struct trial start = {"a new worker", FINDING_WORKER_REFUSES, try_start};
    static const struct trial log = {"log.file", FINDING_LOG_UNWRITABLE, try_log};

    if (report->stops > 0)
        report_note(report, start.topic, "would not start, for what is told above");
    else
        try_as(report, account, &start);
    if (report->invocation->settings.log.file != NULL)
        try_as(report, account, &log);
}

/* Whose a new worker is: the one that is named, or that of those that run, or, where it is not
 * root, whoever asks. */
static const struct passwd *find_account(const struct crew *crew, const char *name)
{
    if (name != NULL)
        return getpwnam(name);
    if (crew->count > 0)
        return getpwuid(crew->user);
    return geteuid() == 0 ? NULL : getpwuid(geteuid());
}

static void try_worker(struct crew *crew, const char *name)
{
    const struct passwd *account = find_account(crew, name);
    struct report *report = crew->report;

    if (account == NULL)
        report_note(report, "a new worker",
                    "was not tried: none runs, so --as has to tell whose "
                    "account it would have");
    else if (geteuid() != 0 && account->pw_uid != geteuid())
        report_note(report, "a new worker", "was not tried: it takes root to be %s",
                    account->pw_name);
    else
        try_start_and_log(report, account);
}

void doctor_workers(struct report *report)
{
    struct crew crew;

    if (!find_crew(report, &crew))
        report_note(report, "workers", "there is no /proc to look for them");
    tell_crew(&crew);
    try_worker(&crew, report->account);
    if (report->workers == 0)
        report->workers = crew.count;
    free_crew(&crew);
}

bool doctor_worker_pids(struct report *report, struct buf *out)
{
    struct crew crew;
    bool good = find_crew(report, &crew) && crew.count > 0 && buf_is_good(&crew.pids);

    if (good) {
        buf_append(out, crew.pids.data + 1, crew.pids.len - 1);
        buf_append_byte(out, '\0');
    }
    free_crew(&crew);
    return good && buf_is_good(out);
}
