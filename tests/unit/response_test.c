#include "api/response.h"

#include "unit.h"

static void adds_headers_in_order(void **state)
{
    struct response response;

    (void)state;
    response_init(&response);
    assert_true(response_add(&response, "A", STR("1")));
    assert_true(response_add(&response, "B", STR("")));
    assert_int_equal(response.header_count, 2);
    assert_str_equal(response_header_value(&response, "A"), "1");
    assert_false(str_is_set(response_header_value(&response, "C")));
}

static void no_value_can_end_its_line(void **state)
{
    static const struct str values[] = {STR("a\r\nX: y"), STR("a\nb"),  STR("a\rb"),
                                        STR("a\0b"),      STR("a\x7F"), STR("\xC3\xA9")};
    struct response response;

    (void)state;
    response_init(&response);
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        assert_false(response_add(&response, "A", values[i]));
    assert_false(response_add(&response, "A", STR_NONE));
    assert_int_equal(response.header_count, 0);
}

static void refuses_one_header_too_many(void **state)
{
    struct response response;

    (void)state;
    response_init(&response);
    for (int i = 0; i < RESPONSE_HEADERS_MAX; i++)
        assert_true(response_add(&response, "A", STR("1")));
    assert_false(response_add(&response, "A", STR("1")));
}

static void begins_as_a_failure(void **state)
{
    struct response response;

    (void)state;
    response_init(&response);
    assert_int_equal(response.status, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_headers_in_order),
        cmocka_unit_test(no_value_can_end_its_line),
        cmocka_unit_test(refuses_one_header_too_many),
        cmocka_unit_test(begins_as_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
