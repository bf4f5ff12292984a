/*
 * The tokens that mectl doctor asks with: one that was given, or one minted for a user of the
 * database, and where there is a second user, one of that.
 */
#ifndef ME_MECTL_DOCTOR_TOKEN_H
#define ME_MECTL_DOCTOR_TOKEN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "mectl/invocation.h"

/* Each ends in NUL; empty: there is none. */
struct doctor_tokens {
    struct buf first, other;
};

/* False with `err`, why there is no first one. To be freed in either case. */
bool doctor_tokens_get(struct invocation *invocation, struct doctor_tokens *out,
                       struct err *err) MUST_CHECK;
void doctor_tokens_free(struct doctor_tokens *tokens);

#endif
