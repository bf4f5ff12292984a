#include "format/mediatype.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"
#include "vectors.h"

/* "name" or "name;charset", or "refuse". */
static void describe(struct str header, char *out, size_t size)
{
    struct mediatype type;

    if (!mediatype_parse(header, &type))
        (void)snprintf(out, size, "refuse");
    else if (str_is_set(type.charset))
        (void)snprintf(out, size, "%.*s;%.*s", STR_ARGS(type.name), STR_ARGS(type.charset));
    else
        (void)snprintf(out, size, "%.*s", STR_ARGS(type.name));
}

static bool judge_type(const struct vector *vector, void *context)
{
    char expected[256], actual[256];

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    describe(vector->field[1], actual, sizeof(actual));
    return strcmp(expected, actual) == 0 || vector_wrong(vector, expected, actual);
}

static void parses_one_type_by_vectors(void **state)
{
    (void)state;
    vectors_run("mediatype.tsv", 60, judge_type, NULL);
}

static bool judge_quality(const struct vector *vector, void *context)
{
    char expected[16], actual[16], type[64];

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    (void)snprintf(type, sizeof(type), "%.*s", STR_ARGS(vector->field[2]));
    (void)snprintf(actual, sizeof(actual), "%d", mediatype_quality(vector->field[1], type));
    return strcmp(expected, actual) == 0 || vector_wrong(vector, expected, actual);
}

static void weighs_ranges_by_vectors(void **state)
{
    (void)state;
    vectors_run("accept.tsv", 70, judge_quality, NULL);
}

static void no_header_is_no_type_and_accepts_everything(void **state)
{
    struct mediatype type = {STR("x"), STR("y")};

    (void)state;
    assert_false(mediatype_parse(STR_NONE, &type));
    assert_int_equal(mediatype_quality(STR_NONE, "application/json"), 1000);
}

static void names_compare_without_case(void **state)
{
    struct mediatype type;

    (void)state;
    assert_true(mediatype_parse(STR("Application/JSON"), &type));
    assert_true(mediatype_is(&type, "application/json"));
    assert_false(mediatype_is(&type, "application/jso"));
    assert_false(mediatype_is(&type, "application/json5"));
    assert_false(mediatype_is(&type, "text/json"));
}

/* Every quality with three decimals, in each of its spellings. */
static void reads_all_qualities(void **state)
{
    (void)state;
    for (int quality = 0; quality <= 1000; quality++) {
        char header[64];
        int len = snprintf(header, sizeof(header), "a/b;q=%d.%03d", quality / 1000, quality % 1000);

        assert_int_equal(mediatype_quality(str_from(header), "a/b"), quality);
        while (header[len - 1] == '0' && header[len - 2] != '.') {
            header[--len] = '\0';
            assert_int_equal(mediatype_quality(str_from(header), "a/b"), quality);
        }
    }
}

/* A hostile header: as many members, parameters and open quotes as fit are read once each. */
static void a_long_header_is_read_in_one_pass(void **state)
{
    enum { LENGTH = 1024 * 1024 };
    static const char *const patterns[] = {",",    ";",    "\"",         "\\",
                                           "\"\\", "a/b,", "a/b;q=0.5,", ";a=b"};
    char *header = malloc(LENGTH);
    struct mediatype type;

    (void)state;
    assert_non_null(header);
    for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++) {
        size_t len = strlen(patterns[i]);

        for (size_t at = 0; at < LENGTH; at++)
            header[at] = patterns[i][at % len];
        (void)alarm(60);
        assert_in_range(mediatype_quality((struct str){header, LENGTH}, "a/b"), 0, 1000);
        memcpy(header, "a/b;", 4);
        if (mediatype_parse((struct str){header, LENGTH}, &type))
            assert_str_equal(type.name, "a/b");
        (void)alarm(0);
    }
    free(header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_one_type_by_vectors),
        cmocka_unit_test(weighs_ranges_by_vectors),
        cmocka_unit_test(no_header_is_no_type_and_accepts_everything),
        cmocka_unit_test(names_compare_without_case),
        cmocka_unit_test(reads_all_qualities),
        cmocka_unit_test(a_long_header_is_read_in_one_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
