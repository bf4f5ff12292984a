#include "token/shown.h"

#include "base/compiler.h"
#include "unit.h"

static void shows_printable_ascii_alone(void **state)
{
    static const struct {
        struct str text;
        const char *shown;
    } rows[] = {
        {STR(""), ""},
        {STR_NONE, ""},
        {STR("RS256"), "RS256"},
        {STR(" ~!\"'\\"), " ~!\"'\\"},
        {STR("a\nb\tc\rd"), "a?b?c?d"},
        {STR("\0\x01\x1f\x7f"), "????"},
        {STR("\x1b[31m"), "?[31m"},
        {STR("\x80\x9b\xff"), "???"},
        {STR("\xc3\xa9"), "??"},
        {STR("%s%n"), "%s%n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_string_equal(shown(rows[i].text).text, rows[i].shown);
}

static void shows_each_byte_as_itself_or_a_question_mark(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        char is = shown((struct str){&c, 1}).text[0];

        assert_int_equal(is, byte >= ' ' && byte <= '~' ? c : '?');
    }
}

static void shows_the_first_64_bytes(void **state)
{
    char text[SHOWN_MAX_BYTES + 10];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t len = 0; len <= sizeof(text); len++) {
        struct shown is = shown((struct str){text, len});
        size_t kept = len < SHOWN_MAX_BYTES ? len : SHOWN_MAX_BYTES;

        assert_memory_equal(is.text, text, kept);
        assert_string_equal(is.text + kept, len > SHOWN_MAX_BYTES ? "..." : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_printable_ascii_alone),
        cmocka_unit_test(shows_each_byte_as_itself_or_a_question_mark),
        cmocka_unit_test(shows_the_first_64_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
