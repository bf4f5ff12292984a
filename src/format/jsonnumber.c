#include "format/jsonnumber.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool jsonnumber_fits_int64(struct str number)
{
    int64_t value;

    if (str_equal(number, STR("-9223372036854775808")))
        return true;
    if (number.data[0] == '-')
        number = (struct str){number.data + 1, number.len - 1};
    return str_to_number(number, INT64_MAX, &value);
}

/* The exponent that is written behind `e`, held at the ends of what makes a difference. */
static int64_t written_exponent(struct str number)
{
    const int64_t limit = INT64_C(1) << 40;
    struct str mantissa = str_cut(&number, 'e');
    bool negative;
    int64_t value;

    if (!str_is_set(number)) {
        number = mantissa;
        (void)str_cut(&number, 'E');
    }
    if (!str_is_set(number))
        return 0;
    negative = number.data[0] == '-';
    if (negative || number.data[0] == '+')
        number = (struct str){number.data + 1, number.len - 1};
    if (!str_to_number(number, limit, &value))
        value = limit;
    return negative ? -value : value;
}

/* Below 1.7976931348623158e308, the first 17-digit number above the largest double. */
bool jsonnumber_fits_double(struct str number)
{
    static const char too_large[] = "17976931348623158";
    const size_t digits_max = sizeof(too_large) - 1;
    char digits[sizeof(too_large)] = "";
    size_t count = 0;
    int64_t exponent = written_exponent(number) - 1; /* of ten, of the first digit that is not 0 */
    bool in_fraction = false;

    for (size_t i = 0; i < number.len && number.data[i] != 'e' && number.data[i] != 'E'; i++) {
        char c = number.data[i];

        in_fraction = in_fraction || c == '.';
        if (!is_digit(c))
            continue;
        if (count > 0 || c != '0') {
            exponent += !in_fraction;
            if (count < digits_max)
                digits[count++] = c;
        } else {
            exponent -= in_fraction;
        }
    }
    if (count == 0 || exponent != 308)
        return count == 0 || exponent < 308;
    memset(digits + count, '0', digits_max - count);
    return memcmp(digits, too_large, digits_max) < 0;
}

/* The first digits of a number, as many as uint64_t surely holds, and what they are to be shifted
 * by. */
struct decimal {
    uint64_t digits;
    int64_t exponent; /* of ten */
};

static struct decimal read_decimal(struct str number)
{
    const int digits_max = 18;
    struct decimal decimal = {.exponent = written_exponent(number)};
    int count = 0;
    bool in_fraction = false;

    for (size_t i = 0; i < number.len && number.data[i] != 'e' && number.data[i] != 'E'; i++) {
        if (number.data[i] == '.') {
            in_fraction = true;
        } else if (count < digits_max) {
            decimal.digits = decimal.digits * 10 + (uint64_t)(number.data[i] - '0');
            count += decimal.digits > 0;
            decimal.exponent -= in_fraction;
        } else {
            decimal.exponent += !in_fraction;
        }
    }
    return decimal;
}

bool jsonnumber_thousandths(struct str number, int64_t max, int64_t *out)
{
    struct decimal decimal;

    if (number.data[0] == '-')
        return false;
    decimal = read_decimal(number);
    for (decimal.exponent += 3; decimal.exponent > 0 && decimal.digits > 0; decimal.exponent--) {
        if (decimal.digits > UINT64_MAX / 10)
            return false;
        decimal.digits *= 10;
    }
    for (; decimal.exponent < -1 && decimal.digits > 0; decimal.exponent++)
        decimal.digits /= 10;
    if (decimal.exponent == -1)
        decimal.digits = (decimal.digits + 5) / 10;
    if (decimal.digits > (uint64_t)max)
        return false;
    *out = (int64_t)decimal.digits;
    return true;
}
