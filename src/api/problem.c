#include "api/problem.h"

#include <json-c/json.h>
#include <stdio.h>

#include "format/jsonvalue.h"
#include "format/mediatype.h"

static const struct problem_row rows[PROBLEM__MAX] = {
    [PROBLEM_NONE] = {200, "none", "No problem"},
    [PROBLEM_NOT_FOUND] = {404, "not_found", "There is no such resource"},
    [PROBLEM_METHOD_NOT_ALLOWED] = {405, "method_not_allowed",
                                    "The resource does not know this method"},
    [PROBLEM_MISSING_TOKEN] = {401, "missing_token", "A bearer token is required"},
    [PROBLEM_INVALID_TOKEN] = {401, "invalid_token", "The access token was refused"},
    [PROBLEM_USER_BANNED] = {403, "user_banned", "The user is banned"},
    [PROBLEM_BODY_TOO_LARGE] = {413, "body_too_large", "The request body is too large"},
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] =
        {415, "unsupported_media_type",
         "The request body must be application/merge-patch+json or application/json"},
    [PROBLEM_INVALID_JSON] = {400, "invalid_json", "The request body is not valid JSON"},
    [PROBLEM_INVALID_BODY] = {400, "invalid_body", "The request body cannot be used"},
    [PROBLEM_PRECONDITION_REQUIRED] = {428, "precondition_required",
                                       "A PATCH has to name the ETag that it is based on in "
                                       "If-Match"},
    [PROBLEM_VALIDATION_FAILED] = {422, "validation_failed", "Request validation failed"},
    [PROBLEM_PRECONDITION_FAILED] = {412, "precondition_failed",
                                     "The resource is not in the state that the request demands"},
    [PROBLEM_SERVICE_UNAVAILABLE] = {503, "service_unavailable",
                                     "The service is unavailable for now: try again later"},
    [PROBLEM_INTERNAL_ERROR] = {500, "internal_error", "The service failed"},
};

const struct problem_row *problem_row(enum problem problem)
{
    return &rows[problem];
}

enum problem problem_of_store(enum store_result result)
{
    switch (result) {
    case STORE_OK:
        return PROBLEM_NONE;
    case STORE_CONFLICT:
    case STORE_LOST:
    case STORE_UNAVAILABLE:
    case STORE_IN_DOUBT:
        return PROBLEM_SERVICE_UNAVAILABLE;
    default:
        return PROBLEM_INTERNAL_ERROR;
    }
}

static const char *const content_types[] = {
    [PROBLEM_FORM_JSON] = "application/json",
    [PROBLEM_FORM_RFC9457] = "application/problem+json",
};

enum problem_form problem_form_for(struct str accept)
{
    int ours = mediatype_quality(accept, content_types[PROBLEM_FORM_JSON]);
    int other = mediatype_quality(accept, content_types[PROBLEM_FORM_RFC9457]);

    return other > ours ? PROBLEM_FORM_RFC9457 : PROBLEM_FORM_JSON;
}

const char *problem_content_type(enum problem_form form)
{
    return content_types[form];
}

/* Takes the value over, also on failure; a value that could not be made fails here. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
    if (value != NULL && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static struct json_object *new_text(struct str text)
{
    return json_object_new_string_len(text.data, (int)text.len);
}

static bool append_violation(struct json_object *list, enum violation violation)
{
    struct json_object *entry = json_object_new_object();

    if (entry != NULL && add(entry, "code", json_object_new_string(violation_code(violation))) &&
        add(entry, "message", json_object_new_string(violation_text(violation))) &&
        json_object_array_add(list, entry) == 0)
        return true;
    json_object_put(entry);
    return false;
}

/* The list of a member, made where it is the first violation of that member. */
static struct json_object *list_of(struct json_object *details, const char *member)
{
    struct json_object *list = NULL;

    if (json_object_object_get_ex(details, member, &list))
        return list;
    list = json_object_new_array();
    return add(details, member, list) ? list : NULL;
}

static struct json_object *new_details(const struct violation_list *violations)
{
    struct json_object *details = json_object_new_object();

    if (details == NULL)
        return NULL;
    for (const struct violation_entry *entry = violations->first; entry != NULL;
         entry = entry->next) {
        /* Names of members went through the JSON gate: they hold no NUL, and the copy ends in one.
         */
        struct json_object *list = list_of(details, entry->member.data);

        if (list == NULL || !append_violation(list, entry->violation)) {
            json_object_put(details);
            return NULL;
        }
    }
    return details;
}

static struct json_object *new_message(const struct problem_report *report)
{
    const char *message = rows[report->problem].message;
    struct json_object *value;
    struct buf text;

    if (!str_is_set(report->note))
        return json_object_new_string(message);
    buf_init(&text, 1024);
    buf_append_text(&text, message);
    buf_append_text(&text, ": ");
    buf_append_str(&text, report->note);
    value = buf_is_good(&text) ? new_text(buf_str(&text)) : json_object_new_string(message);
    buf_free(&text);
    return value;
}

static bool add_standard_members(struct json_object *body, const struct problem_report *report)
{
    const struct problem_row *row = &rows[report->problem];

    return add(body, "type", json_object_new_string("about:blank")) &&
           add(body, "title", json_object_new_string(row->message)) &&
           add(body, "status", json_object_new_int(row->status)) &&
           add(body, "detail", new_message(report));
}

static bool add_own_members(struct json_object *body, const struct problem_report *report)
{
    return add(body, "code", json_object_new_string(rows[report->problem].code)) &&
           add(body, "message", new_message(report)) &&
           (report->violations == NULL || add(body, "details", new_details(report->violations))) &&
           add(body, "requestId", new_text(report->request_id));
}

bool problem_render(const struct problem_report *report, enum problem_form form, struct buf *out)
{
    struct json_object *body = json_object_new_object();
    bool good = body != NULL && (form == PROBLEM_FORM_JSON || add_standard_members(body, report)) &&
                add_own_members(body, report) && jsonvalue_append(body, out);

    json_object_put(body);
    return good;
}

/* No text of the table has anything that JSON would escape, and no request id either. */
struct str problem_render_plain(const struct problem_report *report, enum problem_form form,
                                char out[PROBLEM_PLAIN_BYTES])
{
    const struct problem_row *row = &rows[report->problem];
    char standard[PROBLEM_PLAIN_BYTES / 2] = "";
    int len;

    if (form == PROBLEM_FORM_RFC9457)
        (void)snprintf(standard, sizeof(standard),
                       "\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\",",
                       row->message, row->status, row->message);
    len = snprintf(out, PROBLEM_PLAIN_BYTES,
                   "{%s\"code\":\"%s\",\"message\":\"%s\",\"requestId\":\"%.*s\"}", standard,
                   row->code, row->message, STR_ARGS(report->request_id));
    return (struct str){out, len < 0 ? 0 : (size_t)len};
}
