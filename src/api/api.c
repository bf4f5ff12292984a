#include "api/api.h"

#include <stdlib.h>

#include "api/authenticate.h"
#include "api/body.h"
#include "api/cors.h"
#include "api/exchange.h"
#include "api/me.h"
#include "api/watch.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/randompool.h"
#include "base/uuid.h"

enum {
    ARENA_MAX_BYTES = 16 * 1024 * 1024,   /* a user with some ten thousand child rows */
    BODY_OUT_MAX_BYTES = 32 * 1024 * 1024 /* the same as JSON, with every character escaped */
};

struct api {
    struct service service;
    uint64_t requests;
    struct randompool
        *random; /* from the second request on: a CGI process needs none; NULL: none */
    char request_id[UUID_TEXT_LEN + 1]; /* of the answer that the response points to */
};

/* When a request began, by both clocks. */
struct beginning {
    int64_t now_ms, monotonic_us;
};

/* ---- routes */

enum route_flag {
    ROUTE_NEEDS_TOKEN = 1,
    ROUTE_OMITS_BODY = 2,
};

struct route {
    const char *path; /* NULL: what the setting says, which may be unset */
    size_t setting;   /* its offset in struct settings */
    const char *method;
    unsigned flags; /* enum route_flag */
    enum problem (*handle)(struct exchange *exchange);
};

static enum problem describe_options(struct exchange *exchange);

#define AT(member) offsetof(struct settings, member)

static const struct route routes[] = {
    {"/me", 0, "GET", ROUTE_NEEDS_TOKEN, me_get},
    {"/me", 0, "HEAD", ROUTE_NEEDS_TOKEN | ROUTE_OMITS_BODY, me_get},
    {"/me", 0, "PATCH", ROUTE_NEEDS_TOKEN, me_patch},
    {"/me", 0, "OPTIONS", 0, describe_options},
    {NULL, AT(watch.live_path), "GET", 0, watch_live},
    {NULL, AT(watch.live_path), "HEAD", ROUTE_OMITS_BODY, watch_live},
    {NULL, AT(watch.ready_path), "GET", 0, watch_ready},
    {NULL, AT(watch.ready_path), "HEAD", ROUTE_OMITS_BODY, watch_ready},
    {NULL, AT(watch.metrics_path), "GET", 0, watch_metrics},
    {NULL, AT(watch.metrics_path), "HEAD", ROUTE_OMITS_BODY, watch_metrics},
};

static bool is_path_of(const struct route *route, const struct exchange *exchange)
{
    const char *place = (const char *)exchange->service->settings + route->setting;
    const char *path =
        route->path != NULL ? route->path : *(const char *const *)(const void *)place;

    return path != NULL && str_equal(exchange->request->path, str_from(path));
}

/* The methods that a path knows, as Allow lists them; empty: there is no such path. */
static bool list_methods(const struct exchange *exchange, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
        if (!is_path_of(&routes[i], exchange))
            continue;
        if (out->len > 0)
            buf_append_text(out, ", ");
        buf_append_text(out, routes[i].method);
    }
    return out->len > 0 && buf_is_good(out);
}

static bool add_allow(struct exchange *exchange)
{
    struct str allow;
    struct buf text;
    bool found;

    buf_init(&text, 256);
    found = list_methods(exchange, &text) &&
            arena_copy(exchange->service->arena, buf_str(&text), &allow);
    if (found)
        (void)response_add(exchange->response, "Allow", allow);
    buf_free(&text);
    return found;
}

static enum problem describe_options(struct exchange *exchange)
{
    if (!add_allow(exchange))
        return PROBLEM_INTERNAL_ERROR;
    (void)response_add(exchange->response, "Accept-Patch", STR(BODY_ACCEPTED));
    cors_add_preflight(exchange);
    exchange->response->status = 204;
    return PROBLEM_NONE;
}

/* Some hosts let no PATCH through; a POST may say that it is one, where the settings allow that. */
static struct str method_of(const struct exchange *exchange)
{
    const struct request *request = exchange->request;
    const struct str patch = STR("PATCH");

    if (exchange->service->settings->request.method_override &&
        str_equal(request->method, STR("POST")) &&
        str_equal(str_trim(request->header[REQUEST_METHOD_OVERRIDE]), patch))
        return patch;
    return request->method;
}

static const struct route *find_route(const struct exchange *exchange)
{
    struct str method = method_of(exchange);

    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++)
        if (is_path_of(&routes[i], exchange) && str_equal(method, str_from(routes[i].method)))
            return &routes[i];
    return NULL;
}

static enum problem dispatch(struct exchange *exchange, const struct beginning *beginning)
{
    const struct route *route = find_route(exchange);

    exchange->response->omits_body = str_equal(exchange->request->method, STR("HEAD"));
    if (route == NULL)
        return add_allow(exchange) ? PROBLEM_METHOD_NOT_ALLOWED : PROBLEM_NOT_FOUND;
    if ((route->flags & ROUTE_NEEDS_TOKEN) != 0) {
        enum problem problem = authenticate(exchange, beginning->now_ms, beginning->monotonic_us);

        if (problem != PROBLEM_NONE)
            return problem;
        database_begin_request(exchange->service->database);
    }
    return route->handle(exchange);
}

/* ---- answers */

static void respond_problem(struct exchange *exchange, enum problem problem)
{
    struct service *service = exchange->service;
    struct response *response = exchange->response;
    enum problem_form form = problem_form_for(exchange->request->header[REQUEST_ACCEPT]);
    struct problem_report report = {
        .problem = problem,
        .note = exchange->note,
        .violations = problem == PROBLEM_VALIDATION_FAILED ? exchange->violations : NULL,
        .request_id = exchange->request_id,
    };

    response->status = problem_row(problem)->status;
    response->content_type = problem_content_type(form);
    buf_reset(&service->body_out);
    if (problem_render(&report, form, &service->body_out))
        response->body = buf_str(&service->body_out);
    else
        response->body = problem_render_plain(&report, form, service->plain);
}

static void add_retry_after(struct exchange *exchange)
{
    struct str value;
    char text[NUMBER_TEXT_LEN + 1];

    if (arena_copy(exchange->service->arena,
                   number_format(exchange->service->settings->request.retry_after_s, text), &value))
        (void)response_add(exchange->response, "Retry-After", value);
}

/* No cache keeps it for others, no browser takes it for anything but JSON, or shows it in a frame.
 */
static const struct response_header safe_headers[] = {
    {"Cache-Control", STR("private, no-cache")},
    {"Content-Security-Policy", STR("default-src 'none'; frame-ancestors 'none'")},
    {"Cross-Origin-Resource-Policy", STR("same-origin")},
    {"Referrer-Policy", STR("no-referrer")},
    {"X-Content-Type-Options", STR("nosniff")},
};

static void add_safe_headers(struct response *response, struct str vary, struct str request_id)
{
    for (size_t i = 0; i < ARRAY_LENGTH(safe_headers); i++)
        (void)response_add(response, safe_headers[i].name, safe_headers[i].value);
    (void)response_add(response, "Vary", vary);
    (void)response_add(response, "X-Request-Id", request_id);
}

/* RFC 9110, section 12.5.5: errors come in two forms, which Accept chooses from. */
static struct str vary_of(const struct exchange *exchange)
{
    static const struct str fields[2][2] = {
        {STR("Authorization"), STR("Authorization, Accept")},
        {STR("Authorization, Origin"), STR("Authorization, Origin, Accept")},
    };

    return fields[cors_varies(exchange->service->settings)][exchange->response->status >= 400];
}

/* Only who has the secret is answered: nobody else learns that there is one. */
static void add_fingerprint(struct exchange *exchange)
{
    struct service *service = exchange->service;
    struct str question = exchange->request->header[REQUEST_DOCTOR], answer;
    struct buf text;

    if (service->fingerprint == NULL || !str_is_set(question))
        return;
    buf_init(&text, FINGERPRINT_ANSWER_MAX_BYTES);
    if (fingerprint_answer(service->fingerprint, question, clock_now_ms(), &text) &&
        arena_copy(service->arena, buf_str(&text), &answer))
        (void)response_add(exchange->response, FINGERPRINT_HEADER, answer);
    buf_free(&text);
}

static void add_common_headers(struct exchange *exchange)
{
    add_safe_headers(exchange->response, vary_of(exchange), exchange->request_id);
    cors_add_headers(exchange);
    add_fingerprint(exchange);
    if (exchange->response->status == problem_row(PROBLEM_SERVICE_UNAVAILABLE)->status)
        add_retry_after(exchange);
    if (exchange->response->status == problem_row(PROBLEM_UNSUPPORTED_MEDIA_TYPE)->status)
        (void)response_add(exchange->response, "Accept-Patch", STR(BODY_ACCEPTED));
}

/* Taken over from the request where it is well-formed, so that one id can be followed through
 * several systems' logs. */
static struct str choose_request_id(const struct request *request, int64_t now_ms,
                                    struct randompool *random, char text[UUID_TEXT_LEN + 1])
{
    struct str sent = request->header[REQUEST_REQUEST_ID];
    struct uuid uuid;

    if (request_id_is_good(sent))
        return sent;
    if (!randompool_bytes(random, uuid.bytes, sizeof(uuid.bytes)))
        return STR("none");
    uuid_stamp(&uuid, now_ms);
    uuid_format(&uuid, text);
    return str_from(text);
}

void api_answer_failure(const struct request *request, struct api_failure *text,
                        struct response *response)
{
    enum problem_form form = problem_form_for(request->header[REQUEST_ACCEPT]);
    const struct problem_report report = {
        .problem = PROBLEM_INTERNAL_ERROR,
        .note = STR_NONE,
        .request_id = choose_request_id(request, clock_now_ms(), NULL, text->request_id),
    };

    response_init(response);
    response->status = problem_row(report.problem)->status;
    response->content_type = problem_content_type(form);
    response->body = problem_render_plain(&report, form, text->body);
    response->omits_body = str_equal(request->method, STR("HEAD"));
    add_safe_headers(response, STR("Authorization, Accept"), report.request_id);
}

/* ---- the log: one line for each request, where all the facts are */

static enum log_level level_of(int status)
{
    if (status >= 500)
        return LOG_ERROR;
    return status >= 400 ? LOG_INFO : LOG_DEBUG;
}

/* What a request took, all in all and of that waiting for the database. */
struct spent {
    int64_t all_us, database_us;
};

static int64_t spent_on_database_us(const struct service *service)
{
    uint64_t spent_us = database_counts(service->database)->spent_us;

    if (service->provisioning != NULL)
        spent_us += database_counts(service->provisioning)->spent_us;
    return (int64_t)spent_us;
}

static bool is_slow(const struct exchange *exchange, const struct spent *spent)
{
    int64_t slow_ms = exchange->service->settings->log.slow_ms;

    return slow_ms > 0 && spent->all_us >= slow_ms * 1000;
}

static void log_exchange(const struct exchange *exchange, const struct spent *spent)
{
    char status[NUMBER_TEXT_LEN + 1], duration[NUMBER_TEXT_LEN + 1], database[NUMBER_TEXT_LEN + 1];
    const struct response *response = exchange->response;
    const char *detail = exchange->err.text[0] == '\0' ? NULL : exchange->err.text;
    enum log_level level = level_of(response->status);
    bool slow = is_slow(exchange, spent);

    if (slow && level > LOG_WARNING)
        level = LOG_WARNING;
    LOG_EVENT(exchange->service->log, level, "request", {"request_id", exchange->request_id},
              {"method", exchange->request->method}, {"path", exchange->request->path},
              {"status", number_format(response->status, status)},
              {"cache", str_from(kept_use_name(exchange->cache))},
              {"reason", str_from(exchange->reason)}, {"detail", str_from(detail)},
              {"slow", slow ? STR("yes") : STR_NONE},
              {"duration_us", number_format(spent->all_us, duration)},
              {"database_us", number_format(spent->database_us, database)});
}

/* ---- the whole */

static void forget(struct exchange *exchange)
{
    buf_reset(&exchange->service->body_in);
}

void api_handle(struct api *api, const struct request *request, struct response *response)
{
    struct exchange exchange = {
        .service = &api->service,
        .request = request,
        .response = response,
    };
    const struct beginning beginning = {clock_now_ms(), clock_monotonic_us()};
    struct spent spent = {beginning.monotonic_us, spent_on_database_us(&api->service)};
    enum problem problem;

    response_init(response);
    arena_reset(api->service.arena);
    if (++api->requests == 2)
        api->random = randompool_new();
    exchange.request_id =
        choose_request_id(request, beginning.now_ms, api->random, api->request_id);
    problem = dispatch(&exchange, &beginning);
    if (problem != PROBLEM_NONE)
        respond_problem(&exchange, problem);
    if (exchange.reason == NULL && problem != PROBLEM_NONE)
        exchange.reason = problem_row(problem)->code;
    add_common_headers(&exchange);
    spent.all_us = clock_monotonic_us() - spent.all_us;
    spent.database_us = spent_on_database_us(&api->service) - spent.database_us;
    log_exchange(&exchange, &spent);
    if (api->service.watch != NULL)
        watch_count(&exchange, spent.all_us);
    forget(&exchange);
}

/* ---- the life of the service */

static void tell_key_file(void *context, enum keyfiles_event event, const char *path,
                          const char *detail)
{
    static const struct {
        enum log_level level;
        const char *event;
    } lines[KEYFILES_EVENT__MAX] = {
        [KEYFILES_CHANGED] = {LOG_INFO, "a key file changed"},
        [KEYFILES_FAILED] = {LOG_ERROR,
                             "a key file cannot be used: its last good keys stay in force"},
        [KEYFILES_PASSED] = {LOG_INFO, "a key is not for us"},
        [KEYFILES_SKIPPED] = {LOG_WARNING, "a key cannot be used"},
    };
    const struct service *service = context;

    LOG_EVENT(service->log, lines[event].level, lines[event].event, {"file", str_from(path)},
              {"detail", str_from(detail)});
    if (event == KEYFILES_FAILED && service->watch != NULL)
        watch_count_key_file_failure(service);
}

/* ---- what other workers know of signatures */

static bool is_known(void *context, const struct known_signature *signature)
{
    const struct service *service = context;

    return kept_has_signature(service->kept, service->database, signature);
}

static void make_known(void *context)
{
    const struct service *service = context;

    kept_put_signature(service->kept);
}

static bool make_verifier(struct service *service, struct err *err)
{
    struct jwt_rules rules;

    jwt_rules_from_settings(service->settings, &rules);
    service->verifier = verifier_new(&rules, (size_t)service->settings->token.kept_verified);
    if (service->verifier == NULL) {
        err_set(err, "out of memory, or OpenSSL has no SHA-256");
        return false;
    }
    service->known = (struct known_signatures){is_known, make_known, service};
    if (kept_is_wanted(service->kept))
        verifier_share(service->verifier, &service->known);
    return true;
}

/* Both are made at the start, so that a password that cannot be read is told then; neither
 * connects. */
static bool make_databases(struct service *service, enum file_readers readers, struct err *err)
{
    const struct settings *settings = service->settings;

    service->database = database_new(settings, DATABASE_WORKER, readers, err);
    if (service->database == NULL || !settings->token.provision)
        return service->database != NULL;
    service->provisioning = database_new(settings, DATABASE_PROVISION, readers, err);
    return service->provisioning != NULL;
}

static bool make_fingerprint(struct service *service, enum file_readers readers, struct err *err)
{
    if (service->settings->doctor.secret_file == NULL)
        return true;
    service->fingerprint = fingerprint_new(service->settings, readers, err);
    return service->fingerprint != NULL;
}

/* Nothing is made, and nothing it costs, where nobody watches. */
static bool make_watch(struct service *service, enum file_readers readers, struct err *err)
{
    const struct settings *settings = service->settings;

    if (settings->watch.live_path == NULL && settings->watch.ready_path == NULL &&
        settings->watch.metrics_file == NULL)
        return true;
    service->watch = watch_new(settings, readers, err);
    return service->watch != NULL;
}

static bool make_service(struct service *service, enum file_readers readers, struct err *err)
{
    buf_init(&service->body_in, (size_t)service->settings->request.body_max_bytes);
    buf_init(&service->body_out, BODY_OUT_MAX_BYTES);
    service->digest = digest_new();
    service->arena = arena_new(ARENA_MAX_BYTES);
    if (service->digest != NULL)
        service->kept = kept_new(service->settings, service->log, service->digest);
    if (service->kept == NULL || service->arena == NULL) {
        err_set(err, "out of memory, or OpenSSL has no SHA-256");
        return false;
    }
    if (!cors_check(service->settings, err) || !make_watch(service, readers, err))
        return false;
    service->keyfiles = keyfiles_open(service->settings, readers, clock_monotonic_us(),
                                      tell_key_file, service, err);
    return service->keyfiles != NULL && make_verifier(service, err) &&
           make_databases(service, readers, err) && make_fingerprint(service, readers, err);
}

struct api *api_new(const struct settings *settings, const struct log *log,
                    enum file_readers readers, struct err *err)
{
    struct api *api = calloc(1, sizeof(*api));

    if (api == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    api->service.settings = settings;
    api->service.log = log;
    if (make_service(&api->service, readers, err))
        return api;
    api_free(api);
    return NULL;
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    watch_free(api->service.watch);
    fingerprint_free(api->service.fingerprint);
    database_free(api->service.provisioning);
    database_free(api->service.database);
    verifier_free(api->service.verifier);
    keyfiles_close(api->service.keyfiles);
    kept_free(api->service.kept);
    arena_free(api->service.arena);
    digest_free(api->service.digest);
    buf_free(&api->service.body_in);
    buf_free(&api->service.body_out);
    randompool_free(api->random);
    free(api);
}

const uint64_t *api_numbers(struct api *api)
{
    return watch_numbers(&api->service);
}

void api_set_source(struct api *api, const struct watch_source *source)
{
    watch_set_source(api->service.watch, source);
}

/* The sooner of two waits, where -1 is none. */
static int64_t sooner(int64_t one, int64_t other)
{
    if (one < 0 || other < 0)
        return one < 0 ? other : one;
    return one < other ? one : other;
}

int64_t api_rest(struct api *api)
{
    const struct service *service = &api->service;
    int64_t now_us = clock_monotonic_us();
    int64_t wait_ms = database_close_idle(service->database, now_us);

    if (service->provisioning == NULL)
        return wait_ms;
    return sooner(wait_ms, database_close_idle(service->provisioning, now_us));
}
