#include "base/err.h"

#include <wchar.h>

#include "base/utf8.h"
#include "unit.h"

enum { TEXT_LEN_MAX = sizeof(((struct err *)NULL)->text) - 1 };

/* A text of `len` bytes. */
static const char *long_text(size_t len)
{
    static char text[4 * TEXT_LEN_MAX];

    assert_true(len < sizeof(text));
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

static void holds_what_was_set_last(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "first");
    err_set(&err, "%s:%d", "second", 2);
    assert_string_equal(err.text, "second:2");
    err_set(&err, "%s", "");
    assert_string_equal(err.text, "");
}

static void clears(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "text");
    err_clear(&err);
    assert_string_equal(err.text, "");
}

static void nobody_needs_to_want_the_detail(void **state)
{
    (void)state;
    err_set(NULL, "text");
    err_prefix(NULL, "prefix");
    err_clear(NULL);
}

static void a_percent_sign_of_an_argument_is_no_format(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "%s", "100%s%n");
    err_prefix(&err, "%s", "%d");
    assert_string_equal(err.text, "%d: 100%s%n");
}

static void prefixes_in_front_of_each_other(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "reason");
    err_prefix(&err, "key %d", 1);
    err_prefix(&err, "file");
    assert_string_equal(err.text, "file: key 1: reason");
}

static void a_prefix_of_nothing_stands_alone(void **state)
{
    struct err err = {""};

    (void)state;
    err_prefix(&err, "prefix");
    assert_string_equal(err.text, "prefix: ");
}

static void a_text_that_just_fits_is_whole(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "%s", long_text(TEXT_LEN_MAX));
    assert_string_equal(err.text, long_text(TEXT_LEN_MAX));
}

static void a_text_that_does_not_fit_is_cut(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "%s", long_text(TEXT_LEN_MAX + 1));
    assert_string_equal(err.text, long_text(TEXT_LEN_MAX));
    err_set(&err, "%s", long_text(3 * TEXT_LEN_MAX));
    assert_string_equal(err.text, long_text(TEXT_LEN_MAX));
}

static void a_prefix_pushes_the_end_out(void **state)
{
    struct err err = {""};

    (void)state;
    err_set(&err, "%s", long_text(TEXT_LEN_MAX));
    err_prefix(&err, "prefix");
    assert_int_equal(strlen(err.text), TEXT_LEN_MAX);
    assert_true(str_starts_with(str_from(err.text), STR("prefix: xxx")));
}

static void a_prefix_that_does_not_fit_is_cut(void **state)
{
    struct err err = {""};

    (void)state;
    for (size_t less = 0; less < 4; less++) {
        err_set(&err, "reason");
        err_prefix(&err, "%s", long_text(TEXT_LEN_MAX - less));
        assert_int_equal(strlen(err.text), TEXT_LEN_MAX);
        assert_true(str_starts_with(str_from(err.text), str_from(long_text(TEXT_LEN_MAX - less))));
    }
    err_prefix(&err, "%s", long_text(TEXT_LEN_MAX + 9));
    assert_string_equal(err.text, long_text(TEXT_LEN_MAX));
}

/* Characters of one to four bytes, each cut at each of its bytes. */
static void no_character_is_cut_in_two(void **state)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    struct err err = {""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(characters); i++) {
        size_t len = strlen(characters[i]);

        for (size_t room = 0; room <= len; room++) {
            size_t before = TEXT_LEN_MAX - room;

            err_set(&err, "%s%sx", long_text(before), characters[i]);
            assert_int_equal(strlen(err.text), before + (room == len ? len : 0));
            assert_true(utf8_is_valid(str_from(err.text)));
            err_set(&err, "%sx", characters[i]);
            err_prefix(&err, "%s", long_text(before - 2));
            assert_int_equal(strlen(err.text), before + (room == len ? len : 0));
        }
    }
}

static void bytes_that_are_no_characters_are_cut_as_well(void **state)
{
    struct err err = {""};
    char bytes[2 * TEXT_LEN_MAX];

    (void)state;
    memset(bytes, 0x80, sizeof(bytes) - 1);
    bytes[sizeof(bytes) - 1] = '\0';
    err_set(&err, "%s", bytes);
    assert_in_range(strlen(err.text), TEXT_LEN_MAX - 4, TEXT_LEN_MAX);
}

/* A sequence of bytes that is no character of any locale's. */
static void what_cannot_be_printed_is_nothing(void **state)
{
    static const wchar_t no_character[] = {0x7fffffff, 0};
    struct err err;

    (void)state;
    err_set(&err, "before");
    err_set(&err, "%ls", no_character);
    assert_string_equal(err.text, "");
    err_set(&err, "what went wrong");
    err_prefix(&err, "%ls", no_character);
    assert_string_equal(err.text, ": what went wrong");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_what_was_set_last),
        cmocka_unit_test(clears),
        cmocka_unit_test(nobody_needs_to_want_the_detail),
        cmocka_unit_test(a_percent_sign_of_an_argument_is_no_format),
        cmocka_unit_test(prefixes_in_front_of_each_other),
        cmocka_unit_test(a_prefix_of_nothing_stands_alone),
        cmocka_unit_test(a_text_that_just_fits_is_whole),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut),
        cmocka_unit_test(a_prefix_pushes_the_end_out),
        cmocka_unit_test(a_prefix_that_does_not_fit_is_cut),
        cmocka_unit_test(no_character_is_cut_in_two),
        cmocka_unit_test(bytes_that_are_no_characters_are_cut_as_well),
        cmocka_unit_test(what_cannot_be_printed_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
