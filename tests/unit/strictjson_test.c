#include "format/strictjson.h"

#include <json-c/json.h>
#include <stdio.h>

#include "unit.h"
#include "vectors.h"

static const char *const names[STRICTJSON__MAX] = {
    [STRICTJSON_OK] = "ok",
    [STRICTJSON_EMPTY] = "empty",
    [STRICTJSON_SYNTAX] = "syntax",
    [STRICTJSON_TRAILING] = "trailing",
    [STRICTJSON_NOT_UTF8] = "not_utf8",
    [STRICTJSON_SURROGATE] = "surrogate",
    [STRICTJSON_NUL] = "nul",
    [STRICTJSON_DUPLICATE] = "duplicate",
    [STRICTJSON_NUMBER_RANGE] = "number_range",
    [STRICTJSON_DEPTH] = "depth",
    [STRICTJSON_OUT_OF_MEMORY] = "out_of_memory",
};

static bool judge(const struct vector *vector, void *context)
{
    struct strictjson_place place = {0};
    struct json_object *value = NULL;
    enum strictjson_result result = strictjson_parse(vector->field[1], &value, &place);
    char expected[64], actual[64];

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s %.*s", STR_ARGS(vector->field[0]),
                   STR_ARGS(vector->field[2]));
    if (result == STRICTJSON_OK)
        (void)snprintf(actual, sizeof(actual), "ok ");
    else
        (void)snprintf(actual, sizeof(actual), "%s %zu:%zu", names[result], place.line,
                       place.column);
    json_object_put(value);
    if (strcmp(expected, actual) == 0)
        return true;
    return vector_wrong(vector, expected, actual);
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("strictjson.tsv", 50, judge, NULL);
}

static void gives_values_by_their_types(void **state)
{
    struct json_object *value = NULL;
    bool is_there;

    (void)state;
    assert_int_equal(strictjson_parse(STR("{\"s\":\"a\",\"n\":null,\"i\":1}"), &value, NULL),
                     STRICTJSON_OK);
    assert_str_equal(strictjson_string(strictjson_member(value, "s", &is_there)), "a");
    assert_true(is_there);
    assert_null(strictjson_member(value, "n", &is_there));
    assert_true(is_there);
    assert_null(strictjson_member(value, "x", &is_there));
    assert_false(is_there);
    assert_false(str_is_set(strictjson_string(strictjson_member(value, "i", NULL))));
    json_object_put(value);
}

static void a_number_past_int64_is_a_double(void **state)
{
    struct json_object *value = NULL;

    (void)state;
    assert_int_equal(strictjson_parse(STR("9223372036854775808"), &value, NULL), STRICTJSON_OK);
    assert_true(json_object_is_type(value, json_type_double));
    json_object_put(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(gives_values_by_their_types),
        cmocka_unit_test(a_number_past_int64_is_a_double),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
