#include "token/rules.h"

#include "unit.h"

static const char *const names[] = {"one", "two"};

static struct settings settings(void)
{
    return (struct settings){.token = {.hs256 = true,
                                       .rs256 = true,
                                       .issuer = {names, 2},
                                       .audience = {names + 1, 1},
                                       .leeway_s = 30,
                                       .max_bytes = 8192,
                                       .session_claim = "sid",
                                       .sessions = SETTINGS_SESSIONS_IF_PRESENT}};
}

static void takes_what_the_settings_say(void **state)
{
    const struct settings from = settings();
    struct jwt_rules rules;

    (void)state;
    jwt_rules_from_settings(&from, &rules);
    assert_true(rules.allowed[KEY_HS256]);
    assert_true(rules.allowed[KEY_RS256]);
    assert_int_equal(rules.issuers.count, 2);
    assert_string_equal(rules.issuers.items[1], "two");
    assert_int_equal(rules.audiences.count, 1);
    assert_string_equal(rules.audiences.items[0], "two");
    assert_int_equal(rules.leeway_s, 30);
    assert_int_equal(rules.max_bytes, 8192);
}

static void allows_the_algorithms_of_the_list_alone(void **state)
{
    struct settings from = settings();
    struct jwt_rules rules;

    (void)state;
    from.token.hs256 = false;
    jwt_rules_from_settings(&from, &rules);
    assert_false(rules.allowed[KEY_HS256]);
    assert_true(rules.allowed[KEY_RS256]);
    from.token.hs256 = true;
    from.token.rs256 = false;
    jwt_rules_from_settings(&from, &rules);
    assert_true(rules.allowed[KEY_HS256]);
    assert_false(rules.allowed[KEY_RS256]);
}

static void asks_for_sessions_as_it_is_set(void **state)
{
    static const struct {
        enum settings_sessions sessions;
        const char *claim;
        bool required;
    } rows[] = {
        {SETTINGS_SESSIONS_OFF, NULL, false},
        {SETTINGS_SESSIONS_IF_PRESENT, "sid", false},
        {SETTINGS_SESSIONS_REQUIRED, "sid", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct settings from = settings();
        struct jwt_rules rules;

        from.token.sessions = rows[i].sessions;
        jwt_rules_from_settings(&from, &rules);
        assert_true(str_equal(str_from(rules.session_claim), str_from(rows[i].claim)));
        assert_int_equal(rules.session_required, rows[i].required);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_settings_say),
        cmocka_unit_test(allows_the_algorithms_of_the_list_alone),
        cmocka_unit_test(asks_for_sessions_as_it_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
