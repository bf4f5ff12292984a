#include "token/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct hmac {
    EVP_MAC_CTX *keyed;
};

bool hmac_is_good_secret(struct str secret, struct err *err)
{
    if (secret.len >= HMAC_SECRET_MIN_BYTES && secret.len <= HMAC_SECRET_MAX_BYTES)
        return true;
    err_set(err, "the secret has %zu bytes, but must have %d to %d", secret.len,
            HMAC_SECRET_MIN_BYTES, HMAC_SECRET_MAX_BYTES);
    return false;
}

static EVP_MAC_CTX *new_context(struct str secret)
{
    char sha256[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *method = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = method == NULL ? NULL : EVP_MAC_CTX_new(method);

    if (context != NULL &&
        EVP_MAC_init(context, (const unsigned char *)secret.data, secret.len, parameters) != 1) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(method);
    ERR_clear_error();
    return context;
}

struct hmac *hmac_new(struct str secret, struct err *err)
{
    struct hmac *hmac;

    if (!hmac_is_good_secret(secret, err))
        return NULL;
    hmac = calloc(1, sizeof(*hmac));
    if (hmac != NULL)
        hmac->keyed = new_context(secret);
    if (hmac != NULL && hmac->keyed != NULL)
        return hmac;
    err_set(err, "out of memory, or OpenSSL cannot make an HMAC with SHA-256");
    hmac_free(hmac);
    return NULL;
}

void hmac_free(struct hmac *hmac)
{
    if (hmac == NULL)
        return;
    EVP_MAC_CTX_free(hmac->keyed);
    free(hmac);
}

/*
 * The context that is to be used, started with the key that it has. OpenSSL before 3.0.3 starts
 * none again, goes on with the input of the time before, and reports success: there a copy is used.
 */
static EVP_MAC_CTX *start(struct hmac *hmac)
{
    if (OpenSSL_version_num() < 0x30000030UL)
        return EVP_MAC_CTX_dup(hmac->keyed);
    return EVP_MAC_init(hmac->keyed, NULL, 0, NULL) == 1 ? hmac->keyed : NULL;
}

bool hmac_of(struct hmac *hmac, struct str input, unsigned char out[HMAC_BYTES])
{
    EVP_MAC_CTX *context = start(hmac);
    size_t len = 0;
    bool good = context != NULL &&
                EVP_MAC_update(context, (const unsigned char *)input.data, input.len) == 1 &&
                EVP_MAC_final(context, out, &len, HMAC_BYTES) == 1 && len == HMAC_BYTES;

    if (context != hmac->keyed)
        EVP_MAC_CTX_free(context);
    if (!good)
        ERR_clear_error();
    return good;
}

enum jwt_verdict hmac_verify(struct hmac *hmac, struct str input, struct str signature)
{
    unsigned char expected[HMAC_BYTES];
    bool good;

    if (signature.len != HMAC_BYTES)
        return JWT_BAD_SIGNATURE;
    if (!hmac_of(hmac, input, expected))
        return JWT_OUT_OF_MEMORY;
    good = CRYPTO_memcmp(expected, signature.data, HMAC_BYTES) == 0;
    OPENSSL_cleanse(expected, sizeof(expected));
    return good ? JWT_VALID : JWT_BAD_SIGNATURE;
}
