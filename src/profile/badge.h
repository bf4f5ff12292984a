/*
 * Badges: marks that the operator gives a user, each a name within a scope, such as messagebird:cx.
 */
#ifndef ME_PROFILE_BADGE_H
#define ME_PROFILE_BADGE_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

/* Of the scope and of the name, each. */
enum { BADGE_PART_MAX_BYTES = 64 };

/*
 * scope:name, both of ASCII letters, digits, `-`, `_` and `.`, 1 to 64 bytes each; case counts.
 * Else VIOLATION_INVALID_BADGE.
 */
enum violation validate_badge(struct str badge) MUST_CHECK;

#endif
