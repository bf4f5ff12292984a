#include <string.h>

#include "base/file.h"
#include "mectl/doctor/outside.h"
#include "mectl/http.h"

enum {
    TIMEOUT_S = 10,
    FILE_MAX_BYTES = 1024 * 1024,
    SAME_MIN_BYTES = 8, /* less is the same by accident */
    URL_MAX_BYTES = 4096,
    URLS_MAX = 8,
    SUFFIXES = 3 /* how many folders of a path may be those of the URL, too */
};

/* One file, and the addresses where it may be. */
struct hunt {
    struct report *report;
    const struct outside *outside;
    const char *id;
    const char *path;
    struct str site, folder; /* of the URL: "https://host:port", "/cgi-bin/" */
    struct buf urls[URLS_MAX];
    size_t count;
};

/* ---- addresses */

static bool is_plain(struct str text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";

    for (size_t i = 0; i < text.len; i++)
        if (strchr(plain, text.data[i]) == NULL)
            return false;
    return text.len > 0;
}

static bool is_known(const struct hunt *hunt, struct str url)
{
    for (size_t i = 0; i < hunt->count; i++)
        if (str_equal(buf_str(&hunt->urls[i]), url))
            return true;
    return false;
}

static void add_url(struct hunt *hunt, struct str folder, struct str name)
{
    struct buf *url = &hunt->urls[hunt->count];

    if (hunt->count == URLS_MAX || !is_plain(name))
        return;
    buf_init(url, URL_MAX_BYTES);
    buf_append_format(url, "%.*s%.*s%.*s", STR_ARGS(hunt->site), STR_ARGS(folder), STR_ARGS(name));
    buf_append_byte(url, '\0');
    if (buf_is_good(url) && !is_known(hunt, buf_str(url)))
        hunt->count++;
    else
        buf_free(url);
}

/* The last `parts` parts of a path, without a slash before them. */
static struct str last_parts(const char *path, size_t parts)
{
    size_t len = strlen(path), at = len;

    while (at > 0 && parts > 0) {
        at--;
        parts -= path[at] == '/';
    }
    at += path[at] == '/';
    return (struct str){path + at, len - at};
}

static void guess(struct hunt *hunt)
{
    struct str name = last_parts(hunt->path, 1);

    add_url(hunt, hunt->folder, name);
    add_url(hunt, STR("/"), name);
    add_url(hunt, STR("/cgi-bin/"), name);
    for (size_t parts = 2; parts <= SUFFIXES; parts++)
        add_url(hunt, STR("/"), last_parts(hunt->path, parts));
}

/* ---- what is there */

/* A log grows meanwhile, and both are cut where they are long: as far as they go, they are the
 * same. */
static bool is_same(struct str one, struct str other)
{
    size_t len = one.len < other.len ? one.len : other.len;

    return len >= SAME_MIN_BYTES && memcmp(one.data, other.data, len) == 0;
}

static bool is_fetched(const struct hunt *hunt, const char *url, struct str content)
{
    const struct http_request request = {
        .url = url,
        .headers = {{"X-Request-Id", hunt->id}},
        .ca = hunt->outside->ca,
        .timeout_s = TIMEOUT_S,
    };
    struct http_answer answer;
    struct err ignored;
    enum http_result result;
    bool found;

    http_answer_init(&answer, FILE_MAX_BYTES);
    result = http_send(&request, &answer, &ignored);
    found = (result == HTTP_ANSWERED || result == HTTP_TOO_LARGE) && answer.status == 200 &&
            is_same(buf_str(&answer.body), content);
    http_answer_free(&answer);
    return found;
}

/* One address is enough. */
static void fetch_all(struct hunt *hunt, struct str content)
{
    for (size_t i = 0; i < hunt->count; i++)
        if (is_fetched(hunt, hunt->urls[i].data, content)) {
            report_finding(hunt->report, FINDING_FILE_FETCHABLE, hunt->path, "%s, at %s",
                           hunt->path, hunt->urls[i].data);
            return;
        }
}

/* What cannot be read here cannot be recognised there. */
static void hunt_for(struct hunt *hunt, const char *path)
{
    struct buf content;
    struct err ignored;

    if (path == NULL)
        return;
    hunt->path = path;
    hunt->count = 0;
    guess(hunt);
    buf_init(&content, FILE_MAX_BYTES);
    /* Of one that is too long the beginning was read. */
    if (file_read(path, FILE_READERS_ANY, &content, &ignored) || content.len > 0)
        fetch_all(hunt, buf_str(&content));
    buf_free_secret(&content);
    for (size_t i = 0; i < hunt->count; i++)
        buf_free(&hunt->urls[i]);
}

/* Scheme and host, and the path up to its last slash. */
static void cut_url(struct hunt *hunt)
{
    struct str url = str_from(hunt->outside->url), path = url;
    const char *slash;

    for (int i = 0; i < 3; i++)
        (void)str_cut(&path, '/');
    if (!str_is_set(path))
        path = (struct str){url.data + url.len, 0};
    hunt->site = (struct str){url.data, (size_t)(path.data - url.data)};
    if (str_ends_with(hunt->site, STR("/")))
        hunt->site.len--;
    path = str_cut(&path, '?');
    slash = path.len == 0 ? NULL : memrchr(path.data, '/', path.len);
    hunt->folder =
        slash == NULL ? STR("/") : (struct str){path.data - 1, (size_t)(slash + 2 - path.data)};
}

/* What nobody but the worker has to read; public keys are no secret. */
void doctor_fetch(struct report *report, const struct outside *outside, const char *id)
{
    const struct settings *settings = &report->invocation->settings;
    const char *const paths[] = {
        settings->file,
        settings->database.password_file,
        settings->admin.password_file,
        settings->provision.password_file,
        settings->doctor.secret_file,
        settings->log.file,
    };
    struct hunt hunt = {.report = report, .outside = outside, .id = id};

    cut_url(&hunt);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
        hunt_for(&hunt, paths[i]);
    for (size_t i = 0; i < settings->token.secret_file.count; i++)
        hunt_for(&hunt, settings->token.secret_file.items[i]);
}
