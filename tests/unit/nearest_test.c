#include "base/nearest.h"

#include <stdio.h>

#include "unit.h"
#include "vectors.h"

static bool judge_one(const struct vector *vector, struct str typed, struct str word)
{
    bool is_near = str_equal(vector->field[0], STR("near"));
    struct nearest nearest = {STR_NONE, 0};
    char expected[32], actual[32];
    bool was_taken = nearest_try(&nearest, typed, word);

    (void)snprintf(expected, sizeof(expected), "%s %.*s", is_near ? "near" : "far",
                   STR_ARGS(vector->field[1]));
    (void)snprintf(actual, sizeof(actual), "%s %zu", was_taken ? "near" : "far",
                   nearest_distance(typed, word));
    return strcmp(expected, actual) == 0 || vector_wrong(vector, expected, actual);
}

static bool judge(const struct vector *vector, void *context)
{
    struct str a = vector->field[2], b = vector->field[3];

    (void)context;
    return judge_one(vector, a, b) && judge_one(vector, b, a);
}

static void measures_either_way_by_vectors(void **state)
{
    (void)state;
    vectors_run("nearest.tsv", 20, judge, NULL);
}

static void keeps_the_nearest(void **state)
{
    struct nearest nearest = {STR_NONE, 0};

    (void)state;
    assert_false(nearest_try(&nearest, STR("email ad"), STR("fraud add")));
    assert_true(nearest_try(&nearest, STR("email ad"), STR("emails do")));
    assert_true(nearest_try(&nearest, STR("email ad"), STR("email add")));
    assert_false(nearest_try(&nearest, STR("email ad"), STR("emails do")));
    assert_str_equal(nearest.word, "email add");
}

static void keeps_the_first_of_two_as_near(void **state)
{
    struct nearest nearest = {STR_NONE, 0};

    (void)state;
    assert_true(nearest_try(&nearest, STR("bat"), STR("cat")));
    assert_false(nearest_try(&nearest, STR("bat"), STR("hat")));
    assert_str_equal(nearest.word, "cat");
}

static void nothing_is_near_a_very_long_word(void **state)
{
    char text[NEAREST_WORD_MAX_BYTES + 1];
    struct nearest nearest = {STR_NONE, 0};
    struct str longest = {text, NEAREST_WORD_MAX_BYTES}, longer = {text, sizeof(text)};

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_false(nearest_try(&nearest, longer, longest));
    assert_false(nearest_try(&nearest, longest, longer));
    assert_true(nearest_try(&nearest, longest, longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_either_way_by_vectors),
        cmocka_unit_test(keeps_the_nearest),
        cmocka_unit_test(keeps_the_first_of_two_as_near),
        cmocka_unit_test(nothing_is_near_a_very_long_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
