#include "token/verifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum { WAYS = 4 };

/* A token that was verified; `used` 0: none. */
struct entry {
    unsigned char digest[DIGEST_BYTES];
    uint64_t used; /* the number of the call that used it last */
    struct jwt_claims claims;
};

struct set {
    struct entry ways[WAYS];
};

struct verifier {
    struct jwt_rules rules;
    struct digest *digest;
    const struct known_signatures *known; /* NULL: nobody is asked */
    struct jwt_claims passing;            /* of the last call, where it is not kept */
    uint64_t generation, calls;
    struct verifier_counts counts;
    size_t set_count; /* 0: nothing is kept */
    struct set *sets;
};

struct verifier *verifier_new(const struct jwt_rules *rules, size_t kept_max)
{
    struct verifier *verifier = calloc(1, sizeof(*verifier));

    if (verifier == NULL)
        return NULL;
    verifier->rules = *rules;
    verifier->set_count = (kept_max + WAYS - 1) / WAYS;
    verifier->digest = digest_new();
    if (verifier->set_count > 0)
        verifier->sets = calloc(verifier->set_count, sizeof(*verifier->sets));
    if (verifier->digest != NULL && (verifier->set_count == 0 || verifier->sets != NULL))
        return verifier;
    verifier->set_count = 0;
    verifier_free(verifier);
    return NULL;
}

static void forget(struct entry *entry)
{
    claims_free(&entry->claims);
    *entry = (struct entry){.used = 0};
}

static void forget_all(struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->set_count; i++)
        for (size_t way = 0; way < WAYS; way++)
            forget(&verifier->sets[i].ways[way]);
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    forget_all(verifier);
    claims_free(&verifier->passing);
    free(verifier->sets);
    digest_free(verifier->digest);
    free(verifier);
}

void verifier_share(struct verifier *verifier, const struct known_signatures *known)
{
    verifier->known = known;
}

/* ---- what is kept */

static struct set *set_of(const struct verifier *verifier, const unsigned char *digest)
{
    uint64_t number;

    memcpy(&number, digest, sizeof(number));
    return &verifier->sets[number % verifier->set_count];
}

static struct entry *find(const struct verifier *verifier, const unsigned char *digest)
{
    struct set *set = set_of(verifier, digest);

    for (size_t way = 0; way < WAYS; way++) {
        struct entry *entry = &set->ways[way];

        if (entry->used > 0 && memcmp(entry->digest, digest, DIGEST_BYTES) == 0)
            return entry;
    }
    return NULL;
}

static struct entry *oldest(struct set *set)
{
    struct entry *oldest = &set->ways[0];

    for (size_t way = 1; way < WAYS; way++)
        if (set->ways[way].used < oldest->used)
            oldest = &set->ways[way];
    return oldest;
}

/* Takes the claims over. */
static const struct jwt_claims *keep(struct verifier *verifier, const unsigned char *digest,
                                     const struct jwt_claims *claims)
{
    struct entry *entry = oldest(set_of(verifier, digest));

    forget(entry);
    memcpy(entry->digest, digest, DIGEST_BYTES);
    entry->used = verifier->calls;
    entry->claims = *claims; /* transferred */
    return &entry->claims;
}

/* ---- the judgement */

/* Of what is not to be kept (`digest` NULL) nobody else is asked either. */
static enum jwt_verdict open_token(struct verifier *verifier, struct str token,
                                   const struct keyring *keyring, const unsigned char *digest,
                                   struct jwt_claims *claims, struct err *err)
{
    struct known_token known = {.by = verifier->known};
    bool is_asked = digest != NULL && known.by != NULL;
    enum jwt_verdict verdict;

    if (is_asked)
        memcpy(known.digest, digest, DIGEST_BYTES);
    verdict = jwt_open(token, keyring, &verifier->rules, is_asked ? &known : NULL, claims, err);
    if (known.was_known)
        verifier->counts.shared++;
    else
        verifier->counts.opened++;
    return verdict;
}

/* Keeps what was signed where anything is kept. */
static enum jwt_verdict open_anew(struct verifier *verifier, struct str token,
                                  const struct keyring *keyring, const unsigned char *digest,
                                  const struct jwt_claims **claims, struct err *err)
{
    struct jwt_claims opened;
    enum jwt_verdict verdict = open_token(verifier, token, keyring, digest, &opened, err);

    if (verdict != JWT_VALID)
        return verdict;
    if (digest != NULL) {
        *claims = keep(verifier, digest, &opened);
    } else {
        verifier->passing = opened; /* transferred */
        *claims = &verifier->passing;
    }
    return JWT_VALID;
}

static enum jwt_verdict recall(struct verifier *verifier, struct str token,
                               const struct keyring *keyring, const struct jwt_claims **claims,
                               struct err *err)
{
    unsigned char digest[DIGEST_BYTES];
    struct entry *entry;

    if (verifier->set_count == 0 || token.len > verifier->rules.max_bytes)
        return open_anew(verifier, token, keyring, NULL, claims, err);
    if (!digest_of(verifier->digest, token, digest))
        return JWT_OUT_OF_MEMORY;
    entry = find(verifier, digest);
    if (entry == NULL)
        return open_anew(verifier, token, keyring, digest, claims, err);
    entry->used = verifier->calls;
    verifier->counts.recalled++;
    *claims = &entry->claims;
    return JWT_VALID;
}

static void begin_call(struct verifier *verifier, uint64_t generation)
{
    verifier->calls++;
    claims_free(&verifier->passing);
    if (verifier->generation == generation)
        return;
    forget_all(verifier);
    verifier->generation = generation;
}

enum jwt_verdict verifier_verify(struct verifier *verifier, struct str token,
                                 const struct verifier_keys *keys, int64_t now_ms,
                                 const struct jwt_claims **claims, struct err *err)
{
    enum jwt_verdict verdict;

    err_clear(err);
    *claims = NULL;
    begin_call(verifier, keys->generation);
    verdict = recall(verifier, token, keys->keyring, claims, err);
    if (verdict == JWT_VALID)
        verdict = claims_judge(*claims, &verifier->rules, now_ms, err);
    if (verdict != JWT_VALID)
        *claims = NULL;
    return verdict;
}

const struct verifier_counts *verifier_counts(const struct verifier *verifier)
{
    return &verifier->counts;
}
