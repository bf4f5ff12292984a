/*
 * Where an issuer has its keys: OpenID Connect Discovery 1.0, section 4.
 */
#ifndef ME_MECTL_DISCOVERY_H
#define ME_MECTL_DISCOVERY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "mectl/https.h"

/* Whether it is a URL that may be asked: https, with a host, without user information. `what` is
 * what `err` calls it. */
bool discovery_is_https(const char *url, const char *what, struct err *err) MUST_CHECK;

/*
 * Appends the issuer's jwks_uri and a NUL. `terms` has the CA and the time-out; its address is not
 * looked at.
 */
bool discovery_jwks_uri(const char *issuer, const struct https_request *terms, struct buf *out,
                        struct err *err) MUST_CHECK;

#endif
