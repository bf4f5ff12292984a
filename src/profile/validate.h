/*
 * What a member's value may be: one function for each kind of value. Pure but for the zone names,
 * which are looked up in the system's time zone database. Text has come through UTF-8 checks
 * already (strictjson.h, or utf8_is_valid where it comes from elsewhere), and is checked again here
 * where it would matter.
 */
#ifndef ME_PROFILE_VALIDATE_H
#define ME_PROFILE_VALIDATE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

/* In code points, but for the URL and the addresses, which are in bytes. */
enum {
    NAME_MAX_LENGTH = 255,
    BIO_MAX_LENGTH = 4096,
    AVATAR_URL_MAX_BYTES = 2048,
    LOCALE_MAX_BYTES = 255,
    TIMEZONE_MAX_BYTES = 64,
    EMAIL_MAX_BYTES = 254, /* RFC 5321, 4.5.3.1.3, less the brackets */
    BADGE_PART_MAX_BYTES = 64
};

/* 1 to 255 code points, not only white space, no control characters (C0, DEL, C1). */
enum violation validate_name(struct str text) MUST_CHECK;

/* Up to 4096 code points, no control characters but tab and line feed. */
enum violation validate_bio(struct str text) MUST_CHECK;

/* An absolute http or https URL with a host and without user information (RFC 3986; RFC 9110,
 * section 4.2). */
enum violation validate_url(struct str text) MUST_CHECK;

/*
 * A well-formed language tag (RFC 5646, section 2.2.9) without duplicate variants or singletons,
 * written to `canonical` (LOCALE_MAX_BYTES + 1 bytes, NUL at the end) in canonical case
 * (section 2.1.1). Whether its subtags are registered is not known here yet.
 */
enum violation validate_locale(struct str tag, char canonical[LOCALE_MAX_BYTES + 1]) MUST_CHECK;

/* A zone or link of the time zone database under the folder `zoneinfo`, in exact case. */
enum violation validate_timezone(struct str name, const char *zoneinfo) MUST_CHECK;

/* local@domain, 254 bytes at most, as mail systems take it; no quoted local parts, no comments. */
enum violation validate_email(struct str address) MUST_CHECK;

/* E.164: a plus, then 2 to 15 digits, the first of which is not 0. */
enum violation validate_phone_number(struct str number) MUST_CHECK;

/* scope:name, both of letters, digits, `-`, `_` and `.`, 1 to 64 bytes each. */
enum violation validate_badge(struct str badge) MUST_CHECK;

#endif
