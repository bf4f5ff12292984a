/*
 * SHA-256 (FIPS 180-4) by OpenSSL, its method fetched once for the life of the object.
 */
#ifndef ME_BASE_DIGEST_H
#define ME_BASE_DIGEST_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/str.h"

enum { DIGEST_BYTES = 32 };

struct digest;

/* NULL: out of memory, or an OpenSSL without SHA-256. */
struct digest *digest_new(void) MUST_CHECK;
void digest_free(struct digest *digest);

bool digest_of(struct digest *digest, struct str bytes, unsigned char out[DIGEST_BYTES]) MUST_CHECK;

#endif
