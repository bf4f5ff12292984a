#include "api/body.h"

#include <json-c/json.h>

#include "format/jsonvalue.h"
#include "format/mediatype.h"

/* False with what the client is told beside the types that are taken. */
static bool is_accepted_type(struct str header, struct str *note)
{
    struct mediatype type;

    *note = STR_NONE;
    if (str_trim(header).len == 0)
        *note = STR("there is no Content-Type");
    else if (!mediatype_parse(header, &type))
        *note = STR("Content-Type is malformed");
    else if (!mediatype_is(&type, "application/merge-patch+json") &&
             !mediatype_is(&type, "application/json"))
        return false;
    /* RFC 8259, section 8.1: there is no other encoding, but a client may name it. */
    else if (str_is_set(type.charset) && !str_equal_nocase(type.charset, STR("utf-8")))
        *note = STR("the charset must be utf-8, or left out");
    return !str_is_set(*note);
}

static enum problem refuse_size(struct exchange *exchange)
{
    struct buf text;

    buf_init(&text, 64);
    buf_append_format(&text, "up to %zu bytes are taken", exchange->service->body_in.max);
    if (!buf_is_good(&text) ||
        !arena_copy(exchange->service->arena, buf_str(&text), &exchange->note))
        exchange->note = STR_NONE;
    buf_free(&text);
    return PROBLEM_BODY_TOO_LARGE;
}

static enum problem refuse_json(struct exchange *exchange, enum strictjson_result result,
                                const struct strictjson_place *place)
{
    struct buf text;

    if (result == STRICTJSON_OUT_OF_MEMORY)
        return PROBLEM_INTERNAL_ERROR;
    if (result == STRICTJSON_EMPTY) {
        exchange->note = STR("it is empty, a JSON object was expected");
        return PROBLEM_INVALID_BODY;
    }
    buf_init(&text, 256);
    buf_append_format(&text, "it %s, at line %zu, column %zu", strictjson_text(result), place->line,
                      place->column);
    if (!buf_is_good(&text) ||
        !arena_copy(exchange->service->arena, buf_str(&text), &exchange->note))
        exchange->note = STR_NONE;
    buf_free(&text);
    return PROBLEM_INVALID_JSON;
}

static enum problem parse(struct exchange *exchange, struct str text, struct json_object **out)
{
    struct strictjson_place place = {0};
    enum strictjson_result result = jsonvalue_parse(text, out, &place);

    if (result != STRICTJSON_OK)
        return refuse_json(exchange, result, &place);
    if (json_object_is_type(*out, json_type_object))
        return PROBLEM_NONE;
    json_object_put(*out);
    *out = NULL;
    exchange->note = STR("a JSON object was expected");
    return PROBLEM_INVALID_BODY;
}

static const struct str unusable_texts[] = {
    [REQUEST_BODY_BAD_LENGTH] = STR("Content-Length is not a number"),
    [REQUEST_BODY_SHORT] = STR("it is shorter than Content-Length"),
    [REQUEST_BODY_BROKEN] = STR("it breaks off"),
};

enum problem body_read(struct exchange *exchange, struct json_object **out)
{
    const struct request *request = exchange->request;
    struct buf *text = &exchange->service->body_in;
    enum request_body result;

    *out = NULL;
    result = request_read_body(request, text);
    if (result == REQUEST_BODY_TOO_LARGE)
        return refuse_size(exchange);
    if (!is_accepted_type(request->header[REQUEST_CONTENT_TYPE], &exchange->note))
        return PROBLEM_UNSUPPORTED_MEDIA_TYPE;
    if (!buf_is_good(text))
        return PROBLEM_INTERNAL_ERROR;
    if (result == REQUEST_BODY_OK)
        return parse(exchange, buf_str(text), out);
    exchange->note = unusable_texts[result];
    return PROBLEM_INVALID_BODY;
}
