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

/* Whole, however it is split, and after the program; with nothing before it. */
static void finds_a_path_to_be_watched(void **state)
{
    static const struct {
        const char *script_name, *path_info, *uri;
        bool is;
    } cases[] = {
        {"/health/live", "", "/health/live", true},
        {"/health/live", NULL, "/health/live?x=1", true},
        {"/health", "/live", "/health/live", true},
        {"", "/health/live", "/health/live", true},
        {NULL, NULL, "/health/live?x=1", true},
        {NULL, NULL, "https://api.example.com/health/live", true},
        {"/cgi-bin/me.fcgi", "/health/live", "/cgi-bin/me.fcgi/health/live", true},
        {NULL, NULL, "/cgi-bin/me.fcgi/health/live", true},
        {"/cgi-bin/me.fcgi/health/live", "", "", true},
        {"/cgi-bin", "/me.fcgi/health/live", "", true},
        {"", "/cgi-bin/me.fcgi/health/live", "", true},
        {"/x", "/health/live", "/x/health/live", false},
        {"/x/health/live", "", "/x/health/live", false},
        {NULL, NULL, "/x/health/live", false},
        {"/health", "", "/health", false},
        {"/health/live", "/", "/health/live/", false},
        {"/health/live/and/more/than/the/path/has", "", "", false},
        {"/health/live", "/health/live", "", false},
        {"/cgi-bin/me.fcgi", "/x/health/live", "", false},
        {"/me", "", "/me", false},
        {NULL, NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (path_is_of_request(STR("/health/live"), str_from(cases[i].script_name),
                               str_from(cases[i].path_info), str_from(cases[i].uri)) != cases[i].is)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_resource_by_vectors),
        cmocka_unit_test(an_unset_variable_is_as_an_empty_one),
        cmocka_unit_test(finds_a_path_to_be_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
