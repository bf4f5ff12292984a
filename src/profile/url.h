/*
 * URLs by the grammar of RFC 3986, and by that alone: nothing is decoded, resolved, normalised or
 * looked up, and nothing that browsers would mend is mended.
 */
#ifndef ME_PROFILE_URL_H
#define ME_PROFILE_URL_H

#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"

enum { AVATAR_URL_MAX_BYTES = 2048 };

/*
 * An absolute http or https URL with a host and without user information (RFC 9110, sections 4.2
 * and 4.2.4), kept as it was sent:
 * - the scheme in any case, then "//" and a host that is not empty;
 * - the host is a registered name, an IPv4 address or an IPv6 address in brackets; an IPvFuture
 *   address, of which no version was ever defined, and an IPv6 zone are refused. What looks like an
 *   IPv4 address and is none, such as 256.0.0.1, is a registered name to section 3.2.2;
 * - a port, when there is one, is 0 to 65535; an empty one ("http://example.com:/") is what
 *   section 3.2.3 allows, and allowed;
 * - path, query and fragment of the characters of section 3.3 to 3.5, with every `%` before two hex
 *   digits. So characters outside of ASCII have to be percent-encoded (section 2.5).
 * VIOLATION_TOO_LONG past 2048 bytes, else VIOLATION_INVALID_URL.
 */
enum violation validate_url(struct str text) MUST_CHECK;

#endif
