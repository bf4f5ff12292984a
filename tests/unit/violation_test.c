#include "profile/violation.h"

#include <stdio.h>

#include "profile/validate.h"
#include "unit.h"

static void has_a_code_for_each_violation(void **state)
{
    (void)state;
    for (size_t i = 0; i < VIOLATION__MAX; i++) {
        const char *code = violation_code((enum violation)i);

        assert_non_null(code);
        assert_true(strlen(code) > 0);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(code));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(code, violation_code((enum violation)j));
    }
}

static void has_a_sentence_for_each_violation(void **state)
{
    (void)state;
    for (size_t i = 0; i < VIOLATION__MAX; i++) {
        const char *text = violation_text((enum violation)i);

        assert_non_null(text);
        assert_int_equal(strcspn(text, " ") > 0, true);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(text, violation_text((enum violation)j));
    }
}

static void uses_the_published_codes(void **state)
{
    static const struct {
        enum violation violation;
        const char *code;
    } published[] = {
        {VIOLATION_INVALID_TYPE, "invalid_type"},
        {VIOLATION_NOT_NULLABLE, "not_nullable"},
        {VIOLATION_BLANK, "blank"},
        {VIOLATION_TOO_LONG, "too_long"},
        {VIOLATION_CONTROL_CHARACTER, "control_character"},
        {VIOLATION_INVALID_URL, "invalid_url"},
        {VIOLATION_INVALID_LOCALE, "invalid_locale"},
        {VIOLATION_INVALID_TIMEZONE, "invalid_timezone"},
        {VIOLATION_READ_ONLY, "read_only"},
        {VIOLATION_UNKNOWN_MEMBER, "unknown_member"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(published); i++)
        assert_string_equal(violation_code(published[i].violation), published[i].code);
    assert_string_equal(violation_text(VIOLATION_INVALID_LOCALE), "is not a BCP 47 language tag");
}

static void tells_the_limits_that_are_in_force(void **state)
{
    char limits[128];

    (void)state;
    (void)snprintf(limits, sizeof(limits),
                   "a name may have %d characters, a bio %d, a URL %d bytes", NAME_MAX_LENGTH,
                   BIO_MAX_LENGTH, AVATAR_URL_MAX_BYTES);
    assert_contains(violation_text(VIOLATION_TOO_LONG), limits);
    (void)snprintf(limits, sizeof(limits), "1 to %d ", BADGE_PART_MAX_BYTES);
    assert_contains(violation_text(VIOLATION_INVALID_BADGE), limits);
    (void)snprintf(limits, sizeof(limits), "2 to %d digits", PHONE_NUMBER_MAX_DIGITS);
    assert_contains(violation_text(VIOLATION_INVALID_PHONE_NUMBER), limits);
}

static void keeps_the_order_in_which_they_were_found(void **state)
{
    struct arena *arena = arena_new(65536);
    struct violation_list list = {0};

    (void)state;
    assert_non_null(arena);
    assert_true(violation_add(&list, arena, STR("b"), VIOLATION_READ_ONLY));
    assert_true(violation_add(&list, arena, STR("a"), VIOLATION_BLANK));
    assert_true(violation_add(&list, arena, STR("b"), VIOLATION_TOO_LONG));
    assert_str_equal(list.first->member, "b");
    assert_int_equal(list.first->violation, VIOLATION_READ_ONLY);
    assert_str_equal(list.first->next->member, "a");
    assert_int_equal(list.first->next->violation, VIOLATION_BLANK);
    assert_ptr_equal(list.first->next->next, list.last);
    assert_int_equal(list.last->violation, VIOLATION_TOO_LONG);
    assert_null(list.last->next);
    arena_free(arena);
}

static void copies_the_member_name(void **state)
{
    struct arena *arena = arena_new(65536);
    struct violation_list list = {0};
    char name[] = "name";

    (void)state;
    assert_non_null(arena);
    assert_true(violation_add(&list, arena, str_from(name), VIOLATION_BLANK));
    name[0] = 'X';
    assert_str_equal(list.first->member, "name");
    arena_free(arena);
}

static void leaves_the_list_alone_when_out_of_memory(void **state)
{
    struct arena *arena = arena_new(4096);
    struct violation_list list = {0};
    size_t left = 0;

    (void)state;
    assert_non_null(arena);
    assert_true(violation_add(&list, arena, STR("first"), VIOLATION_BLANK));
    while (arena_alloc(arena, 1) != NULL)
        left++;
    assert_true(left > 0);
    assert_false(violation_add(&list, arena, STR("second"), VIOLATION_BLANK));
    assert_ptr_equal(list.first, list.last);
    assert_null(list.first->next);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_code_for_each_violation),
        cmocka_unit_test(has_a_sentence_for_each_violation),
        cmocka_unit_test(uses_the_published_codes),
        cmocka_unit_test(tells_the_limits_that_are_in_force),
        cmocka_unit_test(keeps_the_order_in_which_they_were_found),
        cmocka_unit_test(copies_the_member_name),
        cmocka_unit_test(leaves_the_list_alone_when_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
