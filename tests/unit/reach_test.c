#include "process/reach.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct settings));
    assert_non_null(*state);
    return 0;
}

static int tear_down(void **state)
{
    settings_free(*state);
    free(*state);
    return 0;
}

static void load(struct settings *settings, const char *const *environment)
{
    struct err err = {""};

    if (!settings_load(NULL, (char *const *)(uintptr_t)environment, FILE_READERS_ANY, settings,
                       &err))
        fail_msg("%s", err.text);
}

/* What the reach says of a path; 0: nothing. */
static unsigned rights_of(const struct reach *reach, const char *path)
{
    unsigned rights = 0;

    for (size_t i = 0; i < reach->place_count; i++)
        if (strcmp(reach->places[i].path, path) == 0)
            rights |= reach->places[i].rights;
    return rights;
}

static void every_file_of_the_settings_is_there(void **state)
{
    static const char *const environment[] = {
        "ME_TOKEN_SECRET_FILE=/k/s1, /k/s2",
        "ME_TOKEN_PUBLIC_KEY_FILE=/k/p1 /k/p2",
        "ME_TOKEN_JWKS_FILE=/k/j1",
        "ME_DATABASE_PASSWORD_FILE=/k/w",
        "ME_DATABASE_TLS_CA=/k/ca",
        "ME_PROVISION_PASSWORD_FILE=/k/pw",
        "ME_DOCTOR_SECRET_FILE=/k/d",
        "ME_WATCH_SECRET_FILE=/k/m",
        NULL,
    };
    static const char *const paths[] = {"/k/s1", "/k/s2", "/k/p1", "/k/p2", "/k/j1",
                                        "/k/w",  "/k/ca", "/k/pw", "/k/d",  "/k/m"};
    struct reach reach;

    load(*state, environment);
    reach_from_settings(*state, &reach);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
        assert_int_equal(rights_of(&reach, paths[i]), REACH_READ | REACH_BESIDE);
}

static void zones_are_read_where_the_settings_say(void **state)
{
    static const char *const environment[] = {"ME_PROFILE_ZONEINFO=/z", NULL};
    struct reach reach;

    load(*state, environment);
    reach_from_settings(*state, &reach);
    assert_int_equal(rights_of(&reach, "/z"), REACH_READ);
    assert_int_equal(rights_of(&reach, "/usr/share/zoneinfo"), 0);
}

static size_t count_written(const struct reach *reach)
{
    size_t count = 0;

    for (size_t i = 0; i < reach->place_count; i++)
        count += (reach->places[i].rights & (REACH_WRITE | REACH_MAKE)) != 0 ? 1 : 0;
    return count;
}

/* No place may be made, and none but /dev/null written to, that is not named here. */
static void nothing_is_written_but_the_log_the_cache_and_the_counts(void **state)
{
    static const char *const environment[] = {"ME_LOG_FILE=/l/log", "ME_CACHE_PATH=/c/kept",
                                              "ME_WATCH_METRICS_FILE=/m/counts",
                                              "ME_DATABASE_HOST=db.example.com", NULL};
    const unsigned all = REACH_READ | REACH_WRITE | REACH_MAKE | REACH_BESIDE;
    struct reach reach;

    load(*state, environment);
    reach_from_settings(*state, &reach);
    assert_int_equal(rights_of(&reach, "/l/log"), REACH_WRITE | REACH_MAKE | REACH_BESIDE);
    assert_int_equal(rights_of(&reach, "/c/kept"), all);
    assert_int_equal(rights_of(&reach, "/m/counts"), all);
    assert_int_equal(rights_of(&reach, "/dev/null"), REACH_READ | REACH_WRITE);
    assert_int_equal(count_written(&reach), 4);
}

static void what_is_kept_lies_in_memory_unless_there_is_a_place_for_it(void **state)
{
    static const char *const environments[][2] = {
        {NULL}, {"ME_CACHE_PATH=/c/kept", NULL}, {"ME_CACHE_MODE=off", NULL}};
    static const unsigned rights[] = {REACH_READ | REACH_WRITE | REACH_MAKE, 0, 0};
    struct reach reach;

    for (size_t i = 0; i < ARRAY_LENGTH(environments); i++) {
        load(*state, environments[i]);
        reach_from_settings(*state, &reach);
        assert_int_equal(rights_of(&reach, "/dev/shm"), rights[i]);
        settings_free(*state);
    }
    load(*state, environments[0]);
}

static void a_socket_takes_no_port_and_no_names(void **state)
{
    static const char *const environment[] = {"ME_DATABASE_HOST=/run/a.sock /run/b.sock", NULL};
    struct reach reach;

    load(*state, environment);
    reach_from_settings(*state, &reach);
    assert_int_equal(reach.port_count, 0);
    assert_int_equal(rights_of(&reach, "/etc"), 0);
}

static void each_host_brings_its_port_and_dns(void **state)
{
    static const char *const environment[] = {
        "ME_DATABASE_HOST=db.example.com /run/a.sock 192.0.2.1:3307 [2001:db8::1]:3308", NULL};
    static const uint16_t ports[] = {3306, 3307, 3308, 53};
    struct reach reach;

    load(*state, environment);
    reach_from_settings(*state, &reach);
    assert_int_equal(reach.port_count, ARRAY_LENGTH(ports));
    assert_memory_equal(reach.ports, ports, sizeof(ports));
    assert_int_equal(rights_of(&reach, "/etc"), REACH_READ);
}

static void openssl_finds_its_own_settings(void **state)
{
    static const char *const environment[] = {NULL};
    struct reach reach;

    load(*state, environment);
    reach_from_settings(*state, &reach);
    assert_int_equal(rights_of(&reach, X509_get_default_cert_area()), REACH_READ);
}

/* As many as the lists of the settings can hold, and every other row. */
static void the_longest_lists_fit(void **state)
{
    static const char *const names[] = {"ME_TOKEN_SECRET_FILE", "ME_TOKEN_PUBLIC_KEY_FILE",
                                        "ME_TOKEN_JWKS_FILE", "ME_DATABASE_HOST"};
    char text[ARRAY_LENGTH(names)][1024];
    const char *environment[ARRAY_LENGTH(names) + 2] = {NULL};
    struct reach reach;

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        size_t len = (size_t)snprintf(text[i], sizeof(text[i]), "%s=", names[i]);

        for (int item = 0; item < 64; item++)
            len += (size_t)snprintf(text[i] + len, sizeof(text[i]) - len,
                                    i == 3 ? "db:%d " : "/k/%d ", item + 1);
        environment[i] = text[i];
    }
    environment[ARRAY_LENGTH(names)] = "ME_LOG_FILE=/l/log";
    load(*state, environment);
    reach_from_settings(*state, &reach);
    assert_true(reach.place_count < REACH_PLACES_MAX);
    assert_int_equal(rights_of(&reach, "/var/lib/ca-certificates"), REACH_READ);
    assert_int_equal(reach.port_count, REACH_PORTS_MAX);
    assert_int_equal(reach.ports[63], 64);
    assert_int_equal(reach.ports[64], 53);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_file_of_the_settings_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zones_are_read_where_the_settings_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_written_but_the_log_the_cache_and_the_counts,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_kept_lies_in_memory_unless_there_is_a_place_for_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_takes_no_port_and_no_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_host_brings_its_port_and_dns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(openssl_finds_its_own_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_lists_fit, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
