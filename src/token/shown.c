#include "token/shown.h"

#include <string.h>

struct shown shown(struct str text)
{
    struct shown shown = {""};
    size_t len = text.len < SHOWN_MAX_BYTES ? text.len : SHOWN_MAX_BYTES;

    for (size_t i = 0; i < len; i++)
        shown.text[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?';
    if (text.len > len)
        memcpy(shown.text + len, "...", sizeof("..."));
    return shown;
}
