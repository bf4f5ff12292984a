/*
 * The claims of a token (RFC 7519, section 4.1): read out of its payload, and judged.
 */
#ifndef ME_TOKEN_CLAIMS_H
#define ME_TOKEN_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/rules.h"
#include "token/verdict.h"

enum { JWT_NO_TIME = -1 };

/* What a token says that a key of the keyring signed. Independent of the token and of the keys. */
struct jwt_claims {
    struct str payload;         /* the claims as JSON text, which is one strict object */
    struct str subject, issuer; /* STR_NONE: no such claim */
    struct str session;         /* STR_NONE: no such claim, or sessions are off */
    const struct str *audiences;
    size_t audience_count;
    int64_t expires_ms, not_before_ms; /* JWT_NO_TIME: no such claim */
    int64_t key_end_ms;                /* of the key that verified it; INT64_MAX: none */
    void *memory;                      /* owns all of the above */
};

/*
 * On JWT_VALID *out holds what claims_free frees. Otherwise it is empty, and `err` tells which
 * claim, and what is wrong with its type. Of the rules the name of the session claim counts.
 */
enum jwt_verdict claims_read(struct str payload, const struct jwt_rules *rules, int64_t end_ms,
                             struct jwt_claims *out, struct err *err) MUST_CHECK;

void claims_free(struct jwt_claims *claims);

/*
 * What they say: the key's end, times, issuer, audience, subject and session, in this order.
 * Expired is what has `now >= exp + leeway` (RFC 7519, section 4.1.4), not valid yet what has `now
 * < nbf - leeway` (4.1.5), to the millisecond; an iat to come is no fault. Allocates nothing.
 */
enum jwt_verdict claims_judge(const struct jwt_claims *claims, const struct jwt_rules *rules,
                              int64_t now_ms, struct err *err) MUST_CHECK;

/* The two parts of it, in this order: what depends on the time, and what does not. */
enum jwt_verdict claims_judge_times(const struct jwt_claims *claims, const struct jwt_rules *rules,
                                    int64_t now_ms) MUST_CHECK;
enum jwt_verdict claims_judge_names(const struct jwt_claims *claims, const struct jwt_rules *rules,
                                    struct err *err) MUST_CHECK;

#endif
