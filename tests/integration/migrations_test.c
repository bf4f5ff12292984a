/* Migrations applied, resumed and refused, and the accounts that are printed, in use. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/migrations.h"
#include "store/profiles.h"
#include "store/revision.h"

enum { FILES = 3 };
static const char *const names[FILES] = {"0001_one.sql", "0002_two.sql", "0003_three.sql"};

/* A folder of migrations, and what the last call told of them. */
struct trial {
    char folder[64];
    size_t visits;
    struct migration_row rows[8];
    char name[8][16];
};

static struct trial trial;

static int reset(void **state)
{
    struct fixture *fixture = *state;
    database_close(fixture->database);
    fixture_sql(fixture, "DROP DATABASE %s", fixture->name);
    fixture_sql(fixture, "CREATE DATABASE %s", fixture->name);
    fixture_sql(fixture, "USE %s", fixture->name);
    trial = (struct trial){.folder = "/tmp/migrations_test.XXXXXX"};
    return mkdtemp(trial.folder) == NULL;
}

static void path_of(char path[static 128], const char *name)
{
    (void)snprintf(path, 128, "%s/%s", trial.folder, name);
}

static int tidy(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        char path[128];
        path_of(path, names[i]);
        (void)unlink(path);
    }
    return rmdir(trial.folder);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool visit(void *context, const struct migration_row *row)
{
    struct trial *seen = context;
    assert_true(seen->visits < 8);
    (void)snprintf(seen->name[seen->visits], sizeof(seen->name[0]), "%s", row->name);
    seen->rows[seen->visits++] = *row;
    return true;
}

typedef enum store_result run_migrations(struct migrations *migrations, struct database *database,
                                         migration_visit *visit, void *context, struct err *err);

static enum store_result run(struct fixture *fixture, run_migrations *how, const char *folder)
{
    struct migrations *migrations = migrations_open(folder, &fixture->err);
    if (migrations == NULL)
        fail_msg("%s", fixture->err.text);
    trial.visits = 0;
    enum store_result result = how(migrations, fixture->database, visit, &trial, &fixture->err);
    migrations_close(migrations);
    return result;
}

static enum store_result apply(struct fixture *fixture)
{
    return run(fixture, migrations_apply, trial.folder);
}

static void assert_states(struct fixture *fixture, const enum migration_state *states, size_t count)
{
    assert_stored(fixture, run(fixture, migrations_status, trial.folder));
    assert_int_equal(trial.visits, count);
    for (size_t i = 0; i < count; i++)
        if (trial.rows[i].state != states[i])
            fail_msg("%s is %s, not %s", trial.name[i], migration_state_name(trial.rows[i].state),
                     migration_state_name(states[i]));
}

#define ASSERT_STATES(fixture, ...)                                                                \
    assert_states((fixture), (const enum migration_state[]){__VA_ARGS__},                          \
                  ARRAY_LENGTH(((const enum migration_state[]){__VA_ARGS__})))

static void are_applied_in_order_and_once(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[1], "INSERT INTO log VALUES (2);\n");
    write_file(names[0], "CREATE TABLE log (n INT);\nINSERT INTO log VALUES (1);\n");
    ASSERT_STATES(fixture, MIGRATION_PENDING, MIGRATION_PENDING);
    assert_stored(fixture, apply(fixture));
    assert_int_equal(trial.visits, 2);
    assert_string_equal(trial.name[0], "one");
    assert_int_equal(trial.rows[0].state, MIGRATION_APPLIED);
    assert_int_equal(trial.rows[0].statements_done, 2);
    assert_stored(fixture, apply(fixture));
    assert_int_equal(trial.visits, 0);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM log"), 2);
    ASSERT_STATES(fixture, MIGRATION_APPLIED, MIGRATION_APPLIED);
    assert_true(trial.rows[0].has_applied_ms);
    write_file(names[2], "INSERT INTO log VALUES (3);\n");
    ASSERT_STATES(fixture, MIGRATION_APPLIED, MIGRATION_APPLIED, MIGRATION_PENDING);
    assert_stored(fixture, apply(fixture));
    assert_int_equal(trial.visits, 1);
}

static void those_compiled_in_make_the_schema(void **state)
{
    struct fixture *fixture = *state;
    assert_stored(fixture, run(fixture, migrations_apply, NULL));
    assert_true(trial.visits > 0);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM users"), 0);
    assert_stored(fixture, run(fixture, migrations_apply, NULL));
    assert_int_equal(trial.visits, 0);
}

/* An operator can compare with what sha256sum prints. */
static void the_checksum_of_the_file_is_recorded(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "DO 1;\n");
    assert_stored(fixture, apply(fixture));
    assert_int_equal(
        fixture_number(fixture, "SELECT checksum = SHA2('DO 1;\n', 256) FROM schema_migrations"),
        1);
}

static void a_statement_that_fails_is_named_and_gone_on_with(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "-- three\nCREATE TABLE log (n INT);\n\n"
                         "INSERT INTO log VALUES (1);\nINSERT INTO nowhere\n  VALUES (1);\n");
    write_file(names[1], "INSERT INTO log VALUES (2);\n");
    assert_int_not_equal(apply(fixture), STORE_OK);
    assert_contains(fixture->err.text, "0001_one.sql:5: statement 3 of 3: ");
    assert_contains(fixture->err.text, "nowhere");
    assert_int_equal(trial.visits, 0);
    ASSERT_STATES(fixture, MIGRATION_PARTIAL, MIGRATION_PENDING);
    assert_int_equal(trial.rows[0].statements_done, 2);
    assert_false(trial.rows[0].has_applied_ms);

    write_file(names[0], "CREATE TABLE log (n INT);\nINSERT INTO log VALUES (1);\n"
                         "INSERT INTO log VALUES (3);\nINSERT INTO log VALUES (4);\n");
    assert_stored(fixture, apply(fixture));
    assert_int_equal(trial.visits, 2);
    assert_int_equal(fixture_number(fixture, "SELECT SUM(n) FROM log"), 10);
    ASSERT_STATES(fixture, MIGRATION_APPLIED, MIGRATION_APPLIED);
}

static void what_was_applied_may_not_change(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "CREATE TABLE log (n INT);\n");
    assert_stored(fixture, apply(fixture));
    write_file(names[0], "CREATE TABLE log (n BIGINT);\n");
    write_file(names[1], "INSERT INTO log VALUES (2);\n");
    ASSERT_STATES(fixture, MIGRATION_CHANGED, MIGRATION_PENDING);
    assert_refused(fixture, STORE_REFUSED, apply(fixture), "0001_one.sql was changed after");
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM log"), 0);
}

static void the_part_that_was_applied_may_not_change(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "CREATE TABLE log (n INT);\nDROP TABLE nowhere;\n");
    assert_int_not_equal(apply(fixture), STORE_OK);
    write_file(names[0], "CREATE TABLE log (n BIGINT);\nDO 1;\n");
    ASSERT_STATES(fixture, MIGRATION_CHANGED);
    assert_refused(fixture, STORE_REFUSED, apply(fixture), "in part");
}

static void a_database_that_is_newer_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    write_file(names[0], "DO 1;\n");
    write_file(names[1], "DO 2;\n");
    assert_stored(fixture, apply(fixture));
    path_of(path, names[0]);
    assert_int_equal(unlink(path), 0);
    write_file(names[2], "CREATE TABLE log (n INT);\n");
    ASSERT_STATES(fixture, MIGRATION_UNKNOWN, MIGRATION_APPLIED, MIGRATION_PENDING);
    assert_string_equal(trial.name[0], "one");
    assert_refused(fixture, STORE_REFUSED, apply(fixture), "0001_one");
    assert_int_equal(fixture_sql_error(fixture, "SELECT * FROM log"), 1146);
}

static void only_one_migration_runs_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "DO 1;\n");
    fixture_sql(fixture, "DO GET_LOCK(CONCAT('me-fcgi migrate ', MD5(DATABASE())), 0)");
    assert_refused(fixture, STORE_UNAVAILABLE, apply(fixture), "another migration");
    fixture_sql(fixture, "DO RELEASE_ALL_LOCKS()");
    assert_stored(fixture, apply(fixture));
}

/* An ALTER of a large table takes longer than any request may. */
static void a_migration_may_take_longer_than_a_request(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "SELECT SLEEP(1.5);\n");
    assert_stored(fixture, apply(fixture));
    assert_int_equal(trial.visits, 1);
}

static void the_connection_is_an_ordinary_one_afterwards(void **state)
{
    struct fixture *fixture = *state;
    write_file(names[0], "DO 1;\n");
    assert_stored(fixture, apply(fixture));
    fixture_kill_connections(fixture);
    ASSERT_STATES(fixture, MIGRATION_APPLIED);
    fixture_kill_connections(fixture);
    ASSERT_STATES(fixture, MIGRATION_APPLIED);
}

static void assert_denied(struct fixture *fixture, struct database *database, struct str sql)
{
    assert_refused(fixture, STORE_UNAVAILABLE, database_run_text(database, sql, &fixture->err),
                   "denied");
}

static void migrate_as(struct fixture *fixture, const struct settings *operator)
{
    struct database *database = fixture_database(fixture, operator);
    struct migrations *migrations = migrations_open(NULL, &fixture->err);
    assert_non_null(migrations);
    assert_stored(fixture, migrations_apply(migrations, database, visit, &trial, &fixture->err));
    migrations_close(migrations);
    database_free(database);
}

/* The flow of a fresh database: print for mectl, migrate, print for the worker. The account that
 * migrated stays: it is whose rights the triggers have. */
static void the_printed_accounts_can_do_what_they_must_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings, operators = fixture->settings;
    struct profile_load loaded;
    struct revision_guard guard;
    const struct access_request request = {.user = fixture_id(1), .session = STR("s")};
    struct profile profile = {.id = fixture_id(1), .name = STR("Anna"), .updated_ms = 1};
    settings.database.user = "me_test_worker";
    settings.database.password = "it's \\ secret";
    operators.database.user = "me_test_operator";
    operators.database.password = "another";
    fixture_grant(fixture, &operators, DATABASE_ADMIN);
    migrate_as(fixture, &operators);

    fixture_grant(fixture, &settings, DATABASE_WORKER);
    fixture_grant(fixture, &settings, DATABASE_WORKER);
    struct database *database = fixture_database(fixture, &settings);
    fixture_sql(fixture,
                "INSERT INTO users (id, status, name) VALUES (" FIXTURE_ID("01") ", 'active',"
                                                                                 " 'Ann')");
    assert_stored(fixture,
                  profiles_load_locked(database, &request, fixture->arena, &loaded, &fixture->err));
    assert_int_equal(loaded.access, ACCESS_SESSION_UNKNOWN);
    assert_stored(fixture, profiles_update(database, &profile, &fixture->err));
    assert_stored(fixture, revision_guard_read(database, &guard, &fixture->err));
    assert_true(guard.stands);
    assert_stored(fixture,
                  database_run_text(database, STR("UPDATE users SET revision = 1"), &fixture->err));
    assert_denied(fixture, database, STR("UPDATE users SET status = 'banned'"));
    assert_denied(fixture, database, STR("UPDATE users SET created_at = updated_at"));
    assert_denied(fixture, database, STR("DELETE FROM users"));
    assert_denied(fixture, database, STR("UPDATE sessions SET revoked_at = NULL"));
    assert_denied(fixture, database, STR("INSERT INTO user_badges VALUES ('', 'a', 'b', NOW())"));
    assert_denied(fixture, database, STR("DROP TRIGGER users_revision_update"));
    assert_denied(fixture, database, STR("DROP VIEW revision_guard"));
    assert_denied(fixture, database, STR("SHOW CREATE VIEW revision_guard"));
    assert_denied(fixture, database, STR("SELECT * FROM revision_no_truncate"));
    database_free(database);
    fixture_sql(fixture, "DROP USER me_test_worker@localhost, me_test_operator@localhost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(are_applied_in_order_and_once, reset, tidy),
        cmocka_unit_test_setup_teardown(those_compiled_in_make_the_schema, reset, tidy),
        cmocka_unit_test_setup_teardown(the_checksum_of_the_file_is_recorded, reset, tidy),
        cmocka_unit_test_setup_teardown(a_statement_that_fails_is_named_and_gone_on_with, reset,
                                        tidy),
        cmocka_unit_test_setup_teardown(what_was_applied_may_not_change, reset, tidy),
        cmocka_unit_test_setup_teardown(the_part_that_was_applied_may_not_change, reset, tidy),
        cmocka_unit_test_setup_teardown(a_database_that_is_newer_is_left_alone, reset, tidy),
        cmocka_unit_test_setup_teardown(only_one_migration_runs_at_a_time, reset, tidy),
        cmocka_unit_test_setup_teardown(a_migration_may_take_longer_than_a_request, reset, tidy),
        cmocka_unit_test_setup_teardown(the_connection_is_an_ordinary_one_afterwards, reset, tidy),
        cmocka_unit_test_setup_teardown(the_printed_accounts_can_do_what_they_must_and_no_more,
                                        reset, tidy),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
