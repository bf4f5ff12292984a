#include "format/timestamp.h"

#include "base/clock.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `digits` of them, off the front. */
static bool take_number(struct str *rest, size_t digits, int min, int max, int *out)
{
    int number = 0;

    if (rest->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(rest->data[i]))
            return false;
        number = number * 10 + (rest->data[i] - '0');
    }
    *rest = (struct str){rest->data + digits, rest->len - digits};
    *out = number;
    return number >= min && number <= max;
}

static bool take_one_of(struct str *rest, const char *bytes)
{
    for (; rest->len > 0 && *bytes != '\0'; bytes++)
        if (rest->data[0] == *bytes) {
            *rest = (struct str){rest->data + 1, rest->len - 1};
            return true;
        }
    return false;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool take_date(struct str *rest, struct clock_parts *parts)
{
    return take_number(rest, 4, 0, 9999, &parts->year) && take_one_of(rest, "-") &&
           take_number(rest, 2, 1, 12, &parts->month) && take_one_of(rest, "-") &&
           take_number(rest, 2, 1, days_in_month(parts->year, parts->month), &parts->day);
}

/* One digit or more. */
static bool take_fraction(struct str *rest, int *millisecond)
{
    int unit = 100;

    if (!take_one_of(rest, "."))
        return true;
    if (rest->len == 0 || !is_digit(rest->data[0]))
        return false;
    for (; rest->len > 0 && is_digit(rest->data[0]); unit /= 10) {
        *millisecond += (rest->data[0] - '0') * unit;
        *rest = (struct str){rest->data + 1, rest->len - 1};
    }
    return true;
}

static bool take_time(struct str *rest, struct clock_parts *parts)
{
    return take_number(rest, 2, 0, 23, &parts->hour) && take_one_of(rest, ":") &&
           take_number(rest, 2, 0, 59, &parts->minute) && take_one_of(rest, ":") &&
           take_number(rest, 2, 0, 60, &parts->second) && take_fraction(rest, &parts->millisecond);
}

static bool take_offset(struct str *rest, int *minutes)
{
    bool is_behind = rest->len > 0 && rest->data[0] == '-';
    int hour, minute;

    *minutes = 0;
    if (take_one_of(rest, "Zz"))
        return true;
    if (!take_one_of(rest, "+-") || !take_number(rest, 2, 0, 23, &hour) ||
        !take_one_of(rest, ":") || !take_number(rest, 2, 0, 59, &minute))
        return false;
    *minutes = (is_behind ? -1 : 1) * (hour * 60 + minute);
    return true;
}

bool timestamp_parse(struct str text, int64_t *out_ms)
{
    struct clock_parts parts = {.millisecond = 0};
    int offset_minutes = 0;

    if (!take_date(&text, &parts))
        return false;
    if (text.len > 0 && !(take_one_of(&text, "Tt ") && take_time(&text, &parts) &&
                          take_offset(&text, &offset_minutes)))
        return false;
    *out_ms = clock_from_parts(&parts) - (int64_t)offset_minutes * 60000;
    return text.len == 0;
}
