#include "mectl/http.h"

void http_answer_init(struct http_answer *answer, size_t body_max_bytes)
{
    answer->status = 0;
    buf_init(&answer->head, HTTP_HEAD_MAX_BYTES);
    buf_init(&answer->body, body_max_bytes);
}

void http_answer_free(struct http_answer *answer)
{
    buf_free(&answer->head);
    buf_free(&answer->body);
}

/* Cuts off the next header line of the name; false at the end. */
static bool next_value(struct str *rest, const char *name, struct str *value)
{
    while (str_is_set(*rest)) {
        struct str line = str_cut(rest, '\n'), key;

        if (str_ends_with(line, STR("\r")))
            line.len--;
        key = str_cut(&line, ':');
        if (!str_is_set(line) || !str_equal_nocase(key, str_from(name)))
            continue;
        *value = str_trim(line);
        return true;
    }
    return false;
}

struct str http_answer_header(const struct http_answer *answer, const char *name)
{
    struct str rest = buf_str(&answer->head), value = STR_NONE;

    (void)next_value(&rest, name, &value);
    return value;
}

size_t http_answer_header_count(const struct http_answer *answer, const char *name)
{
    struct str rest = buf_str(&answer->head), value;
    size_t count = 0;

    while (next_value(&rest, name, &value))
        count++;
    return count;
}
