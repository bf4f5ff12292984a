#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_set(struct err *err, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
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
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    used = strlen(err->text);
    (void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", old.text);
}

void err_clear(struct err *err)
{
    if (err != NULL)
        err->text[0] = '\0';
}
