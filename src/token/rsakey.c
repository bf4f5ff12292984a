#include "token/rsakey.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "token/rsa.h"

enum { THUMBPRINT_INPUT_MAX_BYTES = 4096 };

struct rsakey {
    struct rsa_numbers numbers;
    struct digest *digest;
    /* Owns the public key; padding and digest set once. NULL: not needed yet. */
    EVP_PKEY_CTX *verifier;
    bool has_thumbprint;
    unsigned char thumbprint[DIGEST_BYTES];
};

/* ---- making one */

/* Takes the numbers over. */
static struct rsakey *new_key(struct rsa_numbers *numbers, struct err *err)
{
    struct rsakey *key = calloc(1, sizeof(*key));

    if (key == NULL) {
        rsa_numbers_free(numbers);
        err_set(err, "out of memory");
        return NULL;
    }
    key->numbers = *numbers; /* transferred */
    key->digest = digest_new();
    if (key->digest != NULL)
        return key;
    err_set(err, "out of memory, or OpenSSL has no SHA-256");
    rsakey_free(key);
    return NULL;
}

struct rsakey *rsakey_from_pem(struct str pem, int64_t *expires_ms, struct err *err)
{
    struct rsa_numbers numbers;

    return rsa_numbers_from_pem(pem, &numbers, expires_ms, err) ? new_key(&numbers, err) : NULL;
}

struct rsakey *rsakey_from_numbers(struct str modulus, struct str exponent, struct err *err)
{
    struct rsa_numbers numbers;

    return rsa_numbers_take(modulus, exponent, &numbers, err) ? new_key(&numbers, err) : NULL;
}

void rsakey_free(struct rsakey *key)
{
    if (key == NULL)
        return;
    rsa_numbers_free(&key->numbers);
    digest_free(key->digest);
    EVP_PKEY_CTX_free(key->verifier);
    free(key);
}

/* ---- what it is */

struct str rsakey_modulus(const struct rsakey *key)
{
    return buf_str(&key->numbers.modulus);
}

struct str rsakey_exponent(const struct rsakey *key)
{
    return buf_str(&key->numbers.exponent);
}

unsigned rsakey_bits(const struct rsakey *key)
{
    return rsa_bits(rsakey_modulus(key));
}

/* RFC 7638, section 3.2: the required members in the order of their names, without white space. */
static void append_thumbprint_input(const struct rsakey *key, struct buf *out)
{
    buf_append_text(out, "{\"e\":\"");
    base64url_encode(rsakey_exponent(key), out);
    buf_append_text(out, "\",\"kty\":\"RSA\",\"n\":\"");
    base64url_encode(rsakey_modulus(key), out);
    buf_append_text(out, "\"}");
}

static bool make_thumbprint(struct rsakey *key)
{
    struct buf input;
    bool good;

    buf_init(&input, THUMBPRINT_INPUT_MAX_BYTES);
    append_thumbprint_input(key, &input);
    good = buf_is_good(&input) && digest_of(key->digest, buf_str(&input), key->thumbprint);
    buf_free(&input);
    return good;
}

bool rsakey_thumbprint(struct rsakey *key, unsigned char out[DIGEST_BYTES])
{
    key->has_thumbprint = key->has_thumbprint || make_thumbprint(key);
    if (key->has_thumbprint)
        memcpy(out, key->thumbprint, DIGEST_BYTES);
    return key->has_thumbprint;
}

/* ---- verification */

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

static EVP_PKEY_CTX *verifier_of(struct rsakey *key)
{
    EVP_PKEY *public;

    if (key->verifier != NULL)
        return key->verifier;
    public = rsa_public(&key->numbers);
    if (public != NULL)
        key->verifier = new_verifier(public); /* with a reference of its own */
    EVP_PKEY_free(public);
    return key->verifier;
}

/* Empties OpenSSL's error queue, which alone tells its own failure from a bad signature. */
static bool was_out_of_memory(void)
{
    bool found = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0)
        found = found || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    return found;
}

enum jwt_verdict rsakey_verify(struct rsakey *key, struct str input, struct str signature)
{
    unsigned char hash[DIGEST_BYTES];

    /* RFC 8017, section 8.2.2, step 1 */
    if (signature.len != rsakey_modulus(key).len)
        return JWT_BAD_SIGNATURE;
    if (verifier_of(key) == NULL || !digest_of(key->digest, input, hash))
        return JWT_OUT_OF_MEMORY;
    if (EVP_PKEY_verify(key->verifier, (const unsigned char *)signature.data, signature.len, hash,
                        sizeof(hash)) == 1)
        return JWT_VALID;
    return was_out_of_memory() ? JWT_OUT_OF_MEMORY : JWT_BAD_SIGNATURE;
}
