#include "token/rsa.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { PEM_MAX_BYTES = 1024 * 1024 };

/* What a mutation would hardly make by itself: a block whose base64 is right. */
static void append_block(const char *label, struct str der, struct buf *out)
{
    BIO *to = BIO_new(BIO_s_mem());
    char *text;
    long len;

    require(PEM_write_bio(to, label, "", (const unsigned char *)der.data, (long)der.len) > 0,
            "OpenSSL writes PEM");
    len = BIO_get_mem_data(to, &text);
    buf_append(out, text, (size_t)len);
    BIO_free(to);
}

static void make_pem(struct str input, struct buf *out)
{
    static const char *const labels[] = {NULL,          "PUBLIC KEY",          "RSA PUBLIC KEY",
                                         "CERTIFICATE", "TRUSTED CERTIFICATE", "PRIVATE KEY"};
    const char *label = labels[take_choice(&input, ARRAY_LENGTH(labels))];

    if (label == NULL || input.len == 0)
        buf_append_str(out, input);
    else
        append_block(label, input, out);
}

/* NULL: it is refused. */
static EVP_PKEY *read_pem(struct str pem, int64_t *end_ms, struct err *err)
{
    struct rsa_numbers numbers;
    EVP_PKEY *key;

    if (!rsa_numbers_from_pem(pem, &numbers, end_ms, err))
        return NULL;
    key = rsa_public(&numbers);
    require(key != NULL, "OpenSSL takes numbers that are good");
    rsa_numbers_free(&numbers);
    return key;
}

/* Written by OpenSSL it is read again, and is the same. */
static void survives_being_written(EVP_PKEY *key)
{
    BIO *to = BIO_new(BIO_s_mem());
    int64_t end_ms = 0;
    EVP_PKEY *again;
    char *text;
    long len;

    require(PEM_write_bio_PUBKEY(to, key) == 1, "OpenSSL writes what it read");
    len = BIO_get_mem_data(to, &text);
    again = read_pem((struct str){text, (size_t)len}, &end_ms, NULL);
    require(again != NULL && EVP_PKEY_eq(key, again) == 1, "and it is the same key");
    require(end_ms == INT64_MAX, "which has no end");
    EVP_PKEY_free(again);
    BIO_free(to);
}

/* A public key is mostly read without OpenSSL's decoders, which would have read the same. */
static void is_what_openssl_reads(EVP_PKEY *key, struct str pem)
{
    BIO *from = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *theirs = PEM_read_bio_PUBKEY(from, NULL, NULL, NULL);

    require(theirs != NULL && EVP_PKEY_eq(key, theirs) == 1, "OpenSSL reads the same key");
    EVP_PKEY_free(theirs);
    BIO_free(from);
}

static void require_good(EVP_PKEY *key, struct str pem)
{
    struct buf modulus, exponent;

    buf_init(&modulus, PEM_MAX_BYTES);
    buf_init(&exponent, PEM_MAX_BYTES);
    require(EVP_PKEY_is_a(key, "RSA") == 1, "it is an RSA key");
    require(rsa_number(key, RSA_MODULUS, &modulus) && rsa_number(key, RSA_EXPONENT, &exponent),
            "it has numbers");
    require(rsa_is_good(buf_str(&modulus), buf_str(&exponent), NULL), "they are good");
    require(memmem(pem.data, pem.len, "PRIVATE KEY-----\n", 17) == NULL ||
                memmem(pem.data, pem.len, "-----BEGIN PUBLIC KEY-----", 26) != NULL ||
                memmem(pem.data, pem.len, "-----BEGIN RSA PUBLIC KEY-----", 30) != NULL ||
                memmem(pem.data, pem.len, "-----BEGIN CERTIFICATE-----", 27) != NULL,
            "it is public");
    buf_free(&modulus);
    buf_free(&exponent);
    survives_being_written(key);
    if (memmem(pem.data, pem.len, "CERTIFICATE-----", 16) == NULL)
        is_what_openssl_reads(key, pem);
}

/* Whatever it is, a secret is none that is read for minting and has a bad size. */
static void private_is_good_or_refused(struct str pem)
{
    struct err err = {""};
    EVP_PKEY *key = rsa_private_from_pem(pem, &err);

    require(key != NULL || err.text[0] != '\0', "a refusal is told");
    require(key == NULL || EVP_PKEY_get_bits(key) >= RSA_MIN_BITS, "it is of good size");
    EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {size == 0 ? "" : (const char *)data, size};
    struct err err = {""};
    int64_t end_ms;
    EVP_PKEY *key;
    struct buf pem;

    buf_init(&pem, PEM_MAX_BYTES);
    make_pem(input, &pem);
    key = read_pem(buf_str(&pem), &end_ms, &err);
    require(key != NULL || err.text[0] != '\0', "a refusal is told");
    require_printable(err.text);
    if (key != NULL)
        require_good(key, buf_str(&pem));
    private_is_good_or_refused(buf_str(&pem));
    require(ERR_peek_error() == 0, "OpenSSL's error queue is empty");
    EVP_PKEY_free(key);
    buf_free(&pem);
    return 0;
}
