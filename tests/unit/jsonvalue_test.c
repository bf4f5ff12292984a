#include "format/jsonvalue.h"

#include <json-c/json.h>

#include "unit.h"
#include "vectors.h"

/* json-c takes what the gate lets through, and nothing else is built. */
static bool judge(const struct vector *vector, void *context)
{
    struct json_object *value = NULL;
    enum strictjson_result scanned = strictjson_scan(vector->field[1], NULL, NULL, NULL);
    enum strictjson_result built = jsonvalue_parse(vector->field[1], &value, NULL);

    (void)context;
    json_object_put(value);
    if (scanned == built)
        return true;
    return vector_wrong(vector, strictjson_text(scanned), strictjson_text(built));
}

static void builds_what_the_gate_lets_through(void **state)
{
    (void)state;
    vectors_run("strictjson.tsv", 50, judge, NULL);
}

static void gives_values_by_their_types(void **state)
{
    struct json_object *value = NULL;
    bool is_there;

    (void)state;
    assert_int_equal(jsonvalue_parse(STR("{\"s\":\"a\",\"n\":null,\"i\":1}"), &value, NULL),
                     STRICTJSON_OK);
    assert_str_equal(jsonvalue_string(jsonvalue_member(value, "s", &is_there)), "a");
    assert_true(is_there);
    assert_null(jsonvalue_member(value, "n", &is_there));
    assert_true(is_there);
    assert_null(jsonvalue_member(value, "x", &is_there));
    assert_false(is_there);
    assert_false(str_is_set(jsonvalue_string(jsonvalue_member(value, "i", NULL))));
    json_object_put(value);
}

static void a_number_past_int64_is_a_double(void **state)
{
    struct json_object *value = NULL;

    (void)state;
    assert_int_equal(jsonvalue_parse(STR("9223372036854775808"), &value, NULL), STRICTJSON_OK);
    assert_true(json_object_is_type(value, json_type_double));
    json_object_put(value);
}

static void an_object_has_to_be_one(void **state)
{
    struct strictjson_place place = {0};
    struct json_object *value = NULL;

    (void)state;
    assert_int_equal(jsonvalue_parse_object(STR(" \n [1]"), &value, &place), STRICTJSON_NOT_OBJECT);
    assert_null(value);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 2);
    assert_int_equal(jsonvalue_parse_object(STR("{}"), &value, &place), STRICTJSON_OK);
    json_object_put(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_what_the_gate_lets_through),
        cmocka_unit_test(gives_values_by_their_types),
        cmocka_unit_test(a_number_past_int64_is_a_double),
        cmocka_unit_test(an_object_has_to_be_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
