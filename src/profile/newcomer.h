/*
 * The profile of somebody who is new here, from the claims of a token (OpenID Connect Core 1.0,
 * section 5.1). What a user may not set is not taken from a token either: each claim goes through
 * the validator of its member, and what is not valid is left out. Pure, but for time zone names.
 *
 * name                    the name, and that of the identity
 * email, email_verified   the default address, and that of the identity
 * picture                 the avatar, and that of the identity
 * locale, zoneinfo        the locale and the time zone
 * phone_number, phone_number_verified
 *                         the primary phone number
 * iss, sub                the identity; its provider is the host of an iss that is a URL
 *
 * Without a valid name the first of these is taken that is one: given_name and family_name, each
 * where it is valid; nickname; preferred_username; what stands before the @ of the email; "User".
 * A flag is true where the claim is the JSON true: the string "true", which some issuers send, says
 * nothing about who verified what.
 */
#ifndef ME_PROFILE_NEWCOMER_H
#define ME_PROFILE_NEWCOMER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/str.h"
#include "profile/profile.h"

/* Everything is in the arena. */
struct newcomer {
    /* active, with one identity, at most one email and one phone number; ids and times are zero */
    struct profile profile;
    struct str issuer;   /* of the identity */
    struct str left_out; /* names of claims that are not valid: "locale, picture"; STR_NONE: none */
};

/*
 * From the payload of a token that was verified: one object of the strict gate, that has iss and
 * sub as strings. `zoneinfo` is as in validate_timezone. False: out of memory.
 */
bool newcomer_read(struct str claims, const char *zoneinfo, struct arena *arena,
                   struct newcomer *out) MUST_CHECK;

#endif
