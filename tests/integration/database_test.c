/* Connections, their loss, transactions and their repetition. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/profiles.h"
#include "store/users.h"

#define ANN FIXTURE_ID("01")

static void add_ann(struct fixture *fixture)
{
    fixture_sql(fixture, "INSERT INTO users (id, status, name) VALUES (" ANN ", 'active', 'Ann')");
}

static enum store_result load_from(struct fixture *fixture, struct database *database)
{
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(1)};
    return profiles_load(database, &request, fixture->arena, &out, &fixture->err);
}

static enum store_result load(struct fixture *fixture)
{
    return load_from(fixture, fixture->database);
}

/* Runs where the condition holds in the store's own session, and fails where it does not. */
static void assert_session(struct fixture *fixture, const char *condition)
{
    char sql[256];
    int len = snprintf(sql, sizeof(sql), "SELECT IF(%s, 1, (SELECT 1 UNION SELECT 2))", condition);
    if (database_run_text(fixture->database, (struct str){sql, (size_t)len}, &fixture->err) !=
        STORE_OK)
        fail_msg("not in the session: %s (%s)", condition, fixture->err.text);
}

static void the_session_is_set_up(void **state)
{
    static const char *const conditions[] = {
        "@@autocommit = 1",
        "@@tx_isolation = 'READ-COMMITTED'",
        "@@sql_mode LIKE '%STRICT_ALL_TABLES%'",
        "@@time_zone = '+00:00'",
        "@@character_set_client = 'utf8mb4'",
        "@@character_set_results = 'utf8mb4'",
        "@@innodb_lock_wait_timeout = 0", /* half of a read time-out of 1 s */
        "@@lock_wait_timeout = 0",
        "@@sql_select_limit = 18446744073709551615", /* else rows are missing, without a word */
        "@@sql_big_selects = 1", /* hosts turn it off, with a small max_join_size */
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(conditions); i++)
        assert_session(fixture, conditions[i]);
}

static void files_of_this_machine_are_not_sent(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture, "CREATE TABLE probe (line TEXT)");
    enum store_result result = database_run_text(
        fixture->database, STR("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE probe"),
        &fixture->err);
    assert_int_not_equal(result, STORE_OK);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM probe"), 0);
    fixture_sql(fixture, "DROP TABLE probe");
}

static void a_lost_read_is_repeated(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    for (int i = 0; i < 3; i++) {
        assert_stored(fixture, load(fixture));
        fixture_kill_connections(fixture);
    }
}

static void a_lost_write_outside_of_a_transaction_is_in_doubt(void **state)
{
    struct fixture *fixture = *state;
    struct profile profile = {.id = fixture_id(1), .name = STR("N")};
    add_ann(fixture);
    assert_stored(fixture, load(fixture));
    fixture_kill_connections(fixture);
    assert_int_equal(profiles_update(fixture->database, &profile, &fixture->err), STORE_IN_DOUBT);
}

static void no_server_is_unavailable(void **state)
{
    static const char *const hosts[] = {"/nonexistent/a.sock", "127.0.0.1:1"};
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    settings.database.host = (struct settings_list){hosts, ARRAY_LENGTH(hosts)};
    struct database *database = fixture_database(fixture, &settings);
    assert_refused(fixture, STORE_UNAVAILABLE, load_from(fixture, database), "/nonexistent/a.sock");
    assert_contains(fixture->err.text, "127.0.0.1:1");
    database_free(database);
}

static void the_first_host_that_answers_is_taken(void **state)
{
    struct fixture *fixture = *state;
    const char *const hosts[] = {"/nonexistent/a.sock", fixture->host[0], "/nonexistent/b.sock"};
    struct settings settings = fixture->settings;
    settings.database.host = (struct settings_list){hosts, ARRAY_LENGTH(hosts)};
    struct database *database = fixture_database(fixture, &settings);
    add_ann(fixture);
    assert_stored(fixture, load_from(fixture, database));
    database_free(database);
}

static void a_host_that_cannot_be_is_an_error(void **state)
{
    static const char *const hosts[] = {"db:port"};
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    settings.database.host = (struct settings_list){hosts, 1};
    struct database *database = fixture_database(fixture, &settings);
    assert_refused(fixture, STORE_FAILED, load_from(fixture, database), "db:port");
    database_free(database);
}

/* A socket that takes connections and never says a word. */
static int listen_silently(char path[static 64])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(path, 64, "/tmp/database_test.%ld", (long)getpid());
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 8), 0);
    return listener;
}

static void a_silent_server_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    char path[64];
    int listener = listen_silently(path);
    const char *const hosts[] = {path};
    struct settings settings = fixture->settings;
    settings.database.host = (struct settings_list){hosts, 1};
    settings.database.connect_timeout_s = 1;
    struct database *database = fixture_database(fixture, &settings);
    int64_t begin_us = clock_monotonic_us();
    assert_int_equal(load_from(fixture, database), STORE_UNAVAILABLE);
    assert_in_range(clock_monotonic_us() - begin_us, 0, 3000000);
    database_free(database);
    (void)close(listener);
    (void)unlink(path);
}

static int64_t load_us(struct fixture *fixture, struct database *database)
{
    int64_t begin_us = clock_monotonic_us();
    assert_stored(fixture, load_from(fixture, database));
    return clock_monotonic_us() - begin_us;
}

/* It costs one request its time-out, and none of those that follow. */
static void a_silent_host_is_asked_once(void **state)
{
    struct fixture *fixture = *state;
    char path[64];
    int listener = listen_silently(path);
    const char *const hosts[] = {path, fixture->host[0]};
    struct settings settings = fixture->settings;
    settings.database.host = (struct settings_list){hosts, ARRAY_LENGTH(hosts)};
    settings.database.connect_timeout_s = 1;
    struct database *database = fixture_database(fixture, &settings);
    add_ann(fixture);
    assert_in_range(load_us(fixture, database), 900000, 4000000);
    database_close(database);
    assert_in_range(load_us(fixture, database), 0, 900000);
    database_free(database);
    (void)close(listener);
    (void)unlink(path);
}

/* The first host is a link to the socket of the second, and is made later. */
static void the_first_host_is_gone_back_to(void **state)
{
    struct fixture *fixture = *state;
    char path[64];
    (void)snprintf(path, sizeof(path), "/tmp/database_test_link.%ld", (long)getpid());
    (void)unlink(path);
    const char *const hosts[] = {path, fixture->host[0]};
    struct settings settings = fixture->settings;
    settings.database.host = (struct settings_list){hosts, ARRAY_LENGTH(hosts)};
    struct database *database = fixture_database(fixture, &settings);
    assert_stored(fixture, database_run_text(database, STR("SET @here = 1"), &fixture->err));
    assert_int_equal(symlink(fixture->host[0], path), 0);
    bool is_back = false;
    for (int i = 0; i < 60 && !is_back; i++) {
        clock_pause_ms(100);
        database_begin_request(database);
        is_back = database_run_text(database,
                                    STR("SELECT IF(@here IS NULL, 1, (SELECT 1 UNION SELECT 2))"),
                                    &fixture->err) == STORE_OK;
    }
    assert_true(is_back);
    database_free(database);
    (void)unlink(path);
}

static void a_slow_answer_is_given_up(void **state)
{
    struct fixture *fixture = *state;
    int64_t begin_us = clock_monotonic_us();
    assert_int_equal(database_run_text(fixture->database, STR("SELECT SLEEP(9)"), &fixture->err),
                     STORE_LOST);
    assert_in_range(clock_monotonic_us() - begin_us, 900000, 3000000);
}

static void a_database_that_is_not_migrated_says_so(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture, "RENAME TABLE user_badges TO gone");
    assert_refused(fixture, STORE_UNAVAILABLE, load(fixture), "mectl migrate");
    fixture_sql(fixture, "RENAME TABLE gone TO user_badges");
    add_ann(fixture);
    assert_stored(fixture, load(fixture));
}

static void a_column_that_is_missing_says_so(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    assert_stored(fixture, load(fixture));
    fixture_sql(fixture, "ALTER TABLE user_emails CHANGE token_set gone BOOLEAN NOT NULL DEFAULT 0,"
                         " DROP CONSTRAINT user_emails_flags");
    assert_refused(fixture, STORE_UNAVAILABLE, load(fixture), "mectl migrate");
    fixture_sql(fixture,
                "ALTER TABLE user_emails CHANGE gone token_set BOOLEAN NOT NULL DEFAULT 0,"
                " ADD CONSTRAINT user_emails_flags CHECK (verified IN (0, 1) AND"
                " password_set IN (0, 1) AND token_set IN (0, 1) AND is_default IN (0, 1))");
    assert_stored(fixture, load(fixture));
}

static void no_database_and_no_account_say_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    settings.database.name = "me_test_nonexistent";
    struct database *database = fixture_database(fixture, &settings);
    assert_refused(fixture, STORE_UNAVAILABLE, load_from(fixture, database), "--print-grants");
    database_free(database);
    settings.database.user = "me_test_nobody";
    database = fixture_database(fixture, &settings);
    assert_refused(fixture, STORE_UNAVAILABLE, load_from(fixture, database), "--print-grants");
    database_free(database);
}

static void too_many_connections_are_unavailable(void **state)
{
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    settings.database.user = "me_test_few";
    fixture_sql(fixture,
                "CREATE OR REPLACE USER me_test_few@localhost WITH MAX_USER_CONNECTIONS 1");
    fixture_sql(fixture, "GRANT SELECT ON %s.* TO me_test_few@localhost", fixture->name);
    add_ann(fixture);
    struct database *one = fixture_database(fixture, &settings);
    struct database *two = fixture_database(fixture, &settings);
    assert_stored(fixture, load_from(fixture, one));
    assert_refused(fixture, STORE_UNAVAILABLE, load_from(fixture, two), "1226");
    database_close(one);
    fixture_kill_connections(fixture); /* waits until the server saw the end of it */
    assert_stored(fixture, load_from(fixture, two));
    database_free(one);
    database_free(two);
    fixture_sql(fixture, "DROP USER me_test_few@localhost");
}

/* It is not asked again for each time that the other one is: a client waits for all of it. */
static void a_silent_host_beside_one_that_is_full_costs_its_time_out_twice_at_most(void **state)
{
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    char path[64];
    int listener = listen_silently(path);
    const char *const hosts[] = {fixture->host[0], path};
    settings.database.user = "me_test_few";
    settings.database.connect_timeout_s = 1;
    fixture_sql(fixture,
                "CREATE OR REPLACE USER me_test_few@localhost WITH MAX_USER_CONNECTIONS 1");
    fixture_sql(fixture, "GRANT SELECT ON %s.* TO me_test_few@localhost", fixture->name);
    struct database *one = fixture_database(fixture, &settings);
    settings.database.host = (struct settings_list){hosts, ARRAY_LENGTH(hosts)};
    struct database *two = fixture_database(fixture, &settings);
    assert_stored(fixture, database_connect(one, &fixture->err));
    int64_t begin_us = clock_monotonic_us();
    assert_refused(fixture, STORE_UNAVAILABLE, database_connect(two, &fixture->err), "1226");
    assert_in_range(clock_monotonic_us() - begin_us, 900000, 3500000);
    database_free(one);
    database_free(two);
    fixture_kill_connections(fixture);
    fixture_sql(fixture, "DROP USER me_test_few@localhost");
    (void)close(listener);
    (void)unlink(path);
}

static void a_connection_found_in_a_transaction_is_closed(void **state)
{
    struct fixture *fixture = *state;
    assert_session(fixture, "1 = 1");
    database_begin_request(fixture->database);
    assert_true(database_close_idle(fixture->database, 0) >= 0);
    assert_stored(fixture,
                  database_run_text(fixture->database, STR("START TRANSACTION"), &fixture->err));
    database_begin_request(fixture->database);
    assert_int_equal(database_close_idle(fixture->database, 0), -1);
}

static void an_idle_connection_is_closed_when_due(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(database_close_idle(fixture->database, clock_monotonic_us()), -1);
    assert_session(fixture, "1 = 1");
    int64_t now_us = clock_monotonic_us();
    assert_in_range(database_close_idle(fixture->database, now_us), 59000, 60000);
    assert_in_range(database_close_idle(fixture->database, now_us + 59000000), 1, 1000);
    assert_int_equal(database_close_idle(fixture->database, now_us + 60000000), -1);
    fixture_kill_connections(fixture); /* waits until the server saw it too: none are left */
}

/* A transaction that renames Ann, with trouble in the try that is asked for. */
struct trouble {
    struct fixture *fixture;
    int tries;          /* so far */
    int in_try;         /* the first of them that meets the trouble */
    int until_try;      /* the last */
    bool kills_first;   /* before anything was done */
    bool kills_written; /* after the write */
    bool ignores_loss;
    bool conflicts;
    enum store_result end;
};

static enum store_result rename_ann(struct database *database, struct err *err)
{
    struct profile profile = {.id = fixture_id(1), .name = STR("Anna")};
    return profiles_update(database, &profile, err);
}

static enum store_result work(struct database *database, void *context, struct err *err)
{
    struct trouble *trouble = context;
    trouble->tries++;
    bool now = trouble->tries >= trouble->in_try && trouble->tries <= trouble->until_try;
    if (now && trouble->kills_first)
        fixture_kill_connections(trouble->fixture);
    if (now && trouble->conflicts)
        fixture_sql(trouble->fixture, "SELECT * FROM users FOR UPDATE");
    enum store_result result = rename_ann(database, err);
    if (trouble->conflicts)
        fixture_sql(trouble->fixture, "ROLLBACK");
    if (trouble->conflicts)
        fixture_sql(trouble->fixture, "START TRANSACTION");
    if (now && trouble->kills_written)
        fixture_kill_connections(trouble->fixture);
    return result == STORE_OK || trouble->ignores_loss ? trouble->end : result;
}

static enum store_result transact(struct trouble *trouble)
{
    struct fixture *fixture = trouble->fixture;
    add_ann(fixture);
    if (trouble->conflicts)
        fixture_sql(fixture, "START TRANSACTION");
    enum store_result result = database_transact(fixture->database, work, trouble, &fixture->err);
    fixture_sql(fixture, "COMMIT");
    return result;
}

static bool is_renamed(struct fixture *fixture)
{
    return fixture_number(fixture, "SELECT name = 'Anna' FROM users") == 1;
}

static void a_transaction_commits(void **state)
{
    struct trouble trouble = {.fixture = *state};
    assert_stored(trouble.fixture, transact(&trouble));
    assert_true(is_renamed(*state));
    assert_int_equal(trouble.tries, 1);
}

static void work_that_abandons_is_rolled_back(void **state)
{
    struct trouble trouble = {.fixture = *state, .end = STORE_ABANDONED};
    assert_int_equal(transact(&trouble), STORE_ABANDONED);
    assert_false(is_renamed(*state));
    assert_int_equal(trouble.tries, 1);
}

static void a_connection_that_died_idle_is_no_failure(void **state)
{
    struct trouble trouble = {.fixture = *state};
    assert_session(*state, "1 = 1");
    fixture_kill_connections(*state);
    assert_stored(trouble.fixture, transact(&trouble));
    assert_int_equal(trouble.tries, 1);
}

static enum store_result work_read(struct database *database, void *context, struct err *err)
{
    struct trouble *trouble = context;
    struct uuid ann = fixture_id(1);
    trouble->tries++;
    if (trouble->tries >= trouble->in_try && trouble->tries <= trouble->until_try)
        fixture_kill_connections(trouble->fixture);
    return users_lock(database, &ann, err);
}

static void a_loss_before_the_first_write_is_repeated_once(void **state)
{
    struct fixture *fixture = *state;
    struct trouble once = {.fixture = fixture, .in_try = 1, .until_try = 1};
    struct trouble always = {.fixture = fixture, .in_try = 1, .until_try = 99};
    add_ann(fixture);
    assert_stored(fixture, database_transact(fixture->database, work_read, &once, &fixture->err));
    assert_int_equal(once.tries, 2);
    assert_int_equal(database_transact(fixture->database, work_read, &always, &fixture->err),
                     STORE_LOST);
    assert_int_equal(always.tries, 2);
}

static void a_loss_with_a_write_is_told_and_nothing_was_done(void **state)
{
    struct trouble trouble = {.fixture = *state, .in_try = 1, .until_try = 1, .kills_first = true};
    assert_int_equal(transact(&trouble), STORE_LOST);
    assert_int_equal(trouble.tries, 1);
    assert_false(is_renamed(*state));
}

/* The work may not notice; the COMMIT must not run on another connection and succeed with nothing
 * in it. */
static void a_loss_that_the_work_ignored_is_never_ok(void **state)
{
    struct trouble trouble = {
        .fixture = *state, .in_try = 1, .until_try = 1, .kills_first = true, .ignores_loss = true};
    assert_int_equal(transact(&trouble), STORE_LOST);
    assert_false(is_renamed(*state));
}

static void a_commit_without_an_answer_is_in_doubt(void **state)
{
    struct trouble trouble = {
        .fixture = *state, .in_try = 1, .until_try = 1, .kills_written = true};
    assert_refused(trouble.fixture, STORE_IN_DOUBT, transact(&trouble), "COMMIT");
    assert_int_equal(trouble.tries, 1);
}

static void a_conflict_is_tried_again(void **state)
{
    struct trouble trouble = {.fixture = *state, .in_try = 1, .until_try = 3, .conflicts = true};
    assert_stored(trouble.fixture, transact(&trouble));
    assert_int_equal(trouble.tries, 4);
    assert_true(is_renamed(*state));
}

static void a_conflict_that_stays_is_told(void **state)
{
    struct trouble trouble = {.fixture = *state, .in_try = 1, .until_try = 99, .conflicts = true};
    int64_t begin_us = clock_monotonic_us();
    assert_refused(trouble.fixture, STORE_CONFLICT, transact(&trouble), "1205");
    assert_in_range(clock_monotonic_us() - begin_us, 1400000, 4000000);
    assert_in_range(trouble.tries, 4, 98);
    assert_false(is_renamed(*state));
}

/* After a conflict that the work did not tell of, what it goes on to write must not be committed
 * either. */
static void a_conflict_that_the_work_ignored_is_never_ok(void **state)
{
    struct trouble trouble = {
        .fixture = *state, .in_try = 1, .until_try = 99, .conflicts = true, .ignores_loss = true};
    assert_int_equal(transact(&trouble), STORE_CONFLICT);
    assert_false(is_renamed(*state));
}

static void a_transaction_is_over_when_it_ends(void **state)
{
    struct trouble trouble = {.fixture = *state, .end = STORE_NOT_FOUND};
    assert_int_equal(transact(&trouble), STORE_NOT_FOUND);
    database_begin_request(trouble.fixture->database);
    assert_true(database_close_idle(trouble.fixture->database, 0) >= 0);
}

static void statements_of_one_connection_do_not_mix(void **state)
{
    struct fixture *fixture = *state;
    struct uuid ann = fixture_id(1);
    add_ann(fixture);
    for (int i = 0; i < 50; i++) {
        assert_stored(fixture, users_set_fraud_score(fixture->database, &ann, i, &fixture->err));
        assert_stored(fixture, load(fixture));
    }
    assert_int_equal(fixture_number(fixture, "SELECT score FROM user_fraud_information"), 49);
}

static enum store_result lock_ann(struct database *database, void *context, struct err *err)
{
    const struct uuid id = fixture_id(1);
    const struct value in[] = {value_number(1),
                               value_text((struct str){(const char *)id.bytes, UUID_BYTES})};
    return database_run_counted(database, STATEMENT_RECORD_USERS_LOCKED, in, context, err);
}

/* The rows of this one are on their way when it finds the lock. */
static void a_statement_that_failed_among_its_rows_can_be_run_again(void **state)
{
    struct fixture *fixture = *state;
    int64_t rows = 0, begin_us;
    add_ann(fixture);
    fixture_sql(fixture, "START TRANSACTION");
    fixture_sql(fixture, "UPDATE users SET name = 'Eve'");
    assert_refused(fixture, STORE_CONFLICT,
                   database_transact(fixture->database, lock_ann, &rows, &fixture->err), "1205");
    fixture_sql(fixture, "COMMIT");
    begin_us = clock_monotonic_us();
    assert_stored(fixture, database_transact(fixture->database, lock_ann, &rows, &fixture->err));
    assert_int_equal(rows, 1);
    assert_true(clock_monotonic_us() - begin_us < 900 * 1000); /* a read times out after 1 s */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_session_is_set_up, fixture_reset),
        cmocka_unit_test_setup(files_of_this_machine_are_not_sent, fixture_reset),
        cmocka_unit_test_setup(a_lost_read_is_repeated, fixture_reset),
        cmocka_unit_test_setup(a_lost_write_outside_of_a_transaction_is_in_doubt, fixture_reset),
        cmocka_unit_test_setup(no_server_is_unavailable, fixture_reset),
        cmocka_unit_test_setup(the_first_host_that_answers_is_taken, fixture_reset),
        cmocka_unit_test_setup(a_host_that_cannot_be_is_an_error, fixture_reset),
        cmocka_unit_test_setup(a_silent_server_is_given_up, fixture_reset),
        cmocka_unit_test_setup(a_silent_host_is_asked_once, fixture_reset),
        cmocka_unit_test_setup(
            a_silent_host_beside_one_that_is_full_costs_its_time_out_twice_at_most, fixture_reset),
        cmocka_unit_test_setup(the_first_host_is_gone_back_to, fixture_reset),
        cmocka_unit_test_setup(a_slow_answer_is_given_up, fixture_reset),
        cmocka_unit_test_setup(a_database_that_is_not_migrated_says_so, fixture_reset),
        cmocka_unit_test_setup(a_column_that_is_missing_says_so, fixture_reset),
        cmocka_unit_test_setup(no_database_and_no_account_say_what_to_do, fixture_reset),
        cmocka_unit_test_setup(too_many_connections_are_unavailable, fixture_reset),
        cmocka_unit_test_setup(a_connection_found_in_a_transaction_is_closed, fixture_reset),
        cmocka_unit_test_setup(an_idle_connection_is_closed_when_due, fixture_reset),
        cmocka_unit_test_setup(a_transaction_commits, fixture_reset),
        cmocka_unit_test_setup(work_that_abandons_is_rolled_back, fixture_reset),
        cmocka_unit_test_setup(a_connection_that_died_idle_is_no_failure, fixture_reset),
        cmocka_unit_test_setup(a_loss_before_the_first_write_is_repeated_once, fixture_reset),
        cmocka_unit_test_setup(a_loss_with_a_write_is_told_and_nothing_was_done, fixture_reset),
        cmocka_unit_test_setup(a_loss_that_the_work_ignored_is_never_ok, fixture_reset),
        cmocka_unit_test_setup(a_commit_without_an_answer_is_in_doubt, fixture_reset),
        cmocka_unit_test_setup(a_conflict_is_tried_again, fixture_reset),
        cmocka_unit_test_setup(a_conflict_that_stays_is_told, fixture_reset),
        cmocka_unit_test_setup(a_conflict_that_the_work_ignored_is_never_ok, fixture_reset),
        cmocka_unit_test_setup(a_transaction_is_over_when_it_ends, fixture_reset),
        cmocka_unit_test_setup(statements_of_one_connection_do_not_mix, fixture_reset),
        cmocka_unit_test_setup(a_statement_that_failed_among_its_rows_can_be_run_again,
                               fixture_reset),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
