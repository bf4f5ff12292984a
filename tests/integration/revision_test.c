/* Whether revisions can be relied on, as the store tells it. */
#include "fixture.h"

#include "store/revision.h"

static struct revision_guard read_guard(struct fixture *fixture)
{
    struct revision_guard guard;
    assert_stored(fixture, revision_guard_read(fixture->database, &guard, &fixture->err));
    return guard;
}

static void stands_after_the_migrations(void **state)
{
    struct fixture *fixture = *state;
    const struct revision_guard guard = read_guard(fixture);
    assert_true(guard.stands);
    assert_false(guard.lacks_definer);
    assert_int_equal(guard.epoch, fixture_number(fixture, "SELECT epoch FROM revision_guard"));
    assert_string_equal(fixture->err.text, "");
}

static void a_table_that_is_gone_is_a_no_without_a_reason(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture, "ALTER TABLE users RENAME TO elsewhere");
    assert_false(read_guard(fixture).stands);
    assert_string_equal(fixture->err.text, "");
    fixture_sql(fixture, "ALTER TABLE elsewhere RENAME TO users");
    assert_true(read_guard(fixture).stands);
}

/* None of them is a reason not to answer a request: the connection is good for all else. */
static void a_view_that_cannot_be_read_is_a_no_with_one(void **state)
{
    static const struct {
        const char *view, *reason;
    } rows[] = {
        {NULL, "1146"},
        {"SELECT 1 AS stands", "1054"},
        {"SELECT (SELECT 1 UNION SELECT 2) AS stands, 0 AS epoch", "1242"},
        {"SELECT 1 AS stands, epoch FROM absent", "1356"},
    };
    struct fixture *fixture = *state;
    fixture_sql(fixture, "RENAME TABLE revision_guard TO kept");
    fixture_sql(fixture, "CREATE TABLE absent (epoch INT)");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (rows[i].view != NULL)
            fixture_sql(fixture, "CREATE OR REPLACE VIEW revision_guard AS %s", rows[i].view);
        fixture_sql(fixture, "DROP TABLE IF EXISTS absent");
        const struct revision_guard guard = read_guard(fixture);
        assert_false(guard.stands);
        assert_false(guard.lacks_definer);
        assert_contains(fixture->err.text, rows[i].reason);
        fixture_sql(fixture, "CREATE TABLE absent (epoch INT)");
    }
    fixture_sql(fixture, "DROP TABLE absent");
    fixture_sql(fixture, "DROP VIEW revision_guard");
    fixture_sql(fixture, "RENAME TABLE kept TO revision_guard");
    err_clear(&fixture->err);
    assert_true(read_guard(fixture).stands);
}

/* Rows of the same shape as the view's, or none. */
static void nothing_but_a_one_is_a_yes(void **state)
{
    static const char *const selects[] = {
        "SELECT 0 AS stands, 5 AS epoch",
        "SELECT 2 AS stands, 5 AS epoch",
        "SELECT NULL AS stands, 5 AS epoch",
        "SELECT 1 AS stands, NULL AS epoch",
        "SELECT 1 AS stands, 5 AS epoch FROM users WHERE FALSE",
    };
    struct fixture *fixture = *state;
    fixture_sql(fixture, "RENAME TABLE revision_guard TO kept");
    for (size_t i = 0; i < ARRAY_LENGTH(selects); i++) {
        fixture_sql(fixture, "CREATE OR REPLACE VIEW revision_guard AS %s", selects[i]);
        assert_false(read_guard(fixture).stands);
    }
    fixture_sql(fixture, "DROP VIEW revision_guard");
    fixture_sql(fixture, "RENAME TABLE kept TO revision_guard");
}

/* To an account that is no superuser the server says "access denied" then. */
static void a_definer_who_was_dropped_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    struct revision_guard guard;
    settings.database.user = "me_test_worker";
    settings.database.password = "password";
    fixture_grant(fixture, &settings, DATABASE_WORKER);
    fixture_sql(fixture, "CREATE USER me_test_definer@localhost");
    fixture_sql(fixture, "RENAME TABLE revision_guard TO kept");
    fixture_sql(fixture, "CREATE DEFINER = me_test_definer@localhost VIEW revision_guard AS"
                         " SELECT 1 AS stands, 2 AS epoch");
    struct database *database = fixture_database(fixture, &settings);
    assert_stored(fixture, revision_guard_read(database, &guard, &fixture->err));
    assert_true(guard.stands && guard.epoch == 2);
    fixture_sql(fixture, "DROP USER me_test_definer@localhost");
    database_close(database);
    assert_stored(fixture, revision_guard_read(database, &guard, &fixture->err));
    assert_true(!guard.stands && guard.lacks_definer);
    assert_stored(fixture, revision_guard_read(fixture->database, &guard, &fixture->err));
    assert_true(!guard.stands && guard.lacks_definer);
    database_free(database);
    fixture_sql(fixture, "DROP USER me_test_worker@localhost");
    fixture_sql(fixture, "DROP VIEW revision_guard");
    fixture_sql(fixture, "RENAME TABLE kept TO revision_guard");
}

static void a_database_that_is_away_is_no_answer(void **state)
{
    struct fixture *fixture = *state;
    static const char *const nowhere[] = {"/nowhere/mariadbd.sock"};
    struct settings settings = fixture->settings;
    struct revision_guard guard = {.stands = true};
    settings.database.host = (struct settings_list){nowhere, 1};
    struct database *database = fixture_database(fixture, &settings);
    assert_refused(fixture, STORE_UNAVAILABLE, revision_guard_read(database, &guard, &fixture->err),
                   "nowhere");
    assert_false(guard.stands);
    database_free(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(stands_after_the_migrations, fixture_reset),
        cmocka_unit_test_setup(a_table_that_is_gone_is_a_no_without_a_reason, fixture_reset),
        cmocka_unit_test_setup(a_view_that_cannot_be_read_is_a_no_with_one, fixture_reset),
        cmocka_unit_test_setup(nothing_but_a_one_is_a_yes, fixture_reset),
        cmocka_unit_test_setup(a_definer_who_was_dropped_is_told, fixture_reset),
        cmocka_unit_test_setup(a_database_that_is_away_is_no_answer, fixture_reset),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
