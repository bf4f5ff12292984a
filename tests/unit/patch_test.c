#include "profile/patch.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/buf.h"
#include "format/jsonvalue.h"
#include "profile/representation.h"
#include "unit.h"
#include "vectors.h"
#include "zoneinfo.h"

struct fixture {
    struct arena *arena;
    char *zoneinfo;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){arena_new(1024 * 1024), zoneinfo_new()};
    *state = &fixture;
    return fixture.arena == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_free(fixture->arena);
    zoneinfo_remove(fixture->zoneinfo);
    return 0;
}

/* As the head of patch.tsv says. */
static struct profile ada(void)
{
    return (struct profile){
        .name = STR("Ada Lovelace"), .bio = STR("Mathematician"), .locale = STR("en-GB")};
}

static struct json_object *parse(struct str text)
{
    struct json_object *body = NULL;

    if (jsonvalue_parse(text, &body, NULL) != STRICTJSON_OK)
        fail_msg("the test's own JSON cannot be parsed: %.*s", STR_ARGS(text));
    return body;
}

static void separate(struct buf *out)
{
    if (out->len > 0)
        buf_append_byte(out, ' ');
}

static void describe_violations(const struct violation_list *list, struct buf *out)
{
    for (const struct violation_entry *entry = list->first; entry != NULL; entry = entry->next) {
        separate(out);
        buf_append_byte(out, '!');
        buf_append_str(out, entry->member);
        buf_append_byte(out, ':');
        buf_append_text(out, violation_code(entry->violation));
    }
}

static void describe_patch(const struct patch *patch, struct buf *out)
{
    for (size_t i = 0; i < PATCH_MEMBER__MAX; i++) {
        if (!patch->is_present[i])
            continue;
        separate(out);
        buf_append_text(out, patch_member_name((enum patch_member)i));
        if (!str_is_set(patch->value[i])) {
            buf_append_text(out, "=null");
            continue;
        }
        buf_append_text(out, "=\"");
        buf_append_str(out, patch->value[i]);
        buf_append_byte(out, '"');
    }
    if (out->len == 0)
        buf_append_text(out, "nothing");
}

static bool is_text(const struct vector *vector, size_t field, const char *actual)
{
    char expected[1024];

    if (str_equal(vector->field[field], str_from(actual)))
        return true;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[field]));
    return vector_wrong(vector, expected, actual);
}

static const char *apply_if_good(const struct patch *patch, const struct violation_list *violations)
{
    struct profile profile = ada();

    if (violations->first != NULL)
        return "-";
    return patch_apply(patch, &profile) ? "changed" : "same";
}

static bool judge_body(const struct vector *vector, void *context)
{
    const struct fixture *fixture = context;
    struct violation_list violations = {0};
    struct patch patch;
    struct buf text;
    struct json_object *body = parse(vector->field[0]);
    bool good;

    assert_true(patch_read(body, fixture->zoneinfo, fixture->arena, &patch, &violations));
    (void)json_object_put(body);
    buf_init(&text, 1024);
    if (violations.first != NULL)
        describe_violations(&violations, &text);
    else
        describe_patch(&patch, &text);
    buf_append_byte(&text, '\0');
    good = is_text(vector, 1, buf_str(&text).data) &&
           is_text(vector, 2, apply_if_good(&patch, &violations));
    buf_free(&text);
    return good;
}

static void judges_bodies(void **state)
{
    vectors_run("patch.tsv", 40, judge_body, *state);
}

static struct patch read_good(const struct fixture *fixture, const char *body_text)
{
    struct violation_list violations = {0};
    struct json_object *body = parse(str_from(body_text));
    struct patch patch;

    assert_true(patch_read(body, fixture->zoneinfo, fixture->arena, &patch, &violations));
    assert_null(violations.first);
    (void)json_object_put(body);
    return patch;
}

static void applies_each_member_to_its_own_value(void **state)
{
    struct profile profile = ada();
    struct patch patch = read_good(
        *state, "{\"name\":\"N\",\"bio\":\"B\",\"avatarUrl\":\"http://u\",\"locale\":\"fr\","
                "\"timezone\":\"UTC\"}");

    assert_true(patch_apply(&patch, &profile));
    assert_str_equal(profile.name, "N");
    assert_str_equal(profile.bio, "B");
    assert_str_equal(profile.avatar_url, "http://u");
    assert_str_equal(profile.locale, "fr");
    assert_str_equal(profile.timezone, "UTC");
    assert_false(patch_apply(&patch, &profile));
}

static void clears_with_null(void **state)
{
    struct profile profile = ada();
    struct patch patch = read_good(*state, "{\"bio\":null,\"locale\":null,\"timezone\":null}");

    assert_true(patch_apply(&patch, &profile));
    assert_false(str_is_set(profile.bio));
    assert_false(str_is_set(profile.locale));
    assert_false(str_is_set(profile.timezone));
    assert_str_equal(profile.name, "Ada Lovelace");
    assert_false(patch_apply(&patch, &profile));
}

static void tells_unset_from_empty(void **state)
{
    struct profile profile = {.name = STR("Ada")};
    struct patch empty = read_good(*state, "{\"bio\":\"\"}");
    struct patch clear = read_good(*state, "{\"bio\":null}");

    assert_false(patch_apply(&clear, &profile));
    assert_true(patch_apply(&empty, &profile));
    assert_true(str_is_set(profile.bio));
    assert_int_equal(profile.bio.len, 0);
    assert_false(patch_apply(&empty, &profile));
    assert_true(patch_apply(&clear, &profile));
    assert_false(str_is_set(profile.bio));
}

static void leaves_alone_what_is_absent(void **state)
{
    struct profile profile = ada();
    struct patch patch = read_good(*state, "{}");

    assert_false(patch_apply(&patch, &profile));
    assert_str_equal(profile.name, "Ada Lovelace");
    assert_str_equal(profile.bio, "Mathematician");
    assert_str_equal(profile.locale, "en-GB");
}

static void names_and_finds_each_member(void **state)
{
    static const char *const names[] = {"name", "bio", "avatarUrl", "locale", "timezone"};
    struct profile profile = {0};

    (void)state;
    assert_int_equal(ARRAY_LENGTH(names), PATCH_MEMBER__MAX);
    for (size_t i = 0; i < PATCH_MEMBER__MAX; i++)
        assert_string_equal(patch_member_name((enum patch_member)i), names[i]);
    assert_ptr_equal(patch_member_value(&profile, PATCH_NAME), &profile.name);
    assert_ptr_equal(patch_member_value(&profile, PATCH_BIO), &profile.bio);
    assert_ptr_equal(patch_member_value(&profile, PATCH_AVATAR_URL), &profile.avatar_url);
    assert_ptr_equal(patch_member_value(&profile, PATCH_LOCALE), &profile.locale);
    assert_ptr_equal(patch_member_value(&profile, PATCH_TIMEZONE), &profile.timezone);
}

/* All members that the resource can have. */
static struct json_object *whole_resource(void)
{
    struct profile_email email = {.address = STR("ada@example.com"), .is_default = true};
    struct profile_phone phone = {.number = STR("+4930123456"), .is_primary = true};
    struct profile profile = {
        .name = STR("Ada"),
        .bio = STR("x"),
        .avatar_url = STR("http://a"),
        .locale = STR("en"),
        .timezone = STR("UTC"),
        .emails = &email,
        .email_count = 1,
        .phones = &phone,
        .phone_count = 1,
        .has_fraud_score = true,
    };
    struct json_object *resource;
    struct buf text;

    buf_init(&text, 65536);
    assert_true(representation_render(&profile, &text));
    resource = parse(buf_str(&text));
    buf_free(&text);
    return resource;
}

/* Sent back as it was read, a resource is refused for its read-only members alone. */
static void knows_every_member_of_the_resource(void **state)
{
    const struct fixture *fixture = *state;
    struct json_object *resource = whole_resource();
    struct violation_list violations = {0};
    struct patch patch;
    int judged = 0;

    assert_true(patch_read(resource, fixture->zoneinfo, fixture->arena, &patch, &violations));
    for (const struct violation_entry *entry = violations.first; entry != NULL;
         entry = entry->next, judged++)
        assert_int_equal(entry->violation, VIOLATION_READ_ONLY);
    for (size_t i = 0; i < PATCH_MEMBER__MAX; i++, judged++)
        assert_true(patch.is_present[i]);
    assert_int_equal(judged, json_object_object_length(resource));
    assert_int_equal(judged, 17);
    (void)json_object_put(resource);
}

static void assert_fails_without_memory(const struct fixture *fixture, const char *body_text)
{
    struct arena *arena = arena_new(1);
    struct json_object *body = parse(str_from(body_text));
    struct violation_list violations = {0};
    struct patch patch;

    assert_non_null(arena);
    while (arena_alloc(arena, 1) != NULL)
        ;
    assert_false(patch_read(body, fixture->zoneinfo, arena, &patch, &violations));
    (void)json_object_put(body);
    arena_free(arena);
}

static void fails_when_out_of_memory(void **state)
{
    assert_fails_without_memory(*state, "{\"name\":\"Grace\"}");
    assert_fails_without_memory(*state, "{\"name\":null}");
    assert_fails_without_memory(*state, "{\"id\":\"x\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(judges_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(applies_each_member_to_its_own_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clears_with_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_unset_from_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_alone_what_is_absent, set_up, tear_down),
        cmocka_unit_test(names_and_finds_each_member),
        cmocka_unit_test_setup_teardown(knows_every_member_of_the_resource, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fails_when_out_of_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
