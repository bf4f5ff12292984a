/*
 * What can be said of a token: one closed table, with what the log, the operator and the client are
 * told. A client learns what it can mend, an expired token say; all else is told alike, since it
 * would help a forger.
 */
#ifndef ME_TOKEN_VERDICT_H
#define ME_TOKEN_VERDICT_H

/*
 * One row of the table of refusals for each, in the order in which they are judged: the form, the
 * header, the signature, and only of what is signed the claims.
 */
enum jwt_verdict {
    JWT_VALID = 0,
    JWT_TOO_LONG,
    JWT_NOT_COMPACT,     /* not three parts */
    JWT_ENCRYPTED,       /* five parts: a JWE */
    JWT_NOT_BASE64URL,   /* a part is not in canonical form; each is judged when it is needed */
    JWT_HEADER_NOT_JSON, /* or is not an object */
    JWT_HEADER_TYPE,     /* a header parameter has the wrong type */
    JWT_CRITICAL,        /* crit: we understand no extension (RFC 7515, 4.1.11) */
    JWT_UNENCODED,       /* b64 (RFC 7797) */
    JWT_EMBEDDED_KEY,    /* jwk, jku, x5c, x5u */
    JWT_COMPRESSED,      /* zip */
    JWT_NESTED,          /* cty is JWT: a token in the token (RFC 7519, 5.2) */
    JWT_WRONG_TYP,       /* typ is neither JWT nor at+jwt (RFC 8725, 3.11); it may be left out */
    JWT_ALGORITHM_NONE,
    JWT_ALGORITHM_UNKNOWN, /* missing, or none of ours */
    JWT_ALGORITHM_NOT_ALLOWED,
    JWT_NO_KEY, /* no key for this algorithm and kid */
    JWT_BAD_SIGNATURE,
    JWT_PAYLOAD_NOT_JSON, /* or is not an object */
    JWT_CLAIM_TYPE,       /* a registered claim has the wrong type or a value out of range */
    JWT_KEY_WITHDRAWN,    /* the end of the key that verifies it has come */
    JWT_NO_EXPIRY,
    JWT_EXPIRED,
    JWT_NOT_YET_VALID,
    JWT_WRONG_ISSUER,   /* or none */
    JWT_WRONG_AUDIENCE, /* or none */
    JWT_NO_SUBJECT,     /* none, or an empty one */
    JWT_NO_SESSION,     /* the session claim is required */
    JWT_OUT_OF_MEMORY,
    JWT__MAX
};

struct jwt_reason {
    const char *code;   /* for the log and mectl: "bad_signature" */
    const char *detail; /* for the log and mectl: one sentence for the operator */
    const char *client; /* what error_description says (RFC 6750, section 3); the same for all that
                           could help a forger */
};

const struct jwt_reason *jwt_reason(enum jwt_verdict verdict);

#endif
