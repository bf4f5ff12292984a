#include "profile/recordchange.h"

#include <json-c/json.h>

#include "format/jsonvalue.h"
#include "profile/recordjson.h"
#include "unit.h"

enum { ARENA_MAX_BYTES = 1024 * 1024, TEXT_MAX_BYTES = 64 * 1024 };

#define ADA "\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"name\":\"Ada\""
#define OLD "\"createdAt\":\"2025-01-01T00:00:00.000Z\",\"updatedAt\":\"2025-01-02T00:00:00.000Z\""
#define NOW "\"2025-07-03T02:14:22.094Z\""

static const int64_t now_ms = 1751508862094;

/* A user, and what its changes, given as JSON, make of it. */
struct life {
    struct arena *arena;
    struct record_reader reader; /* of the last change */
    struct record user;
};

static struct life born(void)
{
    struct life life = {.arena = arena_new(ARENA_MAX_BYTES)};

    assert_non_null(life.arena);
    return life;
}

static void end(struct life *life)
{
    arena_free(life->arena);
}

static struct record_change change_of(struct life *life, const char *text)
{
    struct record_change change;
    struct json_object *object = NULL;

    life->reader = (struct record_reader){.zoneinfo = "/usr/share/zoneinfo", .arena = life->arena};
    assert_int_equal(jsonvalue_parse_object(str_from(text), &object, NULL), STRICTJSON_OK);
    assert_true(recordjson_read(&life->reader, object, &change));
    assert_null(life->reader.first);
    json_object_put(object);
    return change;
}

static enum record_outcome apply(struct life *life, const char *text)
{
    struct record_change change = change_of(life, text);

    return recordchange_apply(&life->reader, &life->user, &change, now_ms, &life->user);
}

/* As a line of CSV would: users are not told of, rows of the table are added or changed. */
static enum record_outcome merge(struct life *life, enum record_table table, const char *text)
{
    struct record_change change = change_of(life, text);

    change.modes[RECORD_USERS] = RECORD_KEEP;
    for (size_t i = RECORD_USERS + 1; i < RECORD_TABLE__MAX; i++)
        change.modes[i] = RECORD_KEEP;
    change.modes[table] = RECORD_MERGE;
    return recordchange_apply(&life->reader, &life->user, &change, now_ms, &life->user);
}

static const struct record_value *value_of(const struct life *life, enum record_table table,
                                           size_t row, const char *field)
{
    assert_true(row < life->user.tables[table].count);
    return &life->user.tables[table].rows[row].values[record_field_find(table, str_from(field))];
}

static void assert_time(const struct life *life, enum record_table table, const char *field,
                        int64_t expected_ms)
{
    assert_int_equal(value_of(life, table, 0, field)->number, expected_ms);
}

#define EMAIL_1                                                                                    \
    "{\"id\":\"00000000-0000-4000-8000-000000000001\",\"email\":\"a@example.com\"," OLD "}"
#define EMAIL_2 "{\"email\":\"b@example.com\",\"default\":true," OLD "}"

static void a_new_user_gets_what_nobody_told(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[{\"email\":\"a@example.com\"}]}"),
                     RECORD_ADDED);
    assert_str_equal(value_of(&life, RECORD_USERS, 0, "status")->text, "active");
    assert_time(&life, RECORD_USERS, "createdAt", now_ms);
    assert_time(&life, RECORD_USERS, "updatedAt", now_ms);
    assert_time(&life, RECORD_EMAILS, "createdAt", now_ms);
    assert_int_equal(value_of(&life, RECORD_EMAILS, 0, "id")->uuid.bytes[6] >> 4, 7);
    assert_true(value_of(&life, RECORD_EMAILS, 0, "default")->is_set);
    end(&life);
}

static void the_same_again_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "{" ADA "}",
        "{" ADA "," OLD ",\"bio\":\"\",\"status\":\"banned\"}",
        "{" ADA ",\"emails\":[" EMAIL_1 "," EMAIL_2 "],\"badges\":[\"a:b\",\"a:c\"]}",
        "{" ADA ",\"emails\":[{\"email\":\"a@example.com\"}],"
        "\"phoneNumbers\":[{\"phoneNumber\":\"+14155550100\"}],\"userFraudInformation\":"
        "{\"score\":1},\"identities\":[{\"id\":\"1\",\"issuer\":\"i\",\"provider\":\"p\"}],"
        "\"sessions\":[{\"id\":\"s\",\"expiresAt\":\"2030-01-01T00:00:00Z\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct life life = born();
        struct record before;

        assert_int_equal(apply(&life, texts[i]), RECORD_ADDED);
        before = life.user;
        assert_int_equal(apply(&life, texts[i]), RECORD_UNCHANGED);
        for (size_t table = 0; table < RECORD_TABLE__MAX; table++) {
            assert_int_equal(before.tables[table].count, life.user.tables[table].count);
            for (size_t row = 0; row < before.tables[table].count; row++)
                assert_true(record_equal((enum record_table)table, &before.tables[table].rows[row],
                                         &life.user.tables[table].rows[row]));
        }
        end(&life);
    }
}

static void a_time_that_is_told_is_kept_and_another_moves_with_the_row(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA "," OLD "}"), RECORD_ADDED);
    assert_int_equal(apply(&life, "{" ADA ",\"bio\":\"x\"," OLD "}"), RECORD_CHANGED);
    assert_time(&life, RECORD_USERS, "updatedAt", 1735776000000);
    assert_int_equal(apply(&life, "{" ADA ",\"bio\":\"y\"}"), RECORD_CHANGED);
    assert_time(&life, RECORD_USERS, "createdAt", 1735689600000);
    assert_time(&life, RECORD_USERS, "updatedAt", now_ms);
    assert_int_equal(apply(&life, "{" ADA ",\"bio\":\"z\"}"), RECORD_CHANGED);
    assert_time(&life, RECORD_USERS, "updatedAt", now_ms + 1); /* always to later than it was */
    assert_int_equal(apply(&life, "{" ADA ",\"bio\":\"z\",\"updatedAt\":" NOW "}"), RECORD_CHANGED);
    assert_time(&life, RECORD_USERS, "updatedAt", now_ms);
    end(&life);
}

static void what_a_whole_user_does_not_tell_is_unset(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"bio\":\"x\",\"locale\":\"de\",\"status\":\"banned\","
                                  "\"userFraudInformation\":{\"score\":1}}"),
                     RECORD_ADDED);
    assert_int_equal(apply(&life, "{" ADA "}"), RECORD_CHANGED);
    assert_false(value_of(&life, RECORD_USERS, 0, "bio")->is_set);
    assert_false(value_of(&life, RECORD_USERS, 0, "locale")->is_set);
    assert_str_equal(value_of(&life, RECORD_USERS, 0, "status")->text, "banned"); /* this stays */
    assert_int_equal(life.user.tables[RECORD_FRAUD].count, 0);
    end(&life);
}

static void rows_that_are_not_among_those_told_are_gone(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(
        apply(&life, "{" ADA ",\"emails\":[" EMAIL_1 "," EMAIL_2 "],\"badges\":[\"a:b\",\"a:c\"]}"),
        RECORD_ADDED);
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[" EMAIL_1 "]}"), RECORD_CHANGED);
    assert_int_equal(life.user.tables[RECORD_EMAILS].count, 1);
    assert_int_equal(life.user.tables[RECORD_BADGES].count, 2); /* nothing was told of them */
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[],\"badges\":[\"a:c\"]}"), RECORD_CHANGED);
    assert_int_equal(life.user.tables[RECORD_EMAILS].count, 0);
    assert_int_equal(life.user.tables[RECORD_BADGES].count, 1);
    end(&life);
}

static void another_order_is_no_change(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"badges\":[\"a:b\",\"a:c\"]}"), RECORD_ADDED);
    assert_int_equal(apply(&life, "{" ADA ",\"badges\":[\"a:c\",\"a:b\"]}"), RECORD_UNCHANGED);
    end(&life);
}

static void a_row_without_an_id_is_known_by_its_address(void **state)
{
    struct life life = born();
    struct uuid id;

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[{\"email\":\"a@example.com\"}]}"),
                     RECORD_ADDED);
    id = value_of(&life, RECORD_EMAILS, 0, "id")->uuid;
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[{\"email\":\"A@example.com\","
                                  "\"verified\":true}]}"),
                     RECORD_CHANGED);
    assert_true(uuid_equal(&id, &value_of(&life, RECORD_EMAILS, 0, "id")->uuid));
    assert_str_equal(value_of(&life, RECORD_EMAILS, 0, "email")->text, "A@example.com");
    assert_time(&life, RECORD_EMAILS, "updatedAt", now_ms + 1);
    end(&life);
}

static void another_id_is_another_row(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[{\"email\":\"a@example.com\"}]}"),
                     RECORD_ADDED);
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[" EMAIL_1 "]}"), RECORD_CHANGED);
    assert_int_equal(life.user.tables[RECORD_EMAILS].count, 1);
    assert_int_equal(value_of(&life, RECORD_EMAILS, 0, "id")->uuid.bytes[15], 1);
    end(&life);
}

static void an_identity_that_changes_keeps_its_row(void **state)
{
    enum { ROW_ID = 8 };
    struct life life = born();
    struct uuid id;

    (void)state;
    assert_int_equal(apply(&life,
                           "{" ADA
                           ",\"identities\":[{\"id\":\"1\",\"issuer\":\"i\",\"provider\":\"p\"}]}"),
                     RECORD_ADDED);
    id = life.user.tables[RECORD_IDENTITIES].rows[0].values[ROW_ID].uuid;
    assert_int_equal(id.bytes[6] >> 4, 7);
    assert_int_equal(apply(&life,
                           "{" ADA
                           ",\"identities\":[{\"id\":\"1\",\"issuer\":\"i\",\"provider\":\"q\"}]}"),
                     RECORD_CHANGED);
    assert_true(uuid_equal(&id, &life.user.tables[RECORD_IDENTITIES].rows[0].values[ROW_ID].uuid));
    end(&life);
}

static void merged_rows_are_added_or_changed_and_none_is_removed(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[" EMAIL_1 "]}"), RECORD_ADDED);
    assert_int_equal(merge(&life, RECORD_EMAILS, "{" ADA ",\"emails\":[" EMAIL_2 "]}"),
                     RECORD_CHANGED);
    assert_int_equal(life.user.tables[RECORD_EMAILS].count, 2);
    assert_int_equal(merge(&life, RECORD_EMAILS, "{" ADA ",\"emails\":[" EMAIL_2 "]}"),
                     RECORD_UNCHANGED);
    assert_int_equal(merge(&life, RECORD_EMAILS,
                           "{" ADA ",\"emails\":[" EMAIL_2 ",{\"email\":\"a@example.com\","
                           "\"verified\":true}]}"),
                     RECORD_CHANGED);
    assert_int_equal(life.user.tables[RECORD_EMAILS].count, 2);
    assert_true(value_of(&life, RECORD_EMAILS, 0, "verified")->number != 0);
    end(&life);
}

static void a_role_is_judged_with_the_rows_that_are_there(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(apply(&life, "{" ADA ",\"emails\":[" EMAIL_2 "]}"), RECORD_ADDED);
    assert_int_equal(merge(&life, RECORD_EMAILS,
                           "{" ADA ",\"emails\":[{\"email\":\"c@example.com\",\"default\":true}]}"),
                     RECORD_REFUSED);
    assert_contains(life.reader.first->why, "second default");
    assert_int_equal(life.user.tables[RECORD_EMAILS].count, 1); /* as it was */
    assert_int_equal(merge(&life, RECORD_EMAILS,
                           "{" ADA ",\"emails\":[{\"email\":\"c@example.com\",\"default\":true},"
                           "{\"email\":\"b@example.com\",\"default\":false}]}"),
                     RECORD_CHANGED);
    end(&life);
}

static void rows_of_nobody_are_refused(void **state)
{
    struct life life = born();

    (void)state;
    assert_int_equal(merge(&life, RECORD_BADGES, "{" ADA ",\"badges\":[\"a:b\"]}"), RECORD_REFUSED);
    assert_str_equal(life.reader.first->where, "userId");
    assert_contains(life.reader.first->why, "names no user");
    end(&life);
}

static void tells_when_memory_is_short(void **state)
{
    struct life life = born();
    struct record_change change = change_of(&life, "{" ADA ",\"emails\":[" EMAIL_1 "]}");
    struct arena *small = arena_new(1);
    struct record_reader reader = {.arena = small};
    struct record after = {.tables = {{NULL, 0}}};

    (void)state;
    while (arena_alloc(small, 64) != NULL)
        ;
    assert_int_equal(recordchange_apply(&reader, &life.user, &change, now_ms, &after),
                     RECORD_REFUSED);
    assert_true(reader.is_out_of_memory);
    assert_int_equal(after.tables[RECORD_USERS].count, 0);
    arena_free(small);
    end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_user_gets_what_nobody_told),
        cmocka_unit_test(the_same_again_changes_nothing),
        cmocka_unit_test(a_time_that_is_told_is_kept_and_another_moves_with_the_row),
        cmocka_unit_test(what_a_whole_user_does_not_tell_is_unset),
        cmocka_unit_test(rows_that_are_not_among_those_told_are_gone),
        cmocka_unit_test(another_order_is_no_change),
        cmocka_unit_test(a_row_without_an_id_is_known_by_its_address),
        cmocka_unit_test(another_id_is_another_row),
        cmocka_unit_test(an_identity_that_changes_keeps_its_row),
        cmocka_unit_test(merged_rows_are_added_or_changed_and_none_is_removed),
        cmocka_unit_test(a_role_is_judged_with_the_rows_that_are_there),
        cmocka_unit_test(rows_of_nobody_are_refused),
        cmocka_unit_test(tells_when_memory_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
