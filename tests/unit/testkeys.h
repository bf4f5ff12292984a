/*
 * Keys for tests, by OpenSSL alone. Two pairs of 2048 bits are in tests/vectors, published in RFCs
 * and so known to everybody: "rfc7515" (appendix A.2.1) and "rfc7520" (section 3.4). What nobody
 * has to sign with is made of numbers that are no product of two primes.
 */
#ifndef ME_TESTS_UNIT_TESTKEYS_H
#define ME_TESTS_UNIT_TESTKEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct evp_pkey_st;

/* The secret of RFC 7515, appendix A.1.1, as a JWK has it; 64 bytes. */
#define TESTKEYS_SECRET                                                                            \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

/* The pair of this name; freed by EVP_PKEY_free, as are all others. */
struct evp_pkey_st *testkeys_pair(const char *name);

/* A public key with testkeys_modulus and this exponent, big-endian. */
struct evp_pkey_st *testkeys_public(unsigned bits, bool odd, struct str exponent);

/* A pair of another type: "EC" (P-256), "ED25519". */
struct evp_pkey_st *testkeys_other(const char *type);

enum testkeys_form {
    TESTKEYS_SPKI,
    TESTKEYS_PKCS1,
    TESTKEYS_CERTIFICATE, /* signed by the key itself, until TESTKEYS_CERTIFICATE_END_MS */
    TESTKEYS_TRUSTED_CERTIFICATE,
    TESTKEYS_REQUEST,
    TESTKEYS_PRIVATE,
    TESTKEYS_PRIVATE_ENCRYPTED,
    TESTKEYS_PRIVATE_PKCS1,
    TESTKEYS_PRIVATE_PKCS1_ENCRYPTED,
    TESTKEYS_FORM__MAX
};

/* 2030-01-01T00:00:00Z */
#define TESTKEYS_CERTIFICATE_END_MS INT64_C(1893456000000)

/* Each of these appends to `out`. */

/* The key in PEM. */
void testkeys_pem(struct evp_pkey_st *key, enum testkeys_form form, struct buf *out);
/* The public key as SubjectPublicKeyInfo in DER. */
void testkeys_der(struct evp_pkey_st *key, struct buf *out);
/* The key's modulus, big-endian, without leading zeros. */
void testkeys_number(const struct evp_pkey_st *key, struct buf *out);
/* A number with exactly these bits, odd or even. */
void testkeys_modulus(unsigned bits, bool odd, struct buf *out);
/* HMAC with SHA-256, under a secret of any length. */
void testkeys_hmac(struct str secret, struct str input, struct buf *out);
/* RSASSA-PKCS1-v1_5 with SHA-256. */
void testkeys_sign(struct evp_pkey_st *key, struct str input, struct buf *out);

#endif
