/*
 * Signatures that are known to be good, by whoever keeps them: asked before one is verified, and
 * told of each that was good. That a signature is a key's over a token is so for ever, whatever the
 * time is and whichever keys are in force, and nothing else is said by it. Those who keep them need
 * not forget any; they must not take one that they were not told.
 */
#ifndef ME_TOKEN_KNOWN_H
#define ME_TOKEN_KNOWN_H

#include <stdbool.h>

#include "base/digest.h"

/* By which key over which token. */
struct known_signature {
    const char *algorithm;           /* "RS256" */
    unsigned char key[DIGEST_BYTES]; /* of what the key is, not of its name */
    const unsigned char *token;      /* SHA-256 of all of its text, the signature included */
};

struct known_signatures {
    bool (*has)(void *context, const struct known_signature *signature);
    void (*add)(void *context); /* the one that was asked about last is good */
    void *context;
};

/* A token on its way. */
struct known_token {
    const struct known_signatures *by;
    unsigned char digest[DIGEST_BYTES]; /* SHA-256 of all of its text */
    bool was_known;                     /* set where its signature was */
};

#endif
