#include "store/right.h"

#include "base/compiler.h"
#include "store/grants.h"
#include "unit.h"

enum { RIGHTS_MAX = 16 };

static void takes_a_row_apart(void **state)
{
    struct right rights[RIGHTS_MAX];
    (void)state;
    assert_int_equal(
        right_parse("SELECT, UPDATE (name, bio), CREATE VIEW ON %.users", rights, RIGHTS_MAX), 3);
    assert_str_equal(rights[0].privilege, "SELECT");
    assert_false(str_is_set(rights[0].columns));
    assert_str_equal(rights[1].privilege, "UPDATE");
    assert_str_equal(rights[1].columns, "name, bio");
    assert_str_equal(rights[2].privilege, "CREATE VIEW");
    for (size_t i = 0; i < 3; i++)
        assert_str_equal(rights[i].table, "users");
}

static void refuses_what_is_no_row_or_does_not_fit(void **state)
{
    struct right rights[RIGHTS_MAX];
    (void)state;
    assert_int_equal(right_parse("SELECT", rights, RIGHTS_MAX), 0);
    assert_int_equal(right_parse("SELECT, INSERT ON %.users", rights, 1), 0);
}

static void check_rows(enum database_account account)
{
    struct settings settings = {.audit = {SETTINGS_AUDIT_VALUES}};
    struct right rights[RIGHTS_MAX];
    const char *row;
    size_t count = 0;
    for (; (row = grants_right(&settings, account, count)) != NULL; count++)
        if (right_parse(row, rights, RIGHTS_MAX) == 0)
            fail_msg("\"%s\" cannot be taken apart", row);
    assert_true(count > 0);
}

static void takes_every_row_of_the_grants_apart(void **state)
{
    (void)state;
    check_rows(DATABASE_WORKER);
    check_rows(DATABASE_ADMIN);
    check_rows(DATABASE_PROVISION);
}

static void covers_what_is_no_more_than_the_right(void **state)
{
    static const struct right read = {STR("SELECT"), {NULL, 0}, STR("users")};
    static const struct right write = {STR("UPDATE"), STR("name, bio"), STR("users")};
    static const struct right all = {STR("DROP"), {NULL, 0}, STR("*")};
    static const struct {
        const struct right *right;
        struct right_held held;
        bool is_covered;
    } rows[] = {
        {&read, {STR("me"), STR("users"), STR(""), STR("SELECT"), false}, true},
        {&read, {STR("me"), STR("users"), STR("name"), STR("SELECT"), false}, true},
        {&read, {STR("me"), STR("users"), STR(""), STR("SELECT"), true}, false},
        {&read, {STR("me"), STR("users"), STR(""), STR("INSERT"), false}, false},
        {&read, {STR("me"), STR("sessions"), STR(""), STR("SELECT"), false}, false},
        {&read, {STR("other"), STR("users"), STR(""), STR("SELECT"), false}, false},
        {&read, {STR("me"), STR(""), STR(""), STR("SELECT"), false}, false},
        {&read, {STR(""), STR(""), STR(""), STR("SELECT"), false}, false},
        {&write, {STR("me"), STR("users"), STR("bio"), STR("UPDATE"), false}, true},
        {&write, {STR("me"), STR("users"), STR("status"), STR("UPDATE"), false}, false},
        {&write, {STR("me"), STR("users"), STR(""), STR("UPDATE"), false}, false},
        {&all, {STR("me"), STR(""), STR(""), STR("DROP"), false}, true},
        {&all, {STR("me"), STR("users"), STR(""), STR("DROP"), false}, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (right_covers(rows[i].right, STR("me"), &rows[i].held) != rows[i].is_covered)
            fail_msg("row %zu", i);
}

static void tries_each_kind_of_right(void **state)
{
    static const struct {
        struct right right;
        const char *sql;
    } rows[] = {
        {{STR("SELECT"), {NULL, 0}, STR("users")}, "SELECT * FROM users"},
        {{STR("UPDATE"), STR("name, bio"), STR("users")},
         "UPDATE users SET name = NULL, bio = NULL"},
        {{STR("INSERT"), STR("id,name"), STR("users")},
         "INSERT INTO users (id, name) VALUES (NULL, NULL)"},
        {{STR("DROP"), {NULL, 0}, STR("*")}, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf sql;
        buf_init(&sql, 1024);
        right_append_trial(&rows[i].right, &sql);
        assert_str_equal(buf_str(&sql), rows[i].sql);
        buf_free(&sql);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_row_apart),
        cmocka_unit_test(refuses_what_is_no_row_or_does_not_fit),
        cmocka_unit_test(takes_every_row_of_the_grants_apart),
        cmocka_unit_test(covers_what_is_no_more_than_the_right),
        cmocka_unit_test(tries_each_kind_of_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
