#include "mectl/doctor/probe.h"

#include <stdio.h>

enum { TIMEOUT_S = 20, BODY_MAX_BYTES = 4 * 1024 * 1024 };

static const char patch_type[] = "application/merge-patch+json";

void probe_number(struct probe *probe)
{
    (void)snprintf(probe->id, sizeof(probe->id), "%s-%u", probe->run, ++probe->asked);
}

enum http_result probe_ask(struct probe *probe, const struct question *question,
                           struct http_answer *answer, struct err *err)
{
    struct http_request request = {
        .method = question->method,
        .url = probe->outside->url,
        .body = question->body,
        .ca = probe->outside->ca,
        .timeout_s = TIMEOUT_S,
    };
    size_t count = 0;

    probe_number(probe);
    request.headers[count++] = (struct http_header){"Accept", "application/json"};
    request.headers[count++] = (struct http_header){"X-Request-Id", probe->id};
    request.headers[count++] = (struct http_header){"Authorization", question->authorization};
    if (str_is_set(question->body))
        request.headers[count++] = (struct http_header){"Content-Type", patch_type};
    for (size_t i = 0; i < ARRAY_LENGTH(question->more) && question->more[i].name != NULL; i++)
        request.headers[count++] = question->more[i];
    http_answer_init(answer, BODY_MAX_BYTES);
    return http_send(&request, answer, err);
}

bool probe_ask_again(struct probe *probe, const struct question *question,
                     struct http_answer *answer)
{
    struct err err = {""};

    if (probe_ask(probe, question, answer, &err) == HTTP_ANSWERED)
        return true;
    report_finding(probe->report, FINDING_URL_UNREACHED, NULL, "%s %s: %s",
                   question->method == NULL ? "GET" : question->method, probe->outside->url,
                   err.text);
    return false;
}

const char *probe_authorization(const struct probe *probe)
{
    return probe->authorization.len == 0 ? NULL : probe->authorization.data;
}

struct err probe_describe(const struct probe *probe, const struct http_answer *answer)
{
    const struct answer_judgement judgement = answer_judge(answer);
    struct str type = http_answer_header(answer, "Content-Type");
    struct err text;

    if (judgement.kind == ANSWER_PROBLEM)
        err_set(&text, "%lld %s, request id %s", (long long)answer->status,
                problem_row(judgement.problem)->code, probe->id);
    else if (judgement.kind == ANSWER_PROFILE)
        err_set(&text, "%lld, and the profile", (long long)answer->status);
    else
        err_set(&text, "%lld%s%.*s, which is not of me.fcgi", (long long)answer->status,
                str_is_set(type) ? " with " : "", STR_ARGS(type));
    return text;
}

void probe_find_as_described(const struct probe *probe, enum finding finding,
                             const struct http_answer *answer)
{
    report_finding(probe->report, finding, probe->report->invocation->settings.file, "%s",
                   probe_describe(probe, answer).text);
}

/* ---- what is wrong with an answer */

/* A 401 that is not of me.fcgi: a login in front of it, or its own with another body. */
static enum finding finding_of_401(const struct http_answer *answer)
{
    struct str challenge = http_answer_header(answer, "WWW-Authenticate");

    if (!str_is_set(challenge) || str_equal_nocase(str_cut(&challenge, ' '), STR("Bearer")))
        return FINDING_ERRORS_REPLACED;
    return FINDING_LOGIN_IN_FRONT;
}

enum finding probe_finding_of_foreign(const struct http_answer *answer)
{
    static const int64_t gateway_statuses[] = {500, 502, 503, 504};

    for (size_t i = 0; i < ARRAY_LENGTH(gateway_statuses); i++)
        if (answer->status == gateway_statuses[i])
            return FINDING_GATEWAY_FAILED;
    return answer->status == 401 ? finding_of_401(answer) : FINDING_PATH_UNMAPPED;
}

bool probe_find_general_failure(const struct probe *probe, enum problem problem,
                                const struct http_answer *answer)
{
    static const struct {
        enum problem problem;
        enum finding finding;
    } failures[] = {
        {PROBLEM_NOT_FOUND, FINDING_PATH_MISREAD},
        {PROBLEM_INTERNAL_ERROR, FINDING_WORKER_FAILS},
        {PROBLEM_SERVICE_UNAVAILABLE, FINDING_WORKER_FAILS},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++)
        if (failures[i].problem == problem) {
            probe_find_as_described(probe, failures[i].finding, answer);
            return true;
        }
    return false;
}

void probe_find_status(const struct probe *probe, const struct answer_judgement *judgement,
                       const struct http_answer *answer)
{
    int64_t meant =
        judgement->kind == ANSWER_PROFILE ? 200 : problem_row(judgement->problem)->status;

    if (answer->status != meant)
        report_finding(probe->report, FINDING_STATUS_CHANGED, NULL, "%lld instead of %lld",
                       (long long)answer->status, (long long)meant);
}

bool probe_has_member(struct str list, struct str member)
{
    while (str_is_set(list))
        if (str_equal_nocase(str_trim(str_cut(&list, ',')), member))
            return true;
    return false;
}
