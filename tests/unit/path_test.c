#include "gateway/path.h"

#include "unit.h"
#include "vectors.h"

static struct str unset_when_empty(struct str s)
{
    return s.len == 0 ? STR_NONE : s;
}

static bool judge(const struct vector *vector, void *context)
{
    struct str path =
        path_of_request(unset_when_empty(vector->field[1]), unset_when_empty(vector->field[2]),
                        unset_when_empty(vector->field[3]));
    bool expected = str_equal(vector->field[0], STR("resource"));
    bool actual = str_equal(path, STR("/me"));

    (void)context;
    if (expected == actual)
        return true;
    return vector_wrong(vector, expected ? "resource" : "other", actual ? "resource" : "other");
}

static void finds_the_resource_by_vectors(void **state)
{
    (void)state;
    vectors_run("path.tsv", 50, judge, NULL);
}

static void an_unset_variable_is_as_an_empty_one(void **state)
{
    (void)state;
    assert_str_equal(path_of_request(STR("/me"), STR(""), STR_NONE), "/me");
    assert_str_equal(path_of_request(STR(""), STR("/me"), STR("")), "/me");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_resource_by_vectors),
        cmocka_unit_test(an_unset_variable_is_as_an_empty_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
