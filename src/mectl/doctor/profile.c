#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mectl/doctor/probe.h"

/* ---- with a token */

static void find_refusal(const struct probe *probe, const struct http_answer *answer)
{
    struct str error = answer_challenge(answer, "error");
    struct str description = answer_challenge(answer, "error_description");

    if (str_is_set(error))
        report_finding(probe->report, FINDING_TOKEN_REFUSED, NULL, "%.*s: %.*s", STR_ARGS(error),
                       STR_ARGS(str_is_set(description) ? description : STR("no more is said")));
    else
        report_finding(probe->report, FINDING_AUTHORIZATION_STRIPPED, NULL,
                       "it is answered as a request without one");
}

struct expectation {
    const char *name;
    struct str value; /* STR_NONE: the id of the request */
    bool is_part;     /* others may stand beside it */
};

static const struct expectation expectations[] = {
    {"Cache-Control", STR("private, no-cache"), false},
    {"Vary", STR("Authorization"), true},
    {"X-Content-Type-Options", STR("nosniff"), false},
    {"Content-Security-Policy", STR("default-src 'none'; frame-ancestors 'none'"), false},
    {"X-Request-Id", STR_NONE, false},
};

static bool is_as_expected(const struct probe *probe, const struct http_answer *answer,
                           const struct expectation *expectation)
{
    struct str value = http_answer_header(answer, expectation->name), wanted = expectation->value;

    if (!str_is_set(wanted))
        wanted = str_from(probe->id);
    if (expectation->is_part)
        return probe_has_member(value, wanted);
    return str_equal(value, wanted) && http_answer_header_count(answer, expectation->name) == 1;
}

static void append_unexpected(struct buf *out, const struct http_answer *answer, const char *name)
{
    struct str value = http_answer_header(answer, name);

    buf_append_format(out, "%s%s", out->len > 0 ? "; " : "", name);
    if (!str_is_set(value))
        buf_append_text(out, " is missing");
    else if (http_answer_header_count(answer, name) > 1)
        buf_append_text(out, " is there more than once");
    else
        buf_append_format(out, " is '%.*s'", STR_ARGS(value));
}

static void find_headers(const struct probe *probe, const struct http_answer *answer)
{
    struct buf text;

    buf_init(&text, PROBE_TEXT_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LENGTH(expectations); i++)
        if (!is_as_expected(probe, answer, &expectations[i]))
            append_unexpected(&text, answer, expectations[i].name);
    if (text.len > 0)
        report_finding(probe->report, FINDING_HEADERS_EATEN, NULL, "%.*s",
                       STR_ARGS(buf_str(&text)));
    buf_free(&text);
}

static void take_etag(struct probe *probe, const struct http_answer *answer)
{
    struct str etag = http_answer_header(answer, "ETag");

    if (!str_is_set(etag) || etag.len >= sizeof(probe->etag))
        report_finding(probe->report, FINDING_ETAG_EATEN, NULL, "to GET");
    else
        (void)snprintf(probe->etag, sizeof(probe->etag), "%.*s", STR_ARGS(etag));
}

static void judge_authorized(struct probe *probe, const struct http_answer *answer)
{
    const struct answer_judgement judgement = answer_judge(answer);

    if (judgement.kind == ANSWER_PROFILE) {
        probe->is_served = true;
        probe->user = judgement.user;
        probe_find_status(probe, &judgement, answer);
        find_headers(probe, answer);
        take_etag(probe, answer);
        report_good(probe->report, "token", "the profile is answered");
    } else if (judgement.kind != ANSWER_PROBLEM) {
        probe_find_as_described(probe, probe_finding_of_foreign(answer), answer);
    } else if (!probe_find_general_failure(probe, judgement.problem, answer)) {
        if (problem_row(judgement.problem)->status == 401)
            find_refusal(probe, answer);
        else
            probe_find_as_described(probe, FINDING_TOKEN_REFUSED, answer);
    }
}

void probe_with_token(struct probe *probe)
{
    const struct question question = {.authorization = probe_authorization(probe)};
    struct http_answer answer;

    if (question.authorization == NULL) {
        report_finding(probe->report, FINDING_TOKEN_MISSING, NULL, "%s", probe->outside->no_token);
        return;
    }
    if (probe_ask_again(probe, &question, &answer))
        judge_authorized(probe, &answer);
    http_answer_free(&answer);
}

/* ---- validators */

/* Somebody may have changed the profile since. */
static bool has_changed(const struct probe *probe, const struct http_answer *answer)
{
    struct str etag = http_answer_header(answer, "ETag");
    bool has_changed = str_is_set(etag) && !str_equal(etag, str_from(probe->etag));

    if (has_changed)
        report_note(probe->report, "etag", "the profile was changed meanwhile: ask again");
    return has_changed;
}

/* What stands between its quotes. */
static struct str tag_of(struct str etag)
{
    (void)str_cut(&etag, '"');
    return str_is_set(etag) ? str_cut(&etag, '"') : STR("");
}

/* The same tag, but weak, or with a piece at its end, or none: it was changed on its way. */
static bool is_variant(struct str etag, struct str ours)
{
    return !str_is_set(etag) || str_starts_with(tag_of(etag), tag_of(ours));
}

static void judge_compressed(struct probe *probe, const struct http_answer *answer)
{
    struct str etag = http_answer_header(answer, "ETag"), ours = str_from(probe->etag);

    if (str_equal(etag, ours))
        return;
    if (is_variant(etag, ours))
        report_finding(probe->report, FINDING_ETAG_CHANGED, NULL, "%.*s instead of %s",
                       STR_ARGS(str_is_set(etag) ? etag : STR("none")), probe->etag);
    else
        (void)has_changed(probe, answer);
}

void probe_compression(struct probe *probe)
{
    const struct question question = {.authorization = probe_authorization(probe),
                                      .more = {{"Accept-Encoding", "gzip, deflate, br"}}};
    struct http_answer answer;

    if (probe_ask_again(probe, &question, &answer))
        judge_compressed(probe, &answer);
    http_answer_free(&answer);
}

void probe_if_none_match(struct probe *probe)
{
    const struct question question = {.authorization = probe_authorization(probe),
                                      .more = {{"If-None-Match", probe->etag}}};
    struct http_answer answer;

    if (probe_ask_again(probe, &question, &answer) && answer.status != 304 &&
        !has_changed(probe, &answer))
        report_finding(probe->report, FINDING_IF_NONE_MATCH_EATEN, NULL, "%lld instead of 304",
                       (long long)answer.status);
    http_answer_free(&answer);
}

/* ---- PATCH */

static struct question patch_with(const struct probe *probe, const char *if_match, struct str body)
{
    return (struct question){
        .method = "PATCH",
        .authorization = probe_authorization(probe),
        .more = {{"If-Match", if_match[0] == '\0' ? NULL : if_match}},
        .body = body,
    };
}

/* By its status alone, whatever page the web server puts into the place of the body. */
static bool is_precondition_failed(const struct http_answer *answer)
{
    return answer->status == problem_row(PROBLEM_PRECONDITION_FAILED)->status;
}

static bool is_problem(const struct http_answer *answer, enum problem problem)
{
    const struct answer_judgement judgement = answer_judge(answer);

    return judgement.kind == ANSWER_PROBLEM && judgement.problem == problem;
}

static void judge_patch(struct probe *probe, const struct http_answer *answer)
{
    if (answer_judge(answer).kind == ANSWER_PROFILE) {
        probe->takes_patch = true;
        report_good(probe->report, "patch", "an empty one is taken");
    } else if (!is_precondition_failed(answer) || !has_changed(probe, answer)) {
        probe_find_as_described(probe, FINDING_PATCH_BLOCKED, answer);
    }
}

void probe_patch(struct probe *probe)
{
    const struct question question = patch_with(probe, probe->etag, STR("{}"));
    struct http_answer answer;

    if (probe_ask_again(probe, &question, &answer))
        judge_patch(probe, &answer);
    http_answer_free(&answer);
}

void probe_if_match(struct probe *probe)
{
    const struct question question = patch_with(probe, "\"doctor\"", STR("{}"));
    struct http_answer answer;

    if (probe_ask_again(probe, &question, &answer) && !is_precondition_failed(&answer))
        report_finding(probe->report, FINDING_IF_MATCH_EATEN, NULL, "%lld instead of 412",
                       (long long)answer.status);
    http_answer_free(&answer);
}

static void judge_long_body(const struct probe *probe, size_t size,
                            const struct http_answer *answer)
{
    if (is_problem(answer, PROBLEM_BODY_TOO_LARGE))
        report_note(probe->report, "body",
                    "the worker itself takes less than %zu bytes: its "
                    "settings are others",
                    size);
    else if (answer_judge(answer).kind != ANSWER_PROFILE && !is_precondition_failed(answer))
        report_finding(probe->report, FINDING_BODY_LIMIT_LOW, NULL, "%s, to %zu bytes",
                       probe_describe(probe, answer).text, size);
    else
        report_good(probe->report, "body", "%zu bytes are taken", size);
}

/* {} with as many blanks as make the longest body that a worker takes. */
void probe_long_body(struct probe *probe)
{
    size_t size = (size_t)probe->report->invocation->settings.request.body_max_bytes;
    char *body = malloc(size);
    struct http_answer answer;
    struct question question;
    struct err err = {""};

    if (body == NULL)
        return;
    memset(body, ' ', size);
    body[0] = '{';
    body[size - 1] = '}';
    question = patch_with(probe, probe->etag, (struct str){body, size});
    if (probe_ask(probe, &question, &answer, &err) == HTTP_ANSWERED)
        judge_long_body(probe, size, &answer);
    else
        report_finding(probe->report, FINDING_BODY_LIMIT_LOW, NULL, "%s, to %zu bytes", err.text,
                       size);
    http_answer_free(&answer);
    free(body);
}
