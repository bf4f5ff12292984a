/*
 * An RSA public key that verifies RSASSA-PKCS1-v1_5 with SHA-256, which JWS calls RS256 (RFC 7518,
 * section 3.3). It is its two numbers; OpenSSL is given them when the first signature is to be
 * verified, which in a CGI process, and of most keys of a set, none is.
 */
#ifndef ME_TOKEN_RSAKEY_H
#define ME_TOKEN_RSAKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "token/verdict.h"

struct rsakey;

/* Of what rsa_numbers_from_pem and rsa_numbers_take take. NULL with `err`. */
struct rsakey *rsakey_from_pem(struct str pem, int64_t *expires_ms, struct err *err) MUST_CHECK;
struct rsakey *rsakey_from_numbers(struct str modulus, struct str exponent,
                                   struct err *err) MUST_CHECK;
void rsakey_free(struct rsakey *key);

/* Big-endian without leading zeros, borrowed for the life of the key. */
struct str rsakey_modulus(const struct rsakey *key);
struct str rsakey_exponent(const struct rsakey *key);
unsigned rsakey_bits(const struct rsakey *key);

/* The JWK thumbprint (RFC 7638) with SHA-256. False: out of memory. */
bool rsakey_thumbprint(struct rsakey *key, unsigned char out[DIGEST_BYTES]) MUST_CHECK;

/* JWT_VALID, JWT_BAD_SIGNATURE or JWT_OUT_OF_MEMORY. Leaves OpenSSL's error queue empty. */
enum jwt_verdict rsakey_verify(struct rsakey *key, struct str input,
                               struct str signature) MUST_CHECK;

#endif
