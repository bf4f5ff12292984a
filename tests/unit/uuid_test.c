#include "base/uuid.h"

#include <ctype.h>

#include "base/clock.h"
#include "unit.h"
#include "vectors.h"

static bool judge(const struct vector *vector, void *context)
{
    struct uuid uuid;
    char text[UUID_TEXT_LEN + 1] = "refuse", expected[64];

    (void)context;
    if (uuid_parse(vector->field[1], &uuid))
        uuid_format(&uuid, text);
    assert_true(vector->field[0].len < sizeof(expected));
    memcpy(expected, vector->field[0].data, vector->field[0].len);
    expected[vector->field[0].len] = '\0';
    return strcmp(text, expected) == 0 || vector_wrong(vector, expected, text);
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("uuid.tsv", 40, judge, NULL);
}

static void the_bytes_are_in_the_order_of_the_text(void **state)
{
    struct uuid uuid;

    (void)state;
    assert_true(uuid_parse(STR("00112233-4455-6677-8899-aabbccddeeff"), &uuid));
    for (unsigned i = 0; i < UUID_BYTES; i++)
        assert_int_equal(uuid.bytes[i], i * 0x11);
}

/* Each byte value at each place of the text. */
static void only_hex_digits_and_hyphens_in_their_places_are_taken(void **state)
{
    (void)state;
    for (size_t place = 0; place < UUID_TEXT_LEN; place++) {
        for (int c = 0; c < 256; c++) {
            char text[] = "01234567-89ab-cdef-0123-456789abcdef";
            bool is_hyphen = text[place] == '-';
            struct uuid uuid;

            text[place] = (char)c;
            assert_int_equal(uuid_parse((struct str){text, UUID_TEXT_LEN}, &uuid),
                             is_hyphen ? c == '-' : c < 128 && isxdigit(c) != 0);
        }
    }
}

static void a_refusal_leaves_the_value_as_it_was(void **state)
{
    struct uuid uuid = {{1, 2, 3}}, before = uuid;

    (void)state;
    assert_false(uuid_parse(STR("01234567-89ab-cdef-0123-456789abcdeg"), &uuid));
    assert_false(uuid_parse(STR_NONE, &uuid));
    assert_true(uuid_equal(&uuid, &before));
}

static void compares_as_the_database_does(void **state)
{
    static const char *const ascending[] = {
        "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-0000000000ff", "00000000-0000-0000-0000-000000000100",
        "7f000000-0000-0000-0000-000000000000", "80000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ascending); i++) {
        for (size_t j = 0; j < ARRAY_LENGTH(ascending); j++) {
            struct uuid a, b;

            assert_true(uuid_parse(str_from(ascending[i]), &a));
            assert_true(uuid_parse(str_from(ascending[j]), &b));
            assert_int_equal(uuid_compare(&a, &b) < 0, i < j);
            assert_int_equal(uuid_equal(&a, &b), i == j);
        }
    }
}

/* RFC 9562, section 5.7 and appendix A.6. */
static void a_new_one_has_its_time_version_and_variant(void **state)
{
    struct uuid uuid;
    char text[UUID_TEXT_LEN + 1];

    (void)state;
    assert_true(uuid_new(INT64_C(0x017F22E279B0), &uuid));
    uuid_format(&uuid, text);
    assert_memory_equal(text, "017f22e2-79b0-7", 15);
    assert_non_null(strchr("89ab", text[19]));
    assert_true(uuid_new(0, &uuid));
    uuid_format(&uuid, text);
    assert_memory_equal(text, "00000000-0000-7", 15);
}

static void later_ones_sort_later(void **state)
{
    int64_t now_ms = clock_now_ms();
    struct uuid before, after;

    (void)state;
    assert_true(uuid_new(now_ms, &before));
    for (int i = 1; i < 1000; i++) {
        assert_true(uuid_new(now_ms + i, &after));
        assert_true(uuid_compare(&before, &after) < 0);
        before = after;
    }
}

/* Every bit but those of time, version and variant takes both values. */
static void all_that_is_not_given_is_random(void **state)
{
    struct uuid all_set = {{0}}, all_clear = {{0}}, uuid;

    (void)state;
    memset(all_set.bytes, 0xFF, UUID_BYTES);
    for (int i = 0; i < 200; i++) {
        assert_true(uuid_new(INT64_C(0x017F22E279B0), &uuid));
        for (int at = 0; at < UUID_BYTES; at++) {
            all_set.bytes[at] &= uuid.bytes[at];
            all_clear.bytes[at] |= uuid.bytes[at];
        }
    }
    assert_memory_equal(all_set.bytes,
                        "\x01\x7F\x22\xE2\x79\xB0\x70\x00\x80\x00\x00\x00\x00\x00\x00\x00",
                        UUID_BYTES);
    assert_memory_equal(all_clear.bytes,
                        "\x01\x7F\x22\xE2\x79\xB0\x7F\xFF\xBF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                        UUID_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(the_bytes_are_in_the_order_of_the_text),
        cmocka_unit_test(only_hex_digits_and_hyphens_in_their_places_are_taken),
        cmocka_unit_test(a_refusal_leaves_the_value_as_it_was),
        cmocka_unit_test(compares_as_the_database_does),
        cmocka_unit_test(a_new_one_has_its_time_version_and_variant),
        cmocka_unit_test(later_ones_sort_later),
        cmocka_unit_test(all_that_is_not_given_is_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
