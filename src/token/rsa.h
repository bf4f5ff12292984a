/*
 * RSA keys as OpenSSL has them, from PEM and from the numbers of a JWK, and what of a key is judged
 * before it may be used: its size, its exponent, its modulus. Judged by hand: the checks of OpenSSL
 * itself can be made to take very long by a key from outside (CVE-2023-6237).
 */
#ifndef ME_TOKEN_RSA_H
#define ME_TOKEN_RSA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum {
    RSA_MIN_BITS = 2048, /* RFC 7518, section 3.3 */
    RSA_MAX_BITS = 8192,
    RSA_EXPONENT_MAX_BITS = 64 /* with more OpenSSL verifies nothing by a modulus over 3072 bits */
};

struct evp_pkey_st; /* OpenSSL's EVP_PKEY; freed by EVP_PKEY_free */

/* What is judged of every key, by its numbers, big-endian; leading zeros count for nothing. */
bool rsa_is_good(struct str modulus, struct str exponent, struct err *err) MUST_CHECK;

/* Of a number, big-endian. */
unsigned rsa_bits(struct str number);

/* A public key that is good: big-endian, without leading zeros. */
struct rsa_numbers {
    struct buf modulus, exponent;
};

/* Modulus and exponent as a JWK has them (RFC 7518, section 6.3.1). False with `err` where they are
 * no good, or memory is short; otherwise *out is freed by rsa_numbers_free. */
bool rsa_numbers_take(struct str modulus, struct str exponent, struct rsa_numbers *out,
                      struct err *err) MUST_CHECK;

/*
 * The public key in PEM: SubjectPublicKeyInfo ("PUBLIC KEY"), PKCS#1 ("RSA PUBLIC KEY"), or an
 * X.509 certificate ("CERTIFICATE"), which here is nothing but an envelope: who signed it is not
 * judged, nor are its times; *expires_ms tells its end (INT64_MAX: it is no certificate). Refuses
 * private keys, with a message that says how to take the public one out, and more than one PEM
 * block. *out as by rsa_numbers_take.
 */
bool rsa_numbers_from_pem(struct str pem, struct rsa_numbers *out, int64_t *expires_ms,
                          struct err *err) MUST_CHECK;
void rsa_numbers_free(struct rsa_numbers *numbers);

/* The key as OpenSSL has it. NULL: out of memory. */
struct evp_pkey_st *rsa_public(const struct rsa_numbers *numbers) MUST_CHECK;

/* An unencrypted private key in PEM, for minting. */
struct evp_pkey_st *rsa_private_from_pem(struct str pem, struct err *err) MUST_CHECK;

/* Appends modulus or exponent, big-endian without leading zeros. */
enum rsa_number { RSA_MODULUS, RSA_EXPONENT };
bool rsa_number(const struct evp_pkey_st *key, enum rsa_number which, struct buf *out) MUST_CHECK;

#endif
