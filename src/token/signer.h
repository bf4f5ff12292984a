/*
 * Signing, for the tokens of tests and demonstrations alone (mectl token mint): in production the
 * login system issues them.
 */
#ifndef ME_TOKEN_SIGNER_H
#define ME_TOKEN_SIGNER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/key.h"

struct signer;

/* HS256. NULL with `err`, as with all that make a signer. */
struct signer *signer_from_secret(struct str secret, struct err *err) MUST_CHECK;
/* RS256, from an unencrypted private key. */
struct signer *signer_from_pem(struct str private_pem, struct err *err) MUST_CHECK;
void signer_free(struct signer *signer);

enum key_algorithm signer_algorithm(const struct signer *signer);

/* Appends the raw signature. */
bool signer_sign(struct signer *signer, struct str input, struct buf *out) MUST_CHECK;

/* Appends a compact JWS over the payload (a JSON text), with typ JWT and, where it is set, kid. */
bool signer_mint(struct signer *signer, struct str kid, struct str payload,
                 struct buf *out) MUST_CHECK;

#endif
