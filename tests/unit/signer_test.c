#include "token/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/base64url.h"
#include "testkeys.h"
#include "token/key.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 64 * 1024 };

#define SECRET STR("0123456789abcdef0123456789abcdef")

static struct signer *rsa_signer(void)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct err err = {""};
    struct signer *signer;
    struct buf pem;

    buf_init(&pem, TEXT_MAX_BYTES);
    testkeys_pem(pair, TESTKEYS_PRIVATE, &pem);
    signer = signer_from_pem(buf_str(&pem), &err);
    if (signer == NULL)
        fail_msg("%s", err.text);
    buf_free(&pem);
    EVP_PKEY_free(pair);
    return signer;
}

/* RFC 7515, appendix A.2: RSASSA-PKCS1-v1_5 gives the same signature each time. */
static void signs_as_rfc_7515_does(void **state)
{
    static const struct str input =
        STR("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzO"
            "DAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
    struct signer *signer = rsa_signer();
    struct buf signature, text;

    (void)state;
    buf_init(&signature, TEXT_MAX_BYTES);
    buf_init(&text, TEXT_MAX_BYTES);
    assert_true(signer_sign(signer, input, &signature));
    base64url_encode(buf_str(&signature), &text);
    assert_str_equal(
        buf_str(&text),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
        "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO7"
        "5vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOk"
        "HWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
        "wlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    buf_free(&signature);
    buf_free(&text);
    signer_free(signer);
}

static void tells_its_algorithm(void **state)
{
    struct signer *rsa = rsa_signer(), *secret = signer_from_secret(SECRET, NULL);

    (void)state;
    assert_int_equal(signer_algorithm(rsa), KEY_RS256);
    assert_int_equal(signer_algorithm(secret), KEY_HS256);
    signer_free(rsa);
    signer_free(secret);
    signer_free(NULL);
}

static void assert_minted(struct signer *signer, struct str kid, const char *header)
{
    struct buf token, decoded;
    struct str rest;

    buf_init(&token, TEXT_MAX_BYTES);
    buf_init(&decoded, TEXT_MAX_BYTES);
    buf_append_text(&token, "Bearer "); /* which it leaves alone */
    assert_true(signer_mint(signer, kid, STR("{\"sub\":\"x\"}"), &token));
    rest = buf_str(&token);
    assert_true(str_starts_with(rest, STR("Bearer ")));
    rest = (struct str){rest.data + 7, rest.len - 7};
    assert_true(base64url_decode(str_cut(&rest, '.'), &decoded));
    assert_str_equal(buf_str(&decoded), header);
    buf_reset(&decoded);
    assert_true(base64url_decode(str_cut(&rest, '.'), &decoded));
    assert_str_equal(buf_str(&decoded), "{\"sub\":\"x\"}");
    assert_false(str_has_byte(rest, '.'));
    buf_free(&token);
    buf_free(&decoded);
}

static void mints_a_compact_jws(void **state)
{
    struct signer *rsa = rsa_signer(), *secret = signer_from_secret(SECRET, NULL);

    (void)state;
    assert_minted(secret, STR_NONE, "{\"typ\":\"JWT\",\"alg\":\"HS256\"}");
    assert_minted(rsa, STR("one"), "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"one\"}");
    assert_minted(secret, STR("a\"b\n"),
                  "{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"a\\\"b\\n\"}");
    assert_minted(secret, STR(""), "{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"\"}");
    signer_free(rsa);
    signer_free(secret);
}

static void what_it_signs_its_key_verifies(void **state)
{
    struct signer *signer = signer_from_secret(SECRET, NULL);
    struct key *key = key_from_secret(SECRET, STR_NONE, NULL);
    struct buf signature;

    (void)state;
    buf_init(&signature, TEXT_MAX_BYTES);
    for (int i = 0; i < 3; i++) {
        buf_reset(&signature);
        assert_true(signer_sign(signer, STR("input"), &signature));
        assert_int_equal(key_verify(key, STR("input"), buf_str(&signature)), JWT_VALID);
        assert_int_equal(key_verify(key, STR("other"), buf_str(&signature)), JWT_BAD_SIGNATURE);
    }
    buf_free(&signature);
    key_free(key);
    signer_free(signer);
}

static void a_token_that_does_not_fit_is_none(void **state)
{
    struct signer *rsa = rsa_signer(), *secret = signer_from_secret(SECRET, NULL);
    struct buf token;

    (void)state;
    for (size_t max = 0; max < 90; max++) {
        buf_init(&token, max);
        assert_false(signer_mint(secret, STR_NONE, STR("{\"sub\":\"x\"}"), &token));
        assert_false(buf_is_good(&token));
        buf_free(&token);
        buf_init(&token, max * 4);
        assert_false(signer_mint(rsa, STR_NONE, STR("{\"sub\":\"x\"}"), &token));
        buf_free(&token);
    }
    buf_init(&token, 255);
    assert_false(signer_sign(rsa, STR("input"), &token));
    buf_free(&token);
    assert_int_equal(ERR_peek_error(), 0);
    signer_free(rsa);
    signer_free(secret);
}

static void no_signer_is_made_of_a_bad_key(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct err err = {""};
    struct buf pem;

    (void)state;
    buf_init(&pem, TEXT_MAX_BYTES);
    assert_null(signer_from_secret(STR("short"), &err));
    assert_contains(err.text, "32 to 4096");
    assert_null(signer_from_pem(STR(""), &err));
    assert_contains(err.text, "no unencrypted private key");
    testkeys_pem(pair, TESTKEYS_SPKI, &pem);
    assert_null(signer_from_pem(buf_str(&pem), &err));
    assert_contains(err.text, "no unencrypted private key");
    buf_free(&pem);
    EVP_PKEY_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_rfc_7515_does),
        cmocka_unit_test(tells_its_algorithm),
        cmocka_unit_test(mints_a_compact_jws),
        cmocka_unit_test(what_it_signs_its_key_verifies),
        cmocka_unit_test(a_token_that_does_not_fit_is_none),
        cmocka_unit_test(no_signer_is_made_of_a_bad_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
