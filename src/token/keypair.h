/*
 * A new RSA key pair, for issuers without a tool of their own, for tests and demonstrations: the
 * worker verifies with the public key alone.
 */
#ifndef ME_TOKEN_KEYPAIR_H
#define ME_TOKEN_KEYPAIR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

enum { KEYPAIR_PEM_MAX_BYTES = 16 * 1024 };

/* Both in PEM. */
struct keypair {
    struct buf private; /* PKCS#8 */
    struct buf public;  /* SubjectPublicKeyInfo */
};

/* `bits` from RSA_MIN_BITS to RSA_MAX_BITS. Also after a failure keypair_free has to be called. */
bool keypair_generate(struct keypair *pair, unsigned bits, struct err *err) MUST_CHECK;
void keypair_free(struct keypair *pair);

#endif
