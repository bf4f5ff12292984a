#include "profile/representation.h"

#include <json-c/json.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "format/jsonvalue.h"
#include "format/strictjson.h"

/*
 * Makes JSON of a value of the profile. *out is NULL before the call, and stays so where the value
 * is unset. False: out of memory.
 */
typedef bool json_maker(const struct profile *profile, const void *value, struct json_object **out);

/* One member of a JSON object; `offset` is that of its value in the record of the whole object. */
struct member {
    const char *name;
    size_t offset;
    json_maker *make;
};

/* ---- single values */

static bool made(struct json_object *value, struct json_object **out)
{
    *out = value;
    return value != NULL;
}

static bool make_text(const struct profile *profile, const void *value, struct json_object **out)
{
    const struct str *text = value;

    (void)profile;
    if (!str_is_set(*text))
        return true;
    return text->len <= INT_MAX &&
           made(json_object_new_string_len(text->data, (int)text->len), out);
}

static bool make_uuid(const struct profile *profile, const void *value, struct json_object **out)
{
    char text[UUID_TEXT_LEN + 1];

    (void)profile;
    uuid_format(value, text);
    return made(json_object_new_string_len(text, UUID_TEXT_LEN), out);
}

static bool make_user_id(const struct profile *profile, const void *value, struct json_object **out)
{
    (void)value;
    return make_uuid(profile, &profile->id, out);
}

static bool make_time(const struct profile *profile, const void *value, struct json_object **out)
{
    const int64_t *time_ms = value;
    char text[CLOCK_TEXT_LEN + 1];

    (void)profile;
    clock_format(*time_ms, text);
    return made(json_object_new_string_len(text, CLOCK_TEXT_LEN), out);
}

static bool make_integer(const struct profile *profile, const void *value, struct json_object **out)
{
    const int64_t *number = value;

    (void)profile;
    return made(json_object_new_int64(*number), out);
}

static bool make_flag(const struct profile *profile, const void *value, struct json_object **out)
{
    const bool *flag = value;

    (void)profile;
    return made(json_object_new_boolean(*flag), out);
}

static bool make_status(const struct profile *profile, const void *value, struct json_object **out)
{
    const enum user_status *status = value;

    (void)profile;
    return made(json_object_new_string(user_status_name(*status)), out);
}

/* ---- objects and arrays */

static bool add_member(struct json_object *object, const struct member *member,
                       const struct profile *profile, const void *record)
{
    /* This name of the second flag is the one that json-c before 0.16 has, too. */
    const unsigned flags = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT;
    struct json_object *value = NULL;

    if (!member->make(profile, (const char *)record + member->offset, &value))
        return false;
    if (value == NULL)
        return true;
    if (json_object_object_add_ex(object, member->name, value, flags) == 0)
        return true;
    (void)json_object_put(value);
    return false;
}

static bool make_object(const struct member *members, size_t count, const struct profile *profile,
                        const void *record, struct json_object **out)
{
    struct json_object *object = json_object_new_object();
    bool good = object != NULL;

    for (size_t i = 0; good && i < count; i++)
        good = add_member(object, &members[i], profile, record);
    if (!good) {
        (void)json_object_put(object);
        object = NULL;
    }
    return made(object, out);
}

static bool add_item(struct json_object *array, json_maker *make, const struct profile *profile,
                     const void *record)
{
    struct json_object *item = NULL;

    if (!make(profile, record, &item))
        return false;
    if (item == NULL || json_object_array_add(array, item) == 0)
        return true;
    (void)json_object_put(item);
    return false;
}

/* The records of an array, and what makes one item of one record. */
struct items {
    const void *records;
    size_t count, size;
    json_maker *make;
};

static bool make_array(const struct items *items, const struct profile *profile,
                       struct json_object **out)
{
    struct json_object *array = json_object_new_array();
    bool good = array != NULL;

    for (size_t i = 0; good && i < items->count; i++)
        good =
            add_item(array, items->make, profile, (const char *)items->records + i * items->size);
    if (!good) {
        (void)json_object_put(array);
        array = NULL;
    }
    return made(array, out);
}

/* ---- the parts of the resource */

static const struct member email_members[] = {
    {"id", offsetof(struct profile_email, id), make_uuid},
    {"userId", 0, make_user_id},
    {"email", offsetof(struct profile_email, address), make_text},
    {"verified", offsetof(struct profile_email, verified), make_flag},
    {"passwordSet", offsetof(struct profile_email, password_set), make_flag},
    {"tokenSet", offsetof(struct profile_email, token_set), make_flag},
    {"createdAt", offsetof(struct profile_email, created_ms), make_time},
    {"updatedAt", offsetof(struct profile_email, updated_ms), make_time},
};

static bool make_email(const struct profile *profile, const void *value, struct json_object **out)
{
    return make_object(email_members, ARRAY_LENGTH(email_members), profile, value, out);
}

static bool make_emails(const struct profile *profile, const void *value, struct json_object **out)
{
    const struct items items = {profile->emails, profile->email_count, sizeof(*profile->emails),
                                make_email};

    (void)value;
    return make_array(&items, profile, out);
}

/* The default one is the first of a sorted profile. */
static bool make_default_email(const struct profile *profile, const void *value,
                               struct json_object **out)
{
    (void)value;
    if (profile->email_count == 0 || !profile->emails[0].is_default)
        return true;
    return make_text(profile, &profile->emails[0].address, out);
}

static const struct member identity_members[] = {
    {"id", offsetof(struct profile_identity, subject), make_text},
    {"name", offsetof(struct profile_identity, name), make_text},
    {"email", offsetof(struct profile_identity, email), make_text},
    {"avatarUrl", offsetof(struct profile_identity, avatar_url), make_text},
    {"provider", offsetof(struct profile_identity, provider), make_text},
    {"createdAt", offsetof(struct profile_identity, created_ms), make_time},
    {"updatedAt", offsetof(struct profile_identity, updated_ms), make_time},
};

static bool make_identity(const struct profile *profile, const void *value,
                          struct json_object **out)
{
    return make_object(identity_members, ARRAY_LENGTH(identity_members), profile, value, out);
}

static bool make_identities(const struct profile *profile, const void *value,
                            struct json_object **out)
{
    const struct items items = {profile->identities, profile->identity_count,
                                sizeof(*profile->identities), make_identity};

    (void)value;
    return make_array(&items, profile, out);
}

static const struct member phone_members[] = {
    {"id", offsetof(struct profile_phone, id), make_uuid},
    {"userId", 0, make_user_id},
    {"phoneNumber", offsetof(struct profile_phone, number), make_text},
    {"verified", offsetof(struct profile_phone, verified), make_flag},
    {"primary", offsetof(struct profile_phone, is_primary), make_flag},
    {"createdAt", offsetof(struct profile_phone, created_ms), make_time},
    {"updatedAt", offsetof(struct profile_phone, updated_ms), make_time},
};

static bool make_phone(const struct profile *profile, const void *value, struct json_object **out)
{
    return make_object(phone_members, ARRAY_LENGTH(phone_members), profile, value, out);
}

static bool make_phones(const struct profile *profile, const void *value, struct json_object **out)
{
    const struct items items = {profile->phones, profile->phone_count, sizeof(*profile->phones),
                                make_phone};

    (void)value;
    return make_array(&items, profile, out);
}

/* The primary one is the first of a sorted profile. */
static bool make_primary_phone(const struct profile *profile, const void *value,
                               struct json_object **out)
{
    (void)value;
    if (profile->phone_count == 0 || !profile->phones[0].is_primary)
        return true;
    return make_text(profile, &profile->phones[0].number, out);
}

static bool make_badges(const struct profile *profile, const void *value, struct json_object **out)
{
    const struct items items = {profile->badges, profile->badge_count, sizeof(*profile->badges),
                                make_text};

    (void)value;
    return make_array(&items, profile, out);
}

static const struct member fraud_members[] = {
    {"score", offsetof(struct profile, fraud_score), make_integer},
    {"userId", 0, make_user_id},
};

static bool make_fraud(const struct profile *profile, const void *value, struct json_object **out)
{
    (void)value;
    if (!profile->has_fraud_score)
        return true;
    return make_object(fraud_members, ARRAY_LENGTH(fraud_members), profile, profile, out);
}

/* The order of the resource. Rows without an offset find their values in the profile themselves. */
static const struct member profile_members[] = {
    {"id", offsetof(struct profile, id), make_uuid},
    {"status", offsetof(struct profile, status), make_status},
    {"name", offsetof(struct profile, name), make_text},
    {"bio", offsetof(struct profile, bio), make_text},
    {"activeSessions", offsetof(struct profile, active_sessions), make_integer},
    {"createdAt", offsetof(struct profile, created_ms), make_time},
    {"updatedAt", offsetof(struct profile, updated_ms), make_time},
    {"emails", 0, make_emails},
    {"defaultEmail", 0, make_default_email},
    {"identities", 0, make_identities},
    {"avatarUrl", offsetof(struct profile, avatar_url), make_text},
    {"phoneNumber", 0, make_primary_phone},
    {"phoneNumbers", 0, make_phones},
    {"locale", offsetof(struct profile, locale), make_text},
    {"timezone", offsetof(struct profile, timezone), make_text},
    {"badges", 0, make_badges},
    {"userFraudInformation", 0, make_fraud},
};

bool representation_render(const struct profile *profile, struct buf *out)
{
    struct json_object *object = NULL;
    bool good =
        make_object(profile_members, ARRAY_LENGTH(profile_members), profile, profile, &object) &&
        jsonvalue_append(object, out);

    (void)json_object_put(object);
    return good;
}

/* ---- from one that was rendered before */

_Static_assert(ARRAY_LENGTH(profile_members) == REPRESENTATION_MEMBERS_MAX,
               "a part for each member");

/* With its quotes, where it has them. */
static struct str whole_text(const struct strictjson_value *value)
{
    if (value->kind != STRICTJSON_STRING)
        return value->text;
    return (struct str){value->text.data - 1, value->text.len + 2};
}

static bool take_part(void *context, struct str name, const struct strictjson_value *value)
{
    struct representation_parts *parts = context;

    for (size_t i = 0; i < ARRAY_LENGTH(profile_members); i++)
        if (str_equal(name, str_from(profile_members[i].name)))
            parts->text[i] = whole_text(value);
    return true;
}

bool representation_split(struct str body, struct representation_parts *out)
{
    const struct strictjson_visitor visitor = {.item = take_part, .context = out};

    *out = (struct representation_parts){.text = {STR_NONE}};
    return strictjson_scan_object(body, &visitor, NULL) == STRICTJSON_OK;
}

/* The member of a patch that has this name; PATCH_MEMBER__MAX: a patch cannot have it. */
static enum patch_member find_patchable(const char *name)
{
    enum patch_member member = 0;

    while (member < PATCH_MEMBER__MAX && strcmp(patch_member_name(member), name) != 0)
        member++;
    return member;
}

static bool read_text(struct str part, struct arena *arena, struct str *out)
{
    struct str text;
    struct buf room;
    bool good;

    *out = STR_NONE;
    if (!str_is_set(part))
        return true;
    buf_init(&room, part.len);
    good = strictjson_resolve((struct str){part.data + 1, part.len - 2}, &room, &text) &&
           arena_copy(arena, text, out);
    buf_free(&room);
    return good;
}

bool representation_read(const struct representation_parts *parts, struct arena *arena,
                         struct profile *out)
{
    for (size_t i = 0; i < ARRAY_LENGTH(profile_members); i++) {
        enum patch_member member = find_patchable(profile_members[i].name);

        if (member < PATCH_MEMBER__MAX &&
            !read_text(parts->text[i], arena, patch_member_value(out, member)))
            return false;
    }
    return true;
}

static bool is_amended(const struct member *member, const struct patch *patch)
{
    enum patch_member patchable = find_patchable(member->name);

    return patchable < PATCH_MEMBER__MAX ? patch->is_present[patchable]
                                         : member->offset == offsetof(struct profile, updated_ms);
}

static void append_part(const struct member *member, struct str text, struct buf *out)
{
    buf_append_format(out, "%c\"%s\":", out->len == 0 ? '{' : ',', member->name);
    buf_append_str(out, text);
}

static bool append_amended(const struct member *member, const struct profile *profile,
                           struct buf *out)
{
    struct json_object *value = NULL;
    bool good = member->make(profile, (const char *)profile + member->offset, &value);

    if (good && value != NULL) {
        append_part(member, STR(""), out);
        good = jsonvalue_append(value, out);
    }
    (void)json_object_put(value);
    return good;
}

bool representation_amend(const struct representation_parts *parts, const struct patch *patch,
                          const struct profile *profile, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LENGTH(profile_members); i++) {
        const struct member *member = &profile_members[i];

        if (is_amended(member, patch)) {
            if (!append_amended(member, profile, out))
                return false;
        } else if (str_is_set(parts->text[i])) {
            append_part(member, parts->text[i], out);
        }
    }
    buf_append_byte(out, '}');
    return buf_is_good(out);
}

bool representation_etag(struct digest *digest, struct str body,
                         char out[REPRESENTATION_ETAG_LEN + 1])
{
    enum { TAG_BYTES = 16, TAG_TEXT_LEN = REPRESENTATION_ETAG_LEN - 2 };
    unsigned char sum[DIGEST_BYTES];
    struct buf text;
    bool good;

    out[0] = '\0';
    if (!digest_of(digest, body, sum))
        return false;
    buf_init(&text, TAG_TEXT_LEN);
    base64url_encode((struct str){(const char *)sum, TAG_BYTES}, &text);
    good = buf_is_good(&text) && text.len == TAG_TEXT_LEN;
    if (good) {
        out[0] = '"';
        memcpy(out + 1, text.data, TAG_TEXT_LEN);
        memcpy(out + 1 + TAG_TEXT_LEN, "\"", sizeof("\""));
    }
    buf_free(&text);
    return good;
}
