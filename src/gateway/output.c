#include "gateway/output.h"

static void append_line(struct buf *out, const char *name, struct str value)
{
    buf_append_text(out, name);
    buf_append_text(out, ": ");
    buf_append_str(out, value);
    buf_append_text(out, "\r\n");
}

bool output_head(const struct response *response, struct buf *out)
{
    buf_append_format(out, "Status: %d %s\r\n", response->status,
                      response_phrase(response->status));
    if (response->content_type != NULL) {
        append_line(out, "Content-Type", str_from(response->content_type));
        buf_append_format(out, "Content-Length: %zu\r\n", response->body.len);
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
