/*
 * One verification key, bound to one algorithm when it is made: no token can have it used with
 * another (RFC 8725, section 3.1). Parsed once, its OpenSSL contexts kept and used again; so a key
 * is not for two threads at a time.
 */
#ifndef ME_TOKEN_KEY_H
#define ME_TOKEN_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum key_algorithm { KEY_HS256, KEY_RS256, KEY_ALGORITHM__MAX };

enum {
    KEY_SECRET_MIN_BYTES = 32, /* RFC 7518, section 3.2 */
    KEY_SECRET_MAX_BYTES = 4096,
    KEY_RSA_MIN_BITS = 2048, /* RFC 7518, section 3.3 */
    KEY_RSA_MAX_BITS = 8192
};

struct key;

/* "HS256" or "RS256". */
const char *key_algorithm_name(enum key_algorithm algorithm);
/* False for every other name, in the exact case (RFC 7515, section 4.1.1). */
bool key_algorithm_from_name(struct str name, enum key_algorithm *out) MUST_CHECK;

/* HMAC with SHA-256; `secret` is copied. `kid` may be STR_NONE: no kid. NULL with `err` where too
 * short or long. */
struct key *key_from_secret(struct str secret, struct str kid, struct err *err) MUST_CHECK;

/*
 * RSASSA-PKCS1-v1_5 with SHA-256, from PEM: SubjectPublicKeyInfo ("PUBLIC KEY") or PKCS#1 ("RSA
 * PUBLIC KEY"). Refuses private keys (with a message that says how to take the public one out),
 * other key types, sizes out of limits, exponents that are even or 1, and more than one PEM block.
 */
struct key *key_from_pem(struct str pem, struct str kid, struct err *err) MUST_CHECK;

void key_free(struct key *key);

enum key_algorithm key_algorithm(const struct key *key);
struct str key_id(const struct key *key); /* STR_NONE: it has none */
unsigned key_bits(const struct key *key); /* of the secret or the modulus */

/*
 * True only where `signature` is this key's over `input`. HMACs are compared in constant time.
 * Leaves OpenSSL's error queue empty.
 */
bool key_verify(const struct key *key, struct str input, struct str signature) MUST_CHECK;

/* For minting, in tests and demos (mectl token mint): what a signer needs. */
struct signer;
struct signer *signer_from_secret(struct str secret, struct err *err) MUST_CHECK;
struct signer *signer_from_pem(struct str private_pem,
                               struct err *err) MUST_CHECK; /* unencrypted RSA */
void signer_free(struct signer *signer);
enum key_algorithm signer_algorithm(const struct signer *signer);
/* Appends the raw signature. */
struct buf;
bool signer_sign(struct signer *signer, struct str input, struct buf *out) MUST_CHECK;

#endif
