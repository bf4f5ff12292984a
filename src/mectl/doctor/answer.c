#include "mectl/doctor/answer.h"

#include <json-c/json.h>
#include <string.h>

#include "format/jsonvalue.h"

static bool find_problem(struct str code, enum problem *out)
{
    for (enum problem i = PROBLEM_NOT_FOUND; i < PROBLEM__MAX; i++)
        if (str_equal(code, str_from(problem_row(i)->code))) {
            *out = i;
            return true;
        }
    return false;
}

static bool has(struct json_object *body, const char *name)
{
    bool is_there = false;

    (void)jsonvalue_member(body, name, &is_there);
    return is_there;
}

static void judge_body(struct json_object *body, struct answer_judgement *out)
{
    struct str code = jsonvalue_string(jsonvalue_member(body, "code", NULL));
    struct str id = jsonvalue_string(jsonvalue_member(body, "id", NULL));

    if (has(body, "requestId") && find_problem(code, &out->problem))
        out->kind = ANSWER_PROBLEM;
    else if (has(body, "activeSessions") && has(body, "status") && uuid_parse(id, &out->user))
        out->kind = ANSWER_PROFILE;
}

struct answer_judgement answer_judge(const struct http_answer *answer)
{
    struct answer_judgement judgement = {.kind = ANSWER_FOREIGN};
    struct json_object *body = NULL;

    if (answer->status == 204 || answer->status == 304)
        judgement.kind = ANSWER_EMPTY;
    else if (jsonvalue_parse_object(buf_str(&answer->body), &body, NULL) == STRICTJSON_OK)
        judge_body(body, &judgement);
    json_object_put(body);
    return judgement;
}

struct str answer_challenge(const struct http_answer *answer, const char *name)
{
    struct str rest = http_answer_header(answer, "WWW-Authenticate");

    if (!str_is_set(rest) || !str_equal_nocase(str_cut(&rest, ' '), STR("Bearer")))
        return STR_NONE;
    while (str_is_set(rest)) {
        struct str value = str_cut(&rest, ','), key = str_trim(str_cut(&value, '='));

        if (!str_equal(key, str_from(name)) || !str_starts_with(value, STR("\"")))
            continue;
        (void)str_cut(&value, '"');
        return str_cut(&value, '"');
    }
    return STR_NONE;
}
