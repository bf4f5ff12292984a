#include "token/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "testkeys.h"
#include "unit.h"

enum { PEM_MAX_BYTES = 64 * 1024 };

#define F4 STR("\x01\x00\x01") /* 65537 */

/* Frees the numbers. */
static EVP_PKEY *public_of(struct rsa_numbers *numbers)
{
    EVP_PKEY *key = rsa_public(numbers);

    assert_non_null(key);
    rsa_numbers_free(numbers);
    return key;
}

/* ---- what a PEM text comes to */

/* The key is returned where `complaint` is NULL, and has to be freed. */
static EVP_PKEY *read_pem(struct str pem, int64_t *end_ms, const char *complaint)
{
    struct err err = {""};
    struct rsa_numbers numbers;
    EVP_PKEY *key = NULL;

    if (rsa_numbers_from_pem(pem, &numbers, end_ms, &err))
        key = public_of(&numbers);

    assert_int_equal(ERR_peek_error(), 0);
    if (complaint == NULL && key == NULL)
        fail_msg("refused, since %s:\n%.*s", err.text, STR_ARGS(pem));
    if (complaint != NULL && key != NULL)
        fail_msg("taken, though '%s':\n%.*s", complaint, STR_ARGS(pem));
    if (complaint != NULL)
        assert_contains(err.text, complaint);
    return key;
}

static void assert_pem(struct str pem, const char *complaint)
{
    int64_t end_ms;

    EVP_PKEY_free(read_pem(pem, &end_ms, complaint));
}

/* Frees the key. */
static void assert_key(EVP_PKEY *key, enum testkeys_form form, const char *complaint)
{
    struct buf pem;

    buf_init(&pem, PEM_MAX_BYTES);
    testkeys_pem(key, form, &pem);
    assert_pem(buf_str(&pem), complaint);
    buf_free(&pem);
    EVP_PKEY_free(key);
}

static const struct {
    enum testkeys_form form;
    const char *complaint; /* NULL: it is taken */
    int64_t end_ms;
} forms[] = {
    {TESTKEYS_SPKI, NULL, INT64_MAX},
    {TESTKEYS_PKCS1, NULL, INT64_MAX},
    {TESTKEYS_CERTIFICATE, NULL, TESTKEYS_CERTIFICATE_END_MS},
    {TESTKEYS_TRUSTED_CERTIFICATE, "only the plain kind", 0},
    {TESTKEYS_REQUEST, "it is none of 'PUBLIC KEY'", 0},
    {TESTKEYS_PRIVATE, "openssl rsa -in FILE -pubout", 0},
    {TESTKEYS_PRIVATE_ENCRYPTED, "openssl rsa -in FILE -pubout", 0},
    {TESTKEYS_PRIVATE_PKCS1, "openssl rsa -in FILE -pubout", 0},
    {TESTKEYS_PRIVATE_PKCS1_ENCRYPTED, "openssl rsa -in FILE -pubout", 0},
};

static void takes_a_public_key_in_each_of_its_forms(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        struct buf pem;
        int64_t end_ms = 1;
        EVP_PKEY *key;

        buf_init(&pem, PEM_MAX_BYTES);
        testkeys_pem(pair, forms[i].form, &pem);
        key = read_pem(buf_str(&pem), &end_ms, forms[i].complaint);
        if (forms[i].complaint == NULL) {
            assert_int_equal(EVP_PKEY_eq(key, pair), 1);
            assert_int_equal(end_ms, forms[i].end_ms);
        }
        EVP_PKEY_free(key);
        buf_free(&pem);
    }
    EVP_PKEY_free(pair);
}

static void refuses_keys_that_are_not_for_rsassa(void **state)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *pss = NULL;

    (void)state;
    assert_key(testkeys_other("EC"), TESTKEYS_SPKI, "it is not an RSA key");
    assert_key(testkeys_other("EC"), TESTKEYS_CERTIFICATE, "it is not an RSA key");
    assert_key(testkeys_other("X25519"), TESTKEYS_SPKI, "it is not an RSA key");
    assert_key(testkeys_other("EC"), TESTKEYS_PRIVATE_PKCS1, "it is a private key");
    /* OpenSSL takes this one for RSA, too, but binds it to another padding. */
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_generate(context, &pss), 1);
    assert_key(pss, TESTKEYS_SPKI, "it is not an RSA key");
    EVP_PKEY_CTX_free(context);
}

static void refuses_ed25519(void **state)
{
    (void)state;
    assert_key(testkeys_other("ED25519"), TESTKEYS_SPKI, "it is not an RSA key");
    assert_key(testkeys_other("ED25519"), TESTKEYS_PRIVATE, "it is a private key");
}

/* ---- the text around the block, and the block itself */

static const char *const lines =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
    "oQIDAQAB\n";

#define BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define END "-----END PUBLIC KEY-----\n"

/* Each `%` stands for the lines of the key of RFC 7515, appendix A.2.1. */
static void assert_text(const char *format, const char *complaint)
{
    struct str rest = str_from(format);
    struct buf text;

    buf_init(&text, PEM_MAX_BYTES);
    while (str_is_set(rest)) {
        buf_append_str(&text, str_cut(&rest, '%'));
        if (str_is_set(rest))
            buf_append_text(&text, lines);
    }
    assert_pem(buf_str(&text), complaint);
    buf_free(&text);
}

static void text_may_stand_around_the_block(void **state)
{
    (void)state;
    assert_text(BEGIN "%" END, NULL);
    assert_text(BEGIN "%-----END PUBLIC KEY-----", NULL);
    assert_text("the key of example.com\n\n" BEGIN "%" END "until 2030\n", NULL);
    assert_text("\n\n" BEGIN "%" END "\n\n", NULL);
}

static void refuses_what_is_no_block(void **state)
{
    static const struct str texts[] = {
        STR(""),       STR("\n"),
        STR("key"),    STR("{\"kty\":\"RSA\"}"),
        STR("\0\0\0"), STR("-----BEGIN PUBLIC KEY-----"),
        STR(BEGIN),    STR(BEGIN END),
        STR(END),      STR("-----BEGIN -----\n-----END -----\n"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_pem(texts[i], "PEM");
    assert_text(BEGIN "%", "there is no PEM block");
    assert_text("%" END, "there is no PEM block");
    assert_text(BEGIN "%-----END RSA PUBLIC KEY-----\n", "there is no PEM block");
    assert_text(BEGIN "*%" END, "there is no PEM block");
    assert_text(" " BEGIN "%" END, "there is no PEM block");
}

static void refuses_a_block_with_something_else_in_it(void **state)
{
    (void)state;
    assert_text(BEGIN "AAAA\n" END, "the key in it cannot be read");
    assert_text(BEGIN "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n" END,
                "the key in it cannot be read");
    assert_text("-----BEGIN CERTIFICATE-----\n%-----END CERTIFICATE-----\n",
                "the certificate in it cannot be read");
    assert_text("-----BEGIN EC PUBLIC KEY-----\n%-----END EC PUBLIC KEY-----\n",
                "the key in it cannot be read");
    assert_text("-----BEGIN PRIVATE KEY-----\n%-----END PRIVATE KEY-----\n", "a private key");
    assert_text("-----BEGIN PUBLIC KEYS-----\n%-----END PUBLIC KEYS-----\n", "it is none of");
    assert_text("-----BEGIN X509 CRL-----\n%-----END X509 CRL-----\n", "it is none of");
    assert_text("-----BEGIN X509 CERTIFICATE-----\n%-----END X509 CERTIFICATE-----\n",
                "only the plain kind");
}

/* OpenSSL would ask for the passphrase at the terminal. */
static void refuses_an_encrypted_public_key(void **state)
{
    (void)state;
    assert_text(BEGIN "Proc-Type: 4,ENCRYPTED\n"
                      "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n%" END,
                "the key in it cannot be read");
}

/* Which of them is meant must be beyond doubt. */
static void refuses_several_blocks(void **state)
{
    (void)state;
    assert_text(BEGIN "%" END BEGIN "%" END, "more than one PEM block");
    assert_text(BEGIN "%" END "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "more than one PEM block");
    assert_text(BEGIN "%" END "-----BEGIN ", "more than one PEM block");
    assert_text("-----BEGIN X\n" BEGIN "%" END, "PEM block");
    assert_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" BEGIN "%" END,
                "a private key");
}

static void refuses_der(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct buf der;

    (void)state;
    buf_init(&der, PEM_MAX_BYTES);
    testkeys_der(pair, &der);
    assert_pem(buf_str(&der), "there is no PEM block");
    buf_free(&der);
    EVP_PKEY_free(pair);
}

/* ---- sizes, exponents, moduli: the same by both ways in */

/* From numbers, with leading zeros. */
static void assert_numbers(struct str modulus, struct str exponent, const char *complaint)
{
    struct err err = {""};
    struct rsa_numbers numbers;
    EVP_PKEY *key = NULL;

    if (rsa_numbers_take(modulus, exponent, &numbers, &err))
        key = public_of(&numbers);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(rsa_is_good(modulus, exponent, NULL), complaint == NULL);
    if ((key == NULL) != (complaint != NULL))
        fail_msg("%s: %s", complaint, err.text);
    if (complaint != NULL)
        assert_contains(err.text, complaint);
    EVP_PKEY_free(key);
}

static void assert_both(unsigned bits, bool odd, struct str exponent, const char *complaint)
{
    struct buf modulus;

    buf_init(&modulus, PEM_MAX_BYTES);
    testkeys_modulus(bits, odd, &modulus);
    assert_numbers(buf_str(&modulus), exponent, complaint);
    buf_free(&modulus);
    assert_key(testkeys_public(bits, odd, exponent), TESTKEYS_SPKI, complaint);
    assert_key(testkeys_public(bits, odd, exponent), TESTKEYS_PKCS1, complaint);
}

static void takes_moduli_of_2048_to_8192_bits(void **state)
{
    static const unsigned good[] = {2048, 2049, 2056, 3072, 4096, 8191, 8192};
    static const unsigned bad[] = {512, 1024, 2040, 2047, 8193, 8200, 16384, 65536};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_both(good[i], true, F4, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        char complaint[64];

        (void)snprintf(complaint, sizeof(complaint),
                       "an RSA key of %u bits, but must have 2048 to 8192", bad[i]);
        assert_both(bad[i], true, F4, complaint);
    }
}

static void refuses_an_even_modulus(void **state)
{
    (void)state;
    assert_both(2048, false, F4, "its RSA modulus is even");
    assert_both(8192, false, F4, "its RSA modulus is even");
}

static void takes_odd_exponents_of_2_to_64_bits(void **state)
{
    static const struct {
        struct str exponent;
        bool good;
    } rows[] = {
        {STR("\x01"), false},
        {STR("\x02"), false},
        {STR("\x03"), true},
        {STR("\x04"), false},
        {STR("\x11"), true},
        {F4, true},
        {STR("\x01\x00\x00"), false},
        {STR("\x80\x00\x00\x00\x00\x00\x00\x01"), true},
        {STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), true},
        {STR("\x01\x00\x00\x00\x00\x00\x00\x00\x01"), false},
        {STR("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const char *complaint = rows[i].good ? NULL : "its RSA exponent is even, 1, or longer";

        assert_both(2048, true, rows[i].exponent, complaint);
        assert_both(4096, true, rows[i].exponent, complaint);
    }
}

static void refuses_numbers_that_are_none(void **state)
{
    static const char zeros[300] = "";
    struct buf modulus;

    (void)state;
    buf_init(&modulus, PEM_MAX_BYTES);
    testkeys_modulus(2048, true, &modulus);
    assert_numbers(STR(""), F4, "RSA key of 0 bits");
    assert_numbers(STR_NONE, F4, "RSA key of 0 bits");
    assert_numbers((struct str){zeros, sizeof(zeros)}, F4, "RSA key of 0 bits");
    assert_numbers(buf_str(&modulus), STR(""), "its RSA exponent");
    assert_numbers(buf_str(&modulus), STR_NONE, "its RSA exponent");
    assert_numbers(buf_str(&modulus), (struct str){zeros, 3}, "its RSA exponent");
    assert_numbers(buf_str(&modulus), buf_str(&modulus), "its RSA exponent");
    buf_free(&modulus);
}

/* RFC 7518, section 6.3.1.1, forbids them to those who write a JWK; some write them all the same.
 */
static void leading_zeros_make_no_other_key(void **state)
{
    struct rsa_numbers numbers;
    struct buf padded, is;
    EVP_PKEY *key;

    (void)state;
    buf_init(&padded, PEM_MAX_BYTES);
    buf_init(&is, PEM_MAX_BYTES);
    buf_append(&padded, "\0\0\0", 3);
    testkeys_modulus(2048, true, &padded);
    assert_true(rsa_numbers_take(buf_str(&padded), STR("\0\0\x01\x00\x01"), &numbers, NULL));
    assert_true(str_equal(buf_str(&numbers.exponent), F4));
    assert_int_equal(numbers.modulus.len, 256);
    key = public_of(&numbers);
    assert_int_equal(EVP_PKEY_get_bits(key), 2048);
    assert_true(rsa_number(key, RSA_MODULUS, &is));
    assert_int_equal(is.len, 256);
    assert_memory_equal(is.data, padded.data + 3, 256);
    buf_reset(&is);
    assert_true(rsa_number(key, RSA_EXPONENT, &is));
    assert_true(str_equal(buf_str(&is), F4));
    EVP_PKEY_free(key);
    buf_free(&padded);
    buf_free(&is);
}

static void a_number_that_does_not_fit_is_no_number(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct buf small;

    (void)state;
    buf_init(&small, 255);
    assert_false(rsa_number(pair, RSA_MODULUS, &small));
    buf_free(&small);
    EVP_PKEY_free(pair);
}

/* ---- private keys */

static void assert_private(EVP_PKEY *key, enum testkeys_form form, const char *complaint)
{
    struct err err = {""};
    EVP_PKEY *private;
    struct buf pem;

    buf_init(&pem, PEM_MAX_BYTES);
    testkeys_pem(key, form, &pem);
    private = rsa_private_from_pem(buf_str(&pem), &err);
    assert_int_equal(ERR_peek_error(), 0);
    if ((private == NULL) != (complaint != NULL))
        fail_msg("%s: %s", complaint, err.text);
    if (complaint != NULL)
        assert_contains(err.text, complaint);
    EVP_PKEY_free(private);
    buf_free(&pem);
    EVP_PKEY_free(key);
}

static void signs_with_an_unencrypted_private_key_alone(void **state)
{
    static const char *const none = "there is no unencrypted private key";

    (void)state;
    assert_private(testkeys_pair("rfc7515"), TESTKEYS_PRIVATE, NULL);
    assert_private(testkeys_pair("rfc7515"), TESTKEYS_PRIVATE_PKCS1, NULL);
    assert_private(testkeys_pair("rfc7515"), TESTKEYS_PRIVATE_ENCRYPTED, none);
    assert_private(testkeys_pair("rfc7515"), TESTKEYS_PRIVATE_PKCS1_ENCRYPTED, none);
    assert_private(testkeys_pair("rfc7515"), TESTKEYS_SPKI, none);
    assert_private(testkeys_pair("rfc7515"), TESTKEYS_CERTIFICATE, none);
    assert_private(testkeys_other("EC"), TESTKEYS_PRIVATE, "it is not an RSA key");
    assert_private(EVP_RSA_gen(1024), TESTKEYS_PRIVATE, "an RSA key of 1024 bits");
    assert_null(rsa_private_from_pem(STR(""), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_public_key_in_each_of_its_forms),
        cmocka_unit_test(refuses_keys_that_are_not_for_rsassa),
        cmocka_unit_test(refuses_ed25519),
        cmocka_unit_test(text_may_stand_around_the_block),
        cmocka_unit_test(refuses_what_is_no_block),
        cmocka_unit_test(refuses_a_block_with_something_else_in_it),
        cmocka_unit_test(refuses_an_encrypted_public_key),
        cmocka_unit_test(refuses_several_blocks),
        cmocka_unit_test(refuses_der),
        cmocka_unit_test(takes_moduli_of_2048_to_8192_bits),
        cmocka_unit_test(refuses_an_even_modulus),
        cmocka_unit_test(takes_odd_exponents_of_2_to_64_bits),
        cmocka_unit_test(refuses_numbers_that_are_none),
        cmocka_unit_test(leading_zeros_make_no_other_key),
        cmocka_unit_test(a_number_that_does_not_fit_is_no_number),
        cmocka_unit_test(signs_with_an_unencrypted_private_key_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
