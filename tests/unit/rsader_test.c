#include "token/rsader.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "testkeys.h"
#include "token/rsa.h"
#include "unit.h"

enum { DER_MAX_BYTES = 64 * 1024, SPKI_HEAD_BYTES = 24 };

#define ALGORITHM "\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00"
#define KEY "\x30\x07\x02\x02\x00\xC5\x02\x01\x03" /* 197 and 3 */

/* ---- what is taken, and what is left to OpenSSL */

static const struct {
    struct str der;
    bool good;
    const char *what;
} pkcs1_rows[] =
    {
        {STR(KEY), true, "two numbers"},
        {STR("\x30\x06\x02\x01\x45\x02\x01\x03"), true, "numbers without a leading zero"},
        {STR(""), false, "nothing"},
        {STR("\x30"), false, "a tag alone"},
        {STR("\x30\x00"), false, "no number"},
        {STR("\x30\x03\x02\x01\x45"), false, "one number"},
        {STR("\x30\x09\x02\x01\x45\x02\x01\x03\x02\x01\x03"), false, "three numbers"},
        {STR("\x30\x06\x02\x01\x45\x02\x01\x03\x00"), false, "a byte after it"},
        {STR("\x30\x05\x02\x01\x45\x02\x01\x03"), false, "a sequence that ends too soon"},
        {STR("\x30\x07\x02\x01\x45\x02\x01\x03"), false, "a sequence that is longer than all"},
        {STR("\x30\x06\x02\x01\x45\x02\x02\x03"), false, "a number that is longer than all"},
        {STR("\x31\x06\x02\x01\x45\x02\x01\x03"), false, "a set"},
        {STR("\x30\x06\x03\x01\x45\x02\x01\x03"), false, "another tag than a number's"},
        {STR("\x30\x06\x02\x01\x85\x02\x01\x03"), false, "a negative modulus"},
        {STR("\x30\x06\x02\x01\x45\x02\x01\x83"), false, "a negative exponent"},
        {STR("\x30\x07\x02\x02\x00\x45\x02\x01\x03"), false, "a zero that need not lead"},
        {STR("\x30\x08\x02\x03\x00\x00\xC5\x02\x01\x03"), false, "two zeros that lead"},
        {STR("\x30\x06\x02\x01\x00\x02\x01\x03"), false, "zero"},
        {STR("\x30\x05\x02\x00\x02\x01\x03"), false, "a number without bytes"},
        {STR("\x30\x81\x06\x02\x01\x45\x02\x01\x03"), false, "a long length that could be short"},
        {STR("\x30\x82\x00\x06\x02\x01\x45\x02\x01\x03"), false, "one with a leading zero"},
        {STR("\x30\x83\x00\x00\x06\x02\x01\x45\x02\x01\x03"), false, "one of three bytes"},
        {STR("\x30\x80\x02\x01\x45\x02\x01\x03\x00\x00"), false, "an indefinite length (BER)"},
        {STR("\x30\x81"), false, "a length that is cut off"},
        {STR("\x30\x82\x01"), false, "a length of two bytes that is cut off"},
        {STR("\x30\xFF\x02\x01\x45\x02\x01\x03"), false, "a length of 127 bytes"},
},
  spki_rows[] = {
      {STR("\x30\x1B" ALGORITHM "\x03\x0A\x00" KEY), true, "a key"},
      {STR("\x30\x1B" ALGORITHM "\x03\x0A\x00" KEY "\x00"), false, "a byte after it"},
      {STR("\x30\x1B" ALGORITHM "\x03\x0A\x01" KEY), false, "bits that are not used"},
      {STR("\x30\x1B" ALGORITHM "\x04\x0A\x00" KEY), false, "an octet string"},
      {STR("\x30\x11" ALGORITHM "\x03\x00"), false, "no bit"},
      {STR("\x30\x0F" ALGORITHM), false, "no bit string"},
      {STR("\x30\x0C"
           "\x03\x0A\x00" KEY),
       false, "no algorithm"},
      {STR("\x30\x1D" ALGORITHM "\x03\x0A\x00" KEY "\x05\x00"), false, "something after the bits"},
      {STR("\x30\x1B\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A\x05\x00\x03\x0A\x00" KEY),
       false, "RSASSA-PSS"},
      {STR("\x30\x19\x30\x0B\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x03\x0A\x00" KEY), false,
       "no parameters"},
      {STR(KEY), false, "PKCS#1"},
      {STR(""), false, "nothing"},
};

static void reads_pkcs1_in_its_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pkcs1_rows); i++) {
        struct rsader_numbers numbers;

        if (rsader_read_pkcs1(pkcs1_rows[i].der, &numbers) != pkcs1_rows[i].good)
            fail_msg("%s", pkcs1_rows[i].what);
    }
}

static void reads_spki_in_its_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(spki_rows); i++) {
        struct rsader_numbers numbers;

        if (rsader_read_spki(spki_rows[i].der, &numbers) != spki_rows[i].good)
            fail_msg("%s", spki_rows[i].what);
    }
}

static void tells_numbers_without_their_leading_zero(void **state)
{
    struct rsader_numbers numbers;

    (void)state;
    assert_true(rsader_read_pkcs1(STR(KEY), &numbers));
    assert_true(str_equal(numbers.modulus, STR("\xC5")));
    assert_true(str_equal(numbers.exponent, STR("\x03")));
}

/* ---- beside OpenSSL */

static void assert_same(const EVP_PKEY *key, enum rsa_number which, struct str expected)
{
    struct buf number;

    buf_init(&number, DER_MAX_BYTES);
    assert_true(rsa_number(key, which, &number));
    assert_true(str_equal(buf_str(&number), expected));
    buf_free(&number);
}

/* True where it was taken: then OpenSSL takes it, too, and for the same. */
static bool is_taken_as_by_openssl(struct str der)
{
    const unsigned char *at = (const unsigned char *)der.data;
    struct rsader_numbers numbers;
    EVP_PKEY *key;

    if (!rsader_read_spki(der, &numbers))
        return false;
    key = d2i_PUBKEY(NULL, &at, (long)der.len);
    assert_non_null(key);
    assert_ptr_equal(at, der.data + der.len);
    assert_int_equal(EVP_PKEY_is_a(key, "RSA"), 1);
    assert_same(key, RSA_MODULUS, numbers.modulus);
    assert_same(key, RSA_EXPONENT, numbers.exponent);
    EVP_PKEY_free(key);
    return true;
}

static void takes_every_size_as_openssl_does(void **state)
{
    static const unsigned bits[] = {512, 1016, 1024, 2047, 2048, 2049, 4096, 8192, 16384};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bits); i++) {
        EVP_PKEY *key = testkeys_public(bits[i], true, STR("\x01\x00\x01"));
        struct buf der;

        buf_init(&der, DER_MAX_BYTES);
        testkeys_der(key, &der);
        assert_true(is_taken_as_by_openssl(buf_str(&der)));
        buf_free(&der);
        EVP_PKEY_free(key);
    }
}

/* Each bit of the head, and of the exponent at the end, and each length. */
static void takes_nothing_damaged_that_openssl_does_not_take(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    size_t taken = 0, tried = 0;
    struct buf der;

    (void)state;
    buf_init(&der, DER_MAX_BYTES);
    testkeys_der(pair, &der);
    for (size_t i = 0; i < der.len; i++) {
        if (i > 2 * SPKI_HEAD_BYTES && i + SPKI_HEAD_BYTES < der.len)
            continue; /* the middle of the modulus */
        for (unsigned bit = 0; bit < 8; bit++, tried++) {
            der.data[i] = (char)(der.data[i] ^ 1 << bit);
            taken += is_taken_as_by_openssl(buf_str(&der)) ? 1 : 0;
            der.data[i] = (char)(der.data[i] ^ 1 << bit);
        }
    }
    assert_true(taken > 0 && taken < tried); /* a modulus with another bit is a modulus */
    for (size_t len = 0; len < der.len; len++)
        assert_false(is_taken_as_by_openssl((struct str){der.data, len}));
    buf_free(&der);
    EVP_PKEY_free(pair);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pkcs1_in_its_one_form),
        cmocka_unit_test(reads_spki_in_its_one_form),
        cmocka_unit_test(tells_numbers_without_their_leading_zero),
        cmocka_unit_test(takes_every_size_as_openssl_does),
        cmocka_unit_test(takes_nothing_damaged_that_openssl_does_not_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
