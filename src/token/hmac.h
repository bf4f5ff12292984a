/*
 * HMAC with SHA-256 (RFC 2104), which JWS calls HS256 (RFC 7518, section 3.2). The secret is given
 * to OpenSSL once and kept nowhere else.
 */
#ifndef ME_TOKEN_HMAC_H
#define ME_TOKEN_HMAC_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/verdict.h"

enum {
    HMAC_BYTES = 32,
    HMAC_SECRET_MIN_BYTES = 32, /* RFC 7518, section 3.2: no shorter than the hash */
    HMAC_SECRET_MAX_BYTES = 4096
};

struct hmac;

/* Whether it is neither too short nor too long. */
bool hmac_is_good_secret(struct str secret, struct err *err) MUST_CHECK;

/* NULL with `err` where the secret is no good, or memory is short. */
struct hmac *hmac_new(struct str secret, struct err *err) MUST_CHECK;
void hmac_free(struct hmac *hmac);

bool hmac_of(struct hmac *hmac, struct str input, unsigned char out[HMAC_BYTES]) MUST_CHECK;

/* JWT_VALID, JWT_BAD_SIGNATURE or JWT_OUT_OF_MEMORY. Compares in constant time. */
enum jwt_verdict hmac_verify(struct hmac *hmac, struct str input, struct str signature) MUST_CHECK;

#endif
