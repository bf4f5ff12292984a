#include "store/right.h"

#include <string.h>

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

/* ---- rows of SHOW GRANTS */

static void append_part(struct buf *out, struct str part)
{
    buf_append_str(out, part);
    buf_append_byte(out, '|');
}

static void note(void *context, const struct right_held *held)
{
    struct buf *out = context;

    if (str_is_set(held->kind))
        append_part(out, held->kind);
    append_part(out, held->privilege);
    append_part(out, held->column);
    append_part(out, held->database);
    append_part(out, held->table);
    buf_append_text(out, held->can_be_granted_on ? "grant;" : ";");
}

static void takes_what_the_server_shows_apart(void **state)
{
    static const struct {
        const char *row, *grantee, *rights;
    } rows[] = {
        {"GRANT PROCESS, CREATE TEMPORARY TABLES ON *.* TO PUBLIC", "PUBLIC",
         "PROCESS||||;CREATE TEMPORARY TABLES||||;"},
        {"GRANT USAGE ON *.* TO `w`@`localhost` IDENTIFIED BY PASSWORD '*7B'", "`w`@`localhost`",
         ""},
        {"GRANT ALL PRIVILEGES ON `me`.* TO `w`@`localhost` WITH GRANT OPTION", "`w`@`localhost`",
         "ALL PRIVILEGES||me||grant;"},
        {"GRANT SELECT, INSERT (`a`, `b,c` ), UPDATE (`o``d)`) ON `me`.`us ers` TO `r`", "`r`",
         "SELECT||me|us ers|;INSERT|a|me|us ers|;INSERT|b,c|me|us ers|;UPDATE|o`d)|me|us ers|;"},
        {"GRANT UPDATE (bio, name) ON me.users TO 'r' WITH GRANT OPTION", "'r'",
         "UPDATE|bio|me|users|grant;UPDATE|name|me|users|grant;"},
        {"GRANT DELETE ON `a`` ON b`.`c. TO ``d` TO `x TO y ON z`@`%`", "`x TO y ON z`@`%`",
         "DELETE||a` ON b|c. TO `d|;"},
        {"GRANT EXECUTE ON PROCEDURE `me`.`clean` TO `r`", "`r`", "PROCEDURE|EXECUTE||me|clean|;"},
        {"GRANT EXECUTE ON PACKAGE BODY `me`.`p` TO PUBLIC", "PUBLIC",
         "PACKAGE BODY|EXECUTE||me|p|;"},
        {"GRANT USAGE ON *.* TO `w`@`%` REQUIRE ISSUER 'WITH GRANT OPTION'", "`w`@`%`", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct right_shown shown;
        struct buf text;
        buf_init(&text, 1024);
        assert_true(right_shown_parse(str_from(rows[i].row), &shown));
        assert_false(shown.is_role);
        assert_str_equal(shown.grantee, rows[i].grantee);
        right_shown_visit(&shown, note, &text);
        if (!str_equal(buf_str(&text), str_from(rows[i].rights)) &&
            text.len + strlen(rows[i].rights))
            fail_msg("%s: %.*s", rows[i].row, STR_ARGS(buf_str(&text)));
        buf_free(&text);
    }
}

static void takes_a_role_that_is_shown_apart(void **state)
{
    struct right_shown shown;
    (void)state;
    assert_true(right_shown_parse(STR("GRANT `a ON b` TO PUBLIC WITH ADMIN OPTION"), &shown));
    assert_true(shown.is_role);
    assert_str_equal(shown.object, "`a ON b`");
    assert_str_equal(shown.grantee, "PUBLIC");
}

static void refuses_rows_that_grant_nothing(void **state)
{
    static const char *const rows[] = {"", "GRANT", "GRANT SELECT ON `a`",
                                       "SET DEFAULT ROLE `r` FOR `w`@`localhost`"};
    struct right_shown shown;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_false(right_shown_parse(str_from(rows[i]), &shown));
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
        {&read, {STR("me"), STR("users"), STR(""), STR("SELECT"), false, {NULL, 0}}, true},
        {&read, {STR("me"), STR("users"), STR("name"), STR("SELECT"), false, {NULL, 0}}, true},
        {&read, {STR("me"), STR("users"), STR(""), STR("SELECT"), true, {NULL, 0}}, false},
        {&read, {STR("me"), STR("users"), STR(""), STR("INSERT"), false, {NULL, 0}}, false},
        {&read, {STR("me"), STR("sessions"), STR(""), STR("SELECT"), false, {NULL, 0}}, false},
        {&read, {STR("other"), STR("users"), STR(""), STR("SELECT"), false, {NULL, 0}}, false},
        {&read, {STR("me"), STR(""), STR(""), STR("SELECT"), false, {NULL, 0}}, false},
        {&read, {STR(""), STR(""), STR(""), STR("SELECT"), false, {NULL, 0}}, false},
        {&write, {STR("me"), STR("users"), STR("bio"), STR("UPDATE"), false, {NULL, 0}}, true},
        {&write, {STR("me"), STR("users"), STR("status"), STR("UPDATE"), false, {NULL, 0}}, false},
        {&write, {STR("me"), STR("users"), STR(""), STR("UPDATE"), false, {NULL, 0}}, false},
        {&all, {STR("me"), STR(""), STR(""), STR("DROP"), false, {NULL, 0}}, true},
        {&all, {STR("me"), STR("users"), STR(""), STR("DROP"), false, {NULL, 0}}, true},
        {&read, {STR("me"), STR("users"), STR(""), STR("SELECT"), false, STR("PROCEDURE")}, false},
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
        cmocka_unit_test(takes_what_the_server_shows_apart),
        cmocka_unit_test(takes_a_role_that_is_shown_apart),
        cmocka_unit_test(refuses_rows_that_grant_nothing),
        cmocka_unit_test(covers_what_is_no_more_than_the_right),
        cmocka_unit_test(tries_each_kind_of_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
