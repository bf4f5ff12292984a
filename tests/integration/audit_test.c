/* The audit trail: who may write it, and what is read, counted and removed of it, however long. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "store/audit.h"

enum { READ_MAX = 4096 };

static int reset(void **state)
{
    fixture_sql(*state, "TRUNCATE profile_changes");
    return fixture_reset(state);
}

/* 2025-01-01, from when on the rows of add_rows are. */
#define BEGIN_MS INT64_C(1735689600000)

/* So many rows of three users in turn, with the ids from 1 on, ten of them in each second. */
static void add_rows(struct fixture *fixture, int count)
{
    fixture_sql(fixture,
                "INSERT INTO profile_changes (user_id, request_id, members, changed_at)"
                " SELECT REPEAT(CHAR(seq %% 3 + 1), 16), CONCAT('r', seq), 'name,bio',"
                " '2025-01-01' + INTERVAL (seq - 1) DIV 10 SECOND FROM seq_1_to_%d",
                count);
}

static int64_t count_rows(struct fixture *fixture)
{
    return fixture_number(fixture, "SELECT COUNT(*) FROM profile_changes");
}

static const struct audit_range everything = {.since_ms = INT64_MIN, .until_ms = INT64_MAX};

/* The ids that a list visits, in its order. */
struct visited {
    int64_t ids[READ_MAX];
    size_t count, stop_at; /* 0: never */
};

static bool note(void *context, const struct audit_row *row)
{
    struct visited *visited = context;
    assert_true(visited->count < READ_MAX);
    visited->ids[visited->count++] = row->id;
    return visited->count != visited->stop_at;
}

static struct visited list(struct fixture *fixture, const struct audit_range *range,
                           enum audit_order order, int64_t limit)
{
    struct visited visited = {.count = 0};
    assert_stored(
        fixture, audit_list(fixture->database, range, order, limit, note, &visited, &fixture->err));
    return visited;
}

static void assert_ids(const struct visited *visited, const int64_t *ids, size_t count)
{
    assert_int_equal(visited->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(visited->ids[i], ids[i]);
}

#define ASSERT_IDS(visited, ...)                                                                   \
    assert_ids(&(visited), (const int64_t[]){__VA_ARGS__},                                         \
               ARRAY_LENGTH(((const int64_t[]){__VA_ARGS__})))

/* ---- one row */

/* A copy of the texts, whose originals are gone after the visit. */
struct kept {
    struct arena *arena;
    struct audit_row row;
};

static bool keep(void *context, const struct audit_row *row)
{
    struct kept *kept = context;
    struct audit_entry *entry = &kept->row.entry;
    kept->row = *row;
    assert_true(arena_copy(kept->arena, row->entry.request_id, &entry->request_id) &&
                arena_copy(kept->arena, row->entry.issuer, &entry->issuer) &&
                arena_copy(kept->arena, row->entry.client, &entry->client) &&
                arena_copy(kept->arena, row->entry.members, &entry->members) &&
                arena_copy(kept->arena, row->entry.values, &entry->values));
    return true;
}

static struct audit_row newest(struct fixture *fixture)
{
    struct kept kept = {.arena = fixture->arena};
    assert_stored(fixture, audit_list(fixture->database, &everything, AUDIT_NEWEST_FIRST, 1, keep,
                                      &kept, &fixture->err));
    return kept.row;
}

static struct audit_entry entry_with(struct str values)
{
    return (struct audit_entry){.user = fixture_id(7),
                                .request_id = STR("request-1"),
                                .issuer = STR("https://login.example.com"),
                                .client = STR("web"),
                                .members = STR("name,timezone"),
                                .values = values};
}

static void a_row_comes_back_as_it_was_added(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_entry entry = entry_with(STR("{\"name\":{\"old\":\"\xC3\xA9\",\"new\":1}}"));
    assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
    struct audit_row row = newest(fixture);
    assert_true(uuid_equal(&row.entry.user, &entry.user));
    assert_str_equal(row.entry.request_id, "request-1");
    assert_str_equal(row.entry.issuer, "https://login.example.com");
    assert_str_equal(row.entry.client, "web");
    assert_str_equal(row.entry.members, "name,timezone");
    assert_str_equal(row.entry.values, "{\"name\":{\"old\":\"\xC3\xA9\",\"new\":1}}");
}

static void what_is_unset_is_null(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_entry entry = {
        .user = fixture_id(7), .request_id = STR("r"), .members = STR("bio")};
    assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
    struct audit_row row = newest(fixture);
    assert_false(str_is_set(row.entry.issuer));
    assert_false(str_is_set(row.entry.client));
    assert_false(str_is_set(row.entry.values));
}

static void id_and_time_are_the_databases(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_entry entry = entry_with(STR_NONE);
    int64_t last_id = 0;
    for (int i = 0; i < 3; i++) {
        assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
        struct audit_row row = newest(fixture);
        assert_true(row.id > last_id);
        assert_true(llabs(row.changed_ms - clock_now_ms()) < 60000);
        last_id = row.id;
    }
}

static void claims_of_any_length_are_kept_whole(void **state)
{
    struct fixture *fixture = *state;
    struct audit_entry entry = entry_with(STR_NONE);
    struct buf claim;
    buf_init(&claim, 65535);
    for (size_t i = 0; i < 65535; i++)
        buf_append_byte(&claim, 'c');
    entry.issuer = entry.client = buf_str(&claim);
    assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
    struct audit_row row = newest(fixture);
    assert_true(str_equal(row.entry.issuer, buf_str(&claim)));
    assert_true(str_equal(row.entry.client, buf_str(&claim)));
    buf_free(&claim);
}

static void values_fit_up_to_their_cap_and_are_refused_above(void **state)
{
    struct fixture *fixture = *state;
    struct buf values;
    buf_init(&values, AUDIT_VALUES_MAX_BYTES + 1);
    buf_append_byte(&values, '"');
    for (size_t i = 0; i < AUDIT_VALUES_MAX_BYTES - 2; i++)
        buf_append_byte(&values, 'v');
    buf_append_byte(&values, '"');
    struct audit_entry entry = entry_with(buf_str(&values));
    assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
    assert_true(str_equal(newest(fixture).entry.values, buf_str(&values)));
    buf_append_byte(&values, ' ');
    entry.values = buf_str(&values);
    assert_refused(fixture, STORE_REFUSED, audit_add(fixture->database, &entry, &fixture->err),
                   "too long");
    assert_int_equal(count_rows(fixture), 1);
    buf_free(&values);
}

/* Whatever the server says of it, no part of a value is in what the log gets. */
static void a_value_that_is_refused_is_not_reported(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_entry entry = entry_with(STR("{\"name\":\"secret \xF0\x9F\x98\x80\"}"));
    fixture_sql(fixture, "ALTER TABLE profile_changes MODIFY member_values MEDIUMTEXT"
                         " CHARACTER SET latin1");
    assert_refused(fixture, STORE_REFUSED, audit_add(fixture->database, &entry, &fixture->err),
                   "character set");
    assert_null(strstr(fixture->err.text, "secret"));
    assert_null(strstr(fixture->err.text, "xF0"));
    fixture_sql(fixture, "ALTER TABLE profile_changes MODIFY member_values MEDIUMTEXT"
                         " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");
}

/* ---- lists */

static void lists_by_time_and_then_id_in_both_orders(void **state)
{
    struct fixture *fixture = *state;
    add_rows(fixture, 12);
    fixture_sql(fixture, "UPDATE profile_changes SET changed_at = '2024-01-01' WHERE id = 12");
    struct visited oldest = list(fixture, &everything, AUDIT_OLDEST_FIRST, INT64_MAX);
    struct visited latest = list(fixture, &everything, AUDIT_NEWEST_FIRST, INT64_MAX);
    ASSERT_IDS(oldest, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    ASSERT_IDS(latest, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 12);
}

static void a_range_has_its_beginning_in_it_and_not_its_end(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_range second = {.since_ms = BEGIN_MS + 1000, .until_ms = BEGIN_MS + 2000};
    const struct audit_range later = {.since_ms = BEGIN_MS + 1001, .until_ms = BEGIN_MS + 2001};
    const struct audit_range none = {.since_ms = BEGIN_MS + 2000, .until_ms = BEGIN_MS};
    add_rows(fixture, 40);
    for (enum audit_order order = AUDIT_OLDEST_FIRST; order < AUDIT_ORDER__MAX; order++) {
        struct visited visited = list(fixture, &second, order, INT64_MAX);
        assert_int_equal(visited.count, 10);
        assert_int_equal(visited.ids[0], order == AUDIT_OLDEST_FIRST ? 11 : 20);
        visited = list(fixture, &later, order, INT64_MAX);
        assert_int_equal(visited.ids[0], order == AUDIT_OLDEST_FIRST ? 21 : 30);
        visited = list(fixture, &none, order, INT64_MAX);
        assert_int_equal(visited.count, 0);
    }
}

static void a_range_can_be_of_one_user(void **state)
{
    struct fixture *fixture = *state;
    struct uuid user = fixture_id(2);
    const struct audit_range range = {
        .user = &user, .since_ms = BEGIN_MS + 1000, .until_ms = BEGIN_MS + 2000};
    add_rows(fixture, 40);
    struct visited visited = list(fixture, &range, AUDIT_OLDEST_FIRST, INT64_MAX);
    ASSERT_IDS(visited, 13, 16, 19);
    visited = list(fixture, &range, AUDIT_NEWEST_FIRST, 2);
    ASSERT_IDS(visited, 19, 16);
}

/* More than fit one page, many of them with the time of their neighbours. */
static void every_row_is_visited_once(void **state)
{
    struct fixture *fixture = *state;
    add_rows(fixture, 2000);
    for (int64_t limit = 255; limit < 2100; limit += 257) {
        size_t count = limit < 2000 ? (size_t)limit : 2000;
        struct visited oldest = list(fixture, &everything, AUDIT_OLDEST_FIRST, limit);
        struct visited latest = list(fixture, &everything, AUDIT_NEWEST_FIRST, limit);
        assert_int_equal(oldest.count, count);
        assert_int_equal(latest.count, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(oldest.ids[i], i + 1);
            assert_int_equal(latest.ids[i], 2000 - i);
        }
    }
}

static void a_visit_ends_the_list(void **state)
{
    static const size_t stops[] = {1, 256, 257};
    struct fixture *fixture = *state;
    add_rows(fixture, 600);
    for (size_t i = 0; i < ARRAY_LENGTH(stops); i++) {
        struct visited visited = {.stop_at = stops[i]};
        assert_stored(fixture, audit_list(fixture->database, &everything, AUDIT_OLDEST_FIRST,
                                          INT64_MAX, note, &visited, &fixture->err));
        assert_int_equal(visited.count, stops[i]);
    }
}

static void there_is_nothing_in_an_empty_trail(void **state)
{
    struct fixture *fixture = *state;
    int64_t count = -1;
    assert_int_equal(list(fixture, &everything, AUDIT_NEWEST_FIRST, INT64_MAX).count, 0);
    assert_stored(fixture, audit_count(fixture->database, &everything, &count, &fixture->err));
    assert_int_equal(count, 0);
    assert_stored(fixture,
                  audit_prune(fixture->database, &everything, NULL, NULL, &count, &fixture->err));
    assert_int_equal(count, 0);
}

/* ---- many rows */

static int64_t count_range(struct fixture *fixture, const struct audit_range *range)
{
    int64_t count = -1;
    assert_stored(fixture, audit_count(fixture->database, range, &count, &fixture->err));
    return count;
}

static void counts_more_rows_than_one_statement_looks_at(void **state)
{
    struct fixture *fixture = *state;
    struct uuid user = fixture_id(2);
    const struct audit_range of_user = {
        .user = &user, .since_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct audit_range range = {.since_ms = BEGIN_MS, .until_ms = BEGIN_MS + 10000 * 1000};
    add_rows(fixture, 200001);
    assert_int_equal(count_range(fixture, &everything), 200001);
    assert_int_equal(count_range(fixture, &of_user), 66667);
    assert_int_equal(count_range(fixture, &range), 100000);
    range.until_ms = BEGIN_MS + 9999 * 1000;
    assert_int_equal(count_range(fixture, &range), 99990);
}

/* How many rows the server looked at, in any way, since FLUSH STATUS. */
static int64_t rows_looked_at(struct fixture *fixture)
{
    assert_stored(fixture, database_run_text(fixture->database,
                                             STR("REPLACE INTO counted SELECT SUM(VARIABLE_VALUE)"
                                                 " FROM information_schema.SESSION_STATUS"
                                                 " WHERE VARIABLE_NAME LIKE 'HANDLER_READ%'"),
                                             &fixture->err));
    return fixture_number(fixture, "SELECT MAX(looked) FROM counted");
}

static void start_counting(struct fixture *fixture)
{
    fixture_sql(fixture, "DELETE FROM counted");
    assert_stored(fixture,
                  database_run_text(fixture->database, STR("FLUSH STATUS"), &fixture->err));
}

/* In the middle of many rows, of one user or all, as at their ends. */
static void a_page_of_many_rows_is_read_by_an_index(void **state)
{
    struct fixture *fixture = *state;
    struct uuid user = fixture_id(2);
    struct audit_range range = {.since_ms = BEGIN_MS + 3000 * 1000, .until_ms = INT64_MAX};
    add_rows(fixture, 100000);
    fixture_sql(fixture, "CREATE TABLE counted (looked BIGINT NOT NULL)");
    for (int i = 0; i < 4; i++) {
        range.user = i % 2 == 0 ? NULL : &user;
        start_counting(fixture);
        assert_int_equal(
            list(fixture, &range, i < 2 ? AUDIT_OLDEST_FIRST : AUDIT_NEWEST_FIRST, 10).count, 10);
        assert_in_range(rows_looked_at(fixture), 10, 1000);
    }
    fixture_sql(fixture, "DROP TABLE counted");
}

/* ---- removing */

/* How many rows were gone each time. */
struct told {
    int64_t last, step_max;
    size_t times;
};

static void tell(void *context, int64_t count)
{
    struct told *told = context;
    if (count - told->last > told->step_max)
        told->step_max = count - told->last;
    told->last = count;
    told->times++;
}

static int64_t prune(struct fixture *fixture, const struct audit_range *range, struct told *told)
{
    int64_t count = -1;
    *told = (struct told){.times = 0};
    assert_stored(fixture,
                  audit_prune(fixture->database, range, tell, told, &count, &fixture->err));
    assert_int_equal(told->last, count);
    return count;
}

static void removes_what_is_older_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_range range = {.since_ms = INT64_MIN, .until_ms = BEGIN_MS + 250 * 1000};
    struct told told;
    add_rows(fixture, 4000);
    assert_int_equal(prune(fixture, &range, &told), 2500);
    assert_int_equal(told.step_max, 1000);
    assert_int_equal(told.times, 3);
    assert_int_equal(fixture_number(fixture, "SELECT MIN(id) FROM profile_changes"), 2501);
    assert_int_equal(count_rows(fixture), 1500);
    assert_int_equal(prune(fixture, &range, &told), 0);
    assert_int_equal(count_rows(fixture), 1500);
}

static void removes_what_is_of_one_user(void **state)
{
    struct fixture *fixture = *state;
    struct uuid user = fixture_id(3);
    const struct audit_range range = {.user = &user, .since_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct told told;
    add_rows(fixture, 4500);
    assert_int_equal(prune(fixture, &range, &told), 1500);
    assert_int_equal(count_rows(fixture), 3000);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM profile_changes"
                                             " WHERE user_id = " FIXTURE_ID("03")),
                     0);
}

static void a_thousand_rows_with_one_time_are_removed_as_well(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_range range = {.since_ms = INT64_MIN, .until_ms = BEGIN_MS + 1};
    struct told told;
    add_rows(fixture, 3000);
    fixture_sql(fixture, "UPDATE profile_changes SET changed_at = '2025-01-01' WHERE id <= 2000");
    assert_int_equal(prune(fixture, &range, &told), 2000);
    assert_int_equal(told.step_max, 1000);
    assert_int_equal(fixture_number(fixture, "SELECT MIN(id) FROM profile_changes"), 2001);
}

/* Also where what was removed cannot be cleared away, since somebody still reads it. */
static void each_batch_looks_at_its_own_rows_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_range range = {.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct told told;
    add_rows(fixture, 20000);
    fixture_sql(fixture, "CREATE TABLE counted (looked BIGINT NOT NULL)");
    fixture_sql(fixture, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    fixture_sql(fixture, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    assert_stored(fixture,
                  database_run_text(fixture->database, STR("FLUSH STATUS"), &fixture->err));
    assert_int_equal(prune(fixture, &range, &told), 20000);
    assert_int_equal(told.times, 21);
    fixture_sql(fixture, "COMMIT");
    assert_in_range(rows_looked_at(fixture), 20000, 80000);
    fixture_sql(fixture, "DROP TABLE counted");
}

/* A row that somebody adds meanwhile is not waited for, unless it is the very next one. */
static void does_not_meet_those_who_add(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_range range = {.since_ms = INT64_MIN, .until_ms = clock_now_ms() - 60000};
    const struct audit_entry entry = entry_with(STR_NONE);
    struct told told;
    add_rows(fixture, 50);
    assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
    fixture_sql(fixture, "START TRANSACTION");
    fixture_sql(fixture, "INSERT INTO profile_changes (user_id, request_id, members)"
                         " VALUES (" FIXTURE_ID("01") ", 'r', 'bio')");
    assert_int_equal(prune(fixture, &range, &told), 50);
    fixture_sql(fixture, "COMMIT");
    assert_int_equal(count_rows(fixture), 2);
}

static void what_is_gone_is_told_where_the_rest_is_held(void **state)
{
    struct fixture *fixture = *state;
    int64_t count = -1;
    add_rows(fixture, 2500);
    fixture_sql(fixture, "START TRANSACTION");
    fixture_sql(fixture, "SELECT id FROM profile_changes WHERE id = 1700 FOR UPDATE");
    assert_refused(fixture, STORE_CONFLICT,
                   audit_prune(fixture->database, &everything, NULL, NULL, &count, &fixture->err),
                   "audit_remove");
    fixture_sql(fixture, "COMMIT");
    assert_int_equal(count, 1000);
    assert_int_equal(count_rows(fixture), 1500);
}

/* ---- who may do what */

#define ADD_SQL                                                                                    \
    " INTO profile_changes (user_id, request_id, members) VALUES (REPEAT('a', 16), 'r', 'bio')"

static struct database *worker_with(struct fixture *fixture, struct settings *settings,
                                    enum settings_audit level)
{
    *settings = fixture->settings;
    settings->audit.level = (int64_t)level;
    settings->database.user = "me_test_audit";
    settings->database.password = "audit";
    fixture_grant(fixture, settings, DATABASE_WORKER);
    return fixture_database(fixture, settings);
}

static void forget_worker(struct fixture *fixture, struct database *worker)
{
    database_free(worker);
    fixture_sql(fixture, "DROP USER me_test_audit@localhost");
}

static void the_worker_adds_and_can_do_nothing_else(void **state)
{
    static const char *const denied[] = {
        "SELECT COUNT(*) FROM profile_changes",
        "SELECT 1 FROM profile_changes",
        "SELECT id FROM profile_changes LIMIT 0",
        "UPDATE profile_changes SET client = 'other'",
        "UPDATE profile_changes SET members = 'bio' WHERE id = 0",
        "DELETE FROM profile_changes",
        "DELETE FROM profile_changes WHERE id = 0",
        "TRUNCATE profile_changes",
        "DROP TABLE profile_changes",
        "ALTER TABLE profile_changes DROP CONSTRAINT profile_changes_values_are_json",
        "REPLACE" ADD_SQL,
        "INSERT" ADD_SQL " ON DUPLICATE KEY UPDATE members = 'name'",
        "INSERT" ADD_SQL " RETURNING id",
        "INSERT INTO profile_changes (user_id, request_id, members, id)"
        " VALUES (REPEAT('a', 16), 'r', 'bio', 1)",
        "INSERT INTO profile_changes (user_id, request_id, members, changed_at)"
        " VALUES (REPEAT('a', 16), 'r', 'bio', '2000-01-01')",
        "INSERT INTO profile_changes (user_id, request_id, members)"
        " SELECT user_id, request_id, members FROM profile_changes",
        "LOCK TABLES profile_changes WRITE",
    };
    struct fixture *fixture = *state;
    struct settings settings;
    const struct audit_entry entry = entry_with(STR("{}"));
    struct database *worker = worker_with(fixture, &settings, SETTINGS_AUDIT_MEMBERS);
    assert_stored(fixture, audit_probe(worker, &fixture->err));
    assert_int_equal(count_rows(fixture), 0);
    assert_stored(fixture, audit_add(worker, &entry, &fixture->err));
    for (size_t i = 0; i < ARRAY_LENGTH(denied); i++)
        assert_refused(fixture, STORE_UNAVAILABLE,
                       database_run_text(worker, str_from(denied[i]), &fixture->err), "denied");
    assert_int_equal(count_rows(fixture), 1);
    assert_str_equal(newest(fixture).entry.client, "web");
    forget_worker(fixture, worker);
}

static void without_the_right_nothing_is_added(void **state)
{
    struct fixture *fixture = *state;
    struct settings settings;
    const struct audit_entry entry = entry_with(STR_NONE);
    struct database *worker = worker_with(fixture, &settings, SETTINGS_AUDIT_OFF);
    assert_refused(fixture, STORE_UNAVAILABLE, audit_probe(worker, &fixture->err),
                   "--print-grants");
    assert_refused(fixture, STORE_UNAVAILABLE, audit_add(worker, &entry, &fixture->err), "denied");
    assert_int_equal(count_rows(fixture), 0);
    forget_worker(fixture, worker);
}

static void without_the_table_it_is_told_to_migrate(void **state)
{
    struct fixture *fixture = *state;
    const struct audit_entry entry = entry_with(STR_NONE);
    fixture_sql(fixture, "RENAME TABLE profile_changes TO elsewhere");
    assert_refused(fixture, STORE_UNAVAILABLE, audit_probe(fixture->database, &fixture->err),
                   "mectl migrate");
    assert_refused(fixture, STORE_UNAVAILABLE, audit_add(fixture->database, &entry, &fixture->err),
                   "mectl migrate");
    fixture_sql(fixture, "RENAME TABLE elsewhere TO profile_changes");
    assert_stored(fixture, audit_add(fixture->database, &entry, &fixture->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_row_comes_back_as_it_was_added, reset),
        cmocka_unit_test_setup(what_is_unset_is_null, reset),
        cmocka_unit_test_setup(id_and_time_are_the_databases, reset),
        cmocka_unit_test_setup(claims_of_any_length_are_kept_whole, reset),
        cmocka_unit_test_setup(values_fit_up_to_their_cap_and_are_refused_above, reset),
        cmocka_unit_test_setup(a_value_that_is_refused_is_not_reported, reset),
        cmocka_unit_test_setup(lists_by_time_and_then_id_in_both_orders, reset),
        cmocka_unit_test_setup(a_range_has_its_beginning_in_it_and_not_its_end, reset),
        cmocka_unit_test_setup(a_range_can_be_of_one_user, reset),
        cmocka_unit_test_setup(every_row_is_visited_once, reset),
        cmocka_unit_test_setup(a_visit_ends_the_list, reset),
        cmocka_unit_test_setup(there_is_nothing_in_an_empty_trail, reset),
        cmocka_unit_test_setup(counts_more_rows_than_one_statement_looks_at, reset),
        cmocka_unit_test_setup(a_page_of_many_rows_is_read_by_an_index, reset),
        cmocka_unit_test_setup(removes_what_is_older_and_nothing_else, reset),
        cmocka_unit_test_setup(removes_what_is_of_one_user, reset),
        cmocka_unit_test_setup(a_thousand_rows_with_one_time_are_removed_as_well, reset),
        cmocka_unit_test_setup(each_batch_looks_at_its_own_rows_alone, reset),
        cmocka_unit_test_setup(does_not_meet_those_who_add, reset),
        cmocka_unit_test_setup(what_is_gone_is_told_where_the_rest_is_held, reset),
        cmocka_unit_test_setup(the_worker_adds_and_can_do_nothing_else, reset),
        cmocka_unit_test_setup(without_the_right_nothing_is_added, reset),
        cmocka_unit_test_setup(without_the_table_it_is_told_to_migrate, reset),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
