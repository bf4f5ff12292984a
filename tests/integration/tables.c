/* Prints the tables of the code that schema/openapi.yaml repeats, as JSON, for test_openapi.py to
 * compare. */
#include <json-c/json.h>
#include <stdio.h>

#include "api/body.h"
#include "api/problem.h"
#include "profile/patch.h"
#include "profile/profile.h"
#include "profile/validate.h"

static struct json_object *list_problems(void)
{
    struct json_object *list = json_object_new_array();

    for (enum problem problem = PROBLEM_NONE + 1; problem < PROBLEM__MAX; problem++) {
        const struct problem_row *row = problem_row(problem);
        struct json_object *entry = json_object_new_object();

        json_object_object_add(entry, "status", json_object_new_int(row->status));
        json_object_object_add(entry, "code", json_object_new_string(row->code));
        json_object_object_add(entry, "message", json_object_new_string(row->message));
        json_object_array_add(list, entry);
    }
    return list;
}

static struct json_object *list_violations(void)
{
    struct json_object *list = json_object_new_array();

    for (enum violation violation = VIOLATION_NONE + 1; violation < VIOLATION__MAX; violation++)
        json_object_array_add(list, json_object_new_string(violation_code(violation)));
    return list;
}

static struct json_object *list_patchables(void)
{
    static const int limits[PATCH_MEMBER__MAX] = {
        [PATCH_NAME] = NAME_MAX_LENGTH,
        [PATCH_BIO] = BIO_MAX_LENGTH,
        [PATCH_AVATAR_URL] = AVATAR_URL_MAX_BYTES,
        [PATCH_LOCALE] = LOCALE_MAX_BYTES,
        [PATCH_TIMEZONE] = TIMEZONE_MAX_BYTES,
    };
    struct json_object *members = json_object_new_object();

    for (enum patch_member member = 0; member < PATCH_MEMBER__MAX; member++)
        json_object_object_add(members, patch_member_name(member),
                               json_object_new_int(limits[member]));
    return members;
}

static struct json_object *list_statuses(void)
{
    struct json_object *list = json_object_new_array();

    for (enum user_status status = 0; status < USER_STATUS__MAX; status++)
        json_object_array_add(list, json_object_new_string(user_status_name(status)));
    return list;
}

int main(void)
{
    struct json_object *tables = json_object_new_object();
    int printed;

    json_object_object_add(tables, "problems", list_problems());
    json_object_object_add(tables, "violations", list_violations());
    json_object_object_add(tables, "patchables", list_patchables());
    json_object_object_add(tables, "statuses", list_statuses());
    json_object_object_add(tables, "bodies", json_object_new_string(BODY_ACCEPTED));
    printed = puts(json_object_to_json_string(tables));
    json_object_put(tables);
    return printed < 0;
}
