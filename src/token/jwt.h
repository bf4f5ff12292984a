/*
 * Is this token good, and whose is it? A compact JWS (RFC 7515, section 3.1) with the claims of a
 * JWT (RFC 7519), judged by RFC 8725. Pure: the token, keys, rules and the time go in, a verdict
 * comes out. No clock, file, socket or database; nothing is kept.
 */
#ifndef ME_TOKEN_JWT_H
#define ME_TOKEN_JWT_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "format/settings.h"
#include "token/keyring.h"

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

struct jwt_rules {
    bool allowed[KEY_ALGORITHM__MAX];
    struct settings_list issuers, audiences; /* empty: not checked; borrowed from the settings */
    int64_t leeway_s;
    size_t max_bytes;
    const char *session_claim; /* borrowed; NULL: sessions are off */
    bool session_required;
};

void jwt_rules_from_settings(const struct settings *settings, struct jwt_rules *out);

/* Of a token whose verdict is JWT_VALID. The strings are borrowed from `payload`. */
struct jwt_claims {
    struct json_object *payload; /* owned */
    struct str subject;
    struct str issuer;  /* STR_NONE: no such claim */
    struct str session; /* STR_NONE: no such claim, or sessions are off */
    int64_t expires_ms;
};

/*
 * Judges everything in the order of the enum. Expired is what has `now >= exp + leeway` (RFC 7519,
 * section 4.1.4), not valid yet what has `now < nbf - leeway` (4.1.5), to the millisecond; an iat
 * to come is no fault. On JWT_VALID *claims holds what jwt_claims_free frees; otherwise it is
 * empty, and `err` tells what the log may know more: which parameter, claim or kid, in printable
 * ASCII, never bytes of a signature.
 */
enum jwt_verdict jwt_verify(struct str token, const struct keyring *keyring,
                            const struct jwt_rules *rules, int64_t now_ms,
                            struct jwt_claims *claims, struct err *err) MUST_CHECK;

void jwt_claims_free(struct jwt_claims *claims);

/*
 * Appends a compact JWS over the payload (a JSON text), with typ JWT and, where it is set, kid. For
 * mectl token mint alone.
 */
bool jwt_mint(struct signer *signer, struct str kid, struct str payload,
              struct buf *out) MUST_CHECK;

#endif
