/*
 * Times are milliseconds since 1970-01-01T00:00:00Z, without leap seconds. Only clock_now_ms and
 * clock_monotonic_us look at a clock; everything that can be judged without one takes the time as
 * a parameter.
 */
#ifndef ME_BASE_CLOCK_H
#define ME_BASE_CLOCK_H

#include <stdint.h>

/* "2025-07-03T02:14:22.094Z" */
enum { CLOCK_TEXT_LEN = 24 };

int64_t clock_now_ms(void);

/* For durations: never set back. */
int64_t clock_monotonic_us(void);

/* Waits; a signal may shorten it. */
void clock_pause_ms(int64_t pause_ms);

struct clock_parts {
    int year, month, day, hour, minute, second, millisecond; /* month and day from 1 */
};

/* The proleptic Gregorian calendar, years 0 to 9999; parts out of range give an unspecified time.
 */
int64_t clock_from_parts(const struct clock_parts *parts);
void clock_to_parts(int64_t time_ms, struct clock_parts *parts);

/* RFC 3339, UTC, milliseconds, `Z`; a time outside the years 0 to 9999 is held at the nearer end.
 */
void clock_format(int64_t time_ms, char out[CLOCK_TEXT_LEN + 1]);

#endif
