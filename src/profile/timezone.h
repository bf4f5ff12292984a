/*
 * Time zone names as the system's copy of the IANA time zone database has them: the names of its
 * files.
 */
#ifndef ME_PROFILE_TIMEZONE_H
#define ME_PROFILE_TIMEZONE_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

enum { TIMEZONE_MAX_BYTES = 64 };

/*
 * The exact name of a zone or link, in exact case, of a time zone file (RFC 8536, which begins with
 * "TZif") below the folder `zoneinfo`, usually /usr/share/zoneinfo. Old names that are links to new
 * ones ("Asia/Calcutta") are taken, and so is whatever else the folder holds; but neither the
 * copies in its folders posix/ and right/ nor posixrules and localtime, which name no zone. A name
 * is never a path: segments of letters, digits, `_`, `+` and `-` with one slash between them, 64
 * bytes in all. Links in the folder are followed, as its owner made them.
 *
 * Else VIOLATION_INVALID_TIMEZONE; also where the folder does not exist or may not be read, so then
 * no name is valid.
 */
enum violation validate_timezone(struct str name, const char *zoneinfo) MUST_CHECK;

#endif
