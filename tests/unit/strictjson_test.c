#include "format/strictjson.h"

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
    [STRICTJSON_NOT_OBJECT] = "not_object",
    [STRICTJSON_OUT_OF_MEMORY] = "out_of_memory",
};

static bool judge(const struct vector *vector, void *context)
{
    struct strictjson_place place = {0};
    enum strictjson_result result = strictjson_scan(vector->field[1], NULL, NULL, &place);
    char expected[64], actual[64];

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s %.*s", STR_ARGS(vector->field[0]),
                   STR_ARGS(vector->field[2]));
    if (result == STRICTJSON_OK)
        (void)snprintf(actual, sizeof(actual), "ok ");
    else
        (void)snprintf(actual, sizeof(actual), "%s %zu:%zu", names[result], place.line,
                       place.column);
    if (strcmp(expected, actual) == 0)
        return true;
    return vector_wrong(vector, expected, actual);
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("strictjson.tsv", 50, judge, NULL);
}

/* What a visitor was told, one line for each item. */
static bool note_item(void *context, struct str name, const struct strictjson_value *value)
{
    struct buf *told = context;

    buf_append_format(told, "%.*s %d %.*s\n", STR_ARGS(str_is_set(name) ? name : STR("-")),
                      (int)value->kind, STR_ARGS(value->text));
    return true;
}

static enum strictjson_result scan(const char *text, struct buf *told)
{
    const struct strictjson_visitor visitor = {.item = note_item, .context = told};

    buf_reset(told);
    return strictjson_scan(str_from(text), &visitor, NULL, NULL);
}

static void tells_the_members_of_the_outermost_object(void **state)
{
    struct buf told;

    (void)state;
    buf_init(&told, 1024);
    assert_int_equal(
        scan(" {\"a\": \"x\\ny\", \"\\u0062\":{\"c\":[1]}, \"d\":-1.5e3 ,\"e\":null} ", &told),
        STRICTJSON_OK);
    assert_str_equal(buf_str(&told), "a 0 x\\ny\nb 2 {\"c\":[1]}\nd 1 -1.5e3\ne 6 null\n");
    buf_free(&told);
}

static void tells_the_items_of_the_outermost_array(void **state)
{
    struct buf told;

    (void)state;
    buf_init(&told, 1024);
    assert_int_equal(scan("[\"\", [2], true,false]", &told), STRICTJSON_OK);
    assert_str_equal(buf_str(&told), "- 0 \n- 3 [2]\n- 4 true\n- 5 false\n");
    buf_free(&told);
}

static void gives_the_value_without_the_blanks_around_it(void **state)
{
    static const struct {
        const char *text;
        enum strictjson_kind kind;
        const char *value;
    } rows[] = {
        {" {\"a\" : 1 }\n", STRICTJSON_OBJECT, "{\"a\" : 1 }"},
        {"\t[ ] ", STRICTJSON_ARRAY, "[ ]"},
        {" \"a\\n\" ", STRICTJSON_STRING, "a\\n"},
        {"\"\"", STRICTJSON_STRING, ""},
        {" -1.5e3 ", STRICTJSON_NUMBER, "-1.5e3"},
        {"true", STRICTJSON_TRUE, "true"},
        {"false", STRICTJSON_FALSE, "false"},
        {"null", STRICTJSON_NULL, "null"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct strictjson_value value;

        assert_int_equal(strictjson_scan(str_from(rows[i].text), NULL, &value, NULL),
                         STRICTJSON_OK);
        assert_int_equal(value.kind, rows[i].kind);
        assert_str_equal(value.text, rows[i].value);
    }
}

static void an_object_has_to_be_one(void **state)
{
    static const struct {
        const char *text;
        size_t column; /* 0: it is one */
    } rows[] = {{" {} ", 0}, {"  []", 3}, {" \"a\"", 2}, {"\"\"", 1}, {" 1", 2}, {"null", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct strictjson_place place = {0};

        assert_int_equal(strictjson_scan_object(str_from(rows[i].text), NULL, &place),
                         rows[i].column == 0 ? STRICTJSON_OK : STRICTJSON_NOT_OBJECT);
        assert_int_equal(place.column, rows[i].column);
    }
}

static bool refuse_item(void *context, struct str name, const struct strictjson_value *value)
{
    (void)context;
    (void)name;
    (void)value;
    return false;
}

static void a_visitor_can_end_the_scan(void **state)
{
    const struct strictjson_visitor visitor = {.item = refuse_item};

    (void)state;
    assert_int_equal(strictjson_scan(STR("{\"a\":1}"), &visitor, NULL, NULL),
                     STRICTJSON_OUT_OF_MEMORY);
}

static void finds_a_name_twice_among_few_and_many(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 64 * 1024);
    for (int count = 2; count < 300; count += 7) {
        for (int is_twice = 0; is_twice < 2; is_twice++) {
            buf_reset(&text);
            for (int i = 0; i < count; i++)
                buf_append_format(&text, "%s\"n%d\":0", i == 0 ? "{" : ",",
                                  is_twice && i == count - 1 ? count / 2 - 1 : i);
            buf_append_text(&text, "}");
            assert_int_equal(strictjson_scan(buf_str(&text), NULL, NULL, NULL),
                             is_twice ? STRICTJSON_DUPLICATE : STRICTJSON_OK);
        }
    }
    buf_free(&text);
}

static void resolves_escapes_without_moving_what_was_resolved(void **state)
{
    struct str first, second, plain;
    struct buf room;

    (void)state;
    buf_init(&room, 40);
    assert_true(strictjson_resolve(STR("\\u00e9\\\\\\/"), &room, &first));
    assert_true(strictjson_resolve(STR("plain"), &room, &plain));
    assert_true(strictjson_resolve(STR("\\ud83d\\ude00"), &room, &second));
    assert_str_equal(first, "\xC3\xA9\\/");
    assert_str_equal(plain, "plain");
    assert_str_equal(second, "\xF0\x9F\x98\x80");
    buf_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(tells_the_members_of_the_outermost_object),
        cmocka_unit_test(tells_the_items_of_the_outermost_array),
        cmocka_unit_test(gives_the_value_without_the_blanks_around_it),
        cmocka_unit_test(an_object_has_to_be_one),
        cmocka_unit_test(a_visitor_can_end_the_scan),
        cmocka_unit_test(finds_a_name_twice_among_few_and_many),
        cmocka_unit_test(resolves_escapes_without_moving_what_was_resolved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
