#include "profile/phone.h"

#include <stddef.h>

#include "profile/ascii.h"

enum { PHONE_NUMBER_MIN_DIGITS = 2 };

enum violation validate_phone_number(struct str number)
{
    if (number.len < 1 + PHONE_NUMBER_MIN_DIGITS || number.len > 1 + PHONE_NUMBER_MAX_DIGITS)
        return VIOLATION_INVALID_PHONE_NUMBER;
    if (number.data[0] != '+' || number.data[1] == '0')
        return VIOLATION_INVALID_PHONE_NUMBER;
    for (size_t i = 1; i < number.len; i++)
        if (!ascii_is_digit(number.data[i]))
            return VIOLATION_INVALID_PHONE_NUMBER;
    return VIOLATION_NONE;
}
