#include "profile/patch.h"

#include <json-c/json.h>

#include "format/jsonvalue.h"
#include "profile/validate.h"

/* A value on its way from the body to the patch; judging it may replace the text. */
struct candidate {
    struct str text;
    const char *zoneinfo;
    char canonical[LOCALE_MAX_BYTES + 1];
};

static enum violation judge_name(struct candidate *candidate)
{
    return validate_name(candidate->text);
}

static enum violation judge_bio(struct candidate *candidate)
{
    return validate_bio(candidate->text);
}

static enum violation judge_url(struct candidate *candidate)
{
    return validate_url(candidate->text);
}

static enum violation judge_locale(struct candidate *candidate)
{
    enum violation violation = validate_locale(candidate->text, candidate->canonical);

    candidate->text = str_from(candidate->canonical);
    return violation;
}

static enum violation judge_timezone(struct candidate *candidate)
{
    return validate_timezone(candidate->text, candidate->zoneinfo);
}

static const struct patchable {
    const char *name;
    size_t offset; /* of the value in struct profile */
    bool is_nullable;
    enum violation (*judge)(struct candidate *candidate);
} patchables[PATCH_MEMBER__MAX] = {
    [PATCH_NAME] = {"name", offsetof(struct profile, name), false, judge_name},
    [PATCH_BIO] = {"bio", offsetof(struct profile, bio), true, judge_bio},
    [PATCH_AVATAR_URL] = {"avatarUrl", offsetof(struct profile, avatar_url), true, judge_url},
    [PATCH_LOCALE] = {"locale", offsetof(struct profile, locale), true, judge_locale},
    [PATCH_TIMEZONE] = {"timezone", offsetof(struct profile, timezone), true, judge_timezone},
};

/* All other members of the resource. */
static const char *const read_only[] = {
    "id",          "status",       "activeSessions", "createdAt",
    "updatedAt",   "emails",       "defaultEmail",   "identities",
    "phoneNumber", "phoneNumbers", "badges",         "userFraudInformation",
};

/* What patch_read was given. */
struct reading {
    const char *zoneinfo;
    struct arena *arena;
    struct patch *patch;
    struct violation_list *violations;
};

const char *patch_member_name(enum patch_member member)
{
    return patchables[member].name;
}

struct str *patch_member_value(struct profile *profile, enum patch_member member)
{
    return (struct str *)(void *)((char *)profile + patchables[member].offset);
}

struct str patch_member_text(const struct profile *profile, enum patch_member member)
{
    return *(const struct str *)(const void *)((const char *)profile + patchables[member].offset);
}

/* PATCH_MEMBER__MAX where it is none of them. */
static enum patch_member find_patchable(struct str name)
{
    size_t i = 0;

    while (i < PATCH_MEMBER__MAX && !str_equal(name, str_from(patchables[i].name)))
        i++;
    return (enum patch_member)i;
}

static enum violation refusal_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(read_only); i++)
        if (str_equal(name, str_from(read_only[i])))
            return VIOLATION_READ_ONLY;
    return VIOLATION_UNKNOWN_MEMBER;
}

static enum violation judge_value(const struct patchable *patchable, struct json_object *value,
                                  struct candidate *candidate)
{
    /* json-c has no object for the JSON null. */
    if (value == NULL)
        return patchable->is_nullable ? VIOLATION_NONE : VIOLATION_NOT_NULLABLE;
    candidate->text = jsonvalue_string(value);
    return str_is_set(candidate->text) ? patchable->judge(candidate) : VIOLATION_INVALID_TYPE;
}

static bool read_value(const struct reading *reading, enum patch_member member,
                       struct json_object *value)
{
    const struct patchable *patchable = &patchables[member];
    struct candidate candidate = {.zoneinfo = reading->zoneinfo};
    enum violation violation = judge_value(patchable, value, &candidate);

    if (violation != VIOLATION_NONE)
        return violation_add(reading->violations, reading->arena, str_from(patchable->name),
                             violation);
    reading->patch->is_present[member] = true;
    return arena_copy(reading->arena, candidate.text, &reading->patch->value[member]);
}

static bool read_member(const struct reading *reading, struct str name, struct json_object *value)
{
    enum patch_member member = find_patchable(name);

    if (member == PATCH_MEMBER__MAX)
        return violation_add(reading->violations, reading->arena, name, refusal_of(name));
    return read_value(reading, member, value);
}

bool patch_read(struct json_object *body, const char *zoneinfo, struct arena *arena,
                struct patch *patch, struct violation_list *violations)
{
    const struct reading reading = {zoneinfo, arena, patch, violations};

    *patch = (struct patch){0};
    json_object_object_foreach(body, name, value)
    {
        if (!read_member(&reading, str_from(name), value))
            return false;
    }
    return true;
}

bool patch_apply(const struct patch *patch, struct profile *profile)
{
    bool has_changed = false;

    for (size_t i = 0; i < PATCH_MEMBER__MAX; i++) {
        struct str *value = patch_member_value(profile, (enum patch_member)i);

        if (!patch->is_present[i] || str_equal(*value, patch->value[i]))
            continue;
        *value = patch->value[i];
        has_changed = true;
    }
    return has_changed;
}
