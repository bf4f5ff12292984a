#include "profile/profile.h"

#include "unit.h"

static struct uuid uuid_of(unsigned char last)
{
    return (struct uuid){.bytes[UUID_BYTES - 1] = last};
}

static void names_each_status_and_finds_it_again(void **state)
{
    static const char *const names[] = {"pending", "active", "deleted", "invited", "banned"};

    (void)state;
    assert_int_equal(ARRAY_LENGTH(names), USER_STATUS__MAX);
    for (size_t i = 0; i < USER_STATUS__MAX; i++) {
        enum user_status status = USER_STATUS__MAX;

        assert_string_equal(user_status_name((enum user_status)i), names[i]);
        assert_true(user_status_from_name(str_from(names[i]), &status));
        assert_int_equal(status, i);
    }
}

static void knows_no_other_status(void **state)
{
    static const char *const others[] = {"", "Active", "activ", "active ", "actives", "0", NULL};
    enum user_status status = USER_STATUS__MAX;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(user_status_from_name(str_from(others[i]), &status));
    assert_false(user_status_from_name((struct str){"active", 7}, &status));
    assert_int_equal(status, USER_STATUS__MAX);
}

static void sorts_emails_by_default_then_creation_then_id(void **state)
{
    struct profile_email emails[] = {
        {.id = uuid_of(4), .created_ms = 20},
        {.id = uuid_of(3), .created_ms = 10},
        {.id = uuid_of(2), .created_ms = 10},
        {.id = uuid_of(9), .created_ms = 30, .is_default = true},
        {.id = uuid_of(1), .created_ms = -5},
    };
    const unsigned char expected[] = {9, 1, 2, 3, 4};
    struct profile profile = {.emails = emails, .email_count = ARRAY_LENGTH(emails)};

    (void)state;
    profile_sort(&profile);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(emails[i].id.bytes[UUID_BYTES - 1], expected[i]);
}

static void sorts_phones_by_primary_then_creation_then_id(void **state)
{
    struct profile_phone phones[] = {
        {.id = uuid_of(4), .created_ms = 20},
        {.id = uuid_of(3), .created_ms = 10},
        {.id = uuid_of(2), .created_ms = 10},
        {.id = uuid_of(9), .created_ms = 30, .is_primary = true},
        {.id = uuid_of(0xFF), .created_ms = 10},
    };
    const unsigned char expected[] = {9, 2, 3, 0xFF, 4};
    struct profile profile = {.phones = phones, .phone_count = ARRAY_LENGTH(phones)};

    (void)state;
    profile_sort(&profile);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_int_equal(phones[i].id.bytes[UUID_BYTES - 1], expected[i]);
}

static void sorts_identities_by_creation_then_provider_then_id(void **state)
{
    struct profile_identity identities[] = {
        {.created_ms = 20, .provider = STR("a"), .subject = STR("5")},
        {.created_ms = 10, .provider = STR("b"), .subject = STR("1")},
        {.created_ms = 10, .provider = STR("a"), .subject = STR("9")},
        {.created_ms = 10, .provider = STR("a"), .subject = STR("10")},
        {.created_ms = INT64_MIN, .provider = STR("z"), .subject = STR("0")},
        {.created_ms = INT64_MAX, .provider = STR("a"), .subject = STR("6")},
    };
    static const char *const expected[] = {"0", "10", "9", "1", "5", "6"};
    struct profile profile = {.identities = identities, .identity_count = ARRAY_LENGTH(identities)};

    (void)state;
    profile_sort(&profile);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_str_equal(identities[i].subject, expected[i]);
}

/* Two issuers of one provider may give the same id: what else is shown must settle the order. */
static void orders_identities_that_differ_in_anything_shown(void **state)
{
    const struct profile_identity base = {
        .created_ms = 1, .updated_ms = 1, .provider = STR("a"), .subject = STR("1")};
    struct profile_identity rows[] = {base, base, base, base, base, base};
    const size_t count = ARRAY_LENGTH(rows);

    (void)state;
    rows[1].updated_ms = 2;
    rows[2].avatar_url = STR("");
    rows[3].email = STR("");
    rows[4].name = STR("");
    rows[5].name = STR("x");
    for (size_t first = 0; first < count; first++) {
        struct profile_identity turned[ARRAY_LENGTH(rows)];
        struct profile profile = {.identities = turned, .identity_count = count};

        for (size_t i = 0; i < count; i++)
            turned[i] = rows[(first + i * 5) % count];
        profile_sort(&profile);
        for (size_t i = 0; i < count; i++) {
            assert_true(str_equal(turned[i].name, rows[i].name));
            assert_true(str_equal(turned[i].email, rows[i].email));
            assert_true(str_equal(turned[i].avatar_url, rows[i].avatar_url));
            assert_int_equal(turned[i].updated_ms, rows[i].updated_ms);
        }
    }
}

static void sorts_badges_bytewise(void **state)
{
    struct str badges[] = {STR("b:a"), STR("a:bb"), STR("a:b"), STR("B:a"), STR("a.b:c")};
    static const char *const expected[] = {"B:a", "a.b:c", "a:b", "a:bb", "b:a"};
    struct profile profile = {.badges = badges, .badge_count = ARRAY_LENGTH(badges)};

    (void)state;
    profile_sort(&profile);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_str_equal(badges[i], expected[i]);
}

static void sorts_a_profile_without_rows(void **state)
{
    struct profile profile = {0};

    (void)state;
    profile_sort(&profile);
    assert_null(profile.emails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_each_status_and_finds_it_again),
        cmocka_unit_test(knows_no_other_status),
        cmocka_unit_test(sorts_emails_by_default_then_creation_then_id),
        cmocka_unit_test(sorts_phones_by_primary_then_creation_then_id),
        cmocka_unit_test(sorts_identities_by_creation_then_provider_then_id),
        cmocka_unit_test(orders_identities_that_differ_in_anything_shown),
        cmocka_unit_test(sorts_badges_bytewise),
        cmocka_unit_test(sorts_a_profile_without_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
