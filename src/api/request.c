#include "api/request.h"

#include <stdint.h>

enum { REQUEST_ID_MAX_BYTES = 64, STEP_BYTES = 8192 };

static bool is_id_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool request_id_is_good(struct str id)
{
    if (id.len == 0 || id.len > REQUEST_ID_MAX_BYTES)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!is_id_character(id.data[i]))
            return false;
    return true;
}

/* Reads until `wanted` bytes are there or the body ends. False: it broke off. */
static bool read_up_to(const struct request *request, size_t wanted, struct buf *out)
{
    while (out->len < wanted) {
        size_t step = wanted - out->len < STEP_BYTES ? wanted - out->len : STEP_BYTES;
        char *at = buf_reserve(out, step);
        size_t got = at == NULL ? 0 : request->read(request->read_context, at, step);

        if (got == 0 || got == REQUEST_READ_BROKEN)
            return got == 0;
        buf_added(out, got);
    }
    return true;
}

static enum request_body read_to_end(const struct request *request, struct buf *out)
{
    size_t got = 0;
    char more;

    if (!read_up_to(request, out->max, out))
        return REQUEST_BODY_BROKEN;
    if (out->len == out->max)
        got = request->read(request->read_context, &more, 1);
    if (got == REQUEST_READ_BROKEN)
        return REQUEST_BODY_BROKEN;
    return got > 0 ? REQUEST_BODY_TOO_LARGE : REQUEST_BODY_OK;
}

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0;
}

enum request_body request_read_body(const struct request *request, struct buf *out)
{
    struct str header = str_trim(request->header[REQUEST_CONTENT_LENGTH]);
    int64_t length;

    if (header.len == 0)
        return read_to_end(request, out);
    /* RFC 9110, section 8.6: digits, as many as there may be. */
    if (!is_digits(header))
        return REQUEST_BODY_BAD_LENGTH;
    if (!str_to_number(header, (int64_t)out->max, &length))
        return REQUEST_BODY_TOO_LARGE;
    (void)read_up_to(request, (size_t)length, out);
    return out->len == (size_t)length ? REQUEST_BODY_OK : REQUEST_BODY_SHORT;
}
