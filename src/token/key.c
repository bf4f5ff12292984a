#include "token/key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

enum {
    HMAC_BYTES = DIGEST_BYTES,
    KID_MAX_BYTES = 1024,
    RSA_EXPONENT_MAX_BITS = 64 /* with more OpenSSL verifies nothing by a modulus over 3072 bits */
};

static const char *const algorithm_names[KEY_ALGORITHM__MAX] = {
    [KEY_HS256] = "HS256",
    [KEY_RS256] = "RS256",
};

struct key {
    enum key_algorithm algorithm;
    unsigned bits;
    struct buf kid;
    bool has_kid;
    EVP_MAC_CTX *mac;       /* HS256: keyed, never used itself; see compute_hmac */
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
    key->algorithm = algorithm;
    key->has_kid = str_is_set(kid);
    buf_init(&key->kid, KID_MAX_BYTES);
    buf_append_str(&key->kid, kid);
    if (buf_is_good(&key->kid))
        return key;
    err_set(err, "the key's kid is longer than %d bytes", KID_MAX_BYTES);
    key_free(key);
    return NULL;
}

void key_free(struct key *key)
{
    if (key == NULL)
        return;
    EVP_MAC_CTX_free(key->mac);
    digest_free(key->digest);
    EVP_PKEY_CTX_free(key->verifier);
    buf_free(&key->kid);
    free(key);
}

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

/* ---- HMAC */

static EVP_MAC_CTX *new_hmac(struct str secret)
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

static bool secret_is_good(struct str secret, struct err *err)
{
    if (secret.len >= KEY_SECRET_MIN_BYTES && secret.len <= KEY_SECRET_MAX_BYTES)
        return true;
    err_set(err, "the secret has %zu bytes, but must have %d to %d", secret.len,
            KEY_SECRET_MIN_BYTES, KEY_SECRET_MAX_BYTES);
    return false;
}

struct key *key_from_secret(struct str secret, struct str kid, struct err *err)
{
    struct key *key;

    if (!secret_is_good(secret, err))
        return NULL;
    key = new_key(KEY_HS256, kid, err);
    if (key == NULL)
        return NULL;
    key->bits = (unsigned)secret.len * 8;
    key->mac = new_hmac(secret);
    if (key->mac != NULL)
        return key;
    err_set(err, "OpenSSL cannot make an HMAC with SHA-256");
    key_free(key);
    return NULL;
}

/*
 * On a copy of the keyed context: to start the same one again with the key that it has would be
 * quicker, but OpenSSL before 3.0.3 then goes on with the input of the time before, and reports
 * success.
 */
static bool compute_hmac(const EVP_MAC_CTX *keyed, struct str input, unsigned char out[HMAC_BYTES])
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(keyed);
    size_t len = 0;
    bool good = context != NULL &&
                EVP_MAC_update(context, (const unsigned char *)input.data, input.len) == 1 &&
                EVP_MAC_final(context, out, &len, HMAC_BYTES) == 1 && len == HMAC_BYTES;

    EVP_MAC_CTX_free(context);
    return good;
}

static bool verify_hmac(const struct key *key, struct str input, struct str signature)
{
    unsigned char expected[HMAC_BYTES];
    bool good = signature.len == HMAC_BYTES && compute_hmac(key->mac, input, expected) &&
                CRYPTO_memcmp(expected, signature.data, HMAC_BYTES) == 0;

    OPENSSL_cleanse(expected, sizeof(expected));
    return good;
}

/* ---- RSA */

/* What a PEM block that is no public key is by the end of its label, and what to do about it. */
struct pem_kind {
    const char *label_end;
    const char *complaint;
};

static const struct pem_kind pem_kinds[] = {
    {"PRIVATE KEY", "it is a private key, which belongs to the issuer alone: take the public one "
                    "out with 'openssl rsa -in FILE -pubout'"},
    {"CERTIFICATE",
     "it is a certificate: take its key out with 'openssl x509 -pubkey -noout -in FILE'"},
    {"", "it is neither a 'PUBLIC KEY' nor an 'RSA PUBLIC KEY'"},
};

/* NULL: it can be used. */
static const char *complaint_of_label(const char *label)
{
    const struct pem_kind *kind = pem_kinds;

    if (strcmp(label, "PUBLIC KEY") == 0 || strcmp(label, "RSA PUBLIC KEY") == 0)
        return NULL;
    while (!str_ends_with(str_from(label), str_from(kind->label_end)))
        kind++;
    return kind->complaint;
}

static const char *complaint_of_block(BIO *source)
{
    const char *complaint = "there is no PEM block ('-----BEGIN PUBLIC KEY-----') in it";
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;

    if (PEM_read_bio(source, &label, &header, &data, &len) == 1)
        complaint = complaint_of_label(label);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)len); /* it may have been a private key */
    ERR_clear_error();
    return complaint;
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

static bool pem_is_public_key(BIO *source, struct str pem, struct err *err)
{
    const char *complaint = complaint_of_block(source);

    if (complaint == NULL && has_several_blocks(pem))
        complaint = "there is more than one PEM block in it: use a file for each key";
    if (complaint != NULL)
        err_set(err, "%s", complaint);
    return complaint == NULL;
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

static BIO *open_pem(struct str pem)
{
    return pem.len > INT32_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.len);
}

static bool exponent_is_good(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                BN_is_odd(exponent) && !BN_is_one(exponent) &&
                BN_num_bits(exponent) <= RSA_EXPONENT_MAX_BITS;

    BN_free(exponent);
    return good;
}

/* Judged by hand: the checks of OpenSSL itself can be made to take very long (CVE-2023-6237). */
static bool rsa_is_good(const EVP_PKEY *key, struct err *err)
{
    int bits = EVP_PKEY_get_bits(key);

    if (!EVP_PKEY_is_a(key, "RSA"))
        err_set(err, "it is not an RSA key");
    else if (bits < KEY_RSA_MIN_BITS || bits > KEY_RSA_MAX_BITS)
        err_set(err, "it is an RSA key of %d bits, but must have %d to %d", bits, KEY_RSA_MIN_BITS,
                KEY_RSA_MAX_BITS);
    else if (!exponent_is_good(key))
        err_set(err, "its RSA exponent is even, 1, or longer than %d bits", RSA_EXPONENT_MAX_BITS);
    else
        return true;
    return false;
}

static EVP_PKEY *read_public_key(struct str pem, struct err *err)
{
    BIO *source = open_pem(pem);
    EVP_PKEY *key = NULL;

    if (source == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    if (pem_is_public_key(source, pem, err)) {
        (void)BIO_reset(source);
        key = PEM_read_bio_PUBKEY(source, NULL, no_passphrase, NULL);
        if (key == NULL)
            err_set(err, "the key in it cannot be read");
        else if (!rsa_is_good(key, err)) {
            EVP_PKEY_free(key);
            key = NULL;
        }
    }
    BIO_free(source);
    ERR_clear_error();
    return key;
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

static struct key *new_rsa_key(EVP_PKEY *public, struct str kid, struct err *err)
{
    struct key *key = new_key(KEY_RS256, kid, err);

    if (key == NULL)
        return NULL;
    key->bits = (unsigned)EVP_PKEY_get_bits(public);
    key->digest = digest_new();
    key->verifier = new_verifier(public);
    if (key->digest != NULL && key->verifier != NULL)
        return key;
    err_set(err, "OpenSSL cannot verify RSA signatures with SHA-256");
    key_free(key);
    return NULL;
}

struct key *key_from_pem(struct str pem, struct str kid, struct err *err)
{
    EVP_PKEY *public = read_public_key(pem, err);
    struct key *key = public == NULL ? NULL : new_rsa_key(public, kid, err);

    EVP_PKEY_free(public); /* the verifier has its own reference */
    return key;
}

static bool verify_rsa(const struct key *key, struct str input, struct str signature)
{
    unsigned char digest[DIGEST_BYTES];

    /* RFC 8017, section 8.2.2, step 1 */
    return signature.len == (key->bits + 7) / 8 && digest_of(key->digest, input, digest) &&
           EVP_PKEY_verify(key->verifier, (const unsigned char *)signature.data, signature.len,
                           digest, sizeof(digest)) == 1;
}

bool key_verify(const struct key *key, struct str input, struct str signature)
{
    bool good = false;

    switch (key->algorithm) {
    case KEY_HS256:
        good = verify_hmac(key, input, signature);
        break;
    case KEY_RS256:
        good = verify_rsa(key, input, signature);
        break;
    case KEY_ALGORITHM__MAX:
        break;
    }
    if (!good)
        ERR_clear_error();
    return good;
}

/* ---- signing */

struct signer {
    enum key_algorithm algorithm;
    EVP_MAC_CTX *mac;
    EVP_PKEY *private;
};

static struct signer *new_signer(enum key_algorithm algorithm, EVP_MAC_CTX *mac, EVP_PKEY *private,
                                 struct err *err)
{
    struct signer *signer = calloc(1, sizeof(*signer));

    if (signer == NULL || (mac == NULL && private == NULL)) {
        err_set(err, "out of memory");
        free(signer);
        EVP_MAC_CTX_free(mac);
        EVP_PKEY_free(private);
        return NULL;
    }
    *signer = (struct signer){algorithm, mac, private};
    return signer;
}

struct signer *signer_from_secret(struct str secret, struct err *err)
{
    if (!secret_is_good(secret, err))
        return NULL;
    return new_signer(KEY_HS256, new_hmac(secret), NULL, err);
}

struct signer *signer_from_pem(struct str private_pem, struct err *err)
{
    BIO *source = open_pem(private_pem);
    EVP_PKEY *key =
        source == NULL ? NULL : PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL);

    BIO_free(source);
    ERR_clear_error();
    if (key == NULL) {
        err_set(err, "there is no unencrypted private key in PEM in it");
        return NULL;
    }
    if (rsa_is_good(key, err))
        return new_signer(KEY_RS256, NULL, key, err);
    EVP_PKEY_free(key);
    return NULL;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    EVP_MAC_CTX_free(signer->mac);
    EVP_PKEY_free(signer->private);
    free(signer);
}

enum key_algorithm signer_algorithm(const struct signer *signer)
{
    return signer->algorithm;
}

static bool sign_hmac(struct signer *signer, struct str input, struct buf *out)
{
    char *at = buf_reserve(out, HMAC_BYTES);

    if (at == NULL || !compute_hmac(signer->mac, input, (unsigned char *)at))
        return false;
    buf_added(out, HMAC_BYTES);
    return true;
}

static bool sign_rsa(struct signer *signer, struct str input, struct buf *out)
{
    size_t len = (size_t)EVP_PKEY_get_size(signer->private);
    char *at = buf_reserve(out, len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = at != NULL && context != NULL &&
                EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->private) == 1 &&
                EVP_DigestSign(context, (unsigned char *)at, &len,
                               (const unsigned char *)input.data, input.len) == 1;

    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (good)
        buf_added(out, len);
    return good;
}

bool signer_sign(struct signer *signer, struct str input, struct buf *out)
{
    return signer->algorithm == KEY_HS256 ? sign_hmac(signer, input, out)
                                          : sign_rsa(signer, input, out);
}
