/*
 * What a key file holds after its issuer was asked again: the keys that are listed now, and, for a
 * time of grace, those that were withdrawn, since tokens which they signed are still about. Pure:
 * it neither fetches nor writes.
 */
#ifndef ME_TOKEN_ROLLOVER_H
#define ME_TOKEN_ROLLOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "token/keyset.h"

struct rollover {
    const struct keyset *listed; /* by the issuer, now */
    const struct keyset *before; /* in the file; NULL: there was none */
    int64_t now_ms, grace_ms;
};

/* What became of the keys. */
struct rollover_counts {
    size_t listed;    /* are in force as the issuer lists them */
    size_t added;     /* of these are new */
    size_t withdrawn; /* were listed before, and now have an end */
    size_t ending;    /* had their end already */
    size_t dropped;   /* have come to their end, and are out */
    size_t secrets;   /* were listed, and left out: what everybody can fetch is no secret */
};

/*
 * Appends the JWK Set. A key is known again by kid and thumbprint. A withdrawn one ends after the
 * grace time or, if that is sooner, when its end was before: a withdrawal is never put off. The
 * same keys give the same bytes, in whichever order they are listed. False with `err` where the
 * issuer lists no public key, where there are more than KEYSET_KEYS_MAX, and where memory is short.
 */
bool rollover_write(const struct rollover *rollover, struct buf *out,
                    struct rollover_counts *counts, struct err *err) MUST_CHECK;

#endif
