/*
 * The resource as JSON, and its validator. The same profile always gives the same bytes, so that
 * their digest can be a strong entity tag (RFC 9110, section 8.8.1).
 */
#ifndef ME_PROFILE_REPRESENTATION_H
#define ME_PROFILE_REPRESENTATION_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/digest.h"
#include "profile/profile.h"

/* Quotes included. */
enum { REPRESENTATION_ETAG_LEN = 24 };

/* Appends the JSON of a sorted profile, members in the order of the contract. False: out of memory
 * or the cap. */
bool representation_render(const struct profile *profile, struct buf *out) MUST_CHECK;

/* A quoted strong entity tag: the first 16 bytes of the SHA-256 of the body in base64url (22
 * characters). */
bool representation_etag(struct digest *digest, struct str body,
                         char out[REPRESENTATION_ETAG_LEN + 1]) MUST_CHECK;

#endif
