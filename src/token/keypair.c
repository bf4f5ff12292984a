#include "token/keypair.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static bool write_private(BIO *to, const EVP_PKEY *key)
{
    return PEM_write_bio_PKCS8PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1;
}

static bool write_public(BIO *to, const EVP_PKEY *key)
{
    return PEM_write_bio_PUBKEY(to, key) == 1;
}

/* By way of memory that OpenSSL wipes. */
static bool append_pem(const EVP_PKEY *key, bool (*write)(BIO *to, const EVP_PKEY *key),
                       struct buf *out)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    bool good = memory != NULL && write(memory, key);
    char *data;
    long len;

    if (good) {
        len = BIO_get_mem_data(memory, &data);
        buf_append(out, data, (size_t)len);
    }
    BIO_free(memory);
    return good && buf_is_good(out);
}

bool keypair_generate(struct keypair *pair, unsigned bits, struct err *err)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    bool good;

    buf_init(&pair->private, KEYPAIR_PEM_MAX_BYTES);
    buf_init(&pair->public, KEYPAIR_PEM_MAX_BYTES);
    good = key != NULL && append_pem(key, write_private, &pair->private) &&
           append_pem(key, write_public, &pair->public);
    if (!good)
        err_set(err, "OpenSSL makes no RSA key of %u bits", bits);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

void keypair_free(struct keypair *pair)
{
    buf_free_secret(&pair->private);
    buf_free(&pair->public);
}
