#include "profile/newcomer.h"

#include <json-c/json.h>
#include <string.h>

#include "base/buf.h"
#include "format/jsonvalue.h"
#include "profile/validate.h"

enum { LEFT_OUT_MAX_BYTES = 256, JOINED_MAX_BYTES = 2048 };

/* What newcomer_read was given, and what it fills. */
struct reading {
    struct json_object *claims;
    const char *zoneinfo;
    struct arena *arena;
    struct profile *profile;
    struct profile_identity *identity; /* of the profile */
    struct buf left_out;
    bool out_of_memory;
};

static struct str keep(struct reading *reading, struct str text)
{
    struct str copy = STR_NONE;

    if (!arena_copy(reading->arena, text, &copy))
        reading->out_of_memory = true;
    return copy;
}

static void *allocate(struct reading *reading, size_t size)
{
    void *memory = arena_alloc(reading->arena, size);

    if (memory == NULL)
        reading->out_of_memory = true;
    return memory;
}

static void leave_out(struct reading *reading, const char *name)
{
    buf_append_format(&reading->left_out, "%s%s", reading->left_out.len == 0 ? "" : ", ", name);
}

static struct str text_of(const struct reading *reading, const char *name)
{
    return jsonvalue_string(jsonvalue_member(reading->claims, name, NULL));
}

static bool read_flag(struct reading *reading, const char *name)
{
    struct json_object *value = jsonvalue_member(reading->claims, name, NULL);

    if (value == NULL)
        return false;
    if (json_object_is_type(value, json_type_boolean))
        return json_object_get_boolean(value);
    leave_out(reading, name);
    return false;
}

/* ---- claims that are members of the profile */

static enum violation take_name(struct reading *reading, struct str text)
{
    enum violation violation = validate_name(text);

    if (violation == VIOLATION_NONE)
        reading->profile->name = reading->identity->name = keep(reading, text);
    return violation;
}

static enum violation take_email(struct reading *reading, struct str text)
{
    enum violation violation = validate_email(text);
    struct profile_email *email;

    if (violation != VIOLATION_NONE)
        return violation;
    email = allocate(reading, sizeof(*email));
    if (email == NULL)
        return VIOLATION_NONE;
    *email = (struct profile_email){
        .address = keep(reading, text),
        .verified = read_flag(reading, "email_verified"),
        .is_default = true,
    };
    reading->profile->emails = email;
    reading->profile->email_count = 1;
    reading->identity->email = email->address;
    return VIOLATION_NONE;
}

static enum violation take_picture(struct reading *reading, struct str text)
{
    enum violation violation = validate_url(text);

    if (violation == VIOLATION_NONE)
        reading->profile->avatar_url = reading->identity->avatar_url = keep(reading, text);
    return violation;
}

static enum violation take_locale(struct reading *reading, struct str text)
{
    char canonical[LOCALE_MAX_BYTES + 1];
    enum violation violation = validate_locale(text, canonical);

    if (violation == VIOLATION_NONE)
        reading->profile->locale = keep(reading, str_from(canonical));
    return violation;
}

static enum violation take_timezone(struct reading *reading, struct str text)
{
    enum violation violation = validate_timezone(text, reading->zoneinfo);

    if (violation == VIOLATION_NONE)
        reading->profile->timezone = keep(reading, text);
    return violation;
}

static enum violation take_phone(struct reading *reading, struct str text)
{
    enum violation violation = validate_phone_number(text);
    struct profile_phone *phone;

    if (violation != VIOLATION_NONE)
        return violation;
    phone = allocate(reading, sizeof(*phone));
    if (phone == NULL)
        return VIOLATION_NONE;
    *phone = (struct profile_phone){
        .number = keep(reading, text),
        .verified = read_flag(reading, "phone_number_verified"),
        .is_primary = true,
    };
    reading->profile->phones = phone;
    reading->profile->phone_count = 1;
    return VIOLATION_NONE;
}

static const struct claim {
    const char *name;
    enum violation (*take)(struct reading *reading, struct str text);
} members[] = {
    {"name", take_name},     {"email", take_email},       {"picture", take_picture},
    {"locale", take_locale}, {"zoneinfo", take_timezone}, {"phone_number", take_phone},
};

/* A claim that is null is one that is not there. */
static void read_members(struct reading *reading)
{
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        struct json_object *value = jsonvalue_member(reading->claims, members[i].name, NULL);
        struct str text = jsonvalue_string(value);

        if (value == NULL)
            continue;
        if (!str_is_set(text) || members[i].take(reading, text) != VIOLATION_NONE)
            leave_out(reading, members[i].name);
    }
}

/* ---- a name for somebody without one */

static void append_name(struct buf *out, struct str part)
{
    if (validate_name(part) != VIOLATION_NONE)
        return;
    if (out->len > 0)
        buf_append_byte(out, ' ');
    buf_append_str(out, part);
}

static struct str given_and_family_name(struct reading *reading)
{
    struct buf joined;
    struct str name = STR_NONE;

    buf_init(&joined, JOINED_MAX_BYTES);
    append_name(&joined, text_of(reading, "given_name"));
    append_name(&joined, text_of(reading, "family_name"));
    if (joined.len > 0 && buf_is_good(&joined))
        name = keep(reading, buf_str(&joined));
    buf_free(&joined);
    return name;
}

static struct str nickname(struct reading *reading)
{
    return text_of(reading, "nickname");
}

static struct str preferred_username(struct reading *reading)
{
    return text_of(reading, "preferred_username");
}

static struct str local_part(struct reading *reading)
{
    struct str rest = reading->identity->email;

    return str_is_set(rest) ? str_cut(&rest, '@') : STR_NONE;
}

static struct str anybody(struct reading *reading)
{
    (void)reading;
    return STR("User");
}

static void find_name(struct reading *reading)
{
    static struct str (*const candidates[])(struct reading * reading) = {
        given_and_family_name, nickname, preferred_username, local_part, anybody,
    };

    for (size_t i = 0; i < ARRAY_LENGTH(candidates) && !str_is_set(reading->profile->name); i++) {
        struct str name = candidates[i](reading);

        if (validate_name(name) == VIOLATION_NONE)
            reading->profile->name = keep(reading, name);
        if (reading->out_of_memory)
            return;
    }
}

/* ---- the identity */

static size_t span_before(struct str text, const char *ends)
{
    size_t len = 0;

    while (len < text.len && strchr(ends, text.data[len]) == NULL)
        len++;
    return len;
}

static struct str without_user(struct str authority)
{
    struct str rest = authority;

    while (str_has_byte(rest, '@'))
        (void)str_cut(&rest, '@');
    return rest;
}

/* The host of a URL (RFC 3986, section 3.2), without its brackets; empty where there is none. */
static struct str host_of(struct str url)
{
    struct str rest = url, scheme = str_cut(&rest, ':');

    if (scheme.len == 0 || !str_starts_with(rest, STR("//")))
        return STR("");
    rest = (struct str){rest.data + 2, rest.len - 2};
    rest = without_user((struct str){rest.data, span_before(rest, "/?#")});
    if (str_starts_with(rest, STR("[")))
        return (struct str){rest.data + 1, span_before(rest, "]") - 1};
    return (struct str){rest.data, span_before(rest, ":")};
}

static void read_identity(struct reading *reading, struct newcomer *newcomer)
{
    struct str host;

    newcomer->issuer = keep(reading, text_of(reading, "iss"));
    host = host_of(newcomer->issuer);
    reading->identity->subject = keep(reading, text_of(reading, "sub"));
    reading->identity->provider = host.len > 0 ? host : newcomer->issuer;
}

/* ---- the whole */

static void read_all(struct reading *reading, struct newcomer *newcomer)
{
    reading->identity = allocate(reading, sizeof(*reading->identity));
    if (reading->identity == NULL)
        return;
    newcomer->profile.identities = reading->identity;
    newcomer->profile.identity_count = 1;
    read_members(reading);
    find_name(reading);
    read_identity(reading, newcomer);
    if (reading->left_out.len > 0)
        newcomer->left_out = keep(reading, buf_str(&reading->left_out));
}

bool newcomer_read(struct str claims, const char *zoneinfo, struct arena *arena,
                   struct newcomer *out)
{
    struct reading reading = {.zoneinfo = zoneinfo, .arena = arena, .profile = &out->profile};
    bool good;

    *out = (struct newcomer){.profile = {.status = USER_ACTIVE}};
    if (jsonvalue_parse_object(claims, &reading.claims, NULL) != STRICTJSON_OK)
        return false;
    buf_init(&reading.left_out, LEFT_OUT_MAX_BYTES);
    read_all(&reading, out);
    good = !reading.out_of_memory && buf_is_good(&reading.left_out);
    buf_free(&reading.left_out);
    json_object_put(reading.claims);
    return good;
}
