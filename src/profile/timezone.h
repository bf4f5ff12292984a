/*
 * Time zone names: those of the IANA time zone database, as the list of profile/zone.h has them or
 * as the system does.
 *
 * Nothing of the system's database is held in memory. The compiled list answers for nearly all
 * names without a system call; what is left are names younger than the list, and wrong ones. For
 * one of these the folder is asked, which costs less than to read all names once in a program that
 * may live for one request, and is true at once when the system's database is upgraded.
 */
#ifndef ME_PROFILE_TIMEZONE_H
#define ME_PROFILE_TIMEZONE_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

enum { TIMEZONE_MAX_BYTES = 64 };

/*
 * The exact name of a zone or link, in exact case: one of the list, or of a time zone file (RFC
 * 8536, which begins with "TZif") below the folder `zoneinfo`, usually /usr/share/zoneinfo. Old
 * names that are links to new ones ("Asia/Calcutta") are taken, and so is whatever else the folder
 * holds; but neither the copies in its folders posix/ and right/ nor posixrules and localtime,
 * which name no zone. A name is never a path: segments of letters, digits, `_`, `+` and `-` with
 * one slash between them, 64 bytes in all. Links in the folder are followed, as its owner made
 * them.
 *
 * Else VIOLATION_INVALID_TIMEZONE. A folder that does not exist or may not be read holds no zone:
 * the list alone is in force then. Nothing is left open.
 */
enum violation validate_timezone(struct str name, const char *zoneinfo) MUST_CHECK;

#endif
