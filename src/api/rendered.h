/*
 * A representation with its validator on its way to the client, and what the client demands of it.
 */
#ifndef ME_API_RENDERED_H
#define ME_API_RENDERED_H

#include "api/exchange.h"
#include "profile/profile.h"

/* Both live until the next request: in a buffer of the service, the arena, or what is kept. */
struct rendered {
    struct str body, etag;
};

/* False: out of memory. What was rendered before in this request is gone. */
bool rendered_make(struct exchange *exchange, const struct profile *profile,
                   struct rendered *out) MUST_CHECK;

/* As rendered_make, where the body is in the service's buffer already. */
bool rendered_take(struct exchange *exchange, struct rendered *out) MUST_CHECK;

/* Whether an If-Match is there that it does not match (RFC 9110, section 13.1.1). */
bool rendered_is_other(const struct exchange *exchange, const struct rendered *rendered);

/* Whether an If-None-Match is there that it matches (section 13.1.2). */
bool rendered_is_known(const struct exchange *exchange, const struct rendered *rendered);

/* 200 with the whole. */
void rendered_send(struct exchange *exchange, const struct rendered *rendered);

/* 304 */
void rendered_send_unchanged(struct exchange *exchange, const struct rendered *rendered);

/* 412, with the current tag, so that the client can look what has changed. */
enum problem rendered_refuse(struct exchange *exchange, const struct rendered *rendered);

#endif
