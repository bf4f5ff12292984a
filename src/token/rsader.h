/*
 * The two numbers of an RSA public key in DER. It knows the one way in which the standards write
 * such a key, and takes no other: whether something else is a key, and what is wrong with it, is for
 * OpenSSL to say, whose decoders look up every format that there is before they read one.
 */
#ifndef ME_TOKEN_RSADER_H
#define ME_TOKEN_RSADER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/str.h"

/* Big-endian, without leading zeros, borrowed from the DER. */
struct rsader_numbers {
    struct str modulus, exponent;
};

/* SubjectPublicKeyInfo (RFC 5280, section 4.1) of rsaEncryption (RFC 3279, section 2.3.1), with
 * nothing after it. */
bool rsader_read_spki(struct str der, struct rsader_numbers *out) MUST_CHECK;

/* RSAPublicKey (RFC 8017, appendix A.1.1), with nothing after it. */
bool rsader_read_pkcs1(struct str der, struct rsader_numbers *out) MUST_CHECK;

#endif
