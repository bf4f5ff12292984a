#include "profile/text.h"

#include "base/utf8.h"
#include "judge.h"
#include "unit.h"

static void judges_names(void **state)
{
    (void)state;
    judge_vectors("name.tsv", 90, validate_name);
}

static void counts_a_name_in_code_points(void **state)
{
    (void)state;
    assert_int_equal(judge_repeated(validate_name, "", "x", 255), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_name, "", "x", 256), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_name, "", "\xF0\x9F\x98\x80", 255), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_name, "", "\xF0\x9F\x98\x80", 256),
                     VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_name, "", " ", 256), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_name, "\x01", "x", 256), VIOLATION_CONTROL_CHARACTER);
}

/* Against the list of Unicode, PropList.txt, written out here once more. */
static void knows_all_white_space(void **state)
{
    static const uint32_t white[] = {0x20,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
                                     0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A,
                                     0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
    size_t blanks = 0;

    (void)state;
    for (uint32_t code_point = 0x20; code_point <= 0x10FFFF; code_point++) {
        char bytes[4];
        size_t len = utf8_encode(code_point, bytes);

        if (len > 0 && validate_name((struct str){bytes, len}) == VIOLATION_BLANK) {
            assert_true(blanks < ARRAY_LENGTH(white));
            assert_int_equal(code_point, white[blanks++]);
        }
    }
    assert_int_equal(blanks, ARRAY_LENGTH(white));
}

static void judges_bios(void **state)
{
    (void)state;
    judge_vectors("bio.tsv", 50, validate_bio);
}

static void counts_a_bio_in_code_points(void **state)
{
    (void)state;
    assert_int_equal(judge_repeated(validate_bio, "", "x", 4096), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_bio, "", "x", 4097), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_bio, "", "\xF0\x9F\x98\x80", 4096), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_bio, "", "\xF0\x9F\x98\x80", 4097),
                     VIOLATION_TOO_LONG);
}

static void refuses_all_control_characters(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x100; code_point++) {
        bool is_control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
        bool is_layout = code_point == '\t' || code_point == '\n';
        char bytes[6] = {'a'};
        struct str text = {bytes, 1 + utf8_encode(code_point, bytes + 1)};

        assert_int_equal(validate_name(text),
                         is_control ? VIOLATION_CONTROL_CHARACTER : VIOLATION_NONE);
        assert_int_equal(validate_bio(text),
                         is_control && !is_layout ? VIOLATION_CONTROL_CHARACTER : VIOLATION_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_names),
        cmocka_unit_test(counts_a_name_in_code_points),
        cmocka_unit_test(knows_all_white_space),
        cmocka_unit_test(judges_bios),
        cmocka_unit_test(counts_a_bio_in_code_points),
        cmocka_unit_test(refuses_all_control_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
