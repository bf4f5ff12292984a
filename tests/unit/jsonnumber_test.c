#include "format/jsonnumber.h"

#include "unit.h"

static void reads_thousandths_exactly(void **state)
{
    static const struct {
        const char *number;
        int64_t expected; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"1", 1000},
        {"1.5", 1500},
        {"1.0004", 1000},
        {"1.0005", 1001},
        {"0.00049999999999999999", 0},
        {"1800000000.123", 1800000000123},
        {"1.8e9", 1800000000000},
        {"18E+8", 1800000000000},
        {"1800000000000e-3", 1800000000000},
        {"0e999999999", 0},
        {"0.0000000000000000000000000001e31", 1000000},
        {"253402300799.999", 253402300799999},
        {"253402300799.9995", -1},
        {"253402300800", -1},
        {"99999999999999999999999999", -1},
        {"1e300", -1},
        {"1e-300", 0},
        {"-1", -1},
        {"-0", -1},
        {"123456789012345678901234567890e-20", 1234567890123},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t value = -1;
        bool good = jsonnumber_thousandths(str_from(rows[i].number), 253402300799999, &value);

        if (good != (rows[i].expected >= 0) || (good && value != rows[i].expected))
            fail_msg("%s gives %lld", rows[i].number, (long long)value);
    }
}

static void knows_what_int64_holds(void **state)
{
    (void)state;
    assert_true(jsonnumber_fits_int64(STR("0")));
    assert_true(jsonnumber_fits_int64(STR("9223372036854775807")));
    assert_false(jsonnumber_fits_int64(STR("9223372036854775808")));
    assert_true(jsonnumber_fits_int64(STR("-9223372036854775808")));
    assert_false(jsonnumber_fits_int64(STR("-9223372036854775809")));
}

static void knows_what_a_double_holds(void **state)
{
    static const struct {
        const char *number;
        bool fits;
    } rows[] = {
        {"0", true},
        {"1.7976931348623157e308", true},
        {"17976931348623157e292", true},
        {"1.7976931348623158e308", false},
        {"-1.7976931348623158e308", false},
        {"1e309", false},
        {"0.00001e313", true},
        {"0.00001e314", false},
        {"1e-999999999999", true},
        {"0e999999999999", true},
        {"1e999999999999999999999", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (jsonnumber_fits_double(str_from(rows[i].number)) != rows[i].fits)
            fail_msg("%s", rows[i].number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_thousandths_exactly),
        cmocka_unit_test(knows_what_int64_holds),
        cmocka_unit_test(knows_what_a_double_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
