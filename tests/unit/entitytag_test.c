#include "format/entitytag.h"

#include <stdio.h>

#include "unit.h"
#include "vectors.h"

static const char *const names[] = {
    [ENTITYTAG_NO_MATCH] = "no",
    [ENTITYTAG_MATCH] = "match",
    [ENTITYTAG_MALFORMED] = "malformed",
};

static bool judge(const struct vector *vector, void *context)
{
    static const struct str etag = {"\"abc\"", 5};
    char expected[64], actual[64];

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s %.*s", STR_ARGS(vector->field[0]),
                   STR_ARGS(vector->field[1]));
    (void)snprintf(actual, sizeof(actual), "%s %s",
                   names[entitytag_match_strong(vector->field[2], etag)],
                   names[entitytag_match_weak(vector->field[2], etag)]);
    return strcmp(expected, actual) == 0 || vector_wrong(vector, expected, actual);
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("entitytag.tsv", 60, judge, NULL);
}

static void no_list_is_malformed(void **state)
{
    (void)state;
    assert_int_equal(entitytag_match_strong(STR_NONE, STR("\"a\"")), ENTITYTAG_MALFORMED);
    assert_int_equal(entitytag_match_weak(STR_NONE, STR("\"a\"")), ENTITYTAG_MALFORMED);
}

/* RFC 9110, section 8.8.3: any byte but control characters, the space and the quote. */
static void takes_the_characters_of_a_tag_and_no_others(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char tag[] = {'"', 'a', (char)c, 'b', '"'};
        struct str text = {tag, sizeof(tag)};
        bool is_good = c == '!' || (c >= '#' && c <= '~') || c >= 0x80;

        assert_int_equal(entitytag_match_strong(text, text),
                         is_good ? ENTITYTAG_MATCH : ENTITYTAG_MALFORMED);
    }
}

static void does_not_look_behind_the_end(void **state)
{
    static const char text[] = "W/\"abc\"";

    (void)state;
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_equal(entitytag_match_weak((struct str){text, len}, STR("\"abc\"")),
                         ENTITYTAG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(no_list_is_malformed),
        cmocka_unit_test(takes_the_characters_of_a_tag_and_no_others),
        cmocka_unit_test(does_not_look_behind_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
