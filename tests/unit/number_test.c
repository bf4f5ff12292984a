#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>

#include "unit.h"

static void numbers_are_written_to_the_ends_of_their_type(void **state)
{
    char text[NUMBER_TEXT_LEN + 1];

    (void)state;
    assert_str_equal(number_format(0, text), "0");
    assert_str_equal(number_format(-1, text), "-1");
    assert_str_equal(number_format(INT64_MAX, text), "9223372036854775807");
    assert_str_equal(number_format(INT64_MIN, text), "-9223372036854775808");
}

static void assert_as_printf_writes(int64_t number)
{
    char text[NUMBER_TEXT_LEN + 1], expected[32];

    (void)snprintf(expected, sizeof(expected), "%" PRId64, number);
    assert_str_equal(number_format(number, text), expected);
}

static void each_length_is_as_printf_writes_it(void **state)
{
    (void)state;
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10)
        for (int64_t around = -2; around <= 2; around++) {
            assert_as_printf_writes(power + around);
            assert_as_printf_writes(-power + around);
        }
}

static void the_text_ends_with_a_nul(void **state)
{
    char text[NUMBER_TEXT_LEN + 1];
    struct str written = number_format(42, text);

    (void)state;
    assert_int_equal(written.data[written.len], '\0');
    assert_ptr_equal(written.data + written.len, text + NUMBER_TEXT_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_to_the_ends_of_their_type),
        cmocka_unit_test(each_length_is_as_printf_writes_it),
        cmocka_unit_test(the_text_ends_with_a_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
