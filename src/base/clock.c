#include "base/clock.h"

#include <time.h>

enum { DAYS_IN_ERA = 146097, DAYS_FROM_YEAR_0_MARCH_TO_EPOCH = 719468 };

static const int64_t day_ms = 86400000;
static const int64_t year_0_ms = -62167219200000;
static const int64_t year_9999_end_ms = 253402300799999;

int64_t clock_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_pause_ms(int64_t pause_ms)
{
    struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

/*
 * Years are counted from March, so that the leap day is a year's last; 400 of them are an era of
 * 146097 days. Day 0 is the first of March of year 0.
 */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_IN_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_FROM_YEAR_0_MARCH_TO_EPOCH;
}

int64_t clock_from_parts(const struct clock_parts *parts)
{
    int64_t days = days_from_date(parts->year, parts->month, parts->day);

    return days * day_ms + parts->hour * INT64_C(3600000) + parts->minute * INT64_C(60000) +
           parts->second * INT64_C(1000) + parts->millisecond;
}

void clock_to_parts(int64_t time_ms, struct clock_parts *parts)
{
    int64_t days = time_ms / day_ms - (time_ms % day_ms < 0);
    int64_t in_day_ms = time_ms - days * day_ms;
    int64_t shifted = days + DAYS_FROM_YEAR_0_MARCH_TO_EPOCH;
    int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_IN_ERA - 1)) / DAYS_IN_ERA;
    int64_t day_of_era = shifted - era * DAYS_IN_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    parts->day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    parts->month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    parts->year = (int)(year_of_era + era * 400 + (parts->month <= 2));
    parts->hour = (int)(in_day_ms / 3600000);
    parts->minute = (int)(in_day_ms / 60000 % 60);
    parts->second = (int)(in_day_ms / 1000 % 60);
    parts->millisecond = (int)(in_day_ms % 1000);
}

/* By hand: a profile has a dozen times in it, and snprintf took an eighth of a GET. */
static char *put_digits(char *at, int number, int digits, char after)
{
    for (int i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[digits] = after;
    return at + digits + 1;
}

void clock_format(int64_t time_ms, char out[CLOCK_TEXT_LEN + 1])
{
    struct clock_parts parts;
    char *at = out;

    if (time_ms < year_0_ms)
        time_ms = year_0_ms;
    if (time_ms > year_9999_end_ms)
        time_ms = year_9999_end_ms;
    clock_to_parts(time_ms, &parts);
    at = put_digits(at, parts.year, 4, '-');
    at = put_digits(at, parts.month, 2, '-');
    at = put_digits(at, parts.day, 2, 'T');
    at = put_digits(at, parts.hour, 2, ':');
    at = put_digits(at, parts.minute, 2, ':');
    at = put_digits(at, parts.second, 2, '.');
    at = put_digits(at, parts.millisecond, 3, 'Z');
    *at = '\0';
}
