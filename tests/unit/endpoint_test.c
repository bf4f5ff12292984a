#include "format/endpoint.h"

#include "base/compiler.h"
#include "unit.h"

static void takes_every_form_of_a_host(void **state)
{
    static const struct {
        const char *item, *name;
        bool is_socket;
        uint16_t port;
    } rows[] = {
        {"/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock", true, 3306},
        {"/a:b", "/a:b", true, 3306},
        {"db.example.com", "db.example.com", false, 3306},
        {"db.example.com:3307", "db.example.com", false, 3307},
        {"localhost", "localhost", false, 3306},
        {"192.0.2.1:1", "192.0.2.1", false, 1},
        {"[2001:db8::1]", "2001:db8::1", false, 3306},
        {"[2001:db8::1]:65535", "2001:db8::1", false, 65535},
        {"2001:db8::1", "2001:db8::1", false, 3306},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct endpoint endpoint;
        struct err err = {{0}};
        assert_true(endpoint_parse(rows[i].item, &endpoint, &err));
        assert_string_equal(endpoint.name, rows[i].name);
        assert_int_equal(endpoint.is_socket, rows[i].is_socket);
        assert_int_equal(endpoint.port, rows[i].port);
    }
}

static void refuses_what_is_no_host(void **state)
{
    static const char *const rows[] = {
        "",         ":3306", "db:", "db:0", "db:65536", "db:-1",  "db:33 06",
        "db:3306x", "[",     "[]",  "[::1", "[::1]x",   "[::1]:", "[::1]:0",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct endpoint endpoint;
        struct err err = {{0}};
        if (endpoint_parse(rows[i], &endpoint, &err))
            fail_msg("\"%s\" was taken", rows[i]);
        assert_contains(err.text, "host");
    }
}

static void refuses_a_name_that_does_not_fit(void **state)
{
    char item[ENDPOINT_TEXT_MAX_BYTES + 2] = "/";
    struct endpoint endpoint;
    struct err err = {{0}};
    (void)state;
    memset(item + 1, 'x', ENDPOINT_TEXT_MAX_BYTES - 1);
    assert_true(endpoint_parse(item, &endpoint, &err));
    assert_int_equal(strlen(endpoint.name), ENDPOINT_TEXT_MAX_BYTES);
    item[ENDPOINT_TEXT_MAX_BYTES] = 'x';
    assert_false(endpoint_parse(item, &endpoint, &err));
}

static void knows_what_stays_on_this_machine(void **state)
{
    static const struct {
        const char *name;
        bool stays;
    } rows[] = {
        {"localhost", true},
        {"LocalHost", true},
        {"127.0.0.1", true},
        {"127.1", true},
        {"::1", true},
        {"localhost.example.com", false},
        {"192.0.2.1", false},
        {"127.0.0.1.example.com", false},
        {"127.example.com", false},
        {"2001:db8::1", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (endpoint_is_loopback(str_from(rows[i].name)) != rows[i].stays)
            fail_msg("\"%s\"", rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_form_of_a_host),
        cmocka_unit_test(refuses_what_is_no_host),
        cmocka_unit_test(refuses_a_name_that_does_not_fit),
        cmocka_unit_test(knows_what_stays_on_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
