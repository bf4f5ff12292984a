#include "base/shell.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+,:=@%";

    return text[0] != '\0' && text[strspn(text, plain)] == '\0';
}

void shell_append_word(struct buf *out, const char *text)
{
    if (is_plain(text)) {
        buf_append_text(out, text);
        return;
    }
    buf_append_byte(out, '\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append_byte(out, *text);
    buf_append_byte(out, '\'');
}
