#include <string.h>

#include "mectl/doctor/probe.h"

/* ---- CORS */

static const char allow_origin[] = "Access-Control-Allow-Origin";

static void judge_origin(const struct probe *probe, const struct http_answer *answer,
                         const char *origin, const char *to)
{
    struct str value = http_answer_header(answer, allow_origin);
    size_t count = http_answer_header_count(answer, allow_origin);

    if (count > 1)
        report_finding(probe->report, FINDING_CORS_DOUBLED, NULL, "%zu of %s, to %s", count,
                       allow_origin, to);
    else if (!str_is_set(value))
        report_finding(probe->report, FINDING_CORS_EATEN, NULL, "%s is missing, to %s",
                       allow_origin, to);
    else if (!str_equal(value, str_from(origin)) && !str_equal(value, STR("*")))
        report_finding(probe->report, FINDING_CORS_EATEN, NULL, "%s is '%.*s', to %s", allow_origin,
                       STR_ARGS(value), to);
}

static void judge_preflight(const struct probe *probe, const struct http_answer *answer,
                            const char *origin)
{
    struct str methods = http_answer_header(answer, "Access-Control-Allow-Methods");
    struct str headers = http_answer_header(answer, "Access-Control-Allow-Headers");

    if (answer->status < 200 || answer->status > 299)
        probe_find_as_described(probe, FINDING_CORS_EATEN, answer);
    else if (!probe_has_member(methods, STR("PATCH")) ||
             !probe_has_member(headers, STR("Authorization")))
        report_finding(probe->report, FINDING_CORS_EATEN, NULL,
                       "PATCH or Authorization is not allowed, to OPTIONS");
    else
        judge_origin(probe, answer, origin, "OPTIONS");
}

static void ask_as_page(struct probe *probe, const char *origin)
{
    const struct question get = {.authorization = probe_authorization(probe),
                                 .more = {{"Origin", origin}}};
    const struct question options = {
        .method = "OPTIONS",
        .more = {{"Origin", origin},
                 {"Access-Control-Request-Method", "PATCH"},
                 {"Access-Control-Request-Headers", "authorization,content-type,if-match"}}};
    struct http_answer answer;

    if (probe_ask_again(probe, &get, &answer))
        judge_origin(probe, &answer, origin, "GET");
    http_answer_free(&answer);
    if (probe_ask_again(probe, &options, &answer))
        judge_preflight(probe, &answer, origin);
    http_answer_free(&answer);
}

void probe_cors(struct probe *probe)
{
    const struct settings_list *origins = &probe->report->invocation->settings.cors.origin;

    if (origins->count == 0)
        report_note(probe->report, "cors", "cors.origin is unset, so no page is to read answers");
    else
        ask_as_page(probe, strcmp(origins->items[0], "*") == 0 ? "https://doctor.example.com"
                                                               : origins->items[0]);
}

/* ---- caches: whatever they are asked, the answer must be another one */

/* Notes in `who` that somebody else is answered with the profile that is not theirs. */
static void ask_as_other(struct probe *probe, const char *authorization, const char *name,
                         struct buf *who)
{
    const struct question question = {.authorization = authorization};
    struct answer_judgement judgement;
    struct http_answer answer;

    if (probe_ask_again(probe, &question, &answer)) {
        judgement = answer_judge(&answer);
        if (judgement.kind == ANSWER_PROFILE && uuid_equal(&judgement.user, &probe->user))
            buf_append_format(who, "%s%s", who->len > 0 ? ", " : "", name);
    }
    http_answer_free(&answer);
}

void probe_cache(struct probe *probe)
{
    struct buf who;

    buf_init(&who, PROBE_TEXT_MAX_BYTES);
    if (probe->other_authorization.len > 0)
        ask_as_other(probe, probe->other_authorization.data, "the token of another user", &who);
    else
        report_note(probe->report, "cache", "there is no token of a second user to ask with");
    ask_as_other(probe, "Bearer doctor", "a token that is none", &who);
    ask_as_other(probe, NULL, "a request without a token", &who);
    if (who.len > 0)
        report_finding(probe->report, FINDING_CACHE_SHARED, NULL, "to %.*s",
                       STR_ARGS(buf_str(&who)));
    buf_free(&who);
}
