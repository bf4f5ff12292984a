#include "profile/locale.h"

#include "judge.h"
#include "unit.h"

static bool judge_locale(const struct vector *vector, void *context)
{
    char canonical[LOCALE_MAX_BYTES + 1], again[LOCALE_MAX_BYTES + 1];
    struct str copy = exact_copy(vector->field[1]);
    enum violation violation;

    (void)context;
    memset(canonical, 'x', sizeof(canonical));
    violation = validate_locale(copy, canonical);
    free_copy(copy);
    if (!is_as_expected(vector, violation))
        return false;
    if (violation != VIOLATION_NONE)
        return canonical[0] == '\0' || vector_wrong(vector, "an empty canonical form", "another");
    if (!str_equal(vector->field[2], str_from(canonical)))
        return vector_wrong(vector, "the canonical form of the row", canonical);
    return (validate_locale(str_from(canonical), again) == VIOLATION_NONE &&
            strcmp(again, canonical) == 0) ||
           vector_wrong(vector, "the canonical form to be its own", again);
}

static void judges_locales(void **state)
{
    (void)state;
    vectors_run("locale.tsv", 80, judge_locale, NULL);
}

static void takes_locales_of_255_bytes(void **state)
{
    char canonical[LOCALE_MAX_BYTES + 1];
    struct buf tag;

    (void)state;
    buf_init(&tag, 1024);
    repeat(&tag, "x", 1);
    repeat(&tag, "-1", 127);
    assert_int_equal(tag.len, LOCALE_MAX_BYTES);
    assert_int_equal(validate_locale(buf_str(&tag), canonical), VIOLATION_NONE);
    assert_int_equal(strlen(canonical), LOCALE_MAX_BYTES);
    buf_append_text(&tag, "1");
    assert_int_equal(validate_locale(buf_str(&tag), canonical), VIOLATION_INVALID_LOCALE);
    assert_int_equal(canonical[0], '\0');
    buf_free(&tag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_locales),
        cmocka_unit_test(takes_locales_of_255_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
