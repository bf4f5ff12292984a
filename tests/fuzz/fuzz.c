#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    (void)fprintf(stderr, "not true: %s\n", what);
    abort();
}

void require_printable(const char *text)
{
    for (; *text != '\0'; text++)
        require(*text >= ' ' && *text <= '~', "what is told is printable ASCII");
}

size_t take_choice(struct str *rest, size_t count)
{
    size_t choice;

    if (rest->len == 0)
        return 0;
    choice = (unsigned char)rest->data[0] % count;
    rest->data++;
    rest->len--;
    return choice;
}
