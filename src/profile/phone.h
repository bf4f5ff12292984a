/*
 * Telephone numbers in the international form of ITU-T E.164.
 */
#ifndef ME_PROFILE_PHONE_H
#define ME_PROFILE_PHONE_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

/* E.164, section 6: 15 digits at most, the country code included. */
enum { PHONE_NUMBER_MAX_DIGITS = 15 };

/*
 * A plus, then 2 to 15 digits, the first of which is not 0; no blanks, brackets or hyphens. Whether
 * the country code is in use is not asked. Else VIOLATION_INVALID_PHONE_NUMBER.
 */
enum violation validate_phone_number(struct str number) MUST_CHECK;

#endif
