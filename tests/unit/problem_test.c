#include "api/problem.h"

#include "unit.h"

/* As long as a request id may be. */
static const struct str request_id =
    STR("0123456789012345678901234567890123456789012345678901234567890123");

static void assert_same(enum problem problem, enum problem_form form)
{
    const struct problem_report report = {
        .problem = problem, .note = STR_NONE, .request_id = request_id};
    char plain[PROBLEM_PLAIN_BYTES];
    struct str text = problem_render_plain(&report, form, plain);
    struct buf out;

    buf_init(&out, 4096);
    assert_true(problem_render(&report, form, &out));
    assert_true(text.len < PROBLEM_PLAIN_BYTES);
    assert_true(str_equal(text, buf_str(&out)));
    buf_free(&out);
}

static void is_the_same_without_memory(void **state)
{
    (void)state;
    for (enum problem problem = PROBLEM_NONE; problem < PROBLEM__MAX; problem++) {
        assert_same(problem, PROBLEM_FORM_JSON);
        assert_same(problem, PROBLEM_FORM_RFC9457);
    }
}

static void says_nothing_of_the_note_without_memory(void **state)
{
    const struct problem_report report = {
        .problem = PROBLEM_INVALID_JSON, .note = STR("\"quoted\""), .request_id = STR("id")};
    char plain[PROBLEM_PLAIN_BYTES];

    (void)state;
    assert_str_equal(
        problem_render_plain(&report, PROBLEM_FORM_JSON, plain),
        "{\"code\":\"invalid_json\",\"message\":\"The request body is not valid JSON\","
        "\"requestId\":\"id\"}");
}

static void fails_where_the_cap_is_too_low(void **state)
{
    const struct problem_report report = {
        .problem = PROBLEM_NOT_FOUND, .note = STR_NONE, .request_id = request_id};
    struct buf out;

    (void)state;
    buf_init(&out, 40);
    assert_false(problem_render(&report, PROBLEM_FORM_JSON, &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_same_without_memory),
        cmocka_unit_test(says_nothing_of_the_note_without_memory),
        cmocka_unit_test(fails_where_the_cap_is_too_low),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
