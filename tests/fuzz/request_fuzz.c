/*
 * A whole request: a CGI environment, a body and the rows of a database. The input is what the
 * storage answers, an empty line, lines of the environment, an empty line, and the body. In the
 * environment "@" alone as a value is the token that is good.
 */
#include <string.h>

#include "fuzz.h"
#include "gateway/environment.h"
#include "gateway/output.h"
#include "service.h"
#include "storage.h"

enum { VARIABLES_MAX = 32, TEXT_MAX_BYTES = 128 * 1024, ANSWER_MAX_BYTES = 1024 * 1024 };

static size_t read_body(void *context, char *out, size_t size)
{
    struct str *body = context;
    size_t len = body->len < size ? body->len : size;

    memcpy(out, body->data, len);
    body->data += len;
    body->len -= len;
    return len;
}

/* Everything before the first empty line, which is taken off, too. */
static struct str take_part(struct str *rest)
{
    const char *end = memmem(rest->data, rest->len, "\n\n", 2);
    struct str part = {rest->data, end == NULL ? rest->len : (size_t)(end - rest->data)};
    size_t taken = end == NULL ? rest->len : part.len + 2;

    rest->data += taken;
    rest->len -= taken;
    return part;
}

/* The texts live in `out`, whose cap keeps them where they are. */
static bool make_environment(struct str lines, struct buf *out, char **variables)
{
    size_t starts[VARIABLES_MAX], count = 0;

    while (str_is_set(lines) && count < VARIABLES_MAX - 1) {
        struct str value = str_cut(&lines, '\n');
        struct str name = str_cut(&value, '=');

        if (str_has_byte(name, '\0') || (str_is_set(value) && str_has_byte(value, '\0')))
            continue;
        starts[count++] = out->len;
        buf_append_str(out, name);
        buf_append_byte(out, '=');
        buf_append_str(out, str_equal(value, STR("@")) ? buf_str(&service_world()->bearer)
                            : str_is_set(value)        ? value
                                                       : STR(""));
        buf_append_byte(out, '\0');
    }
    for (size_t i = 0; i < count; i++)
        variables[i] = out->data + starts[i];
    variables[count] = NULL;
    return buf_is_good(out);
}

struct outcome {
    int status;
    struct buf body;
};

static void ask(char *const *variables, struct str body, struct outcome *out)
{
    struct request request;
    struct response response;
    struct buf answer;

    storage.is_committed = storage.has_refused = storage.is_wrong = storage.has_user = false;
    environment_read(variables, "HTTP_X_TOKEN", &request);
    request.read = read_body;
    request.read_context = &body;
    api_handle(service_world()->api, &request, &response);
    buf_init(&answer, ANSWER_MAX_BYTES);
    require(output_head(&response, &answer), "there is room for the header");
    buf_append_str(&answer, output_body(&response));
    out->status = service_require_good(buf_str(&answer), response.omits_body);
    require(out->status == response.status, "the status is the one that was meant");
    buf_init(&out->body, ANSWER_MAX_BYTES);
    if (response.content_type != NULL)
        buf_append_str(&out->body, response.body);
    buf_free(&answer);
}

static bool has_token(char *const *variables)
{
    for (; *variables != NULL; variables++)
        if (strstr(*variables, service_world()->bearer.data + strlen("Bearer ")) != NULL)
            return true;
    return false;
}

static bool is_patch(char *const *variables)
{
    struct request request;

    environment_read(variables, "HTTP_X_TOKEN", &request);
    return str_equal(request.method, STR("PATCH")) || str_equal(request.method, STR("POST"));
}

static void require_true(const struct outcome *outcome, char *const *variables)
{
    if (outcome->status == 200 || outcome->status == 304) {
        require(has_token(variables), "only who has a token is answered");
        require(storage.has_user && storage.may_be_shown && storage.is_active,
                "only who may be shown is shown");
        require(!is_patch(variables) || storage.is_committed, "a PATCH was committed");
    }
    require(outcome->status != 503 || storage.has_refused, "the database was no trouble");
    require(outcome->status != 500 || storage.has_refused || storage.is_wrong,
            "nothing is wrong with us");
    require(!storage.is_committed || outcome->status == 200, "what was committed is told");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {size == 0 ? "" : (const char *)data, size}, lines;
    char *variables[VARIABLES_MAX];
    struct outcome first, second;
    struct buf texts;

    (void)service_world();
    storage.input = take_part(&rest);
    lines = take_part(&rest);
    buf_init(&texts, TEXT_MAX_BYTES);
    if (make_environment(lines, &texts, variables)) {
        ask(variables, rest, &first);
        require_true(&first, variables);
        ask(variables, rest, &second);
        require(first.status == second.status, "one request leaves nothing behind for the next");
        require(first.status != 200 || is_patch(variables) ||
                    str_equal(buf_str(&first.body), buf_str(&second.body)),
                "the same rows are the same bytes");
        buf_free(&first.body);
        buf_free(&second.body);
    }
    buf_free(&texts);
    return 0;
}
