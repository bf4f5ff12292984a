/*
 * JSON Web Keys (RFC 7517, RFC 7518 section 6): which of them can verify a token here, and the keys
 * made of those.
 */
#ifndef ME_TOKEN_JWK_H
#define ME_TOKEN_JWK_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/key.h"
#include "token/shown.h"

enum jwk_result {
    JWK_OK = 0,
    JWK_NOT_FOR_US, /* sound, perhaps, but for something else: another kty, alg, use or key_ops */
    JWK_DEFECTIVE,  /* malformed, weak, a private key: the issuer or the operator should mend it */
    JWK_OUT_OF_MEMORY /* no fault of the JWK */
};

/* What is told of a JWK that gives no key. */
struct jwk_fault {
    bool has_kid; /* one that is a string */
    struct shown kid;
    struct err why; /* in words that hold none of the JWK's own */
};

/*
 * The key of a JWK, which is the text of one JSON value. kty RSA gives RS256, kty oct HS256, and a
 * member alg that says otherwise makes it one that is not for us. A member exp (the NumericDate of
 * OpenID Federation 1.0, historical keys) is the key's end. *fault counts unless JWK_OK.
 */
enum jwk_result jwk_read(struct str jwk, struct key **out, struct jwk_fault *fault) MUST_CHECK;

/*
 * The JWK of a public key, with this kid (STR_NONE: with none) and this end, in whole seconds,
 * rounded up, as its exp (INT64_MAX: it has none). The caller frees it with json_object_put; NULL
 * for a secret, and where memory is short.
 */
struct json_object *jwk_new(const struct key *key, struct str kid, int64_t end_ms) MUST_CHECK;

#endif
