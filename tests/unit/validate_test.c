#include "profile/validate.h"

#include "judge.h"
#include "unit.h"

static void takes_an_unset_value_as_an_empty_one(void **state)
{
    char canonical[LOCALE_MAX_BYTES + 1];

    (void)state;
    assert_int_equal(validate_name(STR_NONE), VIOLATION_BLANK);
    assert_int_equal(validate_bio(STR_NONE), VIOLATION_NONE);
    assert_int_equal(validate_url(STR_NONE), VIOLATION_INVALID_URL);
    assert_int_equal(validate_locale(STR_NONE, canonical), VIOLATION_INVALID_LOCALE);
    assert_int_equal(validate_timezone(STR_NONE, "/"), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_email(STR_NONE), VIOLATION_INVALID_EMAIL);
    assert_int_equal(validate_phone_number(STR_NONE), VIOLATION_INVALID_PHONE_NUMBER);
    assert_int_equal(validate_badge(STR_NONE), VIOLATION_INVALID_BADGE);
}

static void judges_emails(void **state)
{
    (void)state;
    judge_vectors("email.tsv", 30, validate_email);
}

/* local@label.label…, with a local part, a first label and a last label of the given lengths. */
static enum violation judge_email(size_t local, size_t first, size_t labels_of_63, size_t last)
{
    struct buf address;
    enum violation violation;

    buf_init(&address, 1024);
    repeat(&address, "a", local);
    repeat(&address, "@", 1);
    repeat(&address, "b", first);
    for (size_t i = 0; i < labels_of_63; i++) {
        repeat(&address, ".", 1);
        repeat(&address, "c", 63);
    }
    repeat(&address, ".", 1);
    repeat(&address, "d", last);
    violation = validate_email(buf_str(&address));
    buf_free(&address);
    return violation;
}

static void limits_the_parts_of_an_email(void **state)
{
    (void)state;
    assert_int_equal(judge_email(64, 1, 0, 1), VIOLATION_NONE);
    assert_int_equal(judge_email(65, 1, 0, 1), VIOLATION_INVALID_EMAIL);
    assert_int_equal(judge_email(1, 63, 0, 63), VIOLATION_NONE);
    assert_int_equal(judge_email(1, 64, 0, 1), VIOLATION_INVALID_EMAIL);
    assert_int_equal(judge_email(1, 1, 0, 64), VIOLATION_INVALID_EMAIL);
    /* 63 + 1 + 62 + 64 + 64 = 254 bytes. */
    assert_int_equal(judge_email(63, 60, 2, 1), VIOLATION_NONE);
    assert_int_equal(judge_email(64, 60, 2, 1), VIOLATION_INVALID_EMAIL);
}

static void judges_phone_numbers(void **state)
{
    (void)state;
    judge_vectors("phone.tsv", 15, validate_phone_number);
}

static void judges_badges(void **state)
{
    (void)state;
    judge_vectors("badge.tsv", 10, validate_badge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_an_unset_value_as_an_empty_one),
        cmocka_unit_test(judges_emails),
        cmocka_unit_test(limits_the_parts_of_an_email),
        cmocka_unit_test(judges_phone_numbers),
        cmocka_unit_test(judges_badges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
