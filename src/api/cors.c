#include "api/cors.h"

#include "base/number.h"

static const struct str any = STR("*");

/* ---- the setting */

static bool is_scheme(struct str scheme)
{
    return str_equal(scheme, STR("http")) || str_equal(scheme, STR("https"));
}

/* As a browser writes it (RFC 6454, section 6.2): in lower case, and nothing behind the port. */
static bool is_origin(struct str text)
{
    struct str host = text, scheme = str_cut(&host, ':');

    if (!is_scheme(scheme) || !str_starts_with(host, STR("//")) || host.len == 2)
        return false;
    for (size_t i = 2; i < host.len; i++) {
        char c = host.data[i];

        if (c <= ' ' || c > '~' || c == '/' || c == '?' || c == '#' || c == '@' || c == '*' ||
            (c >= 'A' && c <= 'Z'))
            return false;
    }
    return true;
}

bool cors_check(const struct settings *settings, struct err *err)
{
    const struct settings_list *origins = &settings->cors.origin;

    for (size_t i = 0; i < origins->count; i++) {
        struct str origin = str_from(origins->items[i]);

        if (is_origin(origin) || (str_equal(origin, any) && origins->count == 1))
            continue;
        err_set(err,
                "cors.origin: '%s' is neither an origin, as https://www.example.com or "
                "http://localhost:3000 in lower case without a path, nor * alone",
                origins->items[i]);
        return false;
    }
    return true;
}

/* ---- answers */

static bool allows_any(const struct settings *settings)
{
    return settings->cors.origin.count == 1 &&
           str_equal(str_from(settings->cors.origin.items[0]), any);
}

bool cors_varies(const struct settings *settings)
{
    return settings->cors.origin.count > 0 && !allows_any(settings);
}

/* What Access-Control-Allow-Origin says; STR_NONE: it is left out. */
static struct str allowed_origin(const struct exchange *exchange)
{
    const struct settings *settings = exchange->service->settings;
    struct str sent = exchange->request->header[REQUEST_ORIGIN];

    if (allows_any(settings))
        return any;
    for (size_t i = 0; i < settings->cors.origin.count; i++)
        if (str_equal(sent, str_from(settings->cors.origin.items[i])))
            return sent;
    return STR_NONE;
}

void cors_add_headers(struct exchange *exchange)
{
    struct str origin = allowed_origin(exchange);

    if (!str_is_set(origin))
        return;
    (void)response_add(exchange->response, "Access-Control-Allow-Origin", origin);
    (void)response_add(exchange->response, "Access-Control-Expose-Headers",
                       STR("ETag, Retry-After, X-Request-Id"));
}

static struct str allowed_headers(const struct settings *settings)
{
    return settings->request.method_override
               ? STR("Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id, "
                     "X-HTTP-Method-Override")
               : STR("Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id");
}

void cors_add_preflight(struct exchange *exchange)
{
    const struct settings *settings = exchange->service->settings;
    char text[NUMBER_TEXT_LEN + 1];
    struct str max_age;

    if (!str_is_set(allowed_origin(exchange)))
        return;
    (void)response_add(exchange->response, "Access-Control-Allow-Methods", STR("GET, HEAD, PATCH"));
    (void)response_add(exchange->response, "Access-Control-Allow-Headers",
                       allowed_headers(settings));
    if (arena_copy(exchange->service->arena, number_format(settings->cors.max_age_s, text),
                   &max_age))
        (void)response_add(exchange->response, "Access-Control-Max-Age", max_age);
}
