/*
 * The keys of one file, of whichever form, and what in it cannot be used.
 */
#ifndef ME_TOKEN_KEYSET_H
#define ME_TOKEN_KEYSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/key.h"

enum keyset_form {
    KEYSET_SECRET, /* the bytes of one HMAC secret, but for a line end at the end; never of a key in
                      PEM or a JWK, which may be known to others */
    KEYSET_PEM,    /* one public key: see rsa_numbers_from_pem */
    KEYSET_JWKS,   /* a JWK Set of at most KEYSET_KEYS_MAX keys, or one JWK alone (RFC 7517) */
    KEYSET_FORM__MAX
};

enum { KEYSET_KEYS_MAX = 128 };

struct keyset;

/*
 * NULL with `err` where nothing can be made of the text, or no key in it is of use here: a set that
 * would verify nothing is a mistake. In a JWKS a key that is not for us, or defective, is passed
 * over and told by keyset_skipped, and the others serve.
 */
struct keyset *keyset_parse(enum keyset_form form, struct str text, struct err *err) MUST_CHECK;
void keyset_free(struct keyset *set);

size_t keyset_count(const struct keyset *set);
struct key *keyset_key(const struct keyset *set, size_t i); /* borrowed */

/* One of the keys that were passed over. */
struct keyset_skip {
    struct err why;    /* in printable ASCII: "key 2 (kid 'abc'): its use is not sig" */
    bool is_defective; /* somebody should mend it */
};

size_t keyset_skipped_count(const struct keyset *set);
const struct keyset_skip *keyset_skipped(const struct keyset *set, size_t i);

/* Whether one of its keys is a secret, so that the file has to be kept from others. */
bool keyset_is_secret(const struct keyset *set);

/* The secret in the bytes of a secret file, borrowed: all but the one LF or CRLF that an editor or
 * echo leaves at the end. */
struct str keyset_secret_of_file(struct str text);

#endif
