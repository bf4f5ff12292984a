#include "base/utf8.h"

#include <stdio.h>

#include "unit.h"
#include "vectors.h"

enum { CODE_POINT_MAX = 0x10FFFF };

/* The code points as "U+0041 U+00E9", or "refuse". */
static void describe(struct str text, char *out, size_t size)
{
    uint32_t code_point;
    size_t len = 0;

    out[0] = '\0';
    while (text.len > 0 && len < size) {
        if (!utf8_next(&text, &code_point)) {
            (void)snprintf(out, size, "refuse");
            return;
        }
        len += (size_t)snprintf(out + len, size - len, "%sU+%04X", len == 0 ? "" : " ", code_point);
    }
}

static bool judge(const struct vector *vector, void *context)
{
    char expected[256], actual[256];
    bool is_valid = utf8_is_valid(vector->field[1]);

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    describe(vector->field[1], actual, sizeof(actual));
    if (strcmp(expected, actual) != 0)
        return vector_wrong(vector, expected, actual);
    if (is_valid != (strcmp(expected, "refuse") != 0))
        return vector_wrong(vector, expected, is_valid ? "valid" : "not valid");
    return true;
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("utf8.tsv", 60, judge, NULL);
}

static bool is_scalar(uint32_t code_point)
{
    return code_point <= CODE_POINT_MAX && !(code_point >= 0xD800 && code_point <= 0xDFFF);
}

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= CODE_POINT_MAX + 1; code_point++) {
        char bytes[4] = "";
        size_t len = utf8_encode(code_point, bytes);
        struct str rest = {bytes, len};
        uint32_t back = UINT32_MAX;

        if (!is_scalar(code_point)) {
            assert_int_equal(len, 0);
            continue;
        }
        if (!utf8_next(&rest, &back) || back != code_point || rest.len != 0 ||
            utf8_length((struct str){bytes, len}) != 1)
            fail_msg("U+%04X does not come back", code_point);
    }
}

/* All texts of one, two and three bytes: valid are just those that utf8_encode writes. */
static void nothing_but_the_shortest_form_is_taken(void **state)
{
    size_t accepted[5] = {0};

    (void)state;
    for (uint32_t three = 0; three < 1U << 24; three++) {
        const char bytes[] = {(char)(three >> 16), (char)(three >> 8 & 0xFF), (char)(three & 0xFF)};
        struct str rest = {bytes, sizeof(bytes)};
        uint32_t code_point;
        char again[4];

        if (!utf8_next(&rest, &code_point))
            continue;
        accepted[sizeof(bytes) - rest.len]++;
        if (utf8_encode(code_point, again) != sizeof(bytes) - rest.len ||
            memcmp(again, bytes, sizeof(bytes) - rest.len) != 0)
            fail_msg("U+%04X has two forms", code_point);
    }
    assert_int_equal(accepted[1], 0x80 << 16);
    assert_int_equal(accepted[2], (0x800 - 0x80) << 8);
    assert_int_equal(accepted[3], 0x10000 - 0x800 - 0x800);
}

static void refuses_what_it_cannot_hold(void **state)
{
    static const uint32_t wrong[] = {0xD800,   0xDBFF,     0xDC00,    0xDFFF,
                                     0x110000, 0x80000000, UINT32_MAX};
    char bytes[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_int_equal(utf8_encode(wrong[i], bytes), 0);
}

static void a_failure_leaves_the_rest_as_it_was(void **state)
{
    struct str text = STR("\xE2\x82"), rest = text, none = STR_NONE;
    uint32_t code_point = 42;

    (void)state;
    assert_false(utf8_next(&rest, &code_point));
    assert_ptr_equal(rest.data, text.data);
    assert_int_equal(rest.len, text.len);
    assert_false(utf8_next(&none, &code_point));
    assert_false(str_is_set(none));
    assert_int_equal(code_point, 42);
}

/* The byte that would complete the character stands behind the end. */
static void does_not_look_behind_the_end(void **state)
{
    static const char *const characters[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(characters); i++) {
        size_t len = strlen(characters[i]);

        assert_true(utf8_is_valid((struct str){characters[i], len}));
        for (size_t cut = 1; cut < len; cut++)
            assert_false(utf8_is_valid((struct str){characters[i], cut}));
    }
}

static void nothing_is_valid_and_has_no_code_points(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(STR("")));
    assert_true(utf8_is_valid(STR_NONE));
    assert_int_equal(utf8_length(STR("")), 0);
    assert_int_equal(utf8_length(STR_NONE), 0);
}

static void counts_code_points_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(utf8_length(STR("abc")), 3);
    assert_int_equal(utf8_length(STR("a\0b")), 3);
    assert_int_equal(utf8_length(STR("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")), 3);
    assert_int_equal(utf8_length(STR("e\xCC\x81")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(nothing_but_the_shortest_form_is_taken),
        cmocka_unit_test(refuses_what_it_cannot_hold),
        cmocka_unit_test(a_failure_leaves_the_rest_as_it_was),
        cmocka_unit_test(does_not_look_behind_the_end),
        cmocka_unit_test(nothing_is_valid_and_has_no_code_points),
        cmocka_unit_test(counts_code_points_not_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
