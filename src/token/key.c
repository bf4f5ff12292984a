#include "token/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/base64url.h"
#include "base/digest.h"
#include "token/hmac.h"
#include "token/rsa.h"

enum { THUMBPRINT_INPUT_MAX_BYTES = 4096 };

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
    struct hmac *hmac;      /* HS256 */
    struct digest *digest;  /* RS256 */
    EVP_PKEY_CTX *verifier; /* RS256: owns the public key; padding and digest set once */
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
    digest_free(key->digest);
    EVP_PKEY_CTX_free(key->verifier);
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

static bool append_number(const struct key *key, enum rsa_number which, struct buf *out)
{
    struct buf bytes;
    bool good;

    buf_init(&bytes, RSA_MAX_BITS / 8);
    good = rsa_number(EVP_PKEY_CTX_get0_pkey(key->verifier), which, &bytes);
    if (good)
        base64url_encode(buf_str(&bytes), out);
    buf_free(&bytes);
    return good && buf_is_good(out);
}

bool key_numbers(const struct key *key, struct buf *modulus, struct buf *exponent)
{
    return key->algorithm == KEY_RS256 && append_number(key, RSA_MODULUS, modulus) &&
           append_number(key, RSA_EXPONENT, exponent);
}

/* RFC 7638, section 3.2: the required members in the order of their names, without white space. */
static bool append_thumbprint_input(const struct key *key, struct buf *out)
{
    bool good;

    buf_append_text(out, "{\"e\":\"");
    good = append_number(key, RSA_EXPONENT, out);
    buf_append_text(out, "\",\"kty\":\"RSA\",\"n\":\"");
    good = good && append_number(key, RSA_MODULUS, out);
    buf_append_text(out, "\"}");
    return good && buf_is_good(out);
}

bool key_thumbprint(const struct key *key, struct buf *out)
{
    unsigned char hash[DIGEST_BYTES];
    struct buf input;
    bool good;

    if (key->algorithm != KEY_RS256)
        return false;
    buf_init(&input, THUMBPRINT_INPUT_MAX_BYTES);
    good = append_thumbprint_input(key, &input) && digest_of(key->digest, buf_str(&input), hash);
    if (good)
        base64url_encode((struct str){(const char *)hash, sizeof(hash)}, out);
    buf_free(&input);
    return good && buf_is_good(out);
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

/* The padding is set by name, lest a default decide what a signature is. */
static EVP_PKEY_CTX *new_verifier(EVP_PKEY *public)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, public, NULL);

    if (context != NULL && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1)
        return context;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

/* Takes the public key over. NULL stays NULL. */
static struct key *from_rsa(EVP_PKEY *public, struct str kid, struct err *err)
{
    struct key *key = public == NULL ? NULL : new_key(KEY_RS256, kid, err);

    if (key != NULL) {
        key->bits = (unsigned)EVP_PKEY_get_bits(public);
        key->digest = digest_new();
        key->verifier = new_verifier(public); /* with a reference of its own */
    }
    EVP_PKEY_free(public);
    if (key == NULL || (key->digest != NULL && key->verifier != NULL))
        return key;
    err_set(err, "OpenSSL cannot verify RSA signatures with SHA-256");
    key_free(key);
    return NULL;
}

struct key *key_from_pem(struct str pem, struct str kid, struct err *err)
{
    int64_t certificate_end_ms;
    struct key *key = from_rsa(rsa_from_pem(pem, &certificate_end_ms, err), kid, err);

    if (key != NULL)
        key->certificate_end_ms = certificate_end_ms;
    return key;
}

struct key *key_from_numbers(struct str modulus, struct str exponent, struct str kid,
                             struct err *err)
{
    return from_rsa(rsa_from_numbers(modulus, exponent, err), kid, err);
}

/* ---- verification */

/* Empties OpenSSL's error queue, which alone tells its own failure from a bad signature. */
static bool was_out_of_memory(void)
{
    bool found = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0)
        found = found || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    return found;
}

static enum jwt_verdict verify_rsa(const struct key *key, struct str input, struct str signature)
{
    unsigned char hash[DIGEST_BYTES];

    /* RFC 8017, section 8.2.2, step 1 */
    if (signature.len != (key->bits + 7) / 8)
        return JWT_BAD_SIGNATURE;
    if (!digest_of(key->digest, input, hash))
        return JWT_OUT_OF_MEMORY;
    if (EVP_PKEY_verify(key->verifier, (const unsigned char *)signature.data, signature.len, hash,
                        sizeof(hash)) == 1)
        return JWT_VALID;
    return was_out_of_memory() ? JWT_OUT_OF_MEMORY : JWT_BAD_SIGNATURE;
}

enum jwt_verdict key_verify(const struct key *key, struct str input, struct str signature)
{
    switch (key->algorithm) {
    case KEY_HS256:
        return hmac_verify(key->hmac, input, signature);
    case KEY_RS256:
        return verify_rsa(key, input, signature);
    case KEY_ALGORITHM__MAX:
        break;
    }
    return JWT_BAD_SIGNATURE;
}
