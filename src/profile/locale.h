/*
 * Language tags: BCP 47, which is RFC 5646. Nothing here knows the IANA registry of subtags yet, so
 * a tag may be taken whose subtags nobody has registered ("xx-YY").
 */
#ifndef ME_PROFILE_LOCALE_H
#define ME_PROFILE_LOCALE_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

enum { LOCALE_MAX_BYTES = 255 };

/*
 * A tag that is well-formed by the grammar of RFC 5646, section 2.1 (the grandfathered tags and
 * those for private use alone included) and repeats neither a variant nor a singleton (section
 * 2.2.9). Subtags are divided by hyphens: the underscore of POSIX locales is refused.
 *
 * On VIOLATION_NONE `canonical` is the tag in the case of section 2.1.1 with a NUL behind it;
 * subtags are neither replaced nor put into another order. Else it is VIOLATION_INVALID_LOCALE and
 * `canonical` is empty.
 */
enum violation validate_locale(struct str tag, char canonical[LOCALE_MAX_BYTES + 1]) MUST_CHECK;

#endif
