#include "store/quoting.h"

#include <string.h>

static void append_quoted(struct buf *out, struct str text, char quote, const char *doubled)
{
    buf_append_byte(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\0' && strchr(doubled, text.data[i]) != NULL)
            buf_append_byte(out, text.data[i]);
        buf_append_byte(out, text.data[i]);
    }
    buf_append_byte(out, quote);
}

void quoting_append_text(struct buf *out, struct str text)
{
    append_quoted(out, text, '\'', "'\\");
}

void quoting_append_name(struct buf *out, struct str name)
{
    append_quoted(out, name, '`', "`");
}

void quoting_append_account(struct buf *out, struct str account)
{
    size_t at = account.len;

    while (at > 0 && account.data[at - 1] != '@')
        at--;
    if (at == 0)
        return;
    quoting_append_text(out, (struct str){account.data, at - 1});
    buf_append_byte(out, '@');
    quoting_append_text(out, (struct str){account.data + at, account.len - at});
}
