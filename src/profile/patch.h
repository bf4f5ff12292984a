/*
 * JSON Merge Patch (RFC 7396) over the members of the profile that a user may change: absent leaves
 * as is, null clears, anything else replaces. One table of members, looped over by everything that
 * needs to know them.
 */
#ifndef ME_PROFILE_PATCH_H
#define ME_PROFILE_PATCH_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "profile/profile.h"
#include "profile/violation.h"

enum patch_member {
    PATCH_NAME,
    PATCH_BIO,
    PATCH_AVATAR_URL,
    PATCH_LOCALE,
    PATCH_TIMEZONE,
    PATCH_MEMBER__MAX
};

/* The member's name in the resource: "avatarUrl". */
const char *patch_member_name(enum patch_member member);
/* The member's value in a profile; for reading and for replacing. */
struct str *patch_member_value(struct profile *profile, enum patch_member member);

struct patch {
    bool is_present[PATCH_MEMBER__MAX];
    struct str value[PATCH_MEMBER__MAX]; /* STR_NONE: cleared; in the arena; the locale in canonical
                                            case */
};

/*
 * Judges every member of `body`, a JSON object, and collects the patch and all violations. False:
 * out of memory. The patch may be applied only where no violation was added. `zoneinfo` as in
 * validate_timezone.
 */
bool patch_read(struct json_object *body, const char *zoneinfo, struct arena *arena,
                struct patch *patch, struct violation_list *violations) MUST_CHECK;

/* Puts the values into the profile (which borrows them); tells whether any value became another
 * one. */
bool patch_apply(const struct patch *patch, struct profile *profile);

#endif
