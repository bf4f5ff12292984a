#include "token/key.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/base64url.h"
#include "testkeys.h"
#include "token/rsa.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 64 * 1024 };

#define SECRET STR("0123456789abcdef0123456789abcdef")

static struct str decoded(const char *text, struct buf *out)
{
    buf_init(out, TEXT_MAX_BYTES);
    assert_true(base64url_decode(str_from(text), out));
    return buf_str(out);
}

static struct key *key_of(const char *n, const char *e)
{
    struct err err = {""};
    struct buf modulus, exponent;
    struct key *key = key_from_numbers(decoded(n, &modulus), decoded(e, &exponent), STR_NONE, &err);

    if (key == NULL)
        fail_msg("%s", err.text);
    buf_free(&modulus);
    buf_free(&exponent);
    return key;
}

/* The public key of the pair, as from a file. */
static struct key *key_of_pair(EVP_PKEY *pair)
{
    struct err err = {""};
    struct buf pem;
    struct key *key;

    buf_init(&pem, TEXT_MAX_BYTES);
    testkeys_pem(pair, TESTKEYS_SPKI, &pem);
    key = key_from_pem(buf_str(&pem), STR_NONE, &err);
    if (key == NULL)
        fail_msg("%s", err.text);
    buf_free(&pem);
    return key;
}

/* ---- names */

static void knows_its_algorithms_by_their_exact_names(void **state)
{
    static const struct str others[] = {
        STR("hs256"), STR("Hs256"), STR("HS256 "), STR(" HS256"), STR("HS256\0"), STR("HS25"),
        STR("HS384"), STR("HS512"), STR("RS384"),  STR("RS512"),  STR("PS256"),   STR("ES256"),
        STR("none"),  STR("None"),  STR(""),       STR_NONE,
    };
    enum key_algorithm algorithm;

    (void)state;
    for (int i = 0; i < KEY_ALGORITHM__MAX; i++) {
        assert_true(key_algorithm_from_name(str_from(key_algorithm_name((enum key_algorithm)i)),
                                            &algorithm));
        assert_int_equal(algorithm, i);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(key_algorithm_from_name(others[i], &algorithm));
}

/* ---- what a key is */

static void a_secret_is_a_key_for_hs256(void **state)
{
    struct key *key = key_from_secret(SECRET, STR("one"), NULL);
    struct buf thumbprint;

    (void)state;
    assert_int_equal(key_algorithm(key), KEY_HS256);
    assert_int_equal(key_bits(key), 256);
    assert_str_equal(key_id(key), "one");
    assert_int_equal(key_certificate_end_ms(key), INT64_MAX);
    assert_int_equal(key_end_ms(key), INT64_MAX);
    buf_init(&thumbprint, 64);
    assert_false(key_thumbprint(key, &thumbprint));
    assert_int_equal(thumbprint.len, 0);
    buf_free(&thumbprint);
    key_free(key);
}

static void a_certificate_tells_its_end_and_binds_nobody(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct buf pem;
    struct key *key;

    (void)state;
    buf_init(&pem, TEXT_MAX_BYTES);
    testkeys_pem(pair, TESTKEYS_CERTIFICATE, &pem);
    key = key_from_pem(buf_str(&pem), STR_NONE, NULL);
    assert_int_equal(key_algorithm(key), KEY_RS256);
    assert_int_equal(key_bits(key), 2048);
    assert_int_equal(key_certificate_end_ms(key), TESTKEYS_CERTIFICATE_END_MS);
    assert_int_equal(key_end_ms(key), INT64_MAX);
    key_free(key);
    buf_free(&pem);
    EVP_PKEY_free(pair);
}

static void an_empty_kid_is_a_kid(void **state)
{
    struct key *with = key_from_secret(SECRET, STR(""), NULL);
    struct key *without = key_from_secret(SECRET, STR_NONE, NULL);

    (void)state;
    assert_str_equal(key_id(with), "");
    assert_false(str_is_set(key_id(without)));
    key_free(with);
    key_free(without);
}

static void a_kid_has_at_most_1024_bytes(void **state)
{
    char kid[KEY_ID_MAX_BYTES + 1];
    struct err err = {""};
    struct key *key;

    (void)state;
    memset(kid, 'k', sizeof(kid));
    key = key_from_secret(SECRET, (struct str){kid, KEY_ID_MAX_BYTES}, &err);
    assert_non_null(key);
    assert_int_equal(key_id(key).len, KEY_ID_MAX_BYTES);
    key_free(key);
    assert_null(key_from_secret(SECRET, (struct str){kid, sizeof(kid)}, &err));
    assert_contains(err.text, "longer than 1024 bytes");
}

static void a_shared_key_lives_until_its_last_owner_frees_it(void **state)
{
    struct key *key = key_from_secret(SECRET, STR("one"), NULL);
    struct key *other = key_share(key);

    (void)state;
    key_free(key);
    assert_str_equal(key_id(other), "one");
    key_free(other);
    key_free(NULL);
}

static void nothing_is_made_of_a_bad_key(void **state)
{
    struct err err = {""};

    (void)state;
    assert_null(key_from_secret(STR("short"), STR_NONE, &err));
    assert_contains(err.text, "32 to 4096");
    assert_null(key_from_pem(STR("-----BEGIN X"), STR_NONE, &err));
    assert_contains(err.text, "no PEM block");
    assert_null(key_from_numbers(STR("\x03"), STR("\x03"), STR_NONE, &err));
    assert_contains(err.text, "an RSA key of 2 bits");
}

/* ---- known answers */

static void thumbprint_of_rfc_7638(void **state)
{
    struct key *key =
        key_of("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6t"
               "Soc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
               "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qN"
               "Lyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awa"
               "pJzKnqDKgw",
               "AQAB");
    struct buf thumbprint, small;

    (void)state;
    buf_init(&thumbprint, 64);
    assert_true(key_thumbprint(key, &thumbprint));
    assert_str_equal(buf_str(&thumbprint), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    buf_free(&thumbprint);
    buf_init(&small, 42);
    assert_false(key_thumbprint(key, &small));
    buf_free(&small);
    key_free(key);
}

/* A long modulus, and one with a leading zero, have one too. */
static void thumbprint_of_the_longest_key(void **state)
{
    struct buf modulus, one, other;
    struct key *key;

    (void)state;
    buf_init(&modulus, TEXT_MAX_BYTES);
    buf_init(&one, 64);
    buf_init(&other, 64);
    buf_append_byte(&modulus, '\0');
    testkeys_modulus(RSA_MAX_BITS, true, &modulus);
    key = key_from_numbers(buf_str(&modulus), STR("\x01\x00\x01"), STR_NONE, NULL);
    assert_true(key_thumbprint(key, &one));
    key_free(key);
    key = key_from_numbers((struct str){modulus.data + 1, modulus.len - 1}, STR("\x01\x00\x01"),
                           STR("kid"), NULL);
    assert_true(key_thumbprint(key, &other));
    assert_true(str_equal(buf_str(&one), buf_str(&other)));
    key_free(key);
    buf_free(&modulus);
    buf_free(&one);
    buf_free(&other);
}

static void assert_verifies(const struct key *key, const char *input, const char *signature)
{
    struct buf bytes;

    assert_int_equal(key_verify(key, str_from(input), decoded(signature, &bytes)), JWT_VALID);
    buf_free(&bytes);
}

static void signature_of_rfc_7515_a_1(void **state)
{
    struct buf secret;
    struct key *key = key_from_secret(decoded(TESTKEYS_SECRET, &secret), STR_NONE, NULL);

    (void)state;
    assert_int_equal(key_bits(key), 512);
    assert_verifies(key,
                    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
                    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    buf_free(&secret);
    key_free(key);
}

static void signature_of_rfc_7515_a_2(void **state)
{
    struct key *key =
        key_of("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPME"
               "zP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bS"
               "f63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo"
               "5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h"
               "4FRWyuXpoQ",
               "AQAB");

    (void)state;
    assert_verifies(key,
                    "eyJhbGciOiJSUzI1NiJ9."
                    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
                    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
                    "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO7"
                    "5vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOk"
                    "HWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
                    "wlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    key_free(key);
}

static void signature_of_rfc_7520_4_1(void **state)
{
    struct key *key =
        key_of("n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEi"
               "ZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-"
               "oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0"
               "FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc"
               "5gHdrNP5zw",
               "AQAB");

    (void)state;
    assert_verifies(key,
                    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
                    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW"
                    "91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhl"
                    "cmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4",
                    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJd"
                    "Qx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh"
                    "_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de"
                    "3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcI"
                    "e8u9ipH84ogoree7vjbU5y18kDquDg");
    key_free(key);
}

/* ---- RSA signatures that are none */

/* What the tests below have in common. */
struct rsa_case {
    EVP_PKEY *pair;
    struct key *key;
    struct buf signature; /* over "input" */
};

static void rsa_case_init(struct rsa_case *c)
{
    c->pair = testkeys_pair("rfc7515");
    c->key = key_of_pair(c->pair);
    buf_init(&c->signature, TEXT_MAX_BYTES);
    testkeys_sign(c->pair, STR("input"), &c->signature);
}

static void rsa_case_free(struct rsa_case *c)
{
    /* Whatever was refused before, what is right is taken. */
    buf_reset(&c->signature);
    testkeys_sign(c->pair, STR("input"), &c->signature);
    assert_int_equal(key_verify(c->key, STR("input"), buf_str(&c->signature)), JWT_VALID);
    EVP_PKEY_free(c->pair);
    key_free(c->key);
    buf_free(&c->signature);
}

static void assert_refused(const struct key *key, struct str input, struct str signature)
{
    assert_int_equal(key_verify(key, input, signature), JWT_BAD_SIGNATURE);
    assert_int_equal(ERR_peek_error(), 0);
}

static void refuses_another_input_or_key(void **state)
{
    EVP_PKEY *other = testkeys_pair("rfc7520");
    struct rsa_case c;

    (void)state;
    rsa_case_init(&c);
    assert_refused(c.key, STR("Input"), buf_str(&c.signature));
    assert_refused(c.key, STR("input "), buf_str(&c.signature));
    assert_refused(c.key, STR("inpu"), buf_str(&c.signature));
    assert_refused(c.key, STR(""), buf_str(&c.signature));
    buf_reset(&c.signature);
    testkeys_sign(other, STR("input"), &c.signature);
    assert_refused(c.key, STR("input"), buf_str(&c.signature));
    rsa_case_free(&c);
    EVP_PKEY_free(other);
}

static void refuses_an_rsa_signature_with_any_bit_changed(void **state)
{
    struct rsa_case c;

    (void)state;
    rsa_case_init(&c);
    for (size_t bit = 0; bit < c.signature.len * 8; bit++) {
        char mask = (char)(1 << bit % 8);

        c.signature.data[bit / 8] = (char)(c.signature.data[bit / 8] ^ mask);
        assert_refused(c.key, STR("input"), buf_str(&c.signature));
        c.signature.data[bit / 8] = (char)(c.signature.data[bit / 8] ^ mask);
    }
    rsa_case_free(&c);
}

/* Also with zeros before it, which are the same number (RFC 8017, section 8.2.2, step 1). */
static void refuses_an_rsa_signature_of_any_other_length(void **state)
{
    struct rsa_case c;
    struct buf padded;

    (void)state;
    rsa_case_init(&c);
    for (size_t len = 0; len < c.signature.len; len++) {
        assert_refused(c.key, STR("input"), (struct str){c.signature.data, len});
        assert_refused(c.key, STR("input"),
                       (struct str){c.signature.data + c.signature.len - len, len});
    }
    buf_init(&padded, TEXT_MAX_BYTES);
    buf_append_byte(&padded, '\0');
    buf_append_str(&padded, buf_str(&c.signature));
    assert_refused(c.key, STR("input"), buf_str(&padded));
    buf_append_byte(&c.signature, '\0');
    assert_refused(c.key, STR("input"), buf_str(&c.signature));
    assert_refused(c.key, STR("input"), STR_NONE);
    buf_free(&padded);
    rsa_case_free(&c);
}

/* The same number, and the modulus once or more on top: not below it any more (step 2a). */
static void refuses_numbers_that_are_not_below_the_modulus(void **state)
{
    static const char zeros[256] = "";
    char ones[256];
    struct rsa_case c;
    BIGNUM *sum = BN_new(), *signature;
    struct buf modulus;
    unsigned char bytes[257];

    (void)state;
    rsa_case_init(&c);
    buf_init(&modulus, TEXT_MAX_BYTES);
    testkeys_number(c.pair, &modulus);
    assert_refused(c.key, STR("input"), buf_str(&modulus));
    assert_refused(c.key, STR("input"), (struct str){zeros, sizeof(zeros)});
    memset(ones, 0xFF, sizeof(ones));
    assert_refused(c.key, STR("input"), (struct str){ones, sizeof(ones)});
    signature = BN_bin2bn((unsigned char *)c.signature.data, (int)c.signature.len, NULL);
    assert_non_null(BN_bin2bn((unsigned char *)modulus.data, (int)modulus.len, sum));
    assert_int_equal(BN_add(sum, sum, signature), 1);
    assert_int_equal(BN_bn2binpad(sum, bytes, sizeof(bytes)), sizeof(bytes));
    assert_refused(c.key, STR("input"), (struct str){(char *)bytes, sizeof(bytes)});
    assert_refused(c.key, STR("input"), (struct str){(char *)bytes + 1, sizeof(bytes) - 1});
    BN_free(signature);
    BN_free(sum);
    buf_free(&modulus);
    rsa_case_free(&c);
}

/* Signed by the right key, but otherwise than RS256 is. */
static void refuses_other_paddings_and_digests(void **state)
{
    static const struct {
        int padding;
        const char *digest;
    } rows[] = {
        {RSA_PKCS1_PADDING, "SHA1"},     {RSA_PKCS1_PADDING, "SHA224"},
        {RSA_PKCS1_PADDING, "SHA384"},   {RSA_PKCS1_PADDING, "SHA512"},
        {RSA_PKCS1_PADDING, "MD5"},      {RSA_PKCS1_PADDING, "SHA512-256"},
        {RSA_PKCS1_PADDING, "SHA3-256"}, {RSA_PKCS1_PSS_PADDING, "SHA256"},
    };
    struct rsa_case c;

    (void)state;
    rsa_case_init(&c);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *options;
        size_t len = c.signature.len;

        assert_int_equal(
            EVP_DigestSignInit_ex(context, &options, rows[i].digest, NULL, NULL, c.pair, NULL), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, rows[i].padding), 1);
        assert_int_equal(EVP_DigestSign(context, (unsigned char *)c.signature.data, &len,
                                        (const unsigned char *)"input", 5),
                         1);
        assert_refused(c.key, STR("input"), buf_str(&c.signature));
        EVP_MD_CTX_free(context);
    }
    rsa_case_free(&c);
}

/* Raw: what is padded, as the caller has it. */
static void sign_raw(EVP_PKEY *pair, const unsigned char *block, struct buf *out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    size_t len = 256;

    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_sign(context, (unsigned char *)out->data, &len, block, 256), 1);
    EVP_PKEY_CTX_free(context);
}

/* RFC 8017, section 9.2: DigestInfo of SHA-256, before the hash. */
static const unsigned char digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                            0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                            0x01, 0x05, 0x00, 0x04, 0x20};

/* 00 01 FF … FF 00 DigestInfo hash, right up to the end. */
static void make_block(unsigned char block[256])
{
    unsigned len = 0;

    memset(block, 0xFF, 256);
    block[0] = 0;
    block[1] = 1;
    block[256 - 32 - sizeof(digest_info) - 1] = 0;
    memcpy(block + 256 - 32 - sizeof(digest_info), digest_info, sizeof(digest_info));
    assert_int_equal(EVP_Digest("input", 5, block + 256 - 32, &len, EVP_sha256(), NULL), 1);
}

/* Whoever parses the padding instead of building it takes some of these (RFC 8017, 8.2.2, note). */
static void refuses_any_other_padded_block(void **state)
{
    unsigned char block[256];
    struct rsa_case c;

    (void)state;
    rsa_case_init(&c);
    make_block(block);
    sign_raw(c.pair, block, &c.signature);
    assert_int_equal(key_verify(c.key, STR("input"), buf_str(&c.signature)), JWT_VALID);
    for (size_t i = 1; i < sizeof(block); i++) {
        block[i] ^= 1;
        sign_raw(c.pair, block, &c.signature);
        assert_refused(c.key, STR("input"), buf_str(&c.signature));
        block[i] ^= 1;
    }
    rsa_case_free(&c);
}

/* The parameters of the digest's algorithm left out, as early texts allowed. */
static void refuses_a_digest_info_without_null(void **state)
{
    static const unsigned char without[] = {0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                            0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};
    unsigned char block[256];
    struct rsa_case c;
    size_t start = 256 - 32 - sizeof(without);

    (void)state;
    rsa_case_init(&c);
    make_block(block);
    memset(block + 2, 0xFF, start - 3);
    block[start - 1] = 0;
    memcpy(block + start, without, sizeof(without));
    sign_raw(c.pair, block, &c.signature);
    assert_refused(c.key, STR("input"), buf_str(&c.signature));
    rsa_case_free(&c);
}

/* The least number whose cube is not below `number`. */
static BIGNUM *cube_root(const BIGNUM *number, BN_CTX *context)
{
    BIGNUM *root = BN_new(), *cube = BN_new();

    BN_zero(root);
    for (int bit = BN_num_bits(number) / 3 + 1; bit >= 0; bit--) {
        assert_int_equal(BN_set_bit(root, bit), 1);
        assert_int_equal(BN_sqr(cube, root, context), 1);
        assert_int_equal(BN_mul(cube, cube, root, context), 1);
        if (BN_cmp(cube, number) > 0)
            assert_int_equal(BN_clear_bit(root, bit), 1);
    }
    assert_int_equal(BN_add_word(root, 1), 1);
    BN_free(cube);
    return root;
}

/*
 * With e = 3 and room behind the hash, a number is found without the private key whose cube begins
 * as a signature does (Bleichenbacher, 2006).
 */
static void refuses_a_forged_cube_root(void **state)
{
    EVP_PKEY *public = testkeys_public(3072, true, STR("\x03"));
    struct key *key = key_of_pair(public);
    unsigned char block[384] = {0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0}, cube[384];
    BN_CTX *context = BN_CTX_new();
    BIGNUM *number, *root, *check = BN_new();
    unsigned len = 0;

    (void)state;
    memcpy(block + 11, digest_info, sizeof(digest_info));
    assert_int_equal(
        EVP_Digest("input", 5, block + 11 + sizeof(digest_info), &len, EVP_sha256(), NULL), 1);
    number = BN_bin2bn(block, sizeof(block), NULL);
    root = cube_root(number, context);
    assert_int_equal(BN_sqr(check, root, context), 1);
    assert_int_equal(BN_mul(check, check, root, context), 1);
    assert_int_equal(BN_bn2binpad(check, cube, sizeof(cube)), sizeof(cube));
    assert_memory_equal(cube, block, 11 + sizeof(digest_info) + 32);
    assert_int_equal(BN_bn2binpad(root, cube, sizeof(cube)), sizeof(cube));
    assert_refused(key, STR("input"), (struct str){(char *)cube, sizeof(cube)});
    BN_free(number);
    BN_free(root);
    BN_free(check);
    BN_CTX_free(context);
    key_free(key);
    EVP_PKEY_free(public);
}

/* ---- one algorithm for each key */

static void no_key_verifies_by_the_other_algorithm(void **state)
{
    struct key *secret = key_from_secret(SECRET, STR_NONE, NULL);
    struct rsa_case c;
    struct buf forged, public;

    (void)state;
    rsa_case_init(&c);
    buf_init(&forged, TEXT_MAX_BYTES);
    buf_init(&public, TEXT_MAX_BYTES);
    assert_refused(secret, STR("input"), buf_str(&c.signature));
    testkeys_pem(c.pair, TESTKEYS_SPKI, &public);
    testkeys_hmac(buf_str(&public), STR("input"), &forged);
    assert_refused(c.key, STR("input"), buf_str(&forged));
    buf_free(&forged);
    buf_free(&public);
    key_free(secret);
    rsa_case_free(&c);
}

static void an_end_is_not_judged_here(void **state)
{
    struct rsa_case c;

    (void)state;
    rsa_case_init(&c);
    key_set_end_ms(c.key, 0);
    assert_int_equal(key_end_ms(c.key), 0);
    assert_int_equal(key_verify(c.key, STR("input"), buf_str(&c.signature)), JWT_VALID);
    rsa_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_algorithms_by_their_exact_names),
        cmocka_unit_test(a_secret_is_a_key_for_hs256),
        cmocka_unit_test(a_certificate_tells_its_end_and_binds_nobody),
        cmocka_unit_test(an_empty_kid_is_a_kid),
        cmocka_unit_test(a_kid_has_at_most_1024_bytes),
        cmocka_unit_test(a_shared_key_lives_until_its_last_owner_frees_it),
        cmocka_unit_test(nothing_is_made_of_a_bad_key),
        cmocka_unit_test(thumbprint_of_rfc_7638),
        cmocka_unit_test(thumbprint_of_the_longest_key),
        cmocka_unit_test(signature_of_rfc_7515_a_1),
        cmocka_unit_test(signature_of_rfc_7515_a_2),
        cmocka_unit_test(signature_of_rfc_7520_4_1),
        cmocka_unit_test(refuses_another_input_or_key),
        cmocka_unit_test(refuses_an_rsa_signature_with_any_bit_changed),
        cmocka_unit_test(refuses_an_rsa_signature_of_any_other_length),
        cmocka_unit_test(refuses_numbers_that_are_not_below_the_modulus),
        cmocka_unit_test(refuses_other_paddings_and_digests),
        cmocka_unit_test(refuses_any_other_padded_block),
        cmocka_unit_test(refuses_a_digest_info_without_null),
        cmocka_unit_test(refuses_a_forged_cube_root),
        cmocka_unit_test(no_key_verifies_by_the_other_algorithm),
        cmocka_unit_test(an_end_is_not_judged_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
