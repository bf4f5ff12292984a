/*
 * The worker: GET and PATCH /me. FastCGI where descriptor 0 is a listening socket, else one CGI
 * request.
 */
#include "config.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "gateway/cgi.h"
#include "gateway/environment.h"
#include "gateway/fastcgi.h"
#include "process/descriptors.h"
#include "process/logfile.h"
#include "process/sandbox.h"
#include "process/standalone.h"
#include "process/stop.h"

extern char **environ;

static const char usage[] = "usage: me.fcgi [--check-config | --version | --help]\n"
                            "A web server starts it without arguments, as a FastCGI worker or a "
                            "CGI program: see me.fcgi(8).\n";

static bool load(const char *program, struct settings *settings, struct err *err)
{
    struct buf path;
    const char *found = NULL;
    bool good;

    buf_init(&path, 4096);
    good = settings_find(NULL, environ, program, &path, &found, err) &&
           settings_load(found, environ, FILE_READERS_OWN_GROUP, settings, err);
    buf_free(&path);
    return good;
}

static int complain(const char *what)
{
    (void)fprintf(stderr, "me.fcgi: %s\n", what);
    return 1;
}

/* What a worker would give up here, as a comment of me.conf. */
static bool print_sandbox(const struct settings *settings, struct err *err)
{
    struct sandbox sandbox;
    struct buf text;
    bool good = sandbox_try(settings, &sandbox, err);

    buf_init(&text, SANDBOX_TEXT_MAX_BYTES);
    sandbox_describe(&sandbox, &text);
    if (printf("\n# sandbox: %.*s\n", STR_ARGS(buf_str(&text))) < 0 || fflush(stdout) != 0) {
        err_set(err, "standard output cannot be written");
        good = false;
    }
    buf_free(&text);
    return good;
}

/* Prints the settings, then makes all that a worker makes of them, to find what would keep it from
 * serving. */
static int check_config(const char *program)
{
    struct log_memory memory = {0};
    struct log log = {.descriptor = STDERR_FILENO, .level = LOG_INFO, .memory = &memory};
    struct settings settings;
    struct err err = {""};
    struct api *api = NULL;
    bool good;

    if (!load(program, &settings, &err))
        return complain(err.text);
    if (!settings_print(&settings, stdout))
        err_set(&err, "standard output cannot be written");
    else if (print_sandbox(&settings, &err))
        api = api_new(&settings, &log, FILE_READERS_OWN_GROUP, &err);
    good = api != NULL;
    api_free(api);
    settings_free(&settings);
    return good ? 0 : complain(err.text);
}

static int answer_arguments(const char *program, const char *option)
{
    bool good = true;

    if (strcmp(option, "--check-config") == 0)
        return check_config(program);
    if (strcmp(option, "--version") == 0)
        good = printf("me.fcgi %s\n", PACKAGE_VERSION) > 0;
    else if (strcmp(option, "--help") == 0)
        good = fputs(usage, stdout) >= 0;
    else {
        (void)fputs(usage, stderr);
        return 2;
    }
    return good && fflush(stdout) == 0 ? 0 : 1;
}

static struct logfile logfile_of(const struct settings *settings)
{
    return (struct logfile){settings->log.file, settings->log.max_bytes, settings->log.kept};
}

/* One life of a worker, with everything made. */
static int serve(struct api *api, const struct settings *settings, const struct log *log)
{
    const struct logfile logfile = logfile_of(settings);
    const struct cgi cgi = {api, settings, log};
    struct err err = {""};

    if (!descriptor_is_listening(STDIN_FILENO)) {
        logfile_keep_up(&logfile);
        return cgi_serve(&cgi, environ) ? 0 : 1;
    }
    if (fastcgi_serve(api, settings, log, &logfile, &err))
        return 0;
    LOG_EVENT(log, LOG_ERROR, "the worker ends", {"detail", str_from(err.text)});
    return 1;
}

/* A CGI client is owed an answer; a FastCGI worker that cannot serve ends, so that its spawner
 * knows. */
static int fail(const struct log *log, const struct err *err)
{
    LOG_EVENT(log, LOG_ERROR, "cannot start", {"detail", str_from(err->text)});
    if (descriptor_is_listening(STDIN_FILENO))
        return 1;
    return cgi_serve(NULL, environ) ? 0 : 1;
}

/* From here on the process can do what a worker does, and little else. */
static bool confine(const struct settings *settings, const struct log *log, struct err *err)
{
    struct sandbox sandbox;
    struct buf text;

    if (!sandbox_enter(settings, &sandbox, err))
        return false;
    buf_init(&text, SANDBOX_TEXT_MAX_BYTES);
    sandbox_describe(&sandbox, &text);
    LOG_EVENT(log, LOG_DEBUG, "sandbox", {"parts", buf_str(&text)});
    buf_free(&text);
    return true;
}

static struct api *make_api(const struct settings *settings, struct log *log, struct err *err)
{
    const struct logfile logfile = logfile_of(settings);

    log->level = (enum log_level)settings->log.level;
    if (!logfile_open(&logfile, err) || !confine(settings, log, err))
        return NULL;
    log->is_own_file = logfile.path != NULL;
    return api_new(settings, log, FILE_READERS_OWN_GROUP, err);
}

static int start(const char *program)
{
    struct settings settings;
    struct log_memory memory = {0};
    struct log log = {.descriptor = STDERR_FILENO, .level = LOG_INFO, .memory = &memory};
    struct err err = {""};
    struct api *api;
    int status;

    if (!load(program, &settings, &err))
        return fail(&log, &err);
    api = make_api(&settings, &log, &err);
    status = api == NULL ? fail(&log, &err) : serve(api, &settings, &log);
    api_free(api);
    settings_free(&settings);
    return status;
}

static bool is_started_by_server(void)
{
    return descriptor_is_listening(STDIN_FILENO) ||
           str_is_set(environment_value(environ, "REQUEST_METHOD"));
}

/* What OpenSSL would take down at the end, piece by piece, ends with the process. */
static bool set_up_openssl(void)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
}

int main(int argc, char **argv)
{
    if (!descriptors_ensure_standard() || !stop_install() || !standalone_set_up() ||
        !set_up_openssl())
        return complain("the system refused descriptors, signal handlers, or memory");
    if (argc > 1)
        return answer_arguments(argv[0], argv[1]);
    if (!is_started_by_server()) {
        (void)fputs(usage, stderr);
        return 2;
    }
    return start(argv[0]);
}
