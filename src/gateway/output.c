#include "gateway/output.h"

#include <string.h>

#include "base/number.h"

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

/* Room for all of it is made at once: there are a dozen in each answer. No value that is set is
 * NULL, and no other is written. */
static void append_line(struct buf *out, const char *name, struct str value)
{
    size_t name_len = strlen(name), len = name_len + value.len + 4;
    char *at = buf_reserve(out, len);

    if (at == NULL)
        return;
    at = put(at, name, name_len);
    at = put(at, ": ", 2);
    at = put(at, value.data, value.len);
    (void)put(at, "\r\n", 2);
    buf_added(out, len);
}

static void append_status(struct buf *out, int status)
{
    char text[NUMBER_TEXT_LEN + 1];

    buf_append_text(out, "Status: ");
    buf_append_str(out, number_format(status, text));
    buf_append_byte(out, ' ');
    buf_append_text(out, response_phrase(status));
    buf_append_text(out, "\r\n");
}

/* No printf: the head is written for every request. */
bool output_head(const struct response *response, struct buf *out)
{
    char len[NUMBER_TEXT_LEN + 1];

    append_status(out, response->status);
    if (response->content_type != NULL) {
        append_line(out, "Content-Type", str_from(response->content_type));
        append_line(out, "Content-Length", number_format((int64_t)response->body.len, len));
    }
    for (size_t i = 0; i < response->header_count; i++)
        append_line(out, response->header[i].name, response->header[i].value);
    buf_append_text(out, "\r\n");
    return buf_is_good(out);
}

struct str output_body(const struct response *response)
{
    if (response->omits_body || response->content_type == NULL)
        return STR("");
    return response->body;
}
