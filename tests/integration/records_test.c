/* Many users at once: bulk writes, one moment for all reads, batches of changes. */
#include "fixture.h"

#include <stdio.h>

#include "profile/badge.h"
#include "store/records.h"

enum { ARENA_MAX_BYTES = 64 * 1024 * 1024, BADGE_COLUMNS = 3 };

static void add_ann(struct fixture *fixture)
{
    fixture_sql(fixture, "INSERT INTO users (id, status, name) VALUES (" FIXTURE_ID(
                             "01") ", 'active', 'Ann')");
}

/* ---- bulk writes */

struct bulk_work {
    enum statement_id statement;
    const struct value *values;
    size_t rows;
};

static enum store_result work_bulk(struct database *database, void *context, struct err *err)
{
    const struct bulk_work *work = context;
    return database_run_bulk(database, work->statement, work->values, work->rows, err);
}

static enum store_result add_badges(struct fixture *fixture, const struct value *values,
                                    size_t rows)
{
    struct bulk_work work = {STATEMENT_BADGE_ADD, values, rows};
    return database_transact(fixture->database, work_bulk, &work, &fixture->err);
}

static void a_bulk_of_no_rows_is_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_stored(fixture, add_badges(fixture, NULL, 0));
}

static void bulks_of_any_length_one_after_the_other(void **state)
{
    static const size_t lengths[] = {1, 3, 2, 300, 1};
    struct fixture *fixture = *state;
    const struct uuid ann = fixture_id(1);
    struct value values[300 * BADGE_COLUMNS];
    char names[300][24];
    int64_t expected = 0;
    add_ann(fixture);
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        char scope[24];
        (void)snprintf(scope, sizeof(scope), "s%zu", i);
        for (size_t row = 0; row < lengths[i]; row++) {
            (void)snprintf(names[row], sizeof(names[row]), "n%zu", row);
            values[row * BADGE_COLUMNS] = value_uuid(&ann);
            values[row * BADGE_COLUMNS + 1] = value_text(str_from(scope));
            values[row * BADGE_COLUMNS + 2] = value_text(str_from(names[row]));
        }
        assert_stored(fixture, add_badges(fixture, values, lengths[i]));
        expected += (int64_t)lengths[i];
        assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM user_badges"), expected);
    }
}

static void every_type_and_null_in_one_bulk(void **state)
{
    struct fixture *fixture = *state;
    const struct uuid ann = fixture_id(1), bob = fixture_id(2);
    const struct value none = value_text(STR_NONE);
    const struct value values[] = {value_uuid(&ann),
                                   value_text(STR("active")),
                                   value_text(STR("\xC3\x84nn")),
                                   value_text(STR("")),
                                   value_time(-62135596800000),
                                   value_time(253402300799999),
                                   none,
                                   none,
                                   none,
                                   value_uuid(&bob),
                                   value_text(STR("banned")),
                                   value_text(STR("Bob")),
                                   none,
                                   value_time(1751508862094),
                                   value_time(0),
                                   value_text(STR("https://example.com/")),
                                   value_text(STR("de")),
                                   value_text(STR("Europe/Berlin"))};
    struct bulk_work work = {STATEMENT_RECORD_USER_ADD, values, 2};
    assert_stored(fixture, database_transact(fixture->database, work_bulk, &work, &fixture->err));
    assert_int_equal(
        fixture_number(fixture, "SELECT COUNT(*) FROM users WHERE id = " FIXTURE_ID(
                                    "01") " AND name = '\xC3\x84nn' AND bio = '' AND locale IS NULL"
                                          " AND created_at = '0001-01-01' AND updated_at ="
                                          " '9999-12-31 23:59:59.999'"),
        1);
    assert_int_equal(
        fixture_number(fixture, "SELECT COUNT(*) FROM users WHERE id = " FIXTURE_ID(
                                    "02") " AND bio IS NULL AND avatar_url = 'https://example.com/'"
                                          " AND created_at = '2025-07-03 02:14:22.094'"
                                          " AND updated_at = '1970-01-01'"),
        1);
}

static void a_bulk_that_is_refused_leaves_nothing(void **state)
{
    static char long_name[BADGE_PART_MAX_BYTES * UTF8_MAX_BYTES + 1];
    struct fixture *fixture = *state;
    const struct uuid ann = fixture_id(1);
    const struct value id = value_uuid(&ann), scope = value_text(STR("s"));
    const struct value twice[] = {id, scope, value_text(STR("a")), id, scope, value_text(STR("b")),
                                  id, scope, value_text(STR("a"))};
    const struct value too_long[] = {
        id, scope, value_text(STR("a")),
        id, scope, value_text((struct str){long_name, sizeof(long_name)})};
    const struct value null[] = {id, scope, value_text(STR("a")), id, scope, value_text(STR_NONE)};
    add_ann(fixture);
    memset(long_name, 'x', sizeof(long_name));
    assert_refused(fixture, STORE_DUPLICATE, add_badges(fixture, twice, 3), "badge_add");
    assert_refused(fixture, STORE_REFUSED, add_badges(fixture, too_long, 2), "name is too long");
    assert_refused(fixture, STORE_REFUSED, add_badges(fixture, null, 2), "badge_add");
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM user_badges"), 0);
    assert_stored(fixture, add_badges(fixture, twice, 2));
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM user_badges"), 2);
}

/* ---- one moment */

static enum store_result count_twice(struct database *database, void *context, struct err *err)
{
    struct fixture *fixture = context;
    int64_t first = 0, second = 0;
    enum store_result result = records_count(database, &first, err);
    fixture_sql(fixture, "INSERT INTO users (id, name) VALUES (" FIXTURE_ID("02") ", 'Bob')");
    if (result == STORE_OK)
        result = records_count(database, &second, err);
    assert_int_equal(first, 1);
    assert_int_equal(second, 1);
    return result;
}

static void a_snapshot_stays_as_it_was_and_ends_with_its_transaction(void **state)
{
    struct fixture *fixture = *state;
    int64_t count = 0;
    add_ann(fixture);
    assert_stored(fixture,
                  database_read_snapshot(fixture->database, count_twice, fixture, &fixture->err));
    assert_stored(fixture, records_count(fixture->database, &count, &fixture->err));
    assert_int_equal(count, 2);
}

static enum store_result write_in_snapshot(struct database *database, void *context,
                                           struct err *err)
{
    (void)context;
    const struct uuid ann = fixture_id(1);
    const struct value in[] = {value_uuid(&ann)};
    return database_run_counted(database, STATEMENT_FRAUD_REMOVE, in, NULL, err);
}

static void nothing_is_written_in_a_snapshot(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(
        fixture, STORE_UNAVAILABLE,
        database_read_snapshot(fixture->database, write_in_snapshot, NULL, &fixture->err), "1792");
}

/* ---- batches */

static size_t name_field(void)
{
    return record_field_find(RECORD_USERS, STR("name"));
}

/* A user with a name and nothing else. */
static struct record_change change_of(struct arena *arena, unsigned char id, struct str name)
{
    struct record_change change = {.id = fixture_id(id),
                                   .modes = {[RECORD_USERS] = RECORD_REPLACE}};
    struct record_row *row = record_rows_add(&change.tables[RECORD_USERS], arena);
    assert_non_null(row);
    row->values[0] = (struct record_value){.is_told = true, .is_set = true, .uuid = change.id};
    row->values[name_field()] =
        (struct record_value){.is_told = true, .is_set = true, .text = name};
    return change;
}

static void a_batch_as_large_as_may_be_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    struct record_change changes[RECORDS_MAX];
    struct records_outcome outcomes[RECORDS_MAX];
    struct arena *arena = arena_new(ARENA_MAX_BYTES);
    const struct records_batch batch = {
        .changes = changes, .count = RECORDS_MAX, .arena = arena, .outcomes = outcomes};
    for (size_t i = 0; i < RECORDS_MAX; i++) /* 7 and 256 have no factor in common */
        changes[i] = change_of(fixture->arena, (unsigned char)(i * 7), STR("Ann"));
    assert_stored(fixture, records_apply(fixture->database, &batch, &fixture->err));
    for (size_t i = 0; i < RECORDS_MAX; i++)
        assert_int_equal(outcomes[i].outcome, RECORD_ADDED);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(DISTINCT id) FROM users"), RECORDS_MAX);
    assert_stored(fixture, records_apply(fixture->database, &batch, &fixture->err));
    for (size_t i = 0; i < RECORDS_MAX; i++)
        assert_int_equal(outcomes[i].outcome, RECORD_UNCHANGED);
    arena_free(arena);
}

static void a_batch_that_does_not_fit_into_memory_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct arena *small = arena_new(1);
    struct record_change change = change_of(fixture->arena, 1, STR("Ann"));
    struct records_outcome outcome;
    const struct records_batch batch = {
        .changes = &change, .count = 1, .arena = small, .outcomes = &outcome};
    add_ann(fixture);
    fixture_sql(fixture, "UPDATE users SET bio = REPEAT('x', 4096)");
    fixture_sql(fixture, "UPDATE users SET avatar_url = REPEAT('\xF0\x9F\x98\x80', 2048), bio ="
                         " REPEAT('\xF0\x9F\x98\x80', 4096)");
    assert_refused(fixture, STORE_REFUSED, records_apply(fixture->database, &batch, &fixture->err),
                   "memory");
    arena_free(small);
}

static void the_pages_of_no_users(void **state)
{
    struct fixture *fixture = *state;
    struct records_page page = {.tables = RECORDS_ALL_TABLES, .arena = fixture->arena};
    assert_stored(fixture, records_read(fixture->database, NULL, &page, &fixture->err));
    assert_int_equal(page.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_bulk_of_no_rows_is_nothing, fixture_reset),
        cmocka_unit_test_setup(bulks_of_any_length_one_after_the_other, fixture_reset),
        cmocka_unit_test_setup(every_type_and_null_in_one_bulk, fixture_reset),
        cmocka_unit_test_setup(a_bulk_that_is_refused_leaves_nothing, fixture_reset),
        cmocka_unit_test_setup(a_snapshot_stays_as_it_was_and_ends_with_its_transaction,
                               fixture_reset),
        cmocka_unit_test_setup(nothing_is_written_in_a_snapshot, fixture_reset),
        cmocka_unit_test_setup(a_batch_as_large_as_may_be_in_any_order, fixture_reset),
        cmocka_unit_test_setup(a_batch_that_does_not_fit_into_memory_is_refused, fixture_reset),
        cmocka_unit_test_setup(the_pages_of_no_users, fixture_reset),
    };
    if (!fixture_is_possible())
        return FIXTURE_SKIPPED;
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
