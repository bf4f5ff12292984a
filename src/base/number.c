#include "base/number.h"

struct str number_format(int64_t number, char text[NUMBER_TEXT_LEN + 1])
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char *end = text + NUMBER_TEXT_LEN, *at = end;

    *end = '\0';
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--at = '-';
    return (struct str){at, (size_t)(end - at)};
}
