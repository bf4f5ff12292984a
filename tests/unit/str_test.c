#include "base/str.h"

#include "unit.h"

static void a_text_ends_at_its_nul(void **state)
{
    (void)state;
    assert_str_equal(str_from("abc"), "abc");
    assert_str_equal(str_from(""), "");
    assert_int_equal(str_from("a\0b").len, 1);
    assert_int_equal(STR("a\0b").len, 3);
}

static void no_text_is_no_value(void **state)
{
    (void)state;
    assert_false(str_is_set(str_from(NULL)));
    assert_false(str_is_set(STR_NONE));
    assert_true(str_is_set(STR("")));
}

static void equal_are_the_same_bytes_in_the_same_number(void **state)
{
    (void)state;
    assert_true(str_equal(STR("abc"), str_from("abc")));
    assert_true(str_equal(STR("a\0b"), STR("a\0b")));
    assert_true(str_equal(STR(""), STR("")));
    assert_false(str_equal(STR("abc"), STR("ab")));
    assert_false(str_equal(STR("ab"), STR("abc")));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_false(str_equal(STR("a"), STR("a\0")));
    assert_false(str_equal(STR("a"), STR("A")));
}

static void no_value_equals_no_value_alone(void **state)
{
    (void)state;
    assert_true(str_equal(STR_NONE, STR_NONE));
    assert_true(str_equal_nocase(STR_NONE, STR_NONE));
    assert_false(str_equal(STR_NONE, STR("")));
    assert_false(str_equal(STR(""), STR_NONE));
    assert_false(str_equal_nocase(STR_NONE, STR("")));
    assert_false(str_equal_nocase(STR(""), STR_NONE));
}

/* All pairs of bytes: the same without regard to case are a byte and itself, and the letters of
 * ASCII. */
static void case_is_that_of_ascii_letters_alone(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const char left = (char)a, right = (char)b;
            bool letters = ((a | 0x20) >= 'a' && (a | 0x20) <= 'z');
            bool same = a == b || (letters && (a ^ b) == 0x20);

            assert_int_equal(str_equal_nocase((struct str){&left, 1}, (struct str){&right, 1}),
                             same);
        }
    }
    assert_false(str_equal_nocase(STR("ab"), STR("abc")));
    assert_true(str_equal_nocase(STR("Content-TYPE"), STR("cONTENT-type")));
}

static void order_is_by_bytes_and_a_prefix_comes_first(void **state)
{
    static const struct str ascending[] = {
        STR(""),   STR("\0"), STR("A"),    STR("AB"),   STR("a"),    STR("a\0"),     STR("aa"),
        STR("ab"), STR("b"),  STR("\x7F"), STR("\x80"), STR("\xFF"), STR("\xFF\xFF")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ascending); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(ascending); j++) {
            int order = str_compare(ascending[i], ascending[j]);

            assert_int_equal(order < 0, i < j);
            assert_int_equal(order == 0, i == j);
        }
    }
}

static void starts_and_ends_are_found(void **state)
{
    (void)state;
    assert_true(str_starts_with(STR("abc"), STR("ab")));
    assert_true(str_starts_with(STR("abc"), STR("abc")));
    assert_true(str_starts_with(STR("abc"), STR("")));
    assert_true(str_starts_with(STR_NONE, STR("")));
    assert_false(str_starts_with(STR("abc"), STR("bc")));
    assert_false(str_starts_with(STR("abc"), STR("b")));
    assert_false(str_starts_with(STR("ab"), STR("abc")));
    assert_false(str_starts_with(STR_NONE, STR("a")));
    assert_true(str_ends_with(STR("abc"), STR("bc")));
    assert_true(str_ends_with(STR("abc"), STR("abc")));
    assert_true(str_ends_with(STR("abc"), STR("")));
    assert_true(str_ends_with(STR_NONE, STR("")));
    assert_false(str_ends_with(STR("abc"), STR("ab")));
    assert_false(str_ends_with(STR("abc"), STR("b")));
    assert_false(str_ends_with(STR("bc"), STR("abc")));
    assert_false(str_ends_with(STR_NONE, STR("a")));
}

static void trims_spaces_and_tabs_at_both_ends_alone(void **state)
{
    (void)state;
    assert_str_equal(str_trim(STR(" \t a b\t ")), "a b");
    assert_str_equal(str_trim(STR("a")), "a");
    assert_str_equal(str_trim(STR(" \t ")), "");
    assert_str_equal(str_trim(STR("")), "");
    assert_str_equal(str_trim(STR("\r\na\v\f")), "\r\na\v\f");
    assert_str_equal(str_trim(STR("\xC2\xA0"
                                  "a")),
                     "\xC2\xA0"
                     "a");
    assert_false(str_is_set(str_trim(STR_NONE)));
}

static void cuts_part_after_part(void **state)
{
    struct str rest = STR("a,,b,");

    (void)state;
    assert_str_equal(str_cut(&rest, ','), "a");
    assert_str_equal(str_cut(&rest, ','), "");
    assert_str_equal(str_cut(&rest, ','), "b");
    assert_str_equal(rest, "");
    assert_str_equal(str_cut(&rest, ','), "");
    assert_false(str_is_set(rest));
    assert_false(str_is_set(str_cut(&rest, ',')));
    assert_false(str_is_set(rest));
}

static void a_cut_without_a_separator_takes_all(void **state)
{
    struct str rest = STR("abc"), nul = STR("a\0b"), alone = STR(",");

    (void)state;
    assert_str_equal(str_cut(&rest, ','), "abc");
    assert_false(str_is_set(rest));
    assert_str_equal(str_cut(&nul, '\0'), "a");
    assert_str_equal(nul, "b");
    assert_str_equal(str_cut(&alone, ','), "");
    assert_str_equal(alone, "");
}

static void finds_a_byte(void **state)
{
    (void)state;
    assert_true(str_has_byte(STR("abc"), 'c'));
    assert_true(str_has_byte(STR("a\0"), '\0'));
    assert_true(str_has_byte(STR("\xFF"), '\xFF'));
    assert_false(str_has_byte(STR("abc"), '\0'));
    assert_false(str_has_byte(STR(""), '\0'));
    assert_false(str_has_byte(STR_NONE, '\0'));
}

static void reads_numbers_of_digits_alone(void **state)
{
    static const char *const wrong[] = {"",   "-1",  "+1",  " 1",    "1 ",      "1.0", "0x1",
                                        "1a", "1_0", "1,0", "\t1",   "1\n",     "a",   ":",
                                        "/",  "-",   "1e3", "1\x80", "\xD9\xA1"};
    int64_t number = 42;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(str_to_number(str_from(wrong[i]), INT64_MAX, &number));
    assert_false(str_to_number(STR_NONE, INT64_MAX, &number));
    assert_false(str_to_number(STR("1\0"), INT64_MAX, &number));
    assert_int_equal(number, 42);
    assert_true(str_to_number(STR("0"), 0, &number));
    assert_int_equal(number, 0);
    assert_true(str_to_number(STR("000123"), INT64_MAX, &number));
    assert_int_equal(number, 123);
}

/* Every number of two digits against every limit of two digits. */
static void a_number_above_the_limit_is_refused(void **state)
{
    (void)state;
    for (int max = -1; max < 100; max++) {
        for (int value = 0; value < 100; value++) {
            const char digits[] = {(char)('0' + value / 10), (char)('0' + value % 10)};
            struct str text = {value < 10 ? digits + 1 : digits, value < 10 ? 1 : 2};
            int64_t number = -1;

            assert_int_equal(str_to_number(text, max, &number), value <= max);
            assert_int_equal(number, value <= max ? value : -1);
        }
    }
}

static void numbers_reach_to_the_end_of_their_type(void **state)
{
    int64_t number = 0;

    (void)state;
    assert_true(str_to_number(STR("9223372036854775807"), INT64_MAX, &number));
    assert_true(number == INT64_MAX);
    assert_false(str_to_number(STR("9223372036854775808"), INT64_MAX, &number));
    assert_false(str_to_number(STR("18446744073709551617"), INT64_MAX, &number));
    assert_false(str_to_number(STR("92233720368547758070"), INT64_MAX, &number));
    assert_true(str_to_number(STR("9223372036854775806"), INT64_MAX - 1, &number));
    assert_false(str_to_number(STR("9223372036854775807"), INT64_MAX - 1, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_ends_at_its_nul),
        cmocka_unit_test(no_text_is_no_value),
        cmocka_unit_test(equal_are_the_same_bytes_in_the_same_number),
        cmocka_unit_test(no_value_equals_no_value_alone),
        cmocka_unit_test(case_is_that_of_ascii_letters_alone),
        cmocka_unit_test(order_is_by_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(starts_and_ends_are_found),
        cmocka_unit_test(trims_spaces_and_tabs_at_both_ends_alone),
        cmocka_unit_test(cuts_part_after_part),
        cmocka_unit_test(a_cut_without_a_separator_takes_all),
        cmocka_unit_test(finds_a_byte),
        cmocka_unit_test(reads_numbers_of_digits_alone),
        cmocka_unit_test(a_number_above_the_limit_is_refused),
        cmocka_unit_test(numbers_reach_to_the_end_of_their_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
