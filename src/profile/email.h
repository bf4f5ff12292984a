/*
 * Email addresses as mail systems take them: a sensible part of RFC 5321, not all of RFC 5322.
 */
#ifndef ME_PROFILE_EMAIL_H
#define ME_PROFILE_EMAIL_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

/* RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3 (its path has two brackets more), RFC 1035, 2.3.4. */
enum { EMAIL_MAX_BYTES = 254, EMAIL_LOCAL_MAX_BYTES = 64, EMAIL_LABEL_MAX_BYTES = 63 };

/*
 * local@domain in ASCII. The local part is a Dot-string (RFC 5321, section 4.1.2): no quotes, no
 * comments. The domain is labels of letters, digits and inner hyphens; an internationalised one is
 * in its A-label form (RFC 5890), an address in brackets is refused, and the last label is not all
 * digits (RFC 3696, section 2). A single label is enough, for hosts of one's own. Whether anybody
 * reads mail there is not asked. Else VIOLATION_INVALID_EMAIL.
 */
enum violation validate_email(struct str address) MUST_CHECK;

#endif
