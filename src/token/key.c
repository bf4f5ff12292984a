#include "token/key.h"

#include <stdlib.h>

#include "base/base64url.h"
#include "token/hmac.h"
#include "token/rsakey.h"

static const char *const algorithm_names[KEY_ALGORITHM__MAX] = {
    [KEY_HS256] = "HS256",
    [KEY_RS256] = "RS256",
};

struct key {
    unsigned owners;
    enum key_algorithm algorithm;
    unsigned bits;
    struct buf kid;
    bool has_kid;
    int64_t certificate_end_ms, end_ms;
    struct hmac *hmac;  /* HS256 */
    struct rsakey *rsa; /* RS256 */
};

const char *key_algorithm_name(enum key_algorithm algorithm)
{
    return algorithm_names[algorithm];
}

bool key_algorithm_from_name(struct str name, enum key_algorithm *out)
{
    for (size_t i = 0; i < KEY_ALGORITHM__MAX; i++) {
        if (!str_equal(name, str_from(algorithm_names[i])))
            continue;
        *out = (enum key_algorithm)i;
        return true;
    }
    return false;
}

static struct key *new_key(enum key_algorithm algorithm, struct str kid, struct err *err)
{
    struct key *key = calloc(1, sizeof(*key));

    if (key == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    key->owners = 1;
    key->algorithm = algorithm;
    key->certificate_end_ms = key->end_ms = INT64_MAX;
    key->has_kid = str_is_set(kid);
    buf_init(&key->kid, KEY_ID_MAX_BYTES);
    buf_append_str(&key->kid, kid);
    if (buf_is_good(&key->kid))
        return key;
    err_set(err, "out of memory, or the key's kid is longer than %d bytes", KEY_ID_MAX_BYTES);
    key_free(key);
    return NULL;
}

struct key *key_share(struct key *key)
{
    key->owners++;
    return key;
}

void key_free(struct key *key)
{
    if (key == NULL || --key->owners > 0)
        return;
    hmac_free(key->hmac);
    rsakey_free(key->rsa);
    buf_free(&key->kid);
    free(key);
}

/* ---- what a key is */

enum key_algorithm key_algorithm(const struct key *key)
{
    return key->algorithm;
}

struct str key_id(const struct key *key)
{
    return key->has_kid ? buf_str(&key->kid) : STR_NONE;
}

unsigned key_bits(const struct key *key)
{
    return key->bits;
}

int64_t key_certificate_end_ms(const struct key *key)
{
    return key->certificate_end_ms;
}

void key_set_end_ms(struct key *key, int64_t end_ms)
{
    key->end_ms = end_ms;
}

int64_t key_end_ms(const struct key *key)
{
    return key->end_ms;
}

bool key_numbers(const struct key *key, struct buf *modulus, struct buf *exponent)
{
    if (key->algorithm != KEY_RS256)
        return false;
    base64url_encode(rsakey_modulus(key->rsa), modulus);
    base64url_encode(rsakey_exponent(key->rsa), exponent);
    return buf_is_good(modulus) && buf_is_good(exponent);
}

bool key_digest(const struct key *key, unsigned char out[DIGEST_BYTES])
{
    return key->algorithm == KEY_RS256 && rsakey_thumbprint(key->rsa, out);
}

bool key_thumbprint(const struct key *key, struct buf *out)
{
    unsigned char hash[DIGEST_BYTES];

    if (!key_digest(key, hash))
        return false;
    base64url_encode((struct str){(const char *)hash, sizeof(hash)}, out);
    return buf_is_good(out);
}

/* ---- making one */

struct key *key_from_secret(struct str secret, struct str kid, struct err *err)
{
    struct key *key = new_key(KEY_HS256, kid, err);

    if (key == NULL)
        return NULL;
    key->bits = (unsigned)secret.len * 8;
    key->hmac = hmac_new(secret, err);
    if (key->hmac != NULL)
        return key;
    key_free(key);
    return NULL;
}

/* Takes the key over. NULL stays NULL. */
static struct key *from_rsa(struct rsakey *rsa, struct str kid, struct err *err)
{
    struct key *key = rsa == NULL ? NULL : new_key(KEY_RS256, kid, err);

    if (key == NULL) {
        rsakey_free(rsa);
        return NULL;
    }
    key->bits = rsakey_bits(rsa);
    key->rsa = rsa; /* transferred */
    return key;
}

struct key *key_from_pem(struct str pem, struct str kid, struct err *err)
{
    int64_t certificate_end_ms;
    struct key *key = from_rsa(rsakey_from_pem(pem, &certificate_end_ms, err), kid, err);

    if (key != NULL)
        key->certificate_end_ms = certificate_end_ms;
    return key;
}

struct key *key_from_numbers(struct str modulus, struct str exponent, struct str kid,
                             struct err *err)
{
    return from_rsa(rsakey_from_numbers(modulus, exponent, err), kid, err);
}

/* ---- verification */

enum jwt_verdict key_verify(const struct key *key, struct str input, struct str signature)
{
    switch (key->algorithm) {
    case KEY_HS256:
        return hmac_verify(key->hmac, input, signature);
    case KEY_RS256:
        return rsakey_verify(key->rsa, input, signature);
    case KEY_ALGORITHM__MAX:
        break;
    }
    return JWT_BAD_SIGNATURE;
}
