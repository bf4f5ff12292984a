#include "base/clock.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

static const struct {
    const char *text;
    int64_t time_ms;
} instants[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"1970-01-01T00:00:00.001Z", 1},
    {"1969-12-31T23:59:59.999Z", -1},
    {"1969-12-31T00:00:00.000Z", -86400000},
    {"2025-07-03T02:14:22.094Z", INT64_C(1751508862094)},
    {"2000-02-28T23:59:59.999Z", INT64_C(951782399999)},
    {"2000-02-29T00:00:00.000Z", INT64_C(951782400000)},
    {"2000-03-01T00:00:00.000Z", INT64_C(951868800000)},
    {"2024-02-29T12:34:56.789Z", INT64_C(1709210096789)},
    {"2023-02-28T23:59:59.999Z", INT64_C(1677628799999)},
    {"2023-03-01T00:00:00.000Z", INT64_C(1677628800000)},
    {"1900-02-28T23:59:59.999Z", INT64_C(-2203891200001)},
    {"1900-03-01T00:00:00.000Z", INT64_C(-2203891200000)},
    {"2100-02-28T23:59:59.999Z", INT64_C(4107542399999)},
    {"2100-03-01T00:00:00.000Z", INT64_C(4107542400000)},
    {"2038-01-19T03:14:07.999Z", INT64_C(2147483647999)},
    {"2038-01-19T03:14:08.000Z", INT64_C(2147483648000)},
    {"2024-12-31T23:59:59.999Z", INT64_C(1735689599999)},
    {"0001-01-01T00:00:00.000Z", INT64_C(-62135596800000)},
    {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000)},
    {"0000-02-29T00:00:00.000Z", INT64_C(-62162121600000)},
    {"0000-03-01T00:00:00.000Z", INT64_C(-62162035200000)},
    {"0000-12-31T23:59:59.999Z", INT64_C(-62135596800001)},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
};

static struct clock_parts parts_of(const char *text)
{
    struct clock_parts parts;

    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.year, &parts.month,
                            &parts.day, &parts.hour, &parts.minute, &parts.second,
                            &parts.millisecond),
                     7);
    return parts;
}

static void formats_known_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(instants); i++) {
        char text[CLOCK_TEXT_LEN + 1];

        clock_format(instants[i].time_ms, text);
        assert_string_equal(text, instants[i].text);
    }
}

static void finds_known_instants_from_their_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(instants); i++) {
        struct clock_parts parts = parts_of(instants[i].text);

        assert_int_equal(clock_from_parts(&parts), instants[i].time_ms);
    }
}

static void takes_known_instants_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(instants); i++) {
        struct clock_parts expected = parts_of(instants[i].text), parts;

        clock_to_parts(instants[i].time_ms, &parts);
        assert_memory_equal(&parts, &expected, sizeof(parts));
    }
}

/* Every day of the years 0 to 9999, at another time of day each, against the C library. */
static void has_the_calendar_of_the_c_library(void **state)
{
    int64_t first = INT64_C(-62167219200), last = INT64_C(253402300799);

    (void)state;
    for (int64_t second = first; second <= last; second += 86400 + 7) {
        struct clock_parts parts;
        time_t time = (time_t)second;
        struct tm tm;

        assert_non_null(gmtime_r(&time, &tm));
        clock_to_parts(second * 1000 + 5, &parts);
        if (parts.year != tm.tm_year + 1900 || parts.month != tm.tm_mon + 1 ||
            parts.day != tm.tm_mday || parts.hour != tm.tm_hour || parts.minute != tm.tm_min ||
            parts.second != tm.tm_sec || parts.millisecond != 5 ||
            clock_from_parts(&parts) != second * 1000 + 5)
            fail_msg("another calendar at %lld", (long long)second);
    }
}

static void a_time_out_of_range_is_held_at_the_nearer_end(void **state)
{
    static const int64_t before[] = {INT64_MIN, INT64_MIN + 1, INT64_C(-62167219200001)};
    static const int64_t behind[] = {INT64_MAX, INT64_MAX - 1, INT64_C(253402300800000)};
    char text[CLOCK_TEXT_LEN + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(before); i++) {
        clock_format(before[i], text);
        assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(behind); i++) {
        clock_format(behind[i], text);
        assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    }
}

static void writes_not_past_its_end(void **state)
{
    char text[CLOCK_TEXT_LEN + 2];

    (void)state;
    text[CLOCK_TEXT_LEN + 1] = '#';
    clock_format(0, text);
    assert_int_equal(strlen(text), CLOCK_TEXT_LEN);
    assert_int_equal(text[CLOCK_TEXT_LEN + 1], '#');
}

static void now_is_the_time_of_the_system(void **state)
{
    int64_t before = time(NULL), now = clock_now_ms(), after = time(NULL);

    (void)state;
    /* time(NULL) may lie a tick behind. */
    assert_true(now / 1000 >= before && now / 1000 <= after + 1);
}

static void the_monotonic_clock_counts_microseconds(void **state)
{
    int64_t start = clock_monotonic_us(), end;

    (void)state;
    assert_int_equal(usleep(20000), 0);
    end = clock_monotonic_us();
    assert_true(end - start >= 20000);
    assert_true(end - start < 60 * INT64_C(1000000));
}

static void a_pause_lasts_as_long_as_was_asked_for(void **state)
{
    static const int64_t pauses_ms[] = {0, 20, 1005};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pauses_ms); i++) {
        int64_t start = clock_monotonic_us();
        clock_pause_ms(pauses_ms[i]);
        assert_true(clock_monotonic_us() - start >= pauses_ms[i] * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_known_instants),
        cmocka_unit_test(finds_known_instants_from_their_parts),
        cmocka_unit_test(takes_known_instants_apart),
        cmocka_unit_test(has_the_calendar_of_the_c_library),
        cmocka_unit_test(a_time_out_of_range_is_held_at_the_nearer_end),
        cmocka_unit_test(writes_not_past_its_end),
        cmocka_unit_test(now_is_the_time_of_the_system),
        cmocka_unit_test(the_monotonic_clock_counts_microseconds),
        cmocka_unit_test(a_pause_lasts_as_long_as_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
