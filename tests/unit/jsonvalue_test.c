#include "format/jsonvalue.h"

#include <json-c/json.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocations.h"
#include "base/utf8.h"
#include "folder.h"
#include "format/jsonnumber.h"
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

/* In a name as in a value. */
static void assert_escaped(uint32_t code_point)
{
    struct json_object *value = NULL;
    unsigned int above = code_point - 0x10000, high = 0xD800 + (above >> 10),
                 low = 0xDC00 + (above & 0x3FF);
    char text[64], bytes[8] = "";
    struct str character = {bytes, utf8_encode(code_point, bytes)};

    (void)snprintf(text, sizeof(text), "{\"\\u%04x\\u%04X\":\"a\\u%04X\\u%04xb\"}", high, low, high,
                   low);
    assert_int_equal(jsonvalue_parse(str_from(text), &value, NULL), STRICTJSON_OK);
    assert_int_equal(json_object_object_length(value), 1);
    (void)snprintf(text, sizeof(text), "a%.*sb", STR_ARGS(character));
    assert_str_equal(jsonvalue_string(jsonvalue_member(value, bytes, NULL)), text);
    json_object_put(value);
}

static void an_escaped_pair_is_its_character(void **state)
{
    (void)state;
    for (uint32_t code_point = 0x10000; code_point <= 0x10FFFF; code_point += 61)
        assert_escaped(code_point);
    assert_escaped(0x1D800);
    assert_escaped(0x1DFFF);
    assert_escaped(0x2D800);
    assert_escaped(0x10FFFF);
}

static void pairs_and_wide_numbers_are_mended_in_one_text(void **state)
{
    struct json_object *value = NULL;

    (void)state;
    assert_int_equal(jsonvalue_parse(STR(" [18446744073709551616,\"\\ud836\\udc00\",\"\\u00e9\","
                                         "18446744073709551616,\"\\ud876\\udc00\"] "),
                                     &value, NULL),
                     STRICTJSON_OK);
    assert_string_equal(
        json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
        "[18446744073709551616.0,\"\xF0\x9D\xA0\x80\",\"\xC3\xA9\",18446744073709551616.0,"
        "\"\xF0\xAD\xA0\x80\"]");
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

/* ---- under a locale that writes 1,5 */

static int make_folder(void **state)
{
    *state = folder_new();
    return 0;
}

static int leave_comma_locale(void **state)
{
    folder_remove(*state);
    return setlocale(LC_ALL, "C") != NULL ? 0 : -1;
}

/* A locale of our own, so that none has to be installed; false: this system cannot make one. */
static bool enter_comma_locale(const char *folder)
{
    static const char locale[] = "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\n"
                                 "grouping 3;3\nEND LC_NUMERIC\n";
    static const char charmap[] = "<code_set_name> ANSI_X3.4-1968\n<comment_char> %\n"
                                  "<escape_char> /\nCHARMAP\n<U0000>..<U007F> /x00\n"
                                  "END CHARMAP\n";
    char command[4 * FOLDER_PATH_BYTES];
    bool is_set;

    folder_add(folder, "source", str_from(locale), 0600);
    folder_add(folder, "charmap", str_from(charmap), 0600);
    (void)snprintf(command, sizeof(command),
                   "cd %s && localedef --force -f charmap -i source ./comma >log 2>&1", folder);
    /* It fails over all the categories that are not in the source: what it made is judged instead.
     */
    is_set = system(command) != -1 && setenv("LOCPATH", folder, 1) == 0 &&
             setlocale(LC_ALL, "comma") != NULL;
    /* glibc's newlocale, which json-c calls, loses memory where LOCPATH is set. */
    return unsetenv("LOCPATH") == 0 && is_set && strcmp(localeconv()->decimal_point, ",") == 0 &&
           strtod("1.5", NULL) == 1.0;
}

static void assert_double(const char *text, double expected)
{
    struct json_object *value = NULL;

    assert_int_equal(jsonvalue_parse(str_from(text), &value, NULL), STRICTJSON_OK);
    assert_true(json_object_is_type(value, json_type_double));
    assert_true(json_object_get_double(value) >= expected);
    assert_true(json_object_get_double(value) <= expected);
    json_object_put(value);
}

static void numbers_do_not_follow_the_locale(void **state)
{
    struct json_object *value = NULL;

    if (!enter_comma_locale(*state)) {
        skip_because("localedef made no locale with a comma");
    }
    assert_double("1.5", 1.5);
    assert_double("-0.25", -0.25);
    assert_double("1.25e2", 125);
    assert_double("0.001e-3", 1e-6);
    assert_double("9223372036854775808", 9223372036854775808.0);
    assert_double("1.7976931348623157e308", 1.7976931348623157e308);
    assert_int_equal(jsonvalue_parse(STR("1,5"), &value, NULL), STRICTJSON_TRAILING);
    assert_int_equal(jsonvalue_parse(STR("[1,5]"), &value, NULL), STRICTJSON_OK);
    assert_int_equal(json_object_array_length(value), 2);
    json_object_put(value);
    assert_int_equal(jsonvalue_parse(STR("{\"a\":[1.5,-2.5,1234567.5]}"), &value, NULL),
                     STRICTJSON_OK);
    assert_string_equal(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
                        "{\"a\":[1.5,-2.5,1234567.5]}");
    json_object_put(value);
}

/* Those of tokens, which are read without json-c. */
static void times_do_not_follow_the_locale(void **state)
{
    int64_t thousandths = 0;

    if (!enter_comma_locale(*state)) {
        skip_because("localedef made no locale with a comma");
    }
    assert_true(jsonnumber_thousandths(STR("1800000000.125"), INT64_MAX / 1000, &thousandths));
    assert_int_equal(thousandths, INT64_C(1800000000125));
    assert_true(jsonnumber_fits_double(STR("1.7976931348623157e308")));
    assert_false(jsonnumber_fits_double(STR("1.7976931348623158e308")));
}

/* ---- short memory */

static enum strictjson_result parse_without(size_t first, size_t last, struct str text,
                                            struct json_object **value, size_t *asked)
{
    enum strictjson_result result;

    allocations_fail(first, last);
    result = jsonvalue_parse(text, value, NULL);
    *asked = allocations_end();
    return result;
}

/* A body that lost a member, or whose member became null, would be taken for another one. */
static void short_memory_leaves_nothing_out(void **state)
{
    static const struct str text =
        STR("{\"name\":\"Ada\",\"bio\":\"a text that is too long to be held in the value itself "
            "of json-c, as some are\",\"\\u0061\":1,\"b\":[true,\"\\u00e9\",{}],\"c\":null,"
            "\"d\":99999999999999999999,\"e\":2.5,\"locale\":{\"en\":[[\"x\"]]}}");
    struct json_object *whole;
    size_t count, asked;

    (void)state;
    allocations_skip_where_none_can_fail();
    assert_int_equal(parse_without(1, 0, text, &whole, &count), STRICTJSON_OK);
    assert_true(count > 30);
    for (size_t i = 0; i < count * 2; i++) {
        struct json_object *value;
        enum strictjson_result result =
            parse_without(i / 2, i % 2 == 0 ? i / 2 : SIZE_MAX, text, &value, &asked);

        if (result == STRICTJSON_OK)
            assert_true(json_object_equal(value, whole));
        else
            assert_null(value);
        assert_true(result == STRICTJSON_OK || result == STRICTJSON_OUT_OF_MEMORY);
        json_object_put(value);
    }
    json_object_put(whole);
}

/* A text of some length, whose buffer in json-c has to grow several times. */
static struct json_object *new_long_array(void)
{
    struct json_object *array = json_object_new_array();

    assert_non_null(array);
    for (int i = 0; i < 300; i++)
        assert_int_equal(json_object_array_add(array, json_object_new_string("a / \"b\"")), 0);
    return array;
}

static void writes_a_value_without_blanks(void **state)
{
    struct json_object *value = NULL;
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    buf_append_text(&out, "x");
    assert_int_equal(jsonvalue_parse(STR(" { \"a\" : [ 1 , null, \"/\" ] } "), &value, NULL),
                     STRICTJSON_OK);
    assert_true(jsonvalue_append(value, &out));
    assert_str_equal(buf_str(&out), "x{\"a\":[1,null,\"/\"]}");
    json_object_put(value);
    buf_free(&out);
}

static void a_text_over_the_cap_is_not_written(void **state)
{
    struct json_object *value = new_long_array();
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_false(jsonvalue_append(value, &out));
    json_object_put(value);
    buf_free(&out);
}

static void a_text_is_written_whole_or_not_at_all(void **state)
{
    struct json_object *value;
    struct buf whole, out;
    size_t count, failures = 0;

    (void)state;
    allocations_skip_where_none_can_fail();
    buf_init(&whole, 64 * 1024);
    value = new_long_array();
    allocations_fail(1, 0);
    assert_true(jsonvalue_append(value, &whole));
    count = allocations_end();
    json_object_put(value);
    assert_true(count > 3);
    for (size_t i = 0; i < count * 2; i++) {
        bool good;

        value = new_long_array(); /* json-c keeps a value's print buffer */
        buf_init(&out, 64 * 1024);
        allocations_fail(i / 2, i % 2 == 0 ? i / 2 : SIZE_MAX);
        good = jsonvalue_append(value, &out);
        (void)allocations_end();
        failures += !good;
        if (good)
            assert_true(str_equal(buf_str(&out), buf_str(&whole)));
        buf_free(&out);
        json_object_put(value);
    }
    assert_true(failures > 0);
    buf_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_what_the_gate_lets_through),
        cmocka_unit_test(gives_values_by_their_types),
        cmocka_unit_test(a_number_past_int64_is_a_double),
        cmocka_unit_test(an_escaped_pair_is_its_character),
        cmocka_unit_test(pairs_and_wide_numbers_are_mended_in_one_text),
        cmocka_unit_test(an_object_has_to_be_one),
        cmocka_unit_test(short_memory_leaves_nothing_out),
        cmocka_unit_test(writes_a_value_without_blanks),
        cmocka_unit_test(a_text_over_the_cap_is_not_written),
        cmocka_unit_test(a_text_is_written_whole_or_not_at_all),
        cmocka_unit_test_setup_teardown(numbers_do_not_follow_the_locale, make_folder,
                                        leave_comma_locale),
        cmocka_unit_test_setup_teardown(times_do_not_follow_the_locale, make_folder,
                                        leave_comma_locale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
