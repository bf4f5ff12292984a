#include "service.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/testkeys.h"
#include "base/base64url.h"
#include "damage.h"
#include "format/strictjson.h"
#include "fuzz.h"
#include "storage.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define USER "01890a5d-ac96-774b-bcce-b302099a8057"

enum { TOKEN_MAX_BYTES = 4096 };

static void make_bearer(struct buf *out)
{
    struct buf token, signature;

    buf_init(&token, TOKEN_MAX_BYTES);
    buf_init(&signature, TOKEN_MAX_BYTES);
    base64url_encode(STR("{\"alg\":\"HS256\"}"), &token);
    buf_append_byte(&token, '.');
    base64url_encode(STR("{\"exp\":9999999999,\"sub\":\"" USER "\",\"sid\":\"s\"}"), &token);
    testkeys_hmac(STR(SECRET), buf_str(&token), &signature);
    buf_init(out, TOKEN_MAX_BYTES);
    buf_append_text(out, "Bearer ");
    buf_append_str(out, buf_str(&token));
    buf_append_byte(out, '.');
    base64url_encode(buf_str(&signature), out);
    buf_append_byte(out, '\0'); /* which does not count */
    out->len--;
    buf_free(&token);
    buf_free(&signature);
}

/* What each has as another. */
static const struct {
    const char *audit, *cache;
} kinds[SERVICE__MAX] = {
    [SERVICE_PLAIN] = {"ME_AUDIT_LEVEL=values", "ME_CACHE_MODE=off"},
    [SERVICE_KEEPING] = {"ME_AUDIT_LEVEL=off", "ME_CACHE_MODE=auto"},
    [SERVICE_KEEPING_AUDITED] = {"ME_AUDIT_LEVEL=values", "ME_CACHE_MODE=auto"},
};

static void append_variable(struct buf *out, const char *name, const char *value)
{
    buf_append_text(out, name);
    buf_append_text(out, value);
    buf_append_byte(out, '\0');
}

static void load_settings(enum service_kind kind, const char *secret_file, struct settings *out)
{
    const char *const pairs[][2] = {{"ME_TOKEN_SECRET_FILE=", secret_file},
                                    {"ME_TOKEN_ALGORITHMS=", "HS256"},
                                    {"ME_TOKEN_HEADER=", "X-Token"},
                                    {"ME_REQUEST_METHOD_OVERRIDE=", "on"},
                                    {"ME_CORS_ORIGIN=", "https://app.example.com"},
                                    {"ME_CACHE_SIZE_MIB=", "1"},
                                    {"ME_CACHE_PATH=", damage_path()},
                                    {kinds[kind].audit, ""},
                                    {kinds[kind].cache, ""}};
    char *environment[ARRAY_LENGTH(pairs) + 1] = {NULL};
    struct buf texts[ARRAY_LENGTH(pairs)];
    struct err err = {""};

    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        buf_init(&texts[i], TOKEN_MAX_BYTES);
        append_variable(&texts[i], pairs[i][0], pairs[i][1]);
        environment[i] = texts[i].data;
    }
    require(settings_load(NULL, environment, FILE_READERS_ANY, out, &err), err.text);
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++)
        buf_free(&texts[i]);
}

static void load_with_secret(enum service_kind kind, struct service_world *out)
{
    char path[] = "/tmp/fuzz.XXXXXX";
    struct err err = {""};
    int file = mkstemp(path);

    require(file >= 0 && write(file, SECRET, strlen(SECRET)) == (ssize_t)strlen(SECRET),
            "the secret is written");
    (void)close(file);
    load_settings(kind, path, &out->settings);
    out->api = api_new(&out->settings, &out->log, FILE_READERS_ANY, &err);
    require(out->api != NULL, err.text);
    (void)unlink(path);
}

struct service_world *service_world(enum service_kind kind)
{
    static struct service_world worlds[SERVICE__MAX];
    struct service_world *world = &worlds[kind];

    if (world->api != NULL)
        return world;
    require(uuid_parse(STR(USER), &storage.user), "the user is a UUID");
    world->log =
        (struct log){.descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC), .level = LOG_DEBUG};
    make_bearer(&world->bearer);
    load_with_secret(kind, world);
    return world;
}

static bool is_visible(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < ' ' || text.data[i] > '~') && text.data[i] != '\t')
            return false;
    return true;
}

struct head {
    int64_t status, length; /* -1: none */
    bool has_request_id;
};

static void read_line(struct str line, struct head *head)
{
    struct str rest = line, name = str_cut(&rest, ':');

    require(line.len > 0 && line.data[line.len - 1] == '\r', "lines end in CR LF");
    require(str_is_set(rest) && name.len > 0 && is_visible(name), "it is a field");
    rest.len--;
    require(is_visible(rest), "its value is visible");
    if (str_equal(name, STR("Status")))
        require(rest.len > 4 && str_to_number((struct str){rest.data + 1, 3}, 599, &head->status),
                "the status is a number");
    if (str_equal(name, STR("Content-Length")))
        require(str_to_number(str_trim(rest), INT64_MAX, &head->length), "the length is a number");
    head->has_request_id |= str_equal(name, STR("X-Request-Id"));
}

/* The gate refuses a NUL, which a column may hold and JSON can tell. */
static void require_json(struct str body)
{
    enum strictjson_result result = strictjson_scan_object(body, NULL, NULL);

    require(result == STRICTJSON_OK || result == STRICTJSON_NUL, "the body is JSON");
}

int service_require_good(struct str answer, bool may_omit_body)
{
    struct head head = {-1, -1, false};
    struct str line = str_cut(&answer, '\n');

    for (; !str_equal(line, STR("\r")); line = str_cut(&answer, '\n')) {
        require(str_is_set(answer), "the header has an end");
        read_line(line, &head);
    }
    require(head.status >= 200 && head.has_request_id, "status and request id are there");
    require((head.length < 0) == (head.status == 204 || head.status == 304), "a body, or none");
    if (answer.len > 0 || (head.length > 0 && !may_omit_body)) {
        require(head.length == (int64_t)answer.len, "the length is that of the body");
        require_json(answer);
    }
    return (int)head.status;
}
