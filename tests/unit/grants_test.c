#include "store/grants.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static const char *const one_socket[] = {"/run/mysqld/mysqld.sock"};
static const char *const one_name[] = {"db.example.com"};
static const char *const both[] = {"/run/mysqld/mysqld.sock", "db.example.com:3307"};

static struct settings settings_with(const char *const *hosts, size_t count)
{
    struct settings settings = {0};
    settings.database.host = (struct settings_list){hosts, count};
    settings.database.name = "me";
    settings.database.user = "me";
    settings.database.password = "password";
    settings.database.tls = SETTINGS_TLS_VERIFY;
    return settings;
}

/* The SQL as a C string, or the error where none is made. */
static void print(const struct settings *settings, enum database_account account, char *out,
                  size_t size)
{
    struct buf sql;
    struct err err = {{0}};
    buf_init(&sql, size - 1);
    bool ok = grants_print(settings, account, FILE_READERS_ANY, &sql, &err);
    assert_true(ok || err.text[0] != '\0');
    struct str text = ok ? buf_str(&sql) : str_from(err.text);
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    buf_free(&sql);
}

/* A file that holds "password"; it lasts as long as the test program. */
static const char *password_file(void)
{
    static char path[] = "/tmp/grants_test.password.XXXXXX";
    static bool is_there;
    if (!is_there) {
        int file = mkstemp(path);
        assert_true(file >= 0);
        assert_int_equal(write(file, "password\n", 9), 9);
        assert_int_equal(close(file), 0);
        is_there = true;
    }
    return path;
}

static int remove_password_file(void **state)
{
    (void)state;
    return unlink(password_file());
}

static void the_worker_may_change_nothing_but_what_a_user_may(void **state)
{
    char sql[8192];
    const struct settings settings = settings_with(one_socket, 1);
    (void)state;
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_contains(sql,
                    "GRANT SELECT, UPDATE (name, bio, avatar_url, locale, timezone, updated_at,"
                    " revision) ON `me`.users TO 'me'@'localhost';\n");
    assert_contains(sql, "GRANT SELECT ON `me`.sessions TO 'me'@'localhost';\n");
    assert_contains(sql, "GRANT SELECT ON `me`.revision_guard TO 'me'@'localhost';\n");
    assert_null(strstr(sql, "INSERT"));
    assert_null(strstr(sql, "DELETE"));
    assert_null(strstr(sql, "CREATE DATABASE"));
    assert_null(strstr(sql, ".*"));
}

/* What it adds it cannot read, and what is there it cannot change. */
static void provisioning_may_add_and_do_nothing_else(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    (void)state;
    settings.provision.user = "me_provision";
    print(&settings, DATABASE_PROVISION, sql, sizeof(sql));
    assert_contains(sql, "CREATE USER IF NOT EXISTS 'me_provision'@'localhost'");
    assert_contains(sql, "GRANT INSERT (id, status, name, bio, avatar_url, locale, timezone,"
                         " created_at, updated_at) ON `me`.users TO 'me_provision'@'localhost';\n");
    assert_contains(sql, " ON `me`.user_identities TO");
    assert_contains(sql, " ON `me`.user_emails TO");
    assert_contains(sql, " ON `me`.user_phone_numbers TO");
    assert_null(strstr(sql, "SELECT"));
    assert_null(strstr(sql, "UPDATE ("));
    assert_null(strstr(sql, "DELETE"));
    assert_null(strstr(sql, "sessions"));
    assert_null(strstr(sql, "user_badges"));
    assert_null(strstr(sql, "user_fraud_information"));
    assert_null(strstr(sql, "CREATE DATABASE"));
    assert_null(strstr(sql, ".*"));
}

static void provisioning_has_no_account_but_its_own(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    (void)state;
    settings.admin.user = "mectl";
    print(&settings, DATABASE_PROVISION, sql, sizeof(sql));
    assert_contains(sql, "provision.user");
    assert_null(strstr(sql, "GRANT"));
}

/* Where changes are recorded it may add rows, but not their id or time, and look at none. */
static void the_worker_adds_to_the_audit_trail_where_that_is_on(void **state)
{
    static const char right[] =
        "GRANT INSERT (user_id, request_id, issuer, client, members, member_values)"
        " ON `me`.profile_changes TO 'me'@'localhost';\n";
    char sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    (void)state;
    for (int level = SETTINGS_AUDIT_MEMBERS; level <= SETTINGS_AUDIT_VALUES; level++) {
        settings.audit.level = level;
        print(&settings, DATABASE_WORKER, sql, sizeof(sql));
        assert_contains(sql, right);
        assert_null(strstr(strstr(sql, "profile_changes") + 1, "profile_changes"));
        assert_null(strstr(sql, "DELETE"));
    }
    settings.audit.level = SETTINGS_AUDIT_OFF;
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_null(strstr(sql, "profile_changes"));
    settings.audit.level = SETTINGS_AUDIT_VALUES;
    print(&settings, DATABASE_ADMIN, sql, sizeof(sql));
    assert_null(strstr(sql, "profile_changes"));
}

static void no_account_is_above_its_database(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(both, 2);
    (void)state;
    settings.provision.user = "me_provision";
    settings.provision.password_file = password_file();
    for (enum database_account i = DATABASE_WORKER; i <= DATABASE_PROVISION; i++) {
        print(&settings, i, sql, sizeof(sql));
        assert_null(strstr(sql, "GRANT OPTION"));
        assert_null(strstr(sql, "SUPER"));
        assert_null(strstr(sql, "*.*"));
    }
}

/* The hash is the one that SELECT PASSWORD('password') gives. */
static void the_password_is_hashed_and_never_shown(void **state)
{
    char sql[8192];
    const struct settings settings = settings_with(one_socket, 1);
    (void)state;
    print(&settings, DATABASE_ADMIN, sql, sizeof(sql));
    assert_contains(sql, "IDENTIFIED VIA mysql_native_password USING "
                         "'*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19';\n");
    assert_null(strstr(sql, "'password'"));
}

static void the_tool_has_its_account_from_its_own_section(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    (void)state;
    settings.admin.user = "mectl";
    print(&settings, DATABASE_ADMIN, sql, sizeof(sql));
    assert_contains(sql, "CREATE DATABASE IF NOT EXISTS `me`");
    assert_contains(sql,
                    "CREATE USER IF NOT EXISTS 'mectl'@'localhost' IDENTIFIED VIA unix_socket;\n");
    assert_contains(sql, "TO 'mectl'@'localhost';\n");
}

static void hosts_decide_the_host_part(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_name, 1);
    (void)state;
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_contains(sql, "'me'@'%'");
    assert_contains(sql, " REQUIRE SSL;\n");
    assert_null(strstr(sql, "localhost"));
    settings.database.tls = SETTINGS_TLS_OFF;
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_null(strstr(sql, "REQUIRE SSL"));
    settings = settings_with(both, 2);
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_contains(sql, "'me'@'%'");
    assert_contains(sql, "'me'@'localhost'");
}

static void over_tcp_there_must_be_a_password(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_name, 1);
    (void)state;
    settings.database.password = NULL;
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_contains(sql, "password_file");
}

static void names_are_quoted_as_patterns_or_not(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    (void)state;
    settings.database.name = "my_`db";
    settings.database.user = "o'brien\\";
    print(&settings, DATABASE_ADMIN, sql, sizeof(sql));
    assert_contains(sql, "CREATE DATABASE IF NOT EXISTS `my_``db`");
    assert_contains(sql, " ON `my\\_``db`.* TO 'o''brien\\\\'@'localhost';\n");
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_contains(sql, " ON `my_``db`.sessions TO ");
}

static void a_password_file_is_one_line(void **state)
{
    static const struct {
        const char *text, *found;
    } rows[] = {
        {"password\n", "'*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"},
        {"password\r\n", "'*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"},
        {"password", "'*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'"},
        {"password\nmore\n", "more than one line"},
        {"\n", "holds no password"},
        {"", "holds no password"},
    };
    char path[] = "/tmp/grants_test.XXXXXX", sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0);
    settings.database.password_file = path;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(ftruncate(file, 0), 0);
        assert_int_equal(pwrite(file, rows[i].text, strlen(rows[i].text), 0), strlen(rows[i].text));
        print(&settings, DATABASE_WORKER, sql, sizeof(sql));
        assert_contains(sql, rows[i].found);
    }
    assert_int_equal(close(file), 0);
    assert_int_equal(unlink(path), 0);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    char sql[8192];
    struct settings settings = settings_with(one_socket, 1);
    (void)state;
    settings.database.password_file = "/nonexistent/password";
    print(&settings, DATABASE_WORKER, sql, sizeof(sql));
    assert_contains(sql, "/nonexistent/password");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worker_may_change_nothing_but_what_a_user_may),
        cmocka_unit_test(provisioning_may_add_and_do_nothing_else),
        cmocka_unit_test(provisioning_has_no_account_but_its_own),
        cmocka_unit_test(the_worker_adds_to_the_audit_trail_where_that_is_on),
        cmocka_unit_test(no_account_is_above_its_database),
        cmocka_unit_test(the_password_is_hashed_and_never_shown),
        cmocka_unit_test(the_tool_has_its_account_from_its_own_section),
        cmocka_unit_test(hosts_decide_the_host_part),
        cmocka_unit_test(over_tcp_there_must_be_a_password),
        cmocka_unit_test(names_are_quoted_as_patterns_or_not),
        cmocka_unit_test(a_password_file_is_one_line),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, remove_password_file);
}
