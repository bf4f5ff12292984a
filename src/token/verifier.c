#include "token/verifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

/* A token that was verified, in the buckets and in the order of use, with what is needed of its
 * claims and no byte more: a worker has a thousand of them. */
struct entry {
    struct entry *next;          /* of its bucket */
    struct entry *older, *newer; /* by the last use */
    unsigned char digest[DIGEST_BYTES];
    int64_t expires_ms, not_before_ms, key_end_ms;
    const char *issuer; /* in the rules, which most have in common, or in the texts; NULL: none */
    uint32_t subject_len, session_len, issuer_len; /* a session's is 0 where there is none */
    char texts[];                                  /* in this order */
};

struct verifier {
    struct jwt_rules rules;
    struct digest *digest;
    const struct known_signatures *known; /* NULL: nobody is asked */
    struct jwt_claims passing;            /* of the last call; of what is kept they are borrowed */
    uint64_t generation;
    struct verifier_counts counts;
    size_t kept_max, kept; /* 0: nothing is kept */
    struct entry *oldest, *newest;
    struct entry **buckets; /* kept_max of them */
};

struct verifier *verifier_new(const struct jwt_rules *rules, size_t kept_max)
{
    struct verifier *verifier = calloc(1, sizeof(*verifier));

    if (verifier == NULL)
        return NULL;
    verifier->rules = *rules;
    verifier->kept_max = kept_max;
    verifier->digest = digest_new();
    if (kept_max > 0)
        verifier->buckets = calloc(kept_max, sizeof(struct entry *));
    if (verifier->digest != NULL && (kept_max == 0 || verifier->buckets != NULL))
        return verifier;
    verifier_free(verifier);
    return NULL;
}

static void forget_all(struct verifier *verifier)
{
    struct entry *entry = verifier->oldest;

    while (entry != NULL) {
        struct entry *newer = entry->newer;

        free(entry);
        entry = newer;
    }
    verifier->oldest = verifier->newest = NULL;
    if (verifier->kept > 0)
        memset(verifier->buckets, 0, verifier->kept_max * sizeof(struct entry *));
    verifier->kept = 0;
}

void verifier_free(struct verifier *verifier)
{
    if (verifier == NULL)
        return;
    forget_all(verifier);
    claims_free(&verifier->passing);
    free(verifier->buckets);
    digest_free(verifier->digest);
    free(verifier);
}

void verifier_share(struct verifier *verifier, const struct known_signatures *known)
{
    verifier->known = known;
}

/* ---- the order of use */

static void take_out(struct verifier *verifier, struct entry *entry)
{
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        verifier->oldest = entry->newer;
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        verifier->newest = entry->older;
}

static void put_newest(struct verifier *verifier, struct entry *entry)
{
    entry->older = verifier->newest;
    entry->newer = NULL;
    if (verifier->newest != NULL)
        verifier->newest->newer = entry;
    else
        verifier->oldest = entry;
    verifier->newest = entry;
}

/* ---- what is kept */

static struct entry **bucket_of(const struct verifier *verifier, const unsigned char *digest)
{
    uint64_t number;

    memcpy(&number, digest, sizeof(number));
    return &verifier->buckets[number % verifier->kept_max];
}

static struct entry *find(const struct verifier *verifier, const unsigned char *digest)
{
    struct entry *entry = *bucket_of(verifier, digest);

    while (entry != NULL && memcmp(entry->digest, digest, DIGEST_BYTES) != 0)
        entry = entry->next;
    return entry;
}

static void forget(struct verifier *verifier, struct entry *entry)
{
    struct entry **at = bucket_of(verifier, entry->digest);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    take_out(verifier, entry);
    free(entry);
    verifier->kept--;
}

/* The text of the rules that is the same; NULL: it is not among them. */
static const char *common_issuer(const struct jwt_rules *rules, struct str issuer)
{
    for (size_t i = 0; i < rules->issuers.count; i++)
        if (str_equal(str_from(rules->issuers.items[i]), issuer))
            return rules->issuers.items[i];
    return NULL;
}

/* NULL: none. */
static const char *put_text(char **at, struct str text)
{
    const char *copy = *at;

    if (!str_is_set(text))
        return NULL;
    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return copy;
}

/* NULL: out of memory. */
static struct entry *make_entry(const struct verifier *verifier, const unsigned char *digest,
                                const struct jwt_claims *claims)
{
    const char *issuer = common_issuer(&verifier->rules, claims->issuer);
    size_t texts =
        claims->subject.len + claims->session.len + (issuer == NULL ? claims->issuer.len : 0);
    struct entry *entry = malloc(sizeof(*entry) + texts);
    char *at;

    if (entry == NULL)
        return NULL;
    *entry = (struct entry){
        .expires_ms = claims->expires_ms,
        .not_before_ms = claims->not_before_ms,
        .key_end_ms = claims->key_end_ms,
        .subject_len = (uint32_t)claims->subject.len,
        .issuer_len = (uint32_t)claims->issuer.len,
        .session_len = (uint32_t)claims->session.len,
    };
    memcpy(entry->digest, digest, DIGEST_BYTES);
    at = entry->texts;
    (void)put_text(&at, claims->subject);
    (void)put_text(&at, claims->session);
    entry->issuer = issuer != NULL ? issuer : put_text(&at, claims->issuer);
    return entry;
}

/* Where memory is short it is not kept. */
static void keep(struct verifier *verifier, const unsigned char *digest,
                 const struct jwt_claims *claims)
{
    struct entry *entry = make_entry(verifier, digest, claims);
    struct entry **bucket = bucket_of(verifier, digest);

    if (entry == NULL)
        return;
    if (verifier->kept == verifier->kept_max)
        forget(verifier, verifier->oldest);
    entry->next = *bucket;
    *bucket = entry;
    put_newest(verifier, entry);
    verifier->kept++;
}

/* Borrowed from the entry. */
static struct jwt_claims claims_of(const struct entry *entry)
{
    uint32_t session_len = entry->session_len;

    return (struct jwt_claims){
        .subject = {entry->texts, entry->subject_len},
        .issuer = {entry->issuer, entry->issuer_len},
        .session = {session_len > 0 ? entry->texts + entry->subject_len : NULL, session_len},
        .expires_ms = entry->expires_ms,
        .not_before_ms = entry->not_before_ms,
        .key_end_ms = entry->key_end_ms,
    };
}

/* ---- the judgement */

/* Of what is not to be kept (`digest` NULL) nobody else is asked either. */
static enum jwt_verdict open_token(struct verifier *verifier, struct str token,
                                   const struct keyring *keyring, const unsigned char *digest,
                                   struct err *err)
{
    struct known_token known = {.by = verifier->known};
    bool is_asked = digest != NULL && known.by != NULL;
    enum jwt_verdict verdict;

    if (is_asked)
        memcpy(known.digest, digest, DIGEST_BYTES);
    verdict = jwt_open(token, keyring, &verifier->rules, is_asked ? &known : NULL,
                       &verifier->passing, err);
    verifier->passing.payload = STR_NONE; /* nobody is to count on it: it is not kept */
    if (known.was_known)
        verifier->counts.shared++;
    else
        verifier->counts.opened++;
    return verdict;
}

/* Keeps it where nothing but the time can make it invalid; `digest` NULL: nothing is kept. */
static enum jwt_verdict open_anew(struct verifier *verifier, struct str token,
                                  const struct verifier_keys *keys, int64_t now_ms,
                                  const unsigned char *digest, struct err *err)
{
    enum jwt_verdict verdict = open_token(verifier, token, keys->keyring, digest, err);
    enum jwt_verdict by_time;

    if (verdict != JWT_VALID)
        return verdict;
    by_time = claims_judge_times(&verifier->passing, &verifier->rules, now_ms);
    verdict =
        claims_judge_names(&verifier->passing, &verifier->rules, by_time == JWT_VALID ? err : NULL);
    if (verdict == JWT_VALID && digest != NULL)
        keep(verifier, digest, &verifier->passing);
    return by_time == JWT_VALID ? verdict : by_time;
}

static enum jwt_verdict recall(struct verifier *verifier, struct entry *entry, int64_t now_ms)
{
    if (entry != verifier->newest) {
        take_out(verifier, entry);
        put_newest(verifier, entry);
    }
    verifier->counts.recalled++;
    verifier->passing = claims_of(entry);
    return claims_judge_times(&verifier->passing, &verifier->rules, now_ms);
}

static enum jwt_verdict judge(struct verifier *verifier, struct str token,
                              const struct verifier_keys *keys, int64_t now_ms, struct err *err)
{
    unsigned char digest[DIGEST_BYTES];
    struct entry *entry;

    if (verifier->kept_max == 0 || token.len > verifier->rules.max_bytes)
        return open_anew(verifier, token, keys, now_ms, NULL, err);
    if (!digest_of(verifier->digest, token, digest))
        return JWT_OUT_OF_MEMORY;
    entry = find(verifier, digest);
    return entry != NULL ? recall(verifier, entry, now_ms)
                         : open_anew(verifier, token, keys, now_ms, digest, err);
}

static void begin_call(struct verifier *verifier, uint64_t generation)
{
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
    begin_call(verifier, keys->generation);
    verdict = judge(verifier, token, keys, now_ms, err);
    *claims = verdict == JWT_VALID ? &verifier->passing : NULL;
    return verdict;
}

const struct verifier_counts *verifier_counts(const struct verifier *verifier)
{
    return &verifier->counts;
}
