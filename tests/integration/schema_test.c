/* What the tables refuse, whoever writes to them. */
#include "fixture.h"

#include <mysqld_error.h>

#define USER(hex) "INSERT INTO users (id, name) VALUES (" FIXTURE_ID(hex) ", 'N')"
#define EMAIL(user, row, rest)                                                                     \
    "INSERT INTO user_emails (user_id, id, email, is_default) VALUES (" FIXTURE_ID(                \
        user) ", " FIXTURE_ID(row) ", " rest ")"
#define PHONE(row, rest)                                                                           \
    "INSERT INTO user_phone_numbers (user_id, id, number, is_primary) VALUES (" FIXTURE_ID(        \
        "01") ", " FIXTURE_ID(row) ", " rest ")"
#define IDENTITY(user, row, pair)                                                                  \
    "INSERT INTO user_identities (user_id, id, issuer, subject, provider) VALUES (" FIXTURE_ID(    \
        user) ", " FIXTURE_ID(row) ", " pair ", 'p')"
#define BADGE(pair)                                                                                \
    "INSERT INTO user_badges (user_id, scope, name) VALUES (" FIXTURE_ID("01") ", " pair ")"
#define SESSION(user, id)                                                                          \
    "INSERT INTO sessions (user_id, id, expires_at) VALUES (" FIXTURE_ID(                          \
        user) ", " id ", UTC_TIMESTAMP(3))"

/* One statement after the other in one database; each with the error that it must end in. */
struct step {
    const char *sql;
    unsigned int error;
};

static void run_steps(struct fixture *fixture, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned int error = fixture_sql_error(fixture, steps[i].sql);
        if (error != steps[i].error)
            fail_msg("error %u, not %u: %s", error, steps[i].error, steps[i].sql);
    }
}

#define RUN_STEPS(state, ...)                                                                      \
    do {                                                                                           \
        static const struct step steps_[] = {__VA_ARGS__};                                         \
        run_steps(*(state), steps_, ARRAY_LENGTH(steps_));                                         \
    } while (0)

static void users(void **state)
{
    RUN_STEPS(
        state, {USER("01"), 0}, {USER("01"), ER_DUP_ENTRY},
        {"INSERT INTO users (id, name) VALUES (" FIXTURE_ID("02") ", '')", ER_CONSTRAINT_FAILED},
        {"INSERT INTO users (id, name) VALUES (" FIXTURE_ID("02") ", '  ')", ER_CONSTRAINT_FAILED},
        {"INSERT INTO users (id) VALUES (" FIXTURE_ID("02") ")", ER_NO_DEFAULT_FOR_FIELD},
        {"INSERT INTO users (id, name) VALUES (" FIXTURE_ID("02") ", NULL)", ER_BAD_NULL_ERROR},
        {"UPDATE users SET status = 'gone'", WARN_DATA_TRUNCATED},
        {"UPDATE users SET name = REPEAT('x', 256)", ER_DATA_TOO_LONG});
}

static void one_user_for_an_address(void **state)
{
    RUN_STEPS(state, {USER("01"), 0}, {USER("02"), 0},
              {EMAIL("01", "11", "'Ann@example.com', 0"), 0},
              {EMAIL("02", "12", "'ann@EXAMPLE.com', 0"), ER_DUP_ENTRY},
              {EMAIL("01", "12", "'ann@example.com', 0"), ER_DUP_ENTRY},
              {EMAIL("01", "12", "'\xC3\x89t\xC3\xA9@example.com', 0"), 0},
              {EMAIL("02", "13", "'\xC3\xA9T\xC3\x89@example.com', 0"), ER_DUP_ENTRY},
              /* without accents it is another address: only the case is left out of account */
              {EMAIL("02", "13", "'ete@example.com', 0"), 0},
              {EMAIL("02", "14", "'ann@example.com ', 0"), 0},
              {EMAIL("02", "15", "'', 0"), ER_CONSTRAINT_FAILED},
              {EMAIL("03", "16", "'new@example.com', 0"), ER_NO_REFERENCED_ROW_2},
              {"UPDATE user_emails SET email_key = 'x'",
               ER_WARNING_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN});
}

static void one_default_address_for_a_user(void **state)
{
    RUN_STEPS(state, {USER("01"), 0}, {USER("02"), 0}, {EMAIL("01", "11", "'a@example.com', 0"), 0},
              {EMAIL("01", "12", "'b@example.com', 0"), 0},
              {EMAIL("01", "13", "'c@example.com', 1"), 0},
              {EMAIL("01", "14", "'d@example.com', 1"), ER_DUP_ENTRY},
              {EMAIL("02", "15", "'e@example.com', 1"), 0},
              {EMAIL("02", "16", "'f@example.com', 2"), ER_CONSTRAINT_FAILED},
              {"UPDATE user_emails SET is_default = 1 WHERE email = 'a@example.com'", ER_DUP_ENTRY},
              {"UPDATE user_emails SET is_default = 0 WHERE email = 'c@example.com'", 0},
              {"UPDATE user_emails SET is_default = 1 WHERE email = 'a@example.com'", 0});
}

static void phone_numbers(void **state)
{
    RUN_STEPS(state, {USER("01"), 0}, {PHONE("11", "'+31612345678', 1"), 0},
              {PHONE("12", "'+31612345678', 0"), ER_DUP_ENTRY},
              {PHONE("13", "'+31612345679', 1"), ER_DUP_ENTRY},
              {PHONE("14", "'+31612345679', 0"), 0}, {PHONE("15", "'+12', 0"), 0},
              {PHONE("16", "'+123456789012345', 0"), 0},
              {PHONE("17", "'+1', 0"), ER_CONSTRAINT_FAILED},
              {PHONE("17", "'+0612345678', 0"), ER_CONSTRAINT_FAILED},
              {PHONE("17", "'31612345670', 0"), ER_CONSTRAINT_FAILED},
              {PHONE("17", "'+1234567890123456', 0"), ER_DATA_TOO_LONG},
              {PHONE("17", "'+3161234567\n', 0"), ER_CONSTRAINT_FAILED});
}

static void one_user_for_an_identity_bytewise(void **state)
{
    RUN_STEPS(state, {USER("01"), 0}, {USER("02"), 0}, {IDENTITY("01", "11", "'i', 's'"), 0},
              {IDENTITY("02", "12", "'i', 's'"), ER_DUP_ENTRY},
              {IDENTITY("02", "12", "'i', 'S'"), 0}, {IDENTITY("02", "13", "'i', 's '"), 0},
              {IDENTITY("02", "14", "'I', 's'"), 0},
              {IDENTITY("02", "15", "'i', '\xEF\xBD\x93'"), 0} /* full-width s */,
              {IDENTITY("02", "16", "'i', ''"), ER_CONSTRAINT_FAILED});
}

static void badges(void **state)
{
    RUN_STEPS(state, {USER("01"), 0}, {BADGE("'a', 'b:c'"), 0}, {BADGE("'a', 'b:c'"), ER_DUP_ENTRY},
              {BADGE("'a:b', 'c'"), ER_CONSTRAINT_FAILED}, {BADGE("'', 'c'"), ER_CONSTRAINT_FAILED},
              {BADGE("'a', ''"), ER_CONSTRAINT_FAILED}, {BADGE("'A', 'b:c'"), 0});
}

static void sessions_are_compared_bytewise(void **state)
{
    RUN_STEPS(state, {USER("01"), 0}, {USER("02"), 0}, {SESSION("01", "'s'"), 0},
              {SESSION("01", "'s'"), ER_DUP_ENTRY}, {SESSION("01", "'s '"), 0},
              {SESSION("01", "'S'"), 0}, {SESSION("02", "'s'"), 0},
              {SESSION("01", "''"), ER_CONSTRAINT_FAILED},
              {SESSION("03", "'s'"), ER_NO_REFERENCED_ROW_2});
}

#define CHANGE(members, values)                                                                    \
    "INSERT INTO profile_changes (user_id, request_id, members, member_values) VALUES"             \
    " (" FIXTURE_ID("01") ", 'r', " members ", " values ")"

static void changes_of_profiles(void **state)
{
    RUN_STEPS(state, {CHANGE("'name'", "NULL"), 0}, {CHANGE("'timezone,bio'", "'{}'"), 0},
              {CHANGE("''", "NULL"), ER_CONSTRAINT_FAILED},
              {CHANGE("'status'", "NULL"), WARN_DATA_TRUNCATED},
              {CHANGE("'name'", "'{'"), ER_CONSTRAINT_FAILED},
              {CHANGE("'name'", "CONCAT('\"', REPEAT('x', 131070), '\"')"), 0},
              {CHANGE("'name'", "CONCAT('\"', REPEAT('x', 131071), '\"')"), ER_CONSTRAINT_FAILED},
              {"DELETE FROM profile_changes", 0});
}

static void changes_outlive_their_user(void **state)
{
    struct fixture *fixture = *state;
    RUN_STEPS(state, {USER("01"), 0}, {CHANGE("'name'", "NULL"), 0}, {"DELETE FROM users", 0});
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM profile_changes"), 1);
    RUN_STEPS(state, {"DELETE FROM profile_changes", 0});
}

static void rows_of_a_user_go_with_it(void **state)
{
    static const char *const tables[] = {
        "user_emails", "user_identities",        "user_phone_numbers",
        "user_badges", "user_fraud_information", "sessions"};
    struct fixture *fixture = *state;
    RUN_STEPS(
        state, {USER("01"), 0}, {EMAIL("01", "11", "'a@example.com', 1"), 0},
        {IDENTITY("01", "11", "'i', 's'"), 0}, {PHONE("11", "'+31612345678', 1"), 0},
        {BADGE("'a', 'b'"), 0}, {SESSION("01", "'s'"), 0},
        {"INSERT INTO user_fraud_information (user_id, score) VALUES (" FIXTURE_ID("01") ", 1)", 0},
        {"DELETE FROM users", 0});
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM %s", tables[i]), 0);
}

/* The default of the times is UTC for an application whose connection is elsewhere, too. */
static void times_are_utc_in_any_time_zone(void **state)
{
    struct fixture *fixture = *state;
    RUN_STEPS(state, {"SET time_zone = '-11:00'", 0}, {USER("01"), 0},
              {"SET time_zone = '+00:00'", 0});
    assert_int_equal(fixture_number(fixture, "SELECT ABS(TIMESTAMPDIFF(SECOND, created_at,"
                                             " UTC_TIMESTAMP())) < 60 FROM users"),
                     1);
}

static void every_table_is_as_the_store_needs_it(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_number(fixture,
                                    "SELECT COUNT(*) FROM information_schema.TABLES"
                                    " WHERE TABLE_SCHEMA = DATABASE() AND ENGINE = 'InnoDB'"
                                    " AND ROW_FORMAT = 'Dynamic'"
                                    " AND TABLE_COLLATION = 'utf8mb4_nopad_bin'"),
                     10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(users, fixture_reset),
        cmocka_unit_test_setup(one_user_for_an_address, fixture_reset),
        cmocka_unit_test_setup(one_default_address_for_a_user, fixture_reset),
        cmocka_unit_test_setup(phone_numbers, fixture_reset),
        cmocka_unit_test_setup(one_user_for_an_identity_bytewise, fixture_reset),
        cmocka_unit_test_setup(badges, fixture_reset),
        cmocka_unit_test_setup(sessions_are_compared_bytewise, fixture_reset),
        cmocka_unit_test_setup(changes_of_profiles, fixture_reset),
        cmocka_unit_test_setup(changes_outlive_their_user, fixture_reset),
        cmocka_unit_test_setup(rows_of_a_user_go_with_it, fixture_reset),
        cmocka_unit_test_setup(times_are_utc_in_any_time_zone, fixture_reset),
        cmocka_unit_test(every_table_is_as_the_store_needs_it),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
