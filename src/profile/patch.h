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
/* The same, for reading alone. */
struct str patch_member_text(const struct profile *profile, enum patch_member member);

struct patch {
    bool is_present[PATCH_MEMBER__MAX];
    struct str value[PATCH_MEMBER__MAX]; /* STR_NONE: cleared; in the arena; the locale in canonical
                                            case */
};

/*
 * Judges every member of `body`, a JSON object from jsonvalue_parse, and collects the patch and
 * all violations: one for each member at fault, in the order of the body. A member of the resource
 * that is none of those above is read-only, whatever value it is given; an empty string is a value,
 * not a clearing. False: out of memory. The patch may be applied only where no violation was added.
 * `violations` began as {0}; `zoneinfo` is as in validate_timezone. Nothing is borrowed from
 * `body`.
 */
bool patch_read(struct json_object *body, const char *zoneinfo, struct arena *arena,
                struct patch *patch, struct violation_list *violations) MUST_CHECK;

/*
 * Puts the values into the profile (which borrows them from the patch's arena); tells whether any
 * value became another one. Values are compared bytewise, and unset is not the same as empty.
 */
bool patch_apply(const struct patch *patch, struct profile *profile);

#endif
