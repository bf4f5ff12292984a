/*
 * A compact JWS (RFC 7515, section 3.1): its form, header and signature judged, in this order. What
 * it signs is the caller's to judge.
 */
#ifndef ME_TOKEN_JWS_H
#define ME_TOKEN_JWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/keyring.h"
#include "token/known.h"
#include "token/rules.h"
#include "token/verdict.h"

/*
 * On JWT_VALID the payload's bytes are appended to `payload`, which is wiped and freed by the
 * caller in any case, and *end_ms is the end of the key that verified it (INT64_MAX: none), the
 * latest where several did. Otherwise `err` tells what the log may know more, in printable ASCII.
 * `known` is asked about signatures by public keys, and told of them; NULL: nobody. An HMAC is made
 * sooner than anybody is asked.
 */
enum jwt_verdict jws_open(struct str token, const struct keyring *keyring,
                          const struct jwt_rules *rules, struct known_token *known,
                          struct buf *payload, int64_t *end_ms, struct err *err) MUST_CHECK;

/* Appends the payload's bytes of a token that jws_open judged to be valid; of any other they are
 * worth nothing. False: out of memory. */
bool jws_payload(struct str token, struct buf *out) MUST_CHECK;

#endif
