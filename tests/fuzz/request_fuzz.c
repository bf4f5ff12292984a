/*
 * Whole requests: a CGI environment, a body and the rows of a database. The input is what happens
 * between one request and the next, an empty line, what the storage answers, an empty line, lines of
 * the environment, an empty line, and the body. In the environment "@" alone as a value is the token
 * that is good.
 *
 * Each request is put to a worker that keeps nothing, and to one that keeps what it shows in a file
 * which the input damages: both have to give the same answer, and leave the same behind.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "damage.h"
#include "fuzz.h"
#include "gateway/environment.h"
#include "gateway/output.h"
#include "service.h"
#include "storage.h"

enum {
    VARIABLES_MAX = 32,
    TEXT_MAX_BYTES = 128 * 1024,
    ANSWER_MAX_BYTES = 1024 * 1024,
    REQUESTS_MAX = 6
};

/* ---- time and chance, the same in each run: the linker has these in the place of the real ones */

/* From one input to the next days pass for who measures them: nothing that a worker knew, or that a
 * file holds which others have replaced, is of use to it then. */
#define INPUT_US INT64_C(1000000000000)
enum { INPUTS_APART = 1000000 };

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return storage.state.now_ms;
}

int64_t __wrap_clock_monotonic_us(void);
int64_t __wrap_clock_monotonic_us(void)
{
    return storage.state.now_ms * 1000 + (int64_t)(storage.inputs % INPUTS_APART) * INPUT_US;
}

bool __wrap_random_bytes(void *out, size_t len);
bool __wrap_random_bytes(void *out, size_t len)
{
    memset(out, 'r', len);
    return true;
}

/* ---- the request */

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
        buf_append_str(out, str_equal(value, STR("@"))
                                ? buf_str(&service_world(SERVICE_PLAIN)->bearer)
                            : str_is_set(value) ? value
                                                : STR(""));
        buf_append_byte(out, '\0');
    }
    for (size_t i = 0; i < count; i++)
        variables[i] = out->data + starts[i];
    variables[count] = NULL;
    return buf_is_good(out);
}

/* What a worker answered, and made of the database. */
struct outcome {
    int status;
    bool has_refused, is_committed;
    struct buf answer, body; /* the body alone of a 200 */
    struct storage_state state;
};

static void init_outcome(struct outcome *out)
{
    buf_init(&out->answer, ANSWER_MAX_BYTES);
    buf_init(&out->body, ANSWER_MAX_BYTES);
}

static void free_outcome(struct outcome *outcome)
{
    buf_free(&outcome->answer);
    buf_free(&outcome->body);
}

static void note(const struct response *response, struct outcome *out)
{
    out->status = service_require_good(buf_str(&out->answer), response->omits_body);
    require(out->status == response->status, "the status is the one that was meant");
    out->has_refused = storage.has_refused;
    out->is_committed = storage.is_committed;
    out->state = storage.state;
    if (out->status == 200 && response->content_type != NULL)
        buf_append_str(&out->body, response->body);
}

static void ask(enum service_kind kind, char *const *variables, struct str body,
                struct outcome *out)
{
    struct request request;
    struct response response;

    storage.is_committed = storage.has_refused = false;
    environment_read(variables, "HTTP_X_TOKEN", &request);
    request.read = read_body;
    request.read_context = &body;
    api_handle(service_world(kind)->api, &request, &response);
    require(output_head(&response, &out->answer), "there is room for the header");
    buf_append_str(&out->answer, output_body(&response));
    note(&response, out);
}

static bool has_token(char *const *variables)
{
    for (; *variables != NULL; variables++)
        if (strstr(*variables, service_world(SERVICE_PLAIN)->bearer.data + strlen("Bearer ")) !=
            NULL)
            return true;
    return false;
}

static bool is_patch(char *const *variables)
{
    struct request request;

    environment_read(variables, "HTTP_X_TOKEN", &request);
    return str_equal(request.method, STR("PATCH")) || str_equal(request.method, STR("POST"));
}

/* ---- what must be true of every answer */

/* A PATCH of a worker that keeps may find that there is nothing to write. */
static void require_true(enum service_kind kind, const struct outcome *outcome,
                         char *const *variables)
{
    if (outcome->status == 200 || outcome->status == 304) {
        require(has_token(variables), "only who has a token is answered");
        require(storage.has_user && storage.may_be_shown && storage.is_active,
                "only who may be shown is shown");
        require(!is_patch(variables) || outcome->is_committed || kind != SERVICE_PLAIN,
                "a PATCH was committed");
    }
    require(outcome->status != 503 || outcome->has_refused, "the database was no trouble");
    require(outcome->status != 500 || outcome->has_refused || storage.is_wrong,
            "nothing is wrong with us");
    require(!outcome->is_committed || outcome->status == 200, "what was committed is told");
}

/* To the byte: there is no chance in it, and no time that passes. */
static void require_same(const struct outcome *one, const struct outcome *other, const char *what)
{
    require(str_equal(buf_str(&one->answer), buf_str(&other->answer)), what);
}

static bool is_same_text(const struct storage_text *one, const struct storage_text *other)
{
    return one->is_null == other->is_null && one->len == other->len &&
           memcmp(one->bytes, other->bytes, one->len) == 0;
}

/* The revision may have come by another way. */
static void require_same_state(const struct storage_state *one, const struct storage_state *other)
{
    require(one->is_changed == other->is_changed && one->updated_ms == other->updated_ms,
            "both have written, or none");
    for (size_t i = 0; i < STORAGE_TEXTS; i++)
        require(is_same_text(&one->texts[i], &other->texts[i]), "both have written the same");
}

/* A GET of who has the token, made once. */
static char *const *plain_get(void)
{
    static char method[] = "REQUEST_METHOD=GET", path[] = "SCRIPT_NAME=/me", token[4096];
    static char *const variables[] = {method, path, token, NULL};
    struct buf text;

    if (token[0] != '\0')
        return variables;
    buf_init(&text, sizeof(token));
    buf_append_text(&text, "HTTP_AUTHORIZATION=");
    buf_append_str(&text, buf_str(&service_world(SERVICE_PLAIN)->bearer));
    buf_append_byte(&text, '\0');
    memcpy(token, text.data, text.len);
    buf_free(&text);
    return variables;
}

/* A 200 is what a GET without anything that is kept shows, whatever calls failed before it. */
static void require_current(const struct outcome *outcome)
{
    struct outcome fresh;

    init_outcome(&fresh);
    storage.never_fails = true;
    ask(SERVICE_PLAIN, plain_get(), STR(""), &fresh);
    storage.never_fails = false;
    require(fresh.status == 200 && str_equal(buf_str(&outcome->body), buf_str(&fresh.body)),
            "what is told is what there is");
    free_outcome(&fresh);
}

/* ---- one request, to both workers */

static void ask_again(char *const *variables, struct str body, const struct outcome *first,
                      const struct storage_state *before)
{
    struct outcome second;

    init_outcome(&second);
    storage.state = *before;
    ask(SERVICE_PLAIN, variables, body, &second);
    require_same(first, &second, "one request leaves nothing behind for the next");
    free_outcome(&second);
}

static void ask_both(enum service_kind keeping, char *const *variables, struct str body,
                     bool is_repeated)
{
    const struct storage_state before = storage.state;
    struct outcome plain, kept;

    init_outcome(&plain);
    init_outcome(&kept);
    storage_judge();
    ask(SERVICE_PLAIN, variables, body, &plain);
    require_true(SERVICE_PLAIN, &plain, variables);
    if (is_repeated)
        ask_again(variables, body, &plain, &before);
    storage.state = before;
    ask(keeping, variables, body, &kept);
    require_true(keeping, &kept, variables);
    if (!plain.has_refused && !kept.has_refused) {
        require_same(&plain, &kept, "what is kept makes no difference");
        require_same_state(&plain.state, &kept.state);
    }
    if (kept.status == 200)
        require_current(&kept);
    free_outcome(&plain);
    free_outcome(&kept);
}

/* ---- what happens between two requests */

/* Only once there is one: the first entry makes it. */
static int open_kept(void)
{
    return open(damage_path(), O_RDWR | O_CLOEXEC);
}

/* As it was made: all of its head is known, since there is no chance. */
static void empty_kept(void)
{
    static char head[4096];
    static bool has_head;
    int file = open_kept();

    if (file < 0)
        return;
    if (!has_head)
        has_head = pread(file, head, sizeof(head), 0) == sizeof(head);
    require(pwrite(file, head, sizeof(head), 0) == sizeof(head), "the head can be written");
    damage_empty(file);
    (void)close(file);
}

static void damage_kept(struct str *plan, struct buf *before)
{
    int file = open_kept();

    if (file < 0)
        return;
    (void)damage_take(file, plan, before);
    damage_save(file, before);
    (void)close(file);
}

static void happen(struct str *plan, struct buf *before)
{
    static const int64_t pauses_ms[] = {0, 1, 299, 999, 1000, 86400000};

    storage_change((enum storage_change)take_choice(plan, STORAGE_CHANGE__MAX));
    storage.state.now_ms += pauses_ms[take_choice(plan, ARRAY_LENGTH(pauses_ms))];
    damage_kept(plan, before);
}

/* The request, behind a GET by which it finds something kept, or not. */
static void ask_once(enum service_kind kind, struct str *plan, char *const *variables,
                     struct str body, bool is_first)
{
    if (take_choice(plan, 2) == 1)
        ask_both(kind, plain_get(), STR(""), false);
    ask_both(kind, variables, body, is_first);
}

static void ask_again_and_again(struct str plan, char *const *variables, struct str body)
{
    static const enum service_kind keeping[] = {SERVICE_KEEPING, SERVICE_KEEPING_AUDITED};
    enum service_kind kind = keeping[take_choice(&plan, ARRAY_LENGTH(keeping))];
    struct buf before;

    buf_init(&before, ANSWER_MAX_BYTES);
    ask_once(kind, &plan, variables, body, true);
    for (size_t i = 1; i < REQUESTS_MAX && plan.len > 0; i++) {
        happen(&plan, &before);
        ask_once(kind, &plan, variables, body, false);
    }
    buf_free(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {size == 0 ? "" : (const char *)data, size}, plan, lines;
    char *variables[VARIABLES_MAX];
    struct buf texts;

    plan = take_part(&rest);
    storage_begin(take_part(&rest));
    (void)service_world(SERVICE_PLAIN); /* the user of the rows */
    empty_kept();
    lines = take_part(&rest);
    buf_init(&texts, TEXT_MAX_BYTES);
    if (make_environment(lines, &texts, variables))
        ask_again_and_again(plan, variables, rest);
    buf_free(&texts);
    return 0;
}
