#include "token/rsa.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "token/rsader.h"

enum { NUMBER_MAX_BYTES = 1024 * 1024 }; /* no file that we read is as long */

static const char *const number_names[] = {
    [RSA_MODULUS] = OSSL_PKEY_PARAM_RSA_N,
    [RSA_EXPONENT] = OSSL_PKEY_PARAM_RSA_E,
};

/* ---- what a key must be */

/* Issuers should write none (RFC 7518, section 6.3.1.1), and some do. */
static struct str without_zeros(struct str number)
{
    while (number.len > 0 && number.data[0] == '\0') {
        number.data++;
        number.len--;
    }
    return number;
}

unsigned rsa_bits(struct str number)
{
    struct str rest = without_zeros(number);
    unsigned bits = (unsigned)rest.len * 8;

    for (unsigned mask = 0x80; bits > 0 && ((unsigned char)rest.data[0] & mask) == 0; mask >>= 1)
        bits--;
    return bits;
}

static bool is_odd(struct str number)
{
    return number.len > 0 && (number.data[number.len - 1] & 1) != 0;
}

bool rsa_is_good(struct str modulus, struct str exponent, struct err *err)
{
    unsigned bits = rsa_bits(modulus), exponent_bits = rsa_bits(exponent);

    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
        err_set(err, "it is an RSA key of %u bits, but must have %d to %d", bits, RSA_MIN_BITS,
                RSA_MAX_BITS);
    else if (!is_odd(exponent) || exponent_bits == 1 || exponent_bits > RSA_EXPONENT_MAX_BITS)
        err_set(err, "its RSA exponent is even, 1, or longer than %d bits", RSA_EXPONENT_MAX_BITS);
    else if (!is_odd(modulus))
        err_set(err, "its RSA modulus is even, so it is no product of two primes");
    else
        return true;
    return false;
}

/* ---- a public key as its numbers */

void rsa_numbers_free(struct rsa_numbers *numbers)
{
    buf_free(&numbers->modulus);
    buf_free(&numbers->exponent);
}

bool rsa_numbers_take(struct str modulus, struct str exponent, struct rsa_numbers *out,
                      struct err *err)
{
    buf_init(&out->modulus, RSA_MAX_BITS / 8);
    buf_init(&out->exponent, RSA_EXPONENT_MAX_BITS / 8);
    if (!rsa_is_good(modulus, exponent, err))
        return false;
    buf_append_str(&out->modulus, without_zeros(modulus));
    buf_append_str(&out->exponent, without_zeros(exponent));
    if (buf_is_good(&out->modulus) && buf_is_good(&out->exponent))
        return true;
    err_set(err, "out of memory");
    rsa_numbers_free(out);
    return false;
}

static bool take_numbers_of(const EVP_PKEY *key, struct rsa_numbers *out, struct err *err)
{
    struct buf modulus, exponent;
    bool good = false;

    if (!EVP_PKEY_is_a(key, "RSA")) {
        err_set(err, "it is not an RSA key");
        return false;
    }
    buf_init(&modulus, NUMBER_MAX_BYTES);
    buf_init(&exponent, NUMBER_MAX_BYTES);
    if (rsa_number(key, RSA_MODULUS, &modulus) && rsa_number(key, RSA_EXPONENT, &exponent))
        good = rsa_numbers_take(buf_str(&modulus), buf_str(&exponent), out, err);
    else
        err_set(err, "out of memory");
    buf_free(&modulus);
    buf_free(&exponent);
    return good;
}

/* ---- PEM */

static BIO *open_pem(struct str pem, struct err *err)
{
    BIO *source = pem.len > INT32_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.len);

    if (source == NULL)
        err_set(err, "out of memory");
    return source;
}

/* Without it OpenSSL asks for the passphrase of an encrypted block at the terminal. */
static int no_passphrase(char *out, int size, int writing, void *context)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static EVP_PKEY *read_public_key(BIO *source, int64_t *expires_ms)
{
    (void)expires_ms;
    return PEM_read_bio_PUBKEY(source, NULL, no_passphrase, NULL);
}

static int64_t end_of(const X509 *certificate)
{
    struct tm end;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
        return INT64_MAX;
    return clock_from_parts(&(struct clock_parts){.year = end.tm_year + 1900,
                                                  .month = end.tm_mon + 1,
                                                  .day = end.tm_mday,
                                                  .hour = end.tm_hour,
                                                  .minute = end.tm_min,
                                                  .second = end.tm_sec});
}

static EVP_PKEY *read_certificate(BIO *source, int64_t *expires_ms)
{
    X509 *certificate = PEM_read_bio_X509(source, NULL, no_passphrase, NULL);
    EVP_PKEY *key = NULL;

    if (certificate != NULL) {
        key = X509_get_pubkey(certificate);
        *expires_ms = end_of(certificate);
    }
    X509_free(certificate);
    return key;
}

/* What a PEM block is by the end of its label. */
struct block_kind {
    const char *label_end;
    EVP_PKEY *(*read)(BIO *source, int64_t *expires_ms);
    const char *complaint; /* where it cannot be read */
};

/* A trusted certificate, or a request for one, ends otherwise, and is neither asked for nor read.
 */
static const struct block_kind block_kinds[] = {
    {"PRIVATE KEY", NULL,
     "it is a private key, which belongs to the issuer alone: take the public one out with "
     "'openssl rsa -in FILE -pubout'"},
    {"PUBLIC KEY", read_public_key, "the key in it cannot be read"},
    {" CERTIFICATE", NULL, "of the certificates only the plain kind, 'CERTIFICATE', can be used"},
    {"CERTIFICATE", read_certificate, "the certificate in it cannot be read"},
    {"", NULL, "it is none of 'PUBLIC KEY', 'RSA PUBLIC KEY' and 'CERTIFICATE'"},
};

static const struct block_kind *kind_of_label(const char *label)
{
    const struct block_kind *kind = block_kinds;

    while (!str_ends_with(str_from(label), str_from(kind->label_end)))
        kind++;
    return kind;
}

/* The first block of a file. */
struct block {
    const struct block_kind *kind; /* NULL: there is none */
    char *label, *header;
    unsigned char *data;
    long len;
};

static void find_block(BIO *source, struct block *out)
{
    *out = (struct block){.kind = NULL};
    if (PEM_read_bio(source, &out->label, &out->header, &out->data, &out->len) == 1)
        out->kind = kind_of_label(out->label);
}

static void free_block(struct block *block)
{
    OPENSSL_free(block->label);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, (size_t)block->len); /* it may have been a private key */
}

/* Also such as cannot be read: which key is meant must be beyond doubt. */
static bool has_several_blocks(struct str pem)
{
    static const struct str begin = STR("-----BEGIN ");
    const char *first = memmem(pem.data, pem.len, begin.data, begin.len);

    if (first == NULL)
        return false;
    first += begin.len;
    return memmem(first, pem.len - (size_t)(first - pem.data), begin.data, begin.len) != NULL;
}

static const struct {
    const char *label;
    bool (*read)(struct str der, struct rsader_numbers *out);
} plain_forms[] = {
    {"PUBLIC KEY", rsader_read_spki},
    {"RSA PUBLIC KEY", rsader_read_pkcs1},
};

static bool read_numbers(const struct block *block, struct rsader_numbers *out)
{
    struct str der = {(const char *)block->data, (size_t)block->len};

    for (size_t i = 0; i < ARRAY_LENGTH(plain_forms); i++)
        if (strcmp(block->label, plain_forms[i].label) == 0)
            return block->header[0] == '\0' && plain_forms[i].read(der, out);
    return false;
}

static bool read_by_openssl(BIO *source, const struct block *block, struct rsa_numbers *out,
                            int64_t *expires_ms, struct err *err)
{
    EVP_PKEY *key = NULL;
    bool good = false;

    (void)BIO_reset(source);
    if (block->kind->read != NULL)
        key = block->kind->read(source, expires_ms);
    if (key == NULL)
        err_set(err, "%s", block->kind->complaint);
    else
        good = take_numbers_of(key, out, err);
    EVP_PKEY_free(key);
    return good;
}

/*
 * What is written as nearly all keys are is read without OpenSSL's decoders: to set them up takes a
 * third of a CGI process.
 */
static bool read_by_kind(BIO *source, const struct block *block, struct rsa_numbers *out,
                         int64_t *expires_ms, struct err *err)
{
    struct rsader_numbers numbers;

    if (read_numbers(block, &numbers))
        return rsa_numbers_take(numbers.modulus, numbers.exponent, out, err);
    return read_by_openssl(source, block, out, expires_ms, err);
}

static bool read_block(BIO *source, struct str pem, struct rsa_numbers *out, int64_t *expires_ms,
                       struct err *err)
{
    bool good = false;
    struct block block;

    find_block(source, &block);
    if (block.kind == NULL)
        err_set(err, "there is no PEM block ('-----BEGIN PUBLIC KEY-----') in it");
    else if (block.kind->read != NULL && has_several_blocks(pem))
        err_set(err, "there is more than one PEM block in it: use a file for each key");
    else
        good = read_by_kind(source, &block, out, expires_ms, err);
    free_block(&block);
    return good;
}

bool rsa_numbers_from_pem(struct str pem, struct rsa_numbers *out, int64_t *expires_ms,
                          struct err *err)
{
    BIO *source = open_pem(pem, err);
    bool good;

    *expires_ms = INT64_MAX;
    good = source != NULL && read_block(source, pem, out, expires_ms, err);
    BIO_free(source);
    ERR_clear_error();
    return good;
}

/* The key where it is good; otherwise frees it. NULL stays NULL. */
static EVP_PKEY *judge(EVP_PKEY *key, struct err *err)
{
    struct rsa_numbers numbers;

    if (key != NULL && take_numbers_of(key, &numbers, err)) {
        rsa_numbers_free(&numbers);
        return key;
    }
    EVP_PKEY_free(key);
    return NULL;
}

EVP_PKEY *rsa_private_from_pem(struct str pem, struct err *err)
{
    BIO *source = open_pem(pem, err);
    EVP_PKEY *key = NULL;

    if (source != NULL) {
        key = PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL);
        if (key == NULL)
            err_set(err, "there is no unencrypted private key in PEM in it");
    }
    BIO_free(source);
    ERR_clear_error();
    return judge(key, err);
}

/* ---- the key as OpenSSL has it */

static BIGNUM *number_from(struct str bytes)
{
    return BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.len, NULL);
}

static EVP_PKEY *from_parameters(OSSL_PARAM *parameters)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *rsa_public(const struct rsa_numbers *numbers)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    BIGNUM *n = number_from(buf_str(&numbers->modulus));
    BIGNUM *e = number_from(buf_str(&numbers->exponent));
    EVP_PKEY *key = NULL;

    if (builder != NULL && n != NULL && e != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL)
        key = from_parameters(parameters);
    OSSL_PARAM_free(parameters);
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(builder);
    ERR_clear_error();
    return key;
}

bool rsa_number(const EVP_PKEY *key, enum rsa_number which, struct buf *out)
{
    BIGNUM *number = NULL;
    char *at = NULL;

    if (EVP_PKEY_get_bn_param(key, number_names[which], &number) == 1)
        at = buf_reserve(out, (size_t)BN_num_bytes(number));
    if (at != NULL)
        buf_added(out, (size_t)BN_bn2bin(number, (unsigned char *)at));
    BN_free(number);
    ERR_clear_error();
    return at != NULL;
}
