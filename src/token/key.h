/*
 * One verification key, bound to one algorithm when it is made: no token can have it used with
 * another (RFC 8725, section 3.1). Parsed once, its OpenSSL contexts kept and used again; so a key
 * is not for two threads at a time.
 */
#ifndef ME_TOKEN_KEY_H
#define ME_TOKEN_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "token/verdict.h"

enum { KEY_ID_MAX_BYTES = 1024 };

enum key_algorithm { KEY_HS256, KEY_RS256, KEY_ALGORITHM__MAX };

struct key;

/* "HS256" or "RS256". */
const char *key_algorithm_name(enum key_algorithm algorithm);
/* False for every other name, in the exact case (RFC 7515, section 4.1.1). */
bool key_algorithm_from_name(struct str name, enum key_algorithm *out) MUST_CHECK;

/* HS256 (token/hmac.h). `kid`, of at most KEY_ID_MAX_BYTES, may be STR_NONE: the key has none. NULL
 * with `err`, as with all that make a key. */
struct key *key_from_secret(struct str secret, struct str kid, struct err *err) MUST_CHECK;

/* RS256: RSASSA-PKCS1-v1_5 with SHA-256, from what rsakey_from_pem and rsakey_from_numbers take. */
struct key *key_from_pem(struct str pem, struct str kid, struct err *err) MUST_CHECK;
struct key *key_from_numbers(struct str modulus, struct str exponent, struct str kid,
                             struct err *err) MUST_CHECK;

/* One owner more of the same key; each frees it. */
struct key *key_share(struct key *key);
void key_free(struct key *key);

enum key_algorithm key_algorithm(const struct key *key);
struct str key_id(const struct key *key); /* STR_NONE: it has none */
unsigned key_bits(const struct key *key); /* of the secret or the modulus */

/* The end of the certificate that the key came in; INT64_MAX: in none. It binds nobody. */
int64_t key_certificate_end_ms(const struct key *key);

/* From when on the key verifies no token any more; INT64_MAX until it is set. */
void key_set_end_ms(struct key *key, int64_t end_ms);
int64_t key_end_ms(const struct key *key);

/*
 * Appends the JWK thumbprint (RFC 7638) with SHA-256, in base64url. False for a secret, of which it
 * would tell too much (section 7), and where memory is short.
 */
bool key_thumbprint(const struct key *key, struct buf *out) MUST_CHECK;

/* The same as bytes. */
bool key_digest(const struct key *key, unsigned char out[DIGEST_BYTES]) MUST_CHECK;

/* Appends modulus and exponent in base64url, as a JWK has them (RFC 7518, section 6.3.1). False for
 * a secret, and where memory is short. */
bool key_numbers(const struct key *key, struct buf *modulus, struct buf *exponent) MUST_CHECK;

/*
 * JWT_VALID only where `signature` is this key's over `input`, whatever the key's end; else
 * JWT_BAD_SIGNATURE, or JWT_OUT_OF_MEMORY where it could not be judged. HMACs are compared in
 * constant time. Leaves OpenSSL's error queue empty.
 */
enum jwt_verdict key_verify(const struct key *key, struct str input,
                            struct str signature) MUST_CHECK;

#endif
