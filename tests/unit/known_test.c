#include "token/known.h"

#include "base/base64url.h"
#include "template.h"
#include "token/verifier.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 64 * 1024, SIGNATURES_MAX = 8 };

#define RSA "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\",\"kid\":\"name\"}"
#define OTHER "{\"kty\":\"RSA\",\"n\":\"$other-n\",\"e\":\"AQAB\",\"kid\":\"name\"}"
#define ENDED "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\",\"kid\":\"name\",\"exp\":1000}"
#define SECRET "{\"kty\":\"oct\",\"k\":\"$k\"}"
#define RING(keys) "{\"keys\":[" keys "]}"

#define TOKEN "<{\"alg\":\"RS256\",\"kid\":\"name\"}>.<{\"sub\":\"x\",\"exp\":2000}>.@rsa"
#define FORGED "<{\"alg\":\"RS256\",\"kid\":\"name\"}>.<{\"sub\":\"y\",\"exp\":2000}>.@other-rsa"
#define HMAC "<{\"alg\":\"HS256\"}>.<{\"sub\":\"x\",\"exp\":2000}>.@secret"

static const struct jwt_rules usual = {.allowed = {true, true}, .max_bytes = 8192};
static const int64_t now_ms = 1000000;

/* ---- one who keeps signatures for others */

struct kept_signature {
    char algorithm[8];
    unsigned char key[DIGEST_BYTES], token[DIGEST_BYTES];
};

struct keeper {
    struct kept_signature kept[SIGNATURES_MAX], last;
    size_t count, asked;
    bool says_yes; /* to all */
};

static bool has(void *context, const struct known_signature *signature)
{
    struct keeper *keeper = context;

    keeper->asked++;
    memset(&keeper->last, 0, sizeof(keeper->last));
    (void)snprintf(keeper->last.algorithm, sizeof(keeper->last.algorithm), "%s",
                   signature->algorithm);
    memcpy(keeper->last.key, signature->key, DIGEST_BYTES);
    memcpy(keeper->last.token, signature->token, DIGEST_BYTES);
    for (size_t i = 0; i < keeper->count; i++)
        if (memcmp(&keeper->kept[i], &keeper->last, sizeof(keeper->last)) == 0)
            return true;
    return keeper->says_yes;
}

static void add(void *context)
{
    struct keeper *keeper = context;

    assert_true(keeper->count < SIGNATURES_MAX);
    keeper->kept[keeper->count++] = keeper->last;
}

/* ---- verifiers that ask it */

/* How a token of the template is judged by a verifier that begins with it. */
static enum jwt_verdict judge_by(struct keeper *keeper, const char *template, const char *jwks,
                                 size_t kept_max, struct verifier_counts *counts)
{
    const struct known_signatures known = {has, add, keeper};
    struct verifier *verifier = verifier_new(&usual, kept_max);
    struct keyring *ring = template_keyring(jwks);
    const struct verifier_keys keys = {ring, 1};
    const struct jwt_claims *claims;
    enum jwt_verdict verdict;
    struct err err;
    struct buf token;

    buf_init(&token, TEXT_MAX_BYTES);
    template_expand(str_from(template), &token);
    assert_non_null(verifier);
    verifier_share(verifier, &known);
    verdict = verifier_verify(verifier, buf_str(&token), &keys, now_ms, &claims, &err);
    if (claims != NULL)
        assert_str_equal(claims->subject, strcmp(template, FORGED) == 0 ? "y" : "x");
    *counts = *verifier_counts(verifier);
    buf_free(&token);
    verifier_free(verifier);
    keyring_free(ring);
    return verdict;
}

static void assert_judged(struct keeper *keeper, const char *template, const char *jwks,
                          enum jwt_verdict expected, bool shared)
{
    struct verifier_counts counts;

    assert_int_equal(judge_by(keeper, template, jwks, 16, &counts), expected);
    assert_int_equal(counts.shared, shared);
    assert_int_equal(counts.opened, !shared);
}

static void what_one_found_good_another_does_not_verify(void **state)
{
    struct keeper keeper = {.count = 0};

    (void)state;
    assert_judged(&keeper, TOKEN, RING(RSA), JWT_VALID, false);
    assert_int_equal(keeper.count, 1);
    assert_string_equal(keeper.kept[0].algorithm, "RS256");
    assert_judged(&keeper, TOKEN, RING(RSA), JWT_VALID, true);
    assert_int_equal(keeper.count, 1);
}

/* The keeper is believed: whoever keeps signatures has to know why. */
static void who_keeps_them_is_believed(void **state)
{
    struct keeper keeper = {.says_yes = true};

    (void)state;
    assert_judged(&keeper, FORGED, RING(RSA), JWT_VALID, true);
    assert_int_equal(keeper.count, 0);
}

static void a_bad_signature_is_told_to_nobody(void **state)
{
    struct keeper keeper = {.count = 0};

    (void)state;
    assert_judged(&keeper, FORGED, RING(RSA), JWT_BAD_SIGNATURE, false);
    assert_judged(&keeper, TOKEN "/last-bit", RING(RSA), JWT_BAD_SIGNATURE, false);
    assert_int_equal(keeper.asked, 2);
    assert_int_equal(keeper.count, 0);
}

static void no_other_signature_content_or_key_is_known(void **state)
{
    static const char *const others[] = {
        FORGED,
        TOKEN "/last-bit",
        "<{\"alg\":\"RS256\",\"kid\":\"name\"}>.<{\"sub\":\"x\",\"exp\":2001}>.@other-rsa",
        "<{\"kid\":\"name\",\"alg\":\"RS256\"}>.<{\"sub\":\"x\",\"exp\":2000}>.@other-rsa",
    };
    struct keeper keeper = {.count = 0};

    (void)state;
    assert_judged(&keeper, TOKEN, RING(RSA), JWT_VALID, false);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_judged(&keeper, others[i], RING(RSA), JWT_BAD_SIGNATURE, false);
    assert_judged(&keeper, TOKEN, RING(OTHER), JWT_BAD_SIGNATURE, false);
    assert_judged(&keeper, TOKEN, RING(SECRET), JWT_NO_KEY, false);
    assert_judged(&keeper, TOKEN, RING(OTHER "," RSA), JWT_VALID, true);
    assert_int_equal(keeper.count, 1);
}

static void of_several_keys_the_one_that_is_good_is_told(void **state)
{
    struct keeper keeper = {.count = 0};

    (void)state;
    assert_judged(&keeper, TOKEN, RING(OTHER "," RSA), JWT_VALID, false);
    assert_int_equal(keeper.asked, 2);
    assert_int_equal(keeper.count, 1);
    assert_judged(&keeper, TOKEN, RING(RSA), JWT_VALID, true);
    assert_judged(&keeper, TOKEN, RING(OTHER), JWT_BAD_SIGNATURE, false);
}

static void the_end_of_the_key_is_judged_all_the_same(void **state)
{
    struct keeper keeper = {.count = 0};

    (void)state;
    assert_judged(&keeper, TOKEN, RING(RSA), JWT_VALID, false);
    assert_judged(&keeper, TOKEN, RING(ENDED), JWT_KEY_WITHDRAWN, true);
    assert_judged(&keeper, TOKEN, RING(ENDED "," RSA), JWT_VALID, true);
}

static void form_and_claims_are_judged_all_the_same(void **state)
{
    static const struct {
        const char *template;
        enum jwt_verdict verdict;
        bool shared;
    } rows[] = {
        {"<{\"alg\":\"RS256\"}>.<{\"sub\":\"x\",\"exp\":1000}>.@rsa", JWT_EXPIRED, true},
        {"<{\"alg\":\"RS256\"}>.<{\"sub\":\"x\"}>.@rsa", JWT_NO_EXPIRY, true},
        {"<{\"alg\":\"RS256\"}>.<[]>.@rsa", JWT_PAYLOAD_NOT_JSON, true},
        {"<{\"alg\":\"RS256\",\"crit\":[]}>.<{\"sub\":\"x\",\"exp\":2000}>.@rsa", JWT_CRITICAL,
         false},
        {"<{\"alg\":\"none\"}>.<{\"sub\":\"x\",\"exp\":2000}>.@rsa", JWT_ALGORITHM_NONE, false},
        {"<{\"alg\":\"RS256\"}>.<{\"sub\":\"x\",\"exp\":2000}>.%%%", JWT_NOT_BASE64URL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct keeper keeper = {.says_yes = true};

        assert_judged(&keeper, rows[i].template, RING(RSA), rows[i].verdict, rows[i].shared);
    }
}

static void nobody_is_asked_about_an_hmac(void **state)
{
    struct keeper keeper = {.says_yes = true};

    (void)state;
    assert_judged(&keeper, HMAC, RING(SECRET), JWT_VALID, false);
    assert_judged(&keeper, HMAC "/last-bit", RING(SECRET), JWT_BAD_SIGNATURE, false);
    assert_int_equal(keeper.asked, 0);
    assert_int_equal(keeper.count, 0);
}

static void who_keeps_no_tokens_asks_nobody(void **state)
{
    struct keeper keeper = {.says_yes = true};
    struct verifier_counts counts;

    (void)state;
    assert_int_equal(judge_by(&keeper, TOKEN, RING(RSA), 0, &counts), JWT_VALID);
    assert_int_equal(keeper.asked + keeper.count, 0);
    assert_int_equal(counts.opened, 1);
}

static void a_key_is_known_by_what_it_is(void **state)
{
    struct keeper keeper = {.count = 0};
    struct buf thumbprint;

    (void)state;
    assert_judged(&keeper, TOKEN, RING(RSA), JWT_VALID, false);
    buf_init(&thumbprint, TEXT_MAX_BYTES);
    base64url_encode((struct str){(const char *)keeper.kept[0].key, DIGEST_BYTES}, &thumbprint);
    /* RFC 7638, of the key of RFC 7515, appendix A.2.1 */
    assert_str_equal(buf_str(&thumbprint), "IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8");
    buf_free(&thumbprint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_found_good_another_does_not_verify),
        cmocka_unit_test(who_keeps_them_is_believed),
        cmocka_unit_test(a_bad_signature_is_told_to_nobody),
        cmocka_unit_test(no_other_signature_content_or_key_is_known),
        cmocka_unit_test(of_several_keys_the_one_that_is_good_is_told),
        cmocka_unit_test(the_end_of_the_key_is_judged_all_the_same),
        cmocka_unit_test(form_and_claims_are_judged_all_the_same),
        cmocka_unit_test(nobody_is_asked_about_an_hmac),
        cmocka_unit_test(who_keeps_no_tokens_asks_nobody),
        cmocka_unit_test(a_key_is_known_by_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
