#include "token/verdict.h"

#define INVALID "The access token is invalid"

static const struct jwt_reason reasons[JWT__MAX] = {
    [JWT_VALID] = {"valid", "the token is valid", "The access token is valid"},
    [JWT_TOO_LONG] = {"too_long", "the token is longer than token.max_bytes allows", INVALID},
    [JWT_NOT_COMPACT] = {"not_compact", "the token is not three parts with dots between them",
                         INVALID},
    [JWT_ENCRYPTED] = {"encrypted", "the token is encrypted (JWE): have the issuer sign it only",
                       INVALID},
    [JWT_NOT_BASE64URL] = {"not_base64url", "a part of the token is not canonical base64url",
                           INVALID},
    [JWT_HEADER_NOT_JSON] = {"header_not_json", "the header is not one strict JSON object",
                             INVALID},
    [JWT_HEADER_TYPE] = {"header_type", "a header parameter has the wrong type", INVALID},
    [JWT_CRITICAL] = {"critical", "the header has crit, and no extension is understood", INVALID},
    [JWT_UNENCODED] = {"unencoded", "the header has b64 (RFC 7797)", INVALID},
    [JWT_EMBEDDED_KEY] = {"embedded_key", "the header brings a key of its own along", INVALID},
    [JWT_COMPRESSED] = {"compressed", "the header has zip", INVALID},
    [JWT_NESTED] = {"nested", "cty says that the token holds another one", INVALID},
    [JWT_WRONG_TYP] = {"wrong_typ", "typ is neither JWT nor at+jwt", INVALID},
    [JWT_ALGORITHM_NONE] = {"algorithm_none", "the token is not signed (alg none)", INVALID},
    [JWT_ALGORITHM_UNKNOWN] = {"algorithm_unknown", "alg is missing, or neither HS256 nor RS256",
                               INVALID},
    [JWT_ALGORITHM_NOT_ALLOWED] = {"algorithm_not_allowed", "alg is not in token.algorithms",
                                   INVALID},
    [JWT_NO_KEY] = {"no_key", "there is no key of this algorithm and kid", INVALID},
    [JWT_BAD_SIGNATURE] = {"bad_signature", "no key verifies the signature", INVALID},
    [JWT_PAYLOAD_NOT_JSON] = {"payload_not_json", "the claims are not one strict JSON object",
                              INVALID},
    [JWT_CLAIM_TYPE] = {"claim_type", "a claim has the wrong type, or a value out of range",
                        INVALID},
    [JWT_KEY_WITHDRAWN] = {"key_withdrawn", "the key that signed it was withdrawn", INVALID},
    [JWT_NO_EXPIRY] = {"no_expiry", "the claim exp is missing", INVALID},
    [JWT_EXPIRED] = {"expired", "the token expired", "The access token expired"},
    [JWT_NOT_YET_VALID] = {"not_yet_valid", "the token is not valid yet: are the clocks right?",
                           "The access token is not valid yet"},
    [JWT_WRONG_ISSUER] = {"wrong_issuer", "iss is missing, or not in token.issuer", INVALID},
    [JWT_WRONG_AUDIENCE] = {"wrong_audience", "aud is missing, or names none of token.audience",
                            INVALID},
    [JWT_NO_SUBJECT] = {"no_subject", "the claim sub is missing or empty", INVALID},
    [JWT_NO_SESSION] = {"no_session", "the session claim is missing, and token.sessions = required",
                        INVALID},
    [JWT_OUT_OF_MEMORY] = {"out_of_memory", "out of memory", INVALID},
};

const struct jwt_reason *jwt_reason(enum jwt_verdict verdict)
{
    return &reasons[verdict];
}
