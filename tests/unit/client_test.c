#include "token/client.h"

#include <stdio.h>

#include "unit.h"

/* The claim as a C string; NULL: there is none. */
static void assert_client(const char *payload, const char *expected)
{
    struct str client;
    struct buf room;

    buf_init(&room, strlen(payload));
    assert_true(client_of_token(str_from(payload), &room, &client));
    if (expected == NULL)
        assert_false(str_is_set(client));
    else
        assert_str_equal(client, expected);
    buf_free(&room);
}

static void takes_azp_then_client_id(void **state)
{
    (void)state;
    assert_client("{\"azp\":\"web\"}", "web");
    assert_client("{\"client_id\":\"app\"}", "app");
    assert_client("{\"client_id\":\"app\",\"azp\":\"web\"}", "web");
    assert_client("{\"azp\":\"web\",\"client_id\":\"app\"}", "web");
    assert_client("{\"sub\":\"x\",\"aud\":[\"y\"]}", NULL);
    assert_client("{}", NULL);
}

/* Nobody is refused for a claim that decides nothing. */
static void passes_over_what_names_no_client(void **state)
{
    static const char *const values[] = {"\"\"", "null", "1", "true", "[\"web\"]", "{\"a\":\"b\"}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        char payload[128];

        (void)snprintf(payload, sizeof(payload), "{\"azp\":%s}", values[i]);
        assert_client(payload, NULL);
        (void)snprintf(payload, sizeof(payload), "{\"azp\":%s,\"client_id\":\"app\"}", values[i]);
        assert_client(payload, "app");
    }
}

static void looks_at_the_claims_of_the_token_alone(void **state)
{
    (void)state;
    assert_client("{\"act\":{\"client_id\":\"other\",\"azp\":\"other\"}}", NULL);
    assert_client("{\"AZP\":\"other\",\"azp \":\"other\",\"clientId\":\"other\"}", NULL);
}

static void resolves_escapes(void **state)
{
    (void)state;
    assert_client("{\"\\u0061zp\":\"w\\u0065b\\n\"}", "web\n");
    assert_client("{\"azp\":\"\\u00e9\",\"client_id\":\"\\u00e8\"}", "\xC3\xA9");
}

/* It never comes to this: a token's payload was judged before. */
static void gives_nothing_of_what_is_no_object(void **state)
{
    struct str client = STR("x");
    struct buf room;

    (void)state;
    buf_init(&room, 64);
    assert_false(client_of_token(STR("{\"azp\":\"web\"} x"), &room, &client));
    assert_false(str_is_set(client));
    buf_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_azp_then_client_id),
        cmocka_unit_test(passes_over_what_names_no_client),
        cmocka_unit_test(looks_at_the_claims_of_the_token_alone),
        cmocka_unit_test(resolves_escapes),
        cmocka_unit_test(gives_nothing_of_what_is_no_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
