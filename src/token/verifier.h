/*
 * jwt_verify with a memory: a token that was verified before is not verified again as long as the
 * keys stay the same. Kept is what is needed of the claims of tokens that were good but perhaps for
 * the time, under the SHA-256 of the whole token, never its text; a bounded number of them, of which
 * the one that was not used for the longest time goes first. What depends on the time, the key's
 * end included, is judged each time all the same, and so is what the database has to say. What the
 * rules say of the rest is not: they are the same for the life of the object. Of a token that is not
 * kept others may know that its signature is good (token/known.h); its claims are read all the same.
 */
#ifndef ME_TOKEN_VERIFIER_H
#define ME_TOKEN_VERIFIER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/jwt.h"

struct verifier;

/* Keeps `kept_max` tokens; 0: none. The rules are copied, what they borrow has to live on. NULL: out
 * of memory, or an OpenSSL without SHA-256. */
struct verifier *verifier_new(const struct jwt_rules *rules, size_t kept_max) MUST_CHECK;
void verifier_free(struct verifier *verifier);

/* From now on others are asked about signatures, and told of them; borrowed. Those of a verifier
 * that keeps no tokens are not. */
void verifier_share(struct verifier *verifier, const struct known_signatures *known);

/* The keys as they are now, and a number that is another one whenever they are. */
struct verifier_keys {
    const struct keyring *keyring;
    uint64_t generation;
};

/*
 * As jwt_verify. On JWT_VALID *claims is borrowed until the next call, and has no payload (the token
 * has it: jws_payload) and perhaps no audiences; otherwise it is NULL. Where the generation is
 * another one than at the call before, all that was kept is forgotten first.
 */
enum jwt_verdict verifier_verify(struct verifier *verifier, struct str token,
                                 const struct verifier_keys *keys, int64_t now_ms,
                                 const struct jwt_claims **claims, struct err *err) MUST_CHECK;

/* How often a token was found among those kept, how often others knew the signature, and how often
 * one was verified anew. */
struct verifier_counts {
    uint64_t recalled, shared, opened;
};

/* Borrowed for the life of the object. */
const struct verifier_counts *verifier_counts(const struct verifier *verifier);

#endif
