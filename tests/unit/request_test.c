#include "api/request.h"

#include "unit.h"

/* Hands out a text in small steps, as a stream does. */
static size_t read_text(void *context, char *out, size_t size)
{
    struct str *rest = context;
    size_t step = rest->len < 3 ? rest->len : 3;

    step = step < size ? step : size;
    memcpy(out, rest->data, step);
    rest->data += step;
    rest->len -= step;
    return step;
}

static enum request_body read_body(struct str text, struct str length, size_t max, struct buf *out)
{
    struct request request = {.read = read_text, .read_context = &text};

    request.header[REQUEST_CONTENT_LENGTH] = length;
    buf_init(out, max);
    return request_read_body(&request, out);
}

static void reads_as_much_as_content_length_says(void **state)
{
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR("0123456789"), STR("4"), 100, &out), REQUEST_BODY_OK);
    assert_str_equal(buf_str(&out), "0123");
    buf_free(&out);
}

static void reads_to_the_end_without_content_length(void **state)
{
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR("0123456789"), STR_NONE, 100, &out), REQUEST_BODY_OK);
    assert_str_equal(buf_str(&out), "0123456789");
    buf_free(&out);
}

/* Breaks off where the text ends. */
static size_t read_broken(void *context, char *out, size_t size)
{
    size_t got = read_text(context, out, size);

    return got > 0 ? got : REQUEST_READ_BROKEN;
}

static enum request_body read_broken_body(struct str text, struct str length, size_t max)
{
    struct request request = {.read = read_broken, .read_context = &text};
    enum request_body result;
    struct buf out;

    request.header[REQUEST_CONTENT_LENGTH] = length;
    buf_init(&out, max);
    result = request_read_body(&request, &out);
    buf_free(&out);
    return result;
}

static void refuses_a_body_that_breaks_off(void **state)
{
    (void)state;
    assert_int_equal(read_broken_body(STR("{}"), STR_NONE, 10), REQUEST_BODY_BROKEN);
    assert_int_equal(read_broken_body(STR("0123456789"), STR_NONE, 10), REQUEST_BODY_BROKEN);
    assert_int_equal(read_broken_body(STR("{}"), STR("3"), 10), REQUEST_BODY_SHORT);
    assert_int_equal(read_broken_body(STR("{}"), STR("2"), 10), REQUEST_BODY_OK);
}

static void takes_a_body_of_exactly_the_limit(void **state)
{
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR("0123456789"), STR("10"), 10, &out), REQUEST_BODY_OK);
    buf_free(&out);
    assert_int_equal(read_body(STR("0123456789"), STR(""), 10, &out), REQUEST_BODY_OK);
    buf_free(&out);
}

static void refuses_a_body_over_the_limit(void **state)
{
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR("0123456789"), STR("11"), 10, &out), REQUEST_BODY_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_free(&out);
    assert_int_equal(read_body(STR("0123456789x"), STR_NONE, 10, &out), REQUEST_BODY_TOO_LARGE);
    buf_free(&out);
}

static void takes_a_length_of_any_size_for_one(void **state)
{
    static const struct str lengths[] = {STR("11"), STR("9223372036854775807"),
                                         STR("9223372036854775808"), STR("18446744073709551617"),
                                         STR("99999999999999999999999999999999999999")};
    struct buf out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        assert_int_equal(read_body(STR("0"), lengths[i], 10, &out), REQUEST_BODY_TOO_LARGE);
        assert_int_equal(out.len, 0);
        buf_free(&out);
    }
    assert_int_equal(read_body(STR("01"), STR("00000000000000000000000000000002"), 10, &out),
                     REQUEST_BODY_OK);
    assert_str_equal(buf_str(&out), "01");
    buf_free(&out);
}

static void tells_a_body_that_broke_off(void **state)
{
    struct buf out;

    (void)state;
    assert_int_equal(read_body(STR("012"), STR("4"), 10, &out), REQUEST_BODY_SHORT);
    buf_free(&out);
}

static void refuses_a_length_that_is_no_number(void **state)
{
    static const struct str lengths[] = {STR("x"),   STR("-1"),  STR("+1"),  STR("1.0"), STR("1,1"),
                                         STR("1 1"), STR("0x1"), STR("1e1"), STR("1\n")};
    struct buf out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        assert_int_equal(read_body(STR("0"), lengths[i], 10, &out), REQUEST_BODY_BAD_LENGTH);
        buf_free(&out);
    }
}

static void takes_over_request_ids_of_64_harmless_characters(void **state)
{
    char id[66];

    (void)state;
    memset(id, 'a', sizeof(id));
    assert_true(request_id_is_good((struct str){id, 64}));
    assert_false(request_id_is_good((struct str){id, 65}));
    assert_true(request_id_is_good(STR("Az09._-")));
    assert_false(request_id_is_good(STR("")));
    assert_false(request_id_is_good(STR_NONE));
    assert_false(request_id_is_good(STR("a b")));
    assert_false(request_id_is_good(STR("a\nb")));
    assert_false(request_id_is_good(STR("\xC3\xA9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_much_as_content_length_says),
        cmocka_unit_test(reads_to_the_end_without_content_length),
        cmocka_unit_test(refuses_a_body_that_breaks_off),
        cmocka_unit_test(takes_a_body_of_exactly_the_limit),
        cmocka_unit_test(refuses_a_body_over_the_limit),
        cmocka_unit_test(takes_a_length_of_any_size_for_one),
        cmocka_unit_test(tells_a_body_that_broke_off),
        cmocka_unit_test(refuses_a_length_that_is_no_number),
        cmocka_unit_test(takes_over_request_ids_of_64_harmless_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
