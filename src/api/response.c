#include "api/response.h"

#include <string.h>

void response_init(struct response *response)
{
    *response = (struct response){.status = 500, .body = STR("")};
}

static bool is_field_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        /* Below the space it wraps round, and one comparison does for both ends. */
        if ((unsigned char)(c - ' ') > '~' - ' ' && c != '\t')
            return false;
    }
    return str_is_set(value);
}

bool response_add(struct response *response, const char *name, struct str value)
{
    if (response->header_count == RESPONSE_HEADERS_MAX || !is_field_value(value))
        return false;
    response->header[response->header_count++] = (struct response_header){name, value};
    return true;
}

struct str response_header_value(const struct response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->header[i].name, name) == 0)
            return response->header[i].value;
    return STR_NONE;
}

const char *response_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}
