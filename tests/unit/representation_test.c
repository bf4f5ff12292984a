#include "base/arena.h"
#include "profile/patch.h"
#include "profile/representation.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "allocations.h"
#include "base/utf8.h"
#include "format/jsonvalue.h"
#include "unit.h"

/* ---- what is rendered */

enum { BODY_MAX_BYTES = 1024 * 1024 };

/* 2025-07-03T02:14:22.094Z */
static const int64_t created_ms = 1751508862094;

static struct uuid uuid_of(const char *text)
{
    struct uuid uuid;

    assert_true(uuid_parse(str_from(text), &uuid));
    return uuid;
}

static struct profile plain(void)
{
    return (struct profile){.id = uuid_of("0197ce45-9f8e-7b64-8000-000000000001"),
                            .status = USER_ACTIVE,
                            .name = STR("Ada"),
                            .created_ms = created_ms,
                            .updated_ms = created_ms + 1};
}

static void assert_renders(const struct profile *profile, const char *expected)
{
    struct buf out;

    buf_init(&out, BODY_MAX_BYTES);
    assert_true(representation_render(profile, &out));
    assert_str_equal(buf_str(&out), expected);
    buf_free(&out);
}

#define ID "0197ce45-9f8e-7b64-8000-000000000001"

static void renders_a_profile_with_nothing_set(void **state)
{
    struct profile profile = plain();

    (void)state;
    assert_renders(&profile, "{\"id\":\"" ID "\",\"status\":\"active\",\"name\":\"Ada\","
                             "\"activeSessions\":0,\"createdAt\":\"2025-07-03T02:14:22.094Z\","
                             "\"updatedAt\":\"2025-07-03T02:14:22.095Z\",\"emails\":[],"
                             "\"identities\":[],\"phoneNumbers\":[],\"badges\":[]}");
}

/* All optional members and two rows of each kind, the second with all that may be unset unset. */
struct full {
    struct profile profile;
    struct profile_email emails[2];
    struct profile_identity identities[2];
    struct profile_phone phones[2];
    struct str badges[2];
};

static void fill(struct full *full)
{
    *full = (struct full){
        .profile = plain(),
        .emails = {{.id = uuid_of("0197ce45-9f8e-7b64-8000-000000000011"),
                    .address = STR("ada@example.com"),
                    .verified = true,
                    .password_set = true,
                    .is_default = true,
                    .created_ms = created_ms,
                    .updated_ms = created_ms},
                   {.id = uuid_of("0197ce45-9f8e-7b64-8000-000000000012"),
                    .address = STR("lovelace@example.com"),
                    .token_set = true}},
        .identities = {{.subject = STR("1234567"),
                        .provider = STR("github"),
                        .name = STR("Ada L."),
                        .email = STR("ada@example.com"),
                        .avatar_url = STR("https://example.com/a.png"),
                        .created_ms = created_ms,
                        .updated_ms = created_ms},
                       {.subject = STR("a/b"), .provider = STR("google")}},
        .phones = {{.id = uuid_of("0197ce45-9f8e-7b64-8000-000000000021"),
                    .number = STR("+4930123456"),
                    .verified = true,
                    .is_primary = true,
                    .created_ms = created_ms,
                    .updated_ms = created_ms},
                   {.id = uuid_of("0197ce45-9f8e-7b64-8000-000000000022"),
                    .number = STR("+12025550123")}},
        .badges = {STR("messagebird:cx"), STR("messagebird:dev")},
    };
    full->profile.bio = STR("Mathematician");
    full->profile.avatar_url = STR("https://example.com/ada.png?s=80");
    full->profile.locale = STR("en-GB");
    full->profile.timezone = STR("Europe/London");
    full->profile.active_sessions = 3;
    full->profile.has_fraud_score = true;
    full->profile.fraud_score = 17;
    full->profile.emails = full->emails;
    full->profile.identities = full->identities;
    full->profile.phones = full->phones;
    full->profile.badges = full->badges;
    full->profile.email_count = full->profile.identity_count = 2;
    full->profile.phone_count = full->profile.badge_count = 2;
}

#define CREATED "\"2025-07-03T02:14:22.094Z\""
#define EPOCH "\"1970-01-01T00:00:00.000Z\""

static void renders_all_members_in_their_order(void **state)
{
    struct full full;

    (void)state;
    fill(&full);
    assert_renders(
        &full.profile,
        "{\"id\":\"" ID "\",\"status\":\"active\",\"name\":\"Ada\",\"bio\":\"Mathematician\","
        "\"activeSessions\":3,\"createdAt\":" CREATED ",\"updatedAt\":\"2025-07-03T02:14:22.095Z\","
        "\"emails\":["
        "{\"id\":\"0197ce45-9f8e-7b64-8000-000000000011\",\"userId\":\"" ID "\","
        "\"email\":\"ada@example.com\",\"verified\":true,\"passwordSet\":true,\"tokenSet\":false,"
        "\"createdAt\":" CREATED ",\"updatedAt\":" CREATED "},"
        "{\"id\":\"0197ce45-9f8e-7b64-8000-000000000012\",\"userId\":\"" ID "\","
        "\"email\":\"lovelace@example.com\",\"verified\":false,\"passwordSet\":false,"
        "\"tokenSet\":true,\"createdAt\":" EPOCH ",\"updatedAt\":" EPOCH "}],"
        "\"defaultEmail\":\"ada@example.com\","
        "\"identities\":["
        "{\"id\":\"1234567\",\"name\":\"Ada L.\",\"email\":\"ada@example.com\","
        "\"avatarUrl\":\"https://example.com/a.png\",\"provider\":\"github\","
        "\"createdAt\":" CREATED ",\"updatedAt\":" CREATED "},"
        "{\"id\":\"a/b\",\"provider\":\"google\",\"createdAt\":" EPOCH ",\"updatedAt\":" EPOCH "}],"
        "\"avatarUrl\":\"https://example.com/ada.png?s=80\","
        "\"phoneNumber\":\"+4930123456\","
        "\"phoneNumbers\":["
        "{\"id\":\"0197ce45-9f8e-7b64-8000-000000000021\",\"userId\":\"" ID "\","
        "\"phoneNumber\":\"+4930123456\",\"verified\":true,\"primary\":true,"
        "\"createdAt\":" CREATED ",\"updatedAt\":" CREATED "},"
        "{\"id\":\"0197ce45-9f8e-7b64-8000-000000000022\",\"userId\":\"" ID "\","
        "\"phoneNumber\":\"+12025550123\",\"verified\":false,\"primary\":false,"
        "\"createdAt\":" EPOCH ",\"updatedAt\":" EPOCH "}],"
        "\"locale\":\"en-GB\",\"timezone\":\"Europe/London\","
        "\"badges\":[\"messagebird:cx\",\"messagebird:dev\"],"
        "\"userFraudInformation\":{\"score\":17,\"userId\":\"" ID "\"}}");
}

static void leaves_out_the_default_of_rows_without_one(void **state)
{
    struct full full;
    struct buf out;

    (void)state;
    fill(&full);
    full.emails[0].is_default = full.phones[0].is_primary = false;
    buf_init(&out, BODY_MAX_BYTES);
    assert_true(representation_render(&full.profile, &out));
    buf_append_byte(&out, '\0');
    assert_null(strstr(out.data, "\"defaultEmail\""));
    assert_null(strstr(out.data, "\"phoneNumber\":\"+4930123456\",\"phoneNumbers\""));
    assert_contains(out.data, "\"email\":\"ada@example.com\"");
    assert_contains(out.data, "\"primary\":false");
    buf_free(&out);
}

/* Of a profile that has this name and nothing else: the JSON string of the name. */
static void assert_name_renders(struct str name, const char *expected)
{
    struct profile profile = plain();
    struct buf out;
    const char *at;

    profile.name = name;
    buf_init(&out, BODY_MAX_BYTES);
    assert_true(representation_render(&profile, &out));
    buf_append_byte(&out, '\0');
    at = strstr(out.data, "\"name\":");
    assert_non_null(at);
    at += strlen("\"name\":");
    assert_true(strlen(at) > strlen(expected));
    assert_memory_equal(at, expected, strlen(expected));
    assert_memory_equal(at + strlen(expected), ",\"activeSessions\"",
                        strlen(",\"activeSessions\""));
    buf_free(&out);
}

static void keeps_text_as_it_is_where_json_allows(void **state)
{
    (void)state;
    assert_name_renders(STR(""), "\"\"");
    assert_name_renders(STR("Zo\xC3\xAB"), "\"Zo\xC3\xAB\"");
    assert_name_renders(STR("\xE5\xB1\xB1\xE7\x94\xB0"), "\"\xE5\xB1\xB1\xE7\x94\xB0\"");
    assert_name_renders(STR("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"");
    assert_name_renders(STR("a/b</script>"), "\"a/b</script>\"");
    assert_name_renders(STR("\x7F\xC2\x85\xE2\x80\xA8"), "\"\x7F\xC2\x85\xE2\x80\xA8\"");
}

static void escapes_what_json_reserves(void **state)
{
    (void)state;
    assert_name_renders(STR("say \"hi\""), "\"say \\\"hi\\\"\"");
    assert_name_renders(STR("a\\b"), "\"a\\\\b\"");
    assert_name_renders(STR("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
    assert_name_renders(STR("a\0b"), "\"a\\u0000b\"");
    assert_name_renders(STR("\x01\x1F"), "\"\\u0001\\u001f\"");
}

/* What our own strict gate reads of the text of each code point is the text that went in. */
static void gives_back_every_character_through_the_strict_gate(void **state)
{
    (void)state;
    for (uint32_t code_point = 1; code_point <= 0x10FFFF;
         code_point += code_point < 0x300 ? 1 : 97) {
        struct profile profile = plain();
        struct json_object *parsed = NULL;
        char bytes[4];
        struct buf out;

        profile.name = (struct str){bytes, utf8_encode(code_point, bytes)};
        if (profile.name.len == 0)
            continue;
        buf_init(&out, BODY_MAX_BYTES);
        assert_true(representation_render(&profile, &out));
        assert_int_equal(jsonvalue_parse(buf_str(&out), &parsed, NULL), STRICTJSON_OK);
        assert_true(
            str_equal(jsonvalue_string(jsonvalue_member(parsed, "name", NULL)), profile.name));
        (void)json_object_put(parsed);
        buf_free(&out);
    }
}

static void renders_an_empty_text_that_is_set(void **state)
{
    struct profile profile = plain();

    (void)state;
    profile.bio = STR("");
    assert_renders(&profile, "{\"id\":\"" ID "\",\"status\":\"active\",\"name\":\"Ada\","
                             "\"bio\":\"\",\"activeSessions\":0,\"createdAt\":" CREATED ","
                             "\"updatedAt\":\"2025-07-03T02:14:22.095Z\",\"emails\":[],"
                             "\"identities\":[],\"phoneNumbers\":[],\"badges\":[]}");
}

static void renders_numbers_of_all_64_bits(void **state)
{
    struct profile profile = plain();

    (void)state;
    profile.active_sessions = INT64_MAX;
    profile.fraud_score = INT64_MIN;
    profile.has_fraud_score = true;
    assert_renders(&profile, "{\"id\":\"" ID "\",\"status\":\"active\",\"name\":\"Ada\","
                             "\"activeSessions\":9223372036854775807,\"createdAt\":" CREATED ","
                             "\"updatedAt\":\"2025-07-03T02:14:22.095Z\",\"emails\":[],"
                             "\"identities\":[],\"phoneNumbers\":[],\"badges\":[],"
                             "\"userFraudInformation\":{\"score\":-9223372036854775808,"
                             "\"userId\":\"" ID "\"}}");
}

static void renders_each_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < USER_STATUS__MAX; i++) {
        struct profile profile = plain();
        struct json_object *parsed = NULL;
        struct buf out;

        profile.status = (enum user_status)i;
        buf_init(&out, BODY_MAX_BYTES);
        assert_true(representation_render(&profile, &out));
        assert_int_equal(jsonvalue_parse(buf_str(&out), &parsed, NULL), STRICTJSON_OK);
        assert_str_equal(jsonvalue_string(jsonvalue_member(parsed, "status", NULL)),
                         user_status_name((enum user_status)i));
        (void)json_object_put(parsed);
        buf_free(&out);
    }
}

static void appends_to_what_is_there(void **state)
{
    struct profile profile = plain();
    struct buf out;

    (void)state;
    buf_init(&out, BODY_MAX_BYTES);
    buf_append_text(&out, "before ");
    assert_true(representation_render(&profile, &out));
    assert_true(str_starts_with(buf_str(&out), STR("before {\"id\"")));
    buf_free(&out);
}

/* ---- from one that was rendered before */

enum { VALUES_MAX = 3 };
static const struct str names[VALUES_MAX] = {STR("Ada"), STR("\"\\/ \xE7\x8E\x8B \xE2\x80\xA8"),
                                             STR("{\"bio\":1}")};
static const struct str texts[VALUES_MAX] = {{NULL, 0}, STR(""), STR("a\n\tb\x7F,\"c\":")};

/* The numbers 0 to 3^5 each stand for another five values. */
static void set_values(struct profile *profile, unsigned number)
{
    for (enum patch_member member = 0; member < PATCH_MEMBER__MAX; member++, number /= VALUES_MAX)
        *patch_member_value(profile, member) =
            (member == PATCH_NAME ? names : texts)[number % VALUES_MAX];
    profile->updated_ms += number;
}

static void assert_amends(const struct profile *before, const struct profile *after)
{
    struct profile read = {.updated_ms = after->updated_ms};
    struct patch patch = {.is_present = {false}};
    struct arena *arena = arena_new(BODY_MAX_BYTES);
    struct representation_parts parts;
    struct buf from, to, wanted;

    assert_non_null(arena);
    buf_init(&from, BODY_MAX_BYTES);
    buf_init(&to, BODY_MAX_BYTES);
    buf_init(&wanted, BODY_MAX_BYTES);
    assert_true(representation_render(before, &from));
    assert_true(representation_render(after, &wanted));
    assert_true(representation_split(buf_str(&from), &parts));
    assert_true(representation_read(&parts, arena, &read));
    for (enum patch_member member = 0; member < PATCH_MEMBER__MAX; member++) {
        assert_true(str_equal(patch_member_text(&read, member), patch_member_text(before, member)));
        patch.value[member] = patch_member_text(after, member);
        patch.is_present[member] =
            !str_equal(patch.value[member], patch_member_text(before, member));
    }
    (void)patch_apply(&patch, &read);
    assert_true(representation_amend(&parts, &patch, &read, &to));
    assert_true(str_equal(buf_str(&to), buf_str(&wanted)));
    buf_free(&from);
    buf_free(&to);
    buf_free(&wanted);
    arena_free(arena);
}

static void amends_to_what_would_be_rendered(void **state)
{
    const unsigned count = 3 * 3 * 3 * 3 * 3;
    struct full full;

    (void)state;
    fill(&full);
    for (unsigned i = 0; i < count; i++) {
        struct profile before[] = {full.profile, plain()};
        struct profile after[] = {full.profile, plain()};

        for (size_t j = 0; j < ARRAY_LENGTH(before); j++) {
            set_values(&before[j], i);
            set_values(&after[j], (i * 89 + 7) % count);
            assert_amends(&before[j], &after[j]);
        }
    }
}

static void takes_nothing_else_apart(void **state)
{
    static const struct str bodies[] = {STR(""), STR("[]"), STR("{\"id\":\"x\""), STR("{} {}")};
    struct representation_parts parts;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++)
        assert_false(representation_split(bodies[i], &parts));
}

static void amends_nothing_over_the_cap(void **state)
{
    const struct patch patch = {.is_present = {[PATCH_NAME] = true, [PATCH_BIO] = true}};
    struct profile profile = plain();
    struct representation_parts parts;
    struct buf from, to;

    (void)state;
    buf_init(&from, BODY_MAX_BYTES);
    assert_true(representation_render(&profile, &from));
    assert_true(representation_split(buf_str(&from), &parts));
    for (size_t room = 0; room < from.len; room++) {
        buf_init(&to, room);
        assert_false(representation_amend(&parts, &patch, &profile, &to));
        buf_free(&to);
    }
    buf_free(&from);
}

/* ---- failures */

static void fails_at_the_cap(void **state)
{
    struct full full;
    struct buf out;
    size_t len;

    (void)state;
    fill(&full);
    buf_init(&out, BODY_MAX_BYTES);
    assert_true(representation_render(&full.profile, &out));
    len = out.len;
    buf_free(&out);
    buf_init(&out, len);
    assert_true(representation_render(&full.profile, &out));
    buf_free(&out);
    buf_init(&out, len - 1);
    assert_false(representation_render(&full.profile, &out));
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static bool render_failing(const struct profile *profile, size_t first, size_t last,
                           struct buf *out)
{
    bool good;

    buf_init(out, BODY_MAX_BYTES);
    allocations_fail(first, last);
    good = representation_render(profile, out);
    (void)allocations_end();
    return good;
}

/* Large enough that the text of the whole is made in several steps. */
static void fill_large(struct full *full, char *bio, size_t len)
{
    fill(full);
    memset(bio, 'x', len);
    full->profile.bio = (struct str){bio, len};
}

static size_t count_allocations(const struct profile *profile)
{
    struct buf out;
    size_t count;

    buf_init(&out, BODY_MAX_BYTES);
    allocations_fail(1, 0);
    assert_true(representation_render(profile, &out));
    count = allocations_end();
    buf_free(&out);
    return count;
}

/* Fails each allocation in turn, and `span` of those behind it: never a text with a hole in it. */
static void assert_sees_each_failure(size_t span)
{
    char bio[8192];
    struct full full;
    size_t count;

    fill_large(&full, bio, sizeof(bio));
    count = count_allocations(&full.profile);
    /* Fewer would mean that json-c did not come here for its memory. */
    assert_true(count > 50);
    for (size_t i = 0; i < count; i++) {
        struct buf out;

        assert_false(render_failing(&full.profile, i, i + span, &out));
        assert_int_equal(out.len, 0);
        buf_free(&out);
    }
}

static void fails_when_memory_runs_out_anywhere(void **state)
{
    (void)state;
    allocations_skip_where_none_can_fail();
    assert_sees_each_failure(SIZE_MAX / 2);
}

/* json-c drops what its buffer had no room for and goes on with what comes after it. */
static void fails_when_memory_was_short_for_a_moment(void **state)
{
    (void)state;
    allocations_skip_where_none_can_fail();
    assert_sees_each_failure(0);
}

/* ---- the entity tag */

static void makes_the_entity_tag_of_the_digest(void **state)
{
    struct digest *digest = digest_new();
    char etag[REPRESENTATION_ETAG_LEN + 1];

    (void)state;
    assert_non_null(digest);
    /* SHA-256 of nothing begins e3b0c442 98fc1c14 9afbf4c8 996fb924 (FIPS 180-4). */
    assert_true(representation_etag(digest, STR(""), etag));
    assert_string_equal(etag, "\"47DEQpj8HBSa-_TImW-5JA\"");
    /* Of "abc": ba7816bf 8f01cfea 414140de 5dae2223. */
    assert_true(representation_etag(digest, STR("abc"), etag));
    assert_string_equal(etag, "\"ungWv48Bz-pBQUDeXa4iIw\"");
    digest_free(digest);
}

static void makes_no_entity_tag_without_memory(void **state)
{
    struct digest *digest;
    char etag[REPRESENTATION_ETAG_LEN + 1] = "x";
    bool good;

    (void)state;
    allocations_skip_where_none_can_fail();
    digest = digest_new();
    assert_non_null(digest);
    allocations_fail(0, SIZE_MAX);
    good = representation_etag(digest, STR("abc"), etag);
    (void)allocations_end();
    assert_false(good);
    assert_string_equal(etag, "");
    digest_free(digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_a_profile_with_nothing_set),
        cmocka_unit_test(renders_all_members_in_their_order),
        cmocka_unit_test(leaves_out_the_default_of_rows_without_one),
        cmocka_unit_test(keeps_text_as_it_is_where_json_allows),
        cmocka_unit_test(escapes_what_json_reserves),
        cmocka_unit_test(gives_back_every_character_through_the_strict_gate),
        cmocka_unit_test(renders_an_empty_text_that_is_set),
        cmocka_unit_test(renders_numbers_of_all_64_bits),
        cmocka_unit_test(renders_each_status),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(amends_to_what_would_be_rendered),
        cmocka_unit_test(takes_nothing_else_apart),
        cmocka_unit_test(amends_nothing_over_the_cap),
        cmocka_unit_test(fails_at_the_cap),
        cmocka_unit_test(fails_when_memory_runs_out_anywhere),
        cmocka_unit_test(fails_when_memory_was_short_for_a_moment),
        cmocka_unit_test(makes_the_entity_tag_of_the_digest),
        cmocka_unit_test(makes_no_entity_tag_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
