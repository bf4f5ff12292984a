/*
 * Is this token good, and whose is it? A compact JWS (RFC 7515, section 3.1) with the claims of a
 * JWT (RFC 7519), judged by RFC 8725. Pure: the token, keys, rules and the time go in, a verdict
 * comes out. No clock, file, socket or database; nothing is kept.
 */
#ifndef ME_TOKEN_JWT_H
#define ME_TOKEN_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/claims.h"
#include "token/keyring.h"
#include "token/known.h"
#include "token/rules.h"
#include "token/verdict.h"

/*
 * All that depends on the token, the keys and the rules alone, so that it may be kept as long as
 * these stay the same; claims_judge says the rest. On JWT_VALID *claims holds what claims_free
 * frees; otherwise it is empty, and `err` tells what the log may know more: which parameter, claim
 * or kid, in printable ASCII, never bytes of a signature. `known` as for jws_open.
 */
enum jwt_verdict jwt_open(struct str token, const struct keyring *keyring,
                          const struct jwt_rules *rules, struct known_token *known,
                          struct jwt_claims *claims, struct err *err) MUST_CHECK;

/* Both, in the order of the enum. Unless JWT_VALID, *claims is empty. */
enum jwt_verdict jwt_verify(struct str token, const struct keyring *keyring,
                            const struct jwt_rules *rules, int64_t now_ms,
                            struct jwt_claims *claims, struct err *err) MUST_CHECK;

/*
 * Form, header, signature and the key's end alone (RFC 7515, section 5.2), whatever the payload is,
 * for mectl token verify --signature-only. Of the rules max_bytes and the algorithms count.
 */
enum jwt_verdict jwt_verify_signature(struct str token, const struct keyring *keyring,
                                      const struct jwt_rules *rules, int64_t now_ms,
                                      struct err *err) MUST_CHECK;

#endif
