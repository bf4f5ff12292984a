#include "token/jwt.h"

#include "token/jws.h"

enum jwt_verdict jwt_open(struct str token, const struct keyring *keyring,
                          const struct jwt_rules *rules, struct known_token *known,
                          struct jwt_claims *claims, struct err *err)
{
    int64_t key_end_ms = 0;
    enum jwt_verdict verdict;
    struct buf payload;

    *claims = (struct jwt_claims){.memory = NULL};
    err_clear(err);
    buf_init(&payload, token.len + 8);
    verdict = jws_open(token, keyring, rules, known, &payload, &key_end_ms, err);
    if (verdict == JWT_VALID)
        verdict = claims_read(buf_str(&payload), rules, key_end_ms, claims, err);
    buf_free_secret(&payload);
    return verdict;
}

enum jwt_verdict jwt_verify(struct str token, const struct keyring *keyring,
                            const struct jwt_rules *rules, int64_t now_ms,
                            struct jwt_claims *claims, struct err *err)
{
    enum jwt_verdict verdict = jwt_open(token, keyring, rules, NULL, claims, err);

    if (verdict == JWT_VALID)
        verdict = claims_judge(claims, rules, now_ms, err);
    if (verdict != JWT_VALID)
        claims_free(claims);
    return verdict;
}

enum jwt_verdict jwt_verify_signature(struct str token, const struct keyring *keyring,
                                      const struct jwt_rules *rules, int64_t now_ms,
                                      struct err *err)
{
    int64_t key_end_ms = 0;
    enum jwt_verdict verdict;
    struct buf payload;

    err_clear(err);
    buf_init(&payload, token.len + 8);
    verdict = jws_open(token, keyring, rules, NULL, &payload, &key_end_ms, err);
    buf_free_secret(&payload);
    return verdict == JWT_VALID && now_ms >= key_end_ms ? JWT_KEY_WITHDRAWN : verdict;
}
