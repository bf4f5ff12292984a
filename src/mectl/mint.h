/*
 * Tokens signed by mectl, for tests, demonstrations and mectl doctor: in production the login
 * system issues them.
 */
#ifndef ME_MECTL_MINT_H
#define ME_MECTL_MINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "format/settings.h"
#include "token/signer.h"

enum { MINT_LIFETIME_S = 3600, MINT_TOKEN_MAX_BYTES = 64 * 1024 };

struct mint {
    const char *subject;
    const char *issuer, *audience; /* NULL: the first of the settings, or none */
    const char *session, *kid;     /* NULL: none */
    int64_t expires_in_s, not_before_in_s;
    bool has_not_before;
};

/* From a secret, or an RSA private key in PEM. NULL with `err`. */
struct signer *mint_signer(const char *path, struct err *err) MUST_CHECK;

/* Appends the token. */
bool mint_token(const struct settings *settings, struct signer *signer, const struct mint *mint,
                struct buf *out) MUST_CHECK;

#endif
