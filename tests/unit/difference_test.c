#include "profile/difference.h"

#include <stdio.h>

#include "judge.h"
#include "profile/patch.h"
#include "store/audit.h"
#include "unit.h"

static const struct profile ada = {
    .name = STR("Ada"),
    .bio = STR("mathematician"),
    .avatar_url = STR("https://example.com/ada"),
    .locale = STR("en-GB"),
    .timezone = STR("Europe/London"),
};

typedef bool difference_render(const struct profile *before, const struct profile *after,
                               struct buf *out);

static void assert_renders(difference_render *render, const struct profile *after,
                           const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_true(render(&ada, after, &out));
    assert_str_equal(buf_str(&out), expected);
    buf_free(&out);
}

static void nothing_differs_in_equal_profiles(void **state)
{
    const struct profile same = ada;

    (void)state;
    assert_renders(difference_names, &same, "");
    assert_renders(difference_values, &same, "{}");
}

static void each_member_is_named_as_in_the_resource(void **state)
{
    static const char *const names[] = {"name", "bio", "avatarUrl", "locale", "timezone"};

    (void)state;
    assert_int_equal(ARRAY_LENGTH(names), PATCH_MEMBER__MAX);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct profile after = ada;
        char values[128];
        struct str old = patch_member_text(&ada, (enum patch_member)i);

        *patch_member_value(&after, (enum patch_member)i) = STR("other");
        (void)snprintf(values, sizeof(values), "{\"%s\":{\"old\":\"%.*s\",\"new\":\"other\"}}",
                       names[i], STR_ARGS(old));
        assert_renders(difference_names, &after, names[i]);
        assert_renders(difference_values, &after, values);
    }
}

static void several_members_are_a_list_in_their_order(void **state)
{
    struct profile after = ada;

    (void)state;
    after.timezone = STR("Europe/Paris");
    after.name = STR("Augusta Ada");
    after.avatar_url = STR_NONE;
    assert_renders(difference_names, &after, "name,avatarUrl,timezone");
    assert_renders(difference_values, &after,
                   "{\"name\":{\"old\":\"Ada\",\"new\":\"Augusta Ada\"},"
                   "\"avatarUrl\":{\"old\":\"https://example.com/ada\",\"new\":null},"
                   "\"timezone\":{\"old\":\"Europe/London\",\"new\":\"Europe/Paris\"}}");
}

static void unset_is_null_and_not_the_same_as_empty(void **state)
{
    struct profile unset = ada, empty = ada;
    struct buf out;

    (void)state;
    unset.bio = STR_NONE;
    empty.bio = STR("");
    buf_init(&out, 256);
    assert_true(difference_values(&unset, &empty, &out));
    assert_str_equal(buf_str(&out), "{\"bio\":{\"old\":null,\"new\":\"\"}}");
    buf_reset(&out);
    assert_true(difference_values(&unset, &unset, &out));
    assert_str_equal(buf_str(&out), "{}");
    buf_free(&out);
}

static void what_json_has_to_escape_is_escaped(void **state)
{
    struct profile after = ada;

    (void)state;
    after.name = STR("\"\\/\t\xC3\xA9\xF0\x9F\x98\x80\x01");
    assert_renders(difference_values, &after,
                   "{\"name\":{\"old\":\"Ada\","
                   "\"new\":\"\\\"\\\\/\\t\xC3\xA9\xF0\x9F\x98\x80\\u0001\"}}");
}

static void what_no_patch_changes_makes_no_difference(void **state)
{
    struct profile after = ada;

    (void)state;
    after.updated_ms = 1;
    after.status = USER_BANNED;
    after.active_sessions = 7;
    assert_renders(difference_names, &after, "");
}

static void a_text_stands_behind_what_is_there(void **state)
{
    struct profile after = ada;
    struct buf out;

    (void)state;
    after.bio = STR("b");
    buf_init(&out, 256);
    buf_append_text(&out, "x");
    assert_true(difference_names(&ada, &after, &out));
    assert_str_equal(buf_str(&out), "xbio");
    buf_free(&out);
}

static void a_cap_that_is_too_low_is_told(void **state)
{
    struct profile after = ada;
    struct buf out;

    (void)state;
    after.timezone = STR("UTC");
    buf_init(&out, 7);
    assert_false(difference_names(&ada, &after, &out));
    buf_reset(&out);
    assert_false(difference_values(&ada, &after, &out));
    buf_free(&out);
}

/*
 * The old values are what another application may have put into the columns, each character a
 * control character, which takes six bytes of JSON; the new ones are the longest that a PATCH can
 * set.
 */
static void the_longest_values_fit_the_column_of_the_audit_trail(void **state)
{
    static const size_t old_lengths[] = {255, 4096, 2048, 255, 64};
    static const struct {
        const char *text;
        size_t times;
    } news[] = {
        {"\xF0\x9F\x98\x80", 255}, {"\xF0\x9F\x98\x80", 4096}, {"\"", 2048}, {"a", 255}, {"a", 64}};
    struct buf rooms[2 * PATCH_MEMBER__MAX], out;
    struct profile old = {.name = STR_NONE}, new = {.name = STR_NONE};

    (void)state;
    for (size_t i = 0; i < PATCH_MEMBER__MAX; i++) {
        buf_init(&rooms[2 * i], 65536);
        buf_init(&rooms[2 * i + 1], 65536);
        repeat(&rooms[2 * i], "\x01", old_lengths[i]);
        repeat(&rooms[2 * i + 1], news[i].text, news[i].times);
        *patch_member_value(&old, (enum patch_member)i) = buf_str(&rooms[2 * i]);
        *patch_member_value(&new, (enum patch_member)i) = buf_str(&rooms[2 * i + 1]);
    }
    buf_init(&out, AUDIT_VALUES_MAX_BYTES);
    assert_true(difference_values(&old, &new, &out));
    assert_true(out.len > 60000);
    buf_free(&out);
    for (size_t i = 0; i < ARRAY_LENGTH(rooms); i++)
        buf_free(&rooms[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_differs_in_equal_profiles),
        cmocka_unit_test(each_member_is_named_as_in_the_resource),
        cmocka_unit_test(several_members_are_a_list_in_their_order),
        cmocka_unit_test(unset_is_null_and_not_the_same_as_empty),
        cmocka_unit_test(what_json_has_to_escape_is_escaped),
        cmocka_unit_test(what_no_patch_changes_makes_no_difference),
        cmocka_unit_test(a_text_stands_behind_what_is_there),
        cmocka_unit_test(a_cap_that_is_too_low_is_told),
        cmocka_unit_test(the_longest_values_fit_the_column_of_the_audit_trail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
