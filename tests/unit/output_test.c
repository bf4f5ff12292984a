#include "gateway/output.h"

#include "unit.h"

static void assert_head(const struct response *response, const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_true(output_head(response, &out));
    assert_str_equal(buf_str(&out), expected);
    buf_free(&out);
}

static struct response answer(int status, const char *type, struct str body)
{
    struct response response;

    response_init(&response);
    response.status = status;
    response.content_type = type;
    response.body = body;
    return response;
}

static void writes_status_type_length_and_headers(void **state)
{
    struct response response = answer(200, "application/json", STR("{}"));

    (void)state;
    assert_true(response_add(&response, "ETag", STR("\"x\"")));
    assert_head(&response, "Status: 200 OK\r\nContent-Type: application/json\r\n"
                           "Content-Length: 2\r\nETag: \"x\"\r\n\r\n");
    assert_str_equal(output_body(&response), "{}");
}

static void without_a_body_there_is_neither_type_nor_length(void **state)
{
    struct response response = answer(304, NULL, STR(""));

    (void)state;
    assert_head(&response, "Status: 304 Not Modified\r\n\r\n");
    assert_str_equal(output_body(&response), "");
}

static void head_has_the_length_but_not_the_body(void **state)
{
    struct response response = answer(200, "application/json", STR("{}"));

    (void)state;
    response.omits_body = true;
    assert_head(&response,
                "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n");
    assert_str_equal(output_body(&response), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_status_type_length_and_headers),
        cmocka_unit_test(without_a_body_there_is_neither_type_nor_length),
        cmocka_unit_test(head_has_the_length_but_not_the_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
