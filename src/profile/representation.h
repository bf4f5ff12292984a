/*
 * The resource as JSON, and its validator. The same profile always gives the same bytes, so that
 * their digest can be a strong entity tag (RFC 9110, section 8.8.1).
 */
#ifndef ME_PROFILE_REPRESENTATION_H
#define ME_PROFILE_REPRESENTATION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/digest.h"
#include "profile/patch.h"
#include "profile/profile.h"

/* Quotes included. */
enum { REPRESENTATION_ETAG_LEN = 24 };

/*
 * Appends the JSON (RFC 8259) of a profile that profile_sort has sorted: no blanks, members always
 * in the same order, unset ones left out, arrays always there, characters outside of ASCII as they
 * are. Its texts must be UTF-8. False: out of memory, or the cap of `out`; nothing was appended
 * then.
 */
bool representation_render(const struct profile *profile, struct buf *out) MUST_CHECK;

/* A representation that was rendered before, taken apart: its members' values as they stand in it. */
enum { REPRESENTATION_MEMBERS_MAX = 17 };
struct representation_parts {
    struct str text[REPRESENTATION_MEMBERS_MAX]; /* in the order of the resource; STR_NONE: unset */
};

/* The parts are borrowed from the body. False: out of memory, or it is no representation. */
bool representation_split(struct str body, struct representation_parts *out) MUST_CHECK;

/* Reads the members that a user may change; their texts are in the arena, all else of *out is left as it is.
 * False: out of memory. */
bool representation_read(const struct representation_parts *parts, struct arena *arena,
                         struct profile *out) MUST_CHECK;

/*
 * Puts into the empty `out` what representation_render would for the profile that was rendered,
 * with updatedAt and the members that the patch has as they are in `profile`, of which nothing else
 * is looked at. False: out of memory, or the cap of `out`.
 */
bool representation_amend(const struct representation_parts *parts, const struct patch *patch,
                          const struct profile *profile, struct buf *out) MUST_CHECK;

/*
 * A quoted strong entity tag: the first 16 bytes of the SHA-256 of the body in base64url (22
 * characters), with a NUL behind it. False: out of memory, or OpenSSL failed; `out` is empty then.
 */
bool representation_etag(struct digest *digest, struct str body,
                         char out[REPRESENTATION_ETAG_LEN + 1]) MUST_CHECK;

#endif
