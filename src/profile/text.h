/*
 * Text that people write about themselves, in any script.
 *
 * Lengths are in code points. White space is what has the Unicode property White_Space. Control
 * characters are those of the general category Cc: C0, DEL and C1. The line and paragraph
 * separators U+2028 and U+2029 are not among them and pass; they are white space.
 */
#ifndef ME_PROFILE_TEXT_H
#define ME_PROFILE_TEXT_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

enum { NAME_MAX_LENGTH = 255, BIO_MAX_LENGTH = 4096 };

/*
 * 1 to 255 code points, not only white space, no control characters. VIOLATION_BLANK, TOO_LONG,
 * CONTROL_CHARACTER or NOT_UTF8: of several, the one that is last in this list.
 */
enum violation validate_name(struct str text) MUST_CHECK;

/*
 * Up to 4096 code points, none at all included; no control characters but tab and line feed.
 * VIOLATION_TOO_LONG, CONTROL_CHARACTER or NOT_UTF8, as above.
 */
enum violation validate_bio(struct str text) MUST_CHECK;

#endif
