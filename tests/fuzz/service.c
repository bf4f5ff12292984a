#include "service.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/testkeys.h"
#include "base/base64url.h"
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

static void load_settings(struct settings *out)
{
    static char folder[] = "/tmp/fuzz.XXXXXX", secret[64] = "ME_TOKEN_SECRET_FILE=";
    static char algorithms[] = "ME_TOKEN_ALGORITHMS=HS256", header[] = "ME_TOKEN_HEADER=X-Token",
                override[] = "ME_REQUEST_METHOD_OVERRIDE=on", audit[] = "ME_AUDIT_LEVEL=values",
                origin[] = "ME_CORS_ORIGIN=https://app.example.com",
                cache[] = "ME_CACHE_MODE=off"; /* what is kept is no work of one request alone */
    char *const environment[] = {secret, algorithms, header, override, audit, origin, cache, NULL};
    struct err err = {""};
    int file = mkstemp(folder);

    require(file >= 0 && write(file, SECRET, strlen(SECRET)) == (ssize_t)strlen(SECRET),
            "the secret is written");
    (void)close(file);
    memcpy(secret + strlen(secret), folder, sizeof(folder));
    require(settings_load(NULL, environment, FILE_READERS_ANY, out, &err), err.text);
}

struct service_world *service_world(void)
{
    static struct service_world world;
    struct err err = {""};

    if (world.api != NULL)
        return &world;
    require(uuid_parse(STR(USER), &storage.user), "the user is a UUID");
    load_settings(&world.settings);
    world.log = (struct log){open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG};
    make_bearer(&world.bearer);
    world.api = api_new(&world.settings, &world.log, FILE_READERS_ANY, &err);
    require(world.api != NULL, err.text);
    (void)unlink(world.settings.token.secret_file.items[0]);
    return &world;
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
