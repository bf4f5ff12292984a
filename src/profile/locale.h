/*
 * Language tags: BCP 47, which is RFC 5646, with the subtags of the IANA registry as they were when
 * profile/subtag.c was made.
 */
#ifndef ME_PROFILE_LOCALE_H
#define ME_PROFILE_LOCALE_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

enum { LOCALE_MAX_BYTES = 255 };

/*
 * A tag of up to 255 bytes that is well-formed and valid (RFC 5646, section 2.2.9):
 * - language, script, region and variants are in the registry, an extlang behind the one language
 *   that it is registered for, and there is one at most (section 2.2.2); no variant comes twice;
 * - extensions are well-formed and none comes twice; whether anybody has registered their singleton
 *   and what their parts mean is not asked ("en-a-bbb");
 * - or it is for private use alone ("x-whatever"), or a grandfathered tag, as a whole.
 * Deprecated subtags and tags are valid and stay as they are: none is replaced by its preferred
 * value. A variant is taken behind any language: the prefixes that are registered for it are advice
 * (section 3.1.8) and no condition of validity. Subtags are divided by hyphens: the underscore of
 * POSIX locales is refused.
 *
 * On VIOLATION_NONE `canonical` is the tag in the case of section 2.1.1, a grandfathered one in the
 * case of the registry, with a NUL behind it; subtags are neither replaced nor put into another
 * order. Else it is VIOLATION_INVALID_LOCALE and `canonical` is empty.
 */
enum violation validate_locale(struct str tag, char canonical[LOCALE_MAX_BYTES + 1]) MUST_CHECK;

#endif
