#include "base/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct digest {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

struct digest *digest_new(void)
{
    struct digest *digest = calloc(1, sizeof(*digest));

    if (digest == NULL)
        return NULL;
    digest->method = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest->context = EVP_MD_CTX_new();
    if (digest->method == NULL || digest->context == NULL) {
        ERR_clear_error();
        digest_free(digest);
        return NULL;
    }
    return digest;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    EVP_MD_free(digest->method);
    free(digest);
}

bool digest_of(struct digest *digest, struct str bytes, unsigned char out[DIGEST_BYTES])
{
    unsigned len = 0;
    bool good = EVP_DigestInit_ex2(digest->context, digest->method, NULL) == 1 &&
                EVP_DigestUpdate(digest->context, bytes.data, bytes.len) == 1 &&
                EVP_DigestFinal_ex(digest->context, out, &len) == 1 && len == DIGEST_BYTES;

    if (!good)
        ERR_clear_error();
    return good;
}
