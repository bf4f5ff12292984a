#include "profile/newcomer.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/buf.h"
#include "format/jsonvalue.h"
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

static void set(struct json_object *claims, const char *name, const char *value)
{
    assert_int_equal(json_object_object_add(claims, name, json_object_new_string(value)), 0);
}

/* Takes the claims over. */
static struct newcomer read_object(const struct fixture *fixture, struct json_object *claims)
{
    struct newcomer newcomer;

    assert_true(
        newcomer_read(str_from(json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN)),
                      fixture->zoneinfo, fixture->arena, &newcomer));
    (void)json_object_put(claims); /* nothing is borrowed from it */
    return newcomer;
}

/* With an issuer and a subject as well. */
static struct newcomer read_text(const struct fixture *fixture, struct str claims)
{
    struct json_object *object = NULL;

    if (jsonvalue_parse_object(claims, &object, NULL) != STRICTJSON_OK)
        fail_msg("the test's own JSON cannot be parsed: %.*s", STR_ARGS(claims));
    set(object, "iss", "https://login.example.com/realms/a");
    set(object, "sub", "s");
    return read_object(fixture, object);
}

/* ---- the members */

static void describe_text(const char *name, struct str text, bool is_verified, struct buf *out)
{
    if (!str_is_set(text))
        return;
    buf_append_format(out, "%s%s=\"%.*s\"%s", out->len == 0 ? "" : " ", name, STR_ARGS(text),
                      is_verified ? "(verified)" : "");
}

static void describe(const struct profile *profile, struct buf *out)
{
    describe_text("name", profile->name, false, out);
    describe_text("bio", profile->bio, false, out);
    if (profile->email_count > 0)
        describe_text("email", profile->emails->address, profile->emails->verified, out);
    describe_text("avatarUrl", profile->avatar_url, false, out);
    describe_text("locale", profile->locale, false, out);
    describe_text("timezone", profile->timezone, false, out);
    if (profile->phone_count > 0)
        describe_text("phone", profile->phones->number, profile->phones->verified, out);
}

/* What is the same for every newcomer. */
static void check_frame(const struct profile *profile)
{
    assert_int_equal(profile->status, USER_ACTIVE);
    assert_int_equal(profile->identity_count, 1);
    assert_str_equal(profile->identities->subject, "s");
    assert_str_equal(profile->identities->provider, "login.example.com");
    assert_int_equal(profile->badge_count, 0);
    assert_false(profile->has_fraud_score);
    assert_in_range(profile->email_count, 0, 1);
    assert_in_range(profile->phone_count, 0, 1);
    if (profile->email_count > 0) {
        assert_true(profile->emails->is_default);
        assert_false(profile->emails->password_set || profile->emails->token_set);
    }
    if (profile->phone_count > 0)
        assert_true(profile->phones->is_primary);
}

static bool is_text(const struct vector *vector, size_t field, const char *actual)
{
    char expected[1024];

    if (str_equal(vector->field[field], str_from(actual)))
        return true;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[field]));
    return vector_wrong(vector, expected, actual);
}

static bool judge_claims(const struct vector *vector, void *context)
{
    struct newcomer newcomer = read_text(context, vector->field[0]);
    struct buf text;
    bool good;

    check_frame(&newcomer.profile);
    assert_str_equal(newcomer.issuer, "https://login.example.com/realms/a");
    buf_init(&text, 4096);
    describe(&newcomer.profile, &text);
    buf_append_byte(&text, '\0');
    good = is_text(vector, 1, buf_str(&text).data) &&
           is_text(vector, 2, str_is_set(newcomer.left_out) ? newcomer.left_out.data : "-");
    buf_free(&text);
    return good;
}

static void judges_claims(void **state)
{
    vectors_run("newcomer.tsv", 60, judge_claims, *state);
}

/* ---- lengths */

static struct profile read_one(const struct fixture *fixture, struct json_object *claims)
{
    set(claims, "iss", "i");
    set(claims, "sub", "s");
    return read_object(fixture, claims).profile;
}

static struct profile read_long(const struct fixture *fixture, const char *name, size_t count,
                                const char *suffix)
{
    struct json_object *claims = json_object_new_object();
    struct buf text;

    buf_init(&text, 65536);
    for (size_t i = 0; i < count; i++)
        buf_append_byte(&text, 'x');
    buf_append(&text, suffix, strlen(suffix) + 1);
    set(claims, name, buf_str(&text).data);
    buf_free(&text);
    return read_one(fixture, claims);
}

static void a_text_that_is_too_long_is_left_out(void **state)
{
    const struct fixture *fixture = *state;

    assert_int_equal(read_long(fixture, "name", 255, "").name.len, 255);
    assert_str_equal(read_long(fixture, "name", 256, "").name, "User");
    assert_str_equal(read_long(fixture, "nickname", 60000, "").name, "User");
    assert_int_equal(read_long(fixture, "email", 64, "@example.com").email_count, 1);
    assert_int_equal(read_long(fixture, "email", 65, "@example.com").email_count, 0);
}

/* Both are names, and together they are none. */
static void names_that_are_too_long_together_are_none(void **state)
{
    struct json_object *claims = json_object_new_object();
    char part[129];

    memset(part, 'x', sizeof(part) - 1);
    part[sizeof(part) - 1] = '\0';
    set(claims, "given_name", part);
    set(claims, "family_name", part);
    set(claims, "nickname", "al");
    assert_str_equal(read_one(*state, claims).name, "al");
}

/* ---- the identity */

static void the_identity_has_what_the_provider_tells(void **state)
{
    struct profile_identity *identity =
        read_text(*state, STR("{\"name\":\"Ada\",\"email\":\"a@example.com\","
                              "\"picture\":\"https://example.com/a\"}"))
            .profile.identities;

    assert_str_equal(identity->name, "Ada");
    assert_str_equal(identity->email, "a@example.com");
    assert_str_equal(identity->avatar_url, "https://example.com/a");
}

static void the_identity_has_no_name_that_was_made_up(void **state)
{
    struct profile_identity *identity =
        read_text(*state, STR("{\"nickname\":\"al\",\"email\":\"x\",\"picture\":1}"))
            .profile.identities;

    assert_false(str_is_set(identity->name));
    assert_false(str_is_set(identity->email));
    assert_false(str_is_set(identity->avatar_url));
}

static void the_provider_is_the_host_of_the_issuer(void **state)
{
    static const char *const rows[][2] = {
        {"https://login.example.com", "login.example.com"},
        {"https://login.example.com/", "login.example.com"},
        {"https://login.example.com/realms/a", "login.example.com"},
        {"https://login.example.com:8443/realms/a", "login.example.com"},
        {"http://localhost:8080", "localhost"},
        {"https://login.example.com?x", "login.example.com"},
        {"https://login.example.com#x", "login.example.com"},
        {"https://user:password@login.example.com:8443/", "login.example.com"},
        {"https://[2001:db8::1]:8443/", "2001:db8::1"},
        {"https://[2001:db8::1", "2001:db8::1"},
        {"accounts.example.com", "accounts.example.com"},
        {"my-application", "my-application"},
        {"urn:example:issuer", "urn:example:issuer"},
        {"https://", "https://"},
        {"https:///path", "https:///path"},
        {"https://[", "https://["},
        {"https://@", "https://@"},
        {"https://:80", "https://:80"},
        {"://host", "://host"},
        {":", ":"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct json_object *claims = json_object_new_object();

        set(claims, "iss", rows[i][0]);
        set(claims, "sub", "s");
        assert_str_equal(read_object(*state, claims).profile.identities->provider, rows[i][1]);
    }
}

/* ---- memory */

static void tells_when_the_arena_is_full(void **state)
{
    const struct fixture *fixture = *state;
    const struct str claims =
        STR("{\"iss\":\"i\",\"sub\":\"s\",\"name\":\"Ada\",\"email\":\"a@example.com\","
            "\"phone_number\":\"+12\",\"locale\":\"de\",\"picture\":\"x\"}");
    size_t failures = 0;

    for (size_t left = 0; left < 1024; left += 16) {
        struct arena *arena = arena_new(left);
        struct newcomer newcomer;

        assert_non_null(arena);
        if (!newcomer_read(claims, fixture->zoneinfo, arena, &newcomer))
            failures++;
        else
            assert_str_equal(newcomer.left_out, "picture");
        arena_free(arena);
    }
    assert_in_range(failures, 8, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_claims),
        cmocka_unit_test(a_text_that_is_too_long_is_left_out),
        cmocka_unit_test(names_that_are_too_long_together_are_none),
        cmocka_unit_test(the_identity_has_what_the_provider_tells),
        cmocka_unit_test(the_identity_has_no_name_that_was_made_up),
        cmocka_unit_test(the_provider_is_the_host_of_the_issuer),
        cmocka_unit_test(tells_when_the_arena_is_full),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
