#include "testkeys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "unit.h"

enum { FILE_MAX_BYTES = 64 * 1024 };

/* ---- pairs */

EVP_PKEY *testkeys_pair(const char *name)
{
    const char *folder = getenv("ME_VECTORS");
    char path[4096];
    struct err err = {""};
    struct buf text;
    BIO *source;
    EVP_PKEY *key;

    (void)snprintf(path, sizeof(path), "%s/%s.pem", folder == NULL ? "tests/vectors" : folder,
                   name);
    buf_init(&text, FILE_MAX_BYTES);
    if (!file_read(path, FILE_READERS_ANY, &text, &err))
        fail_msg("%s", err.text);
    source = BIO_new_mem_buf(text.data, (int)text.len);
    key = PEM_read_bio_PrivateKey(source, NULL, NULL, NULL);
    assert_non_null(key);
    BIO_free(source);
    buf_free(&text);
    return key;
}

EVP_PKEY *testkeys_other(const char *type)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, type, "P-256");

    assert_non_null(key);
    return key;
}

/* ---- public keys of numbers */

/* 2^(bits-1) + 2, and 1 more where it has to be odd. */
static BIGNUM *new_modulus(unsigned bits, bool odd)
{
    BIGNUM *number = BN_new();

    assert_int_equal(BN_set_bit(number, (int)bits - 1), 1);
    assert_int_equal(BN_add_word(number, odd ? 3 : 2), 1);
    return number;
}

static void append_number(const BIGNUM *number, struct buf *out)
{
    char *at = buf_reserve(out, (size_t)BN_num_bytes(number));

    assert_non_null(at);
    buf_added(out, (size_t)BN_bn2bin(number, (unsigned char *)at));
}

void testkeys_modulus(unsigned bits, bool odd, struct buf *out)
{
    BIGNUM *number = new_modulus(bits, odd);

    append_number(number, out);
    BN_free(number);
}

EVP_PKEY *testkeys_public(unsigned bits, bool odd, struct str exponent)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = new_modulus(bits, odd);
    BIGNUM *e = BN_bin2bn((const unsigned char *)exponent.data, (int)exponent.len, NULL);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters;

    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e), 1);
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_free(n);
    BN_free(e);
    return key;
}

void testkeys_number(const EVP_PKEY *key, struct buf *out)
{
    BIGNUM *number = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number), 1);
    append_number(number, out);
    BN_free(number);
}

/* ---- forms */

static X509 *new_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"test", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200101000000Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20300101000000Z"), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static int write_certificate(BIO *to, EVP_PKEY *key, int (*write)(BIO *to, const X509 *certificate))
{
    X509 *certificate = new_certificate(key);
    int result = write(to, certificate);

    X509_free(certificate);
    return result;
}

static int write_request(BIO *to, EVP_PKEY *key)
{
    X509_REQ *request = X509_REQ_new();
    int result = X509_REQ_set_pubkey(request, key) == 1 &&
                 X509_REQ_sign(request, key, EVP_sha256()) > 0 &&
                 PEM_write_bio_X509_REQ(to, request) == 1;

    X509_REQ_free(request);
    return result;
}

static int write_private(BIO *to, EVP_PKEY *key, bool as_pkcs1, const char *passphrase)
{
    const EVP_CIPHER *cipher = passphrase == NULL ? NULL : EVP_aes_128_cbc();
    const unsigned char *text = (const unsigned char *)passphrase;
    int len = passphrase == NULL ? 0 : (int)strlen(passphrase);

    if (as_pkcs1)
        return PEM_write_bio_PrivateKey_traditional(to, key, cipher, text, len, NULL, NULL);
    return PEM_write_bio_PKCS8PrivateKey(to, key, cipher, passphrase, len, NULL, NULL);
}

static int write_public_pkcs1(BIO *to, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PublicKey(key, &der), result;

    assert_true(len > 0);
    result = PEM_write_bio(to, PEM_STRING_RSA_PUBLIC, "", der, len) > 0;
    OPENSSL_free(der);
    return result;
}

static int write_pem(BIO *to, EVP_PKEY *key, enum testkeys_form form)
{
    switch (form) {
    case TESTKEYS_SPKI:
        return PEM_write_bio_PUBKEY(to, key);
    case TESTKEYS_PKCS1:
        return write_public_pkcs1(to, key);
    case TESTKEYS_CERTIFICATE:
        return write_certificate(to, key, PEM_write_bio_X509);
    case TESTKEYS_TRUSTED_CERTIFICATE:
        return write_certificate(to, key, PEM_write_bio_X509_AUX);
    case TESTKEYS_REQUEST:
        return write_request(to, key);
    case TESTKEYS_PRIVATE:
        return write_private(to, key, false, NULL);
    case TESTKEYS_PRIVATE_ENCRYPTED:
        return write_private(to, key, false, "passphrase");
    case TESTKEYS_PRIVATE_PKCS1:
        return write_private(to, key, true, NULL);
    case TESTKEYS_PRIVATE_PKCS1_ENCRYPTED:
        return write_private(to, key, true, "passphrase");
    case TESTKEYS_FORM__MAX:
        break;
    }
    return 0;
}

void testkeys_pem(EVP_PKEY *key, enum testkeys_form form, struct buf *out)
{
    BIO *to = BIO_new(BIO_s_mem());
    char *text;
    long len;

    assert_int_equal(write_pem(to, key, form), 1);
    len = BIO_get_mem_data(to, &text);
    buf_append(out, text, (size_t)len);
    assert_true(buf_is_good(out));
    BIO_free(to);
}

void testkeys_der(EVP_PKEY *key, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    assert_true(len > 0);
    buf_append(out, der, (size_t)len);
    assert_true(buf_is_good(out));
    OPENSSL_free(der);
}

/* ---- signatures */

void testkeys_hmac(struct str secret, struct str input, struct buf *out)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    assert_non_null(HMAC(EVP_sha256(), secret.data, (int)secret.len,
                         (const unsigned char *)input.data, input.len, hash, &len));
    buf_append(out, hash, len);
    assert_true(buf_is_good(out));
}

void testkeys_sign(EVP_PKEY *key, struct str input, struct buf *out)
{
    size_t len = (size_t)EVP_PKEY_get_size(key);
    char *at = buf_reserve(out, len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    assert_non_null(at);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, (unsigned char *)at, &len,
                                    (const unsigned char *)input.data, input.len),
                     1);
    buf_added(out, len);
    EVP_MD_CTX_free(context);
}
