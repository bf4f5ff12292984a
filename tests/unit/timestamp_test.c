#include "format/timestamp.h"

#include <stdio.h>

#include "base/clock.h"
#include "judge.h"
#include "unit.h"

static bool judge_timestamp(const struct vector *vector, void *context)
{
    char got[32] = "refuse", expected[32];
    struct str copy = exact_copy(vector->field[1]);
    int64_t time_ms = 0;

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    if (timestamp_parse(copy, &time_ms))
        (void)snprintf(got, sizeof(got), "%lld", (long long)time_ms);
    free_copy(copy);
    return strcmp(got, expected) == 0 || vector_wrong(vector, expected, got);
}

static void judges_timestamps(void **state)
{
    (void)state;
    vectors_run("timestamp.tsv", 78, judge_timestamp, NULL);
}

static void reads_what_the_clock_writes(void **state)
{
    static const int64_t times_ms[] = {
        0, -1, 1751508862094, 951782400000, -2208988800000, 253402300799999, -62167219200000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(times_ms); i++) {
        char text[CLOCK_TEXT_LEN + 1];
        int64_t again_ms = 0;

        clock_format(times_ms[i], text);
        assert_true(timestamp_parse(str_from(text), &again_ms));
        assert_int_equal(again_ms, times_ms[i]);
    }
}

static void refuses_every_beginning_but_that_of_a_date(void **state)
{
    const struct str whole = STR("2025-07-03T02:14:22.094+02:00");

    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        struct str part = exact_copy((struct str){whole.data, len});
        int64_t time_ms = 0;

        assert_int_equal(timestamp_parse(part, &time_ms), len == sizeof("2025-07-03") - 1);
        free_copy(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_timestamps),
        cmocka_unit_test(reads_what_the_clock_writes),
        cmocka_unit_test(refuses_every_beginning_but_that_of_a_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
