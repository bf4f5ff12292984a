#include "api/watch.h"

#include <stdlib.h>

#include "api/authenticate.h"
#include "base/clock.h"
#include "store/readiness.h"
#include "token/hmac.h"
#include "token/keyset.h"

enum {
    SECRET_MAX_BYTES = HMAC_SECRET_MAX_BYTES + 2,
    /* Whoever asks again and again costs the database no more than one question a second. */
    READY_KEPT_US = 1000000
};

struct watch {
    const struct settings *settings;
    struct metrics *metrics; /* NULL: nothing is counted */
    struct metrics *sum;     /* for one answer */
    struct watch_source source;
    struct buf secret;
    struct {
        int64_t until_us; /* 0: not judged yet */
        enum problem problem;
        struct err err;
    } ready;
};

/* ---- its life */

static bool is_sendable(struct str secret)
{
    for (size_t i = 0; i < secret.len; i++)
        if (secret.data[i] <= ' ' || secret.data[i] > '~')
            return false;
    return true;
}

static struct str secret_of(const struct watch *watch)
{
    return keyset_secret_of_file(buf_str(&watch->secret));
}

static bool read_secret(struct watch *watch, enum file_readers readers, struct err *err)
{
    const char *path = watch->settings->watch.secret_file;
    bool good;

    if (path == NULL)
        return true;
    good = file_read(path, readers, &watch->secret, err);
    if (good && !is_sendable(secret_of(watch))) {
        err_set(err, "%s: holds characters that no header can send: write letters and digits",
                path);
        good = false;
    } else if (good && !hmac_is_good_secret(secret_of(watch), err)) {
        err_prefix(err, "%s", path);
        good = false;
    }
    if (!good)
        err_prefix(err, "watch.secret_file");
    return good;
}

static bool make_metrics(struct watch *watch, struct err *err)
{
    if (watch->settings->watch.metrics_file == NULL)
        return true;
    watch->metrics = metrics_new();
    watch->sum = metrics_new();
    if (watch->metrics != NULL && watch->sum != NULL)
        return true;
    err_set(err, "out of memory");
    return false;
}

struct watch *watch_new(const struct settings *settings, enum file_readers readers, struct err *err)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    watch->settings = settings;
    buf_init(&watch->secret, SECRET_MAX_BYTES);
    if (read_secret(watch, readers, err) && make_metrics(watch, err))
        return watch;
    watch_free(watch);
    return NULL;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    metrics_free(watch->metrics);
    metrics_free(watch->sum);
    buf_free_secret(&watch->secret);
    free(watch);
}

void watch_set_source(struct watch *watch, const struct watch_source *source)
{
    watch->source = *source;
}

/* ---- counting */

bool watch_is_path(const struct settings *settings, struct str path)
{
    const char *const paths[] = {settings->watch.live_path, settings->watch.ready_path,
                                 settings->watch.metrics_path};

    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
        if (paths[i] != NULL && str_equal(path, str_from(paths[i])))
            return true;
    return false;
}

void watch_count(const struct exchange *exchange, int64_t duration_us)
{
    const struct metrics_request request = {
        .method = exchange->request->method,
        .status = exchange->response->status,
        .reason = exchange->reason,
        .cache = exchange->cache,
        .duration_us = duration_us,
    };
    struct watch *watch = exchange->service->watch;

    if (watch->metrics != NULL && !watch_is_path(watch->settings, exchange->request->path))
        metrics_count_request(watch->metrics, &request);
}

void watch_count_key_file_failure(const struct service *service)
{
    if (service->watch->metrics != NULL)
        metrics_add(service->watch->metrics, METRIC_KEY_FILE_FAILURES, 0, 1);
}

/* Of both accounts together. */
static void take_database(struct metrics *metrics, const struct service *service)
{
    const struct database *const databases[] = {service->database, service->provisioning};
    struct database_counts all = {.connections = 0};
    uint64_t open = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(databases) && databases[i] != NULL; i++) {
        const struct database_counts *counts = database_counts(databases[i]);

        open += database_is_open(databases[i]) ? 1 : 0;
        all.connections += counts->connections;
        all.spent_us += counts->spent_us;
        for (size_t j = 0; j < STORE__MAX; j++)
            all.failures[j] += counts->failures[j];
    }
    metrics_set(metrics, METRIC_DATABASE_OPENED, 0, all.connections);
    metrics_set(metrics, METRIC_DATABASE_TIME, 0, all.spent_us);
    metrics_set(metrics, METRIC_DATABASE_CONNECTIONS, 0, open);
    for (size_t i = 0; i < STORE__MAX; i++)
        metrics_set(metrics, METRIC_DATABASE_FAILURES, i, all.failures[i]);
}

static void take_keys(struct metrics *metrics, const struct service *service)
{
    const struct verifier_counts *tokens = verifier_counts(service->verifier);

    metrics_set(metrics, METRIC_TOKENS, METRIC_TOKEN_RECALLED, tokens->recalled);
    metrics_set(metrics, METRIC_TOKENS, METRIC_TOKEN_SHARED, tokens->shared);
    metrics_set(metrics, METRIC_TOKENS, METRIC_TOKEN_VERIFIED, tokens->opened);
    metrics_set(metrics, METRIC_KEYS, 0, keyring_count(keyfiles_keyring(service->keyfiles)));
    metrics_set(metrics, METRIC_KEYS_CHANGED, 0, (uint64_t)keyfiles_modified_ms(service->keyfiles));
}

const uint64_t *watch_numbers(const struct service *service)
{
    struct metrics *metrics = service->watch == NULL ? NULL : service->watch->metrics;

    if (metrics == NULL)
        return NULL;
    metrics_set(metrics, METRIC_WORKERS, 0, 1);
    take_database(metrics, service);
    take_keys(metrics, service);
    return metrics_numbers(metrics);
}

/* ---- live and ready */

static enum problem respond(struct exchange *exchange, const char *type, struct str body)
{
    exchange->response->status = 200;
    exchange->response->content_type = type;
    exchange->response->body = body;
    return PROBLEM_NONE;
}

enum problem watch_live(struct exchange *exchange)
{
    return respond(exchange, "application/json", STR("{\"status\":\"live\"}"));
}

/* What a client has to know is that it is to come again; why is in the log. */
static enum problem ask_database(struct exchange *exchange)
{
    struct service *service = exchange->service;

    database_begin_request(service->database);
    return readiness_judge(service->database, service->settings, service->arena, &exchange->err) ==
                   STORE_OK
               ? PROBLEM_NONE
               : PROBLEM_SERVICE_UNAVAILABLE;
}

enum problem watch_ready(struct exchange *exchange)
{
    struct watch *watch = exchange->service->watch;
    int64_t now_us = clock_monotonic_us();

    if (now_us >= watch->ready.until_us) {
        watch->ready.problem = ask_database(exchange);
        watch->ready.err = exchange->err;
        watch->ready.until_us = clock_monotonic_us() + READY_KEPT_US;
    }
    exchange->err = watch->ready.err;
    if (watch->ready.problem != PROBLEM_NONE)
        return watch->ready.problem;
    return respond(exchange, "application/json", STR("{\"status\":\"ready\"}"));
}

/* ---- metrics */

static void add_worker(void *context, const uint64_t *numbers, bool is_alive)
{
    metrics_add_worker(context, numbers, is_alive);
}

static bool read_sum(struct watch *watch)
{
    metrics_begin_sum(watch->sum);
    return watch->source.read != NULL &&
           watch->source.read(watch->source.context, add_worker, watch->sum);
}

enum problem watch_metrics(struct exchange *exchange)
{
    struct service *service = exchange->service;
    struct watch *watch = service->watch;

    if (watch->settings->watch.metrics_for == SETTINGS_WATCHERS_SECRET) {
        enum problem problem = authenticate_by_secret(exchange, secret_of(watch));

        if (problem != PROBLEM_NONE)
            return problem;
    }
    if (!read_sum(watch)) {
        err_set(&exchange->err, "watch.metrics_file cannot be used");
        return PROBLEM_SERVICE_UNAVAILABLE;
    }
    buf_reset(&service->body_out);
    if (!metrics_render(watch->sum, &service->body_out))
        return PROBLEM_INTERNAL_ERROR;
    return respond(exchange, METRICS_CONTENT_TYPE, buf_str(&service->body_out));
}
