#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Drops the character that the end of the struct cut in two, so that UTF-8 stays UTF-8. */
static void drop_half_character(char *text)
{
    size_t len = strlen(text), start = len;
    struct str last;
    uint32_t code_point;

    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    last = (struct str){text + start - 1, len - (start - 1)};
    if (!utf8_next(&last, &code_point))
        text[start - 1] = '\0';
}

/* `wanted` is what vsnprintf would have written from `at` on. */
static void finish(struct err *err, size_t at, int wanted)
{
    if (wanted < 0)
        err->text[at] = '\0';
    else if ((size_t)wanted >= sizeof(err->text) - at)
        drop_half_character(err->text);
}

void err_set(struct err *err, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return;
    va_start(args, format);
    finish(err, 0, vsnprintf(err->text, sizeof(err->text), format, args));
    va_end(args);
}

void err_prefix(struct err *err, const char *format, ...)
{
    struct err old;
    va_list args;
    size_t used;

    if (err == NULL)
        return;
    old = *err;
    va_start(args, format);
    finish(err, 0, vsnprintf(err->text, sizeof(err->text), format, args));
    va_end(args);
    used = strlen(err->text);
    finish(err, used, snprintf(err->text + used, sizeof(err->text) - used, ": %s", old.text));
}

void err_clear(struct err *err)
{
    if (err != NULL)
        err->text[0] = '\0';
}
