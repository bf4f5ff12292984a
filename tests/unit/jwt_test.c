#include "token/jwt.h"

#include "base/base64url.h"
#include "base/buf.h"
#include "token/signer.h"
#include "unit.h"

static const struct str secret = STR("0123456789abcdef0123456789abcdef");
static const int64_t now_ms = INT64_C(2000000000) * 1000;

static struct jwt_rules rules(void)
{
    return (struct jwt_rules){.allowed = {true, true}, .max_bytes = 8192, .leeway_s = 10};
}

static enum jwt_verdict verify(struct str token, const struct jwt_rules *by, int64_t at_ms)
{
    struct keyring *keyring = keyring_new();
    struct keyset *set;
    struct jwt_claims claims;
    struct err err = {""};
    enum jwt_verdict verdict;

    set = keyset_parse(KEYSET_SECRET, secret, &err);
    assert_non_null(set);
    assert_true(keyring_add(keyring, set, "test", &err));
    keyset_free(set);
    verdict = jwt_verify(token, keyring, by, at_ms, &claims, &err);
    claims_free(&claims);
    keyring_free(keyring);
    return verdict;
}

/* A token with this header and these claims, signed by the test's secret. */
static enum jwt_verdict judge_at(const char *header, const char *claims, const struct jwt_rules *by,
                                 int64_t at_ms)
{
    struct err err = {""};
    struct signer *signer = signer_from_secret(secret, &err);
    struct buf token, signature;
    enum jwt_verdict verdict;

    buf_init(&token, 8192);
    buf_init(&signature, 64);
    base64url_encode(str_from(header), &token);
    buf_append_byte(&token, '.');
    base64url_encode(str_from(claims), &token);
    assert_true(signer_sign(signer, buf_str(&token), &signature));
    buf_append_byte(&token, '.');
    base64url_encode(buf_str(&signature), &token);
    verdict = verify(buf_str(&token), by, at_ms);
    signer_free(signer);
    buf_free(&token);
    buf_free(&signature);
    return verdict;
}

static enum jwt_verdict judge(const char *header, const char *claims)
{
    const struct jwt_rules usual = rules();

    return judge_at(header, claims, &usual, now_ms);
}

#define HEADER "{\"alg\":\"HS256\"}"
#define CLAIMS "{\"sub\":\"x\",\"exp\":2000000001}"

static void judges_headers(void **state)
{
    static const struct {
        const char *header;
        enum jwt_verdict verdict;
    } rows[] = {
        {HEADER, JWT_VALID},
        {"{\"alg\":\"HS256\",\"typ\":\"at+JWT\",\"kid\":\"any\",\"x5t\":\"a\"}", JWT_VALID},
        {"{\"alg\":\"none\"}", JWT_ALGORITHM_NONE},
        {"{\"alg\":\"NoNe\"}", JWT_ALGORITHM_NONE},
        {"{\"alg\":\"hs256\"}", JWT_ALGORITHM_UNKNOWN},
        {"{}", JWT_ALGORITHM_UNKNOWN},
        {"{\"alg\":\"RS256\"}", JWT_NO_KEY},
        {"{\"alg\":1}", JWT_HEADER_TYPE},
        {"{\"alg\":\"HS256\",\"kid\":1}", JWT_HEADER_TYPE},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", JWT_HEADER_NOT_JSON},
        {"[]", JWT_HEADER_NOT_JSON},
        {"{\"alg\":\"HS256\",\"crit\":[]}", JWT_CRITICAL},
        {"{\"alg\":\"HS256\",\"b64\":true}", JWT_UNENCODED},
        {"{\"alg\":\"HS256\",\"jwk\":{}}", JWT_EMBEDDED_KEY},
        {"{\"alg\":\"HS256\",\"jku\":null}", JWT_EMBEDDED_KEY},
        {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", JWT_COMPRESSED},
        {"{\"alg\":\"HS256\",\"cty\":\"JWT\"}", JWT_NESTED},
        {"{\"alg\":\"HS256\",\"typ\":\"JWE\"}", JWT_WRONG_TYP},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_string_equal(jwt_reason(judge(rows[i].header, CLAIMS))->code,
                            jwt_reason(rows[i].verdict)->code);
}

static void judges_claims(void **state)
{
    static const struct {
        const char *claims;
        enum jwt_verdict verdict;
    } rows[] = {
        {"{\"sub\":\"x\",\"exp\":253402300799}", JWT_VALID},
        {"{\"sub\":\"x\",\"exp\":2000000001,\"iat\":2000009999}", JWT_VALID},
        {"{\"sub\":\"x\"}", JWT_NO_EXPIRY},
        {"{\"sub\":\"x\",\"exp\":\"2000000001\"}", JWT_CLAIM_TYPE},
        {"{\"sub\":\"x\",\"exp\":true}", JWT_CLAIM_TYPE},
        {"{\"sub\":\"x\",\"exp\":null}", JWT_CLAIM_TYPE},
        {"{\"sub\":\"x\",\"exp\":253402300800}", JWT_CLAIM_TYPE},
        {"{\"sub\":\"x\",\"exp\":99999999999999999999}", JWT_CLAIM_TYPE},
        {"{\"sub\":\"x\",\"exp\":1e400}", JWT_PAYLOAD_NOT_JSON},
        {"{\"sub\":\"x\",\"exp\\u0000x\":2000000001}", JWT_PAYLOAD_NOT_JSON},
        {"{\"sub\":\"x\",\"exp\":1,\"exp\":2000000001}", JWT_PAYLOAD_NOT_JSON},
        {"{\"sub\":\"x\",\"exp\":2000000001} x", JWT_PAYLOAD_NOT_JSON},
        {"{\"exp\":2000000001}", JWT_NO_SUBJECT},
        {"{\"sub\":\"\",\"exp\":2000000001}", JWT_NO_SUBJECT},
        {"{\"sub\":1,\"exp\":2000000001}", JWT_CLAIM_TYPE},
        {"{\"sub\":\"x\",\"exp\":2000000001,\"aud\":[1]}", JWT_CLAIM_TYPE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_string_equal(jwt_reason(judge(HEADER, rows[i].claims))->code,
                            jwt_reason(rows[i].verdict)->code);
}

static void expires_exactly_at_exp_plus_leeway(void **state)
{
    const struct jwt_rules usual = rules();
    const char *claims = "{\"sub\":\"x\",\"exp\":2000000000.5}";

    (void)state;
    assert_int_equal(judge_at(HEADER, claims, &usual, now_ms + 10499), JWT_VALID);
    assert_int_equal(judge_at(HEADER, claims, &usual, now_ms + 10500), JWT_EXPIRED);
}

static void is_valid_exactly_from_nbf_less_leeway_on(void **state)
{
    const struct jwt_rules usual = rules();
    const char *claims = "{\"sub\":\"x\",\"exp\":2000000100,\"nbf\":2000000050}";

    (void)state;
    assert_int_equal(judge_at(HEADER, claims, &usual, now_ms + 39999), JWT_NOT_YET_VALID);
    assert_int_equal(judge_at(HEADER, claims, &usual, now_ms + 40000), JWT_VALID);
}

static void judges_the_form(void **state)
{
    static const char *const not_compact[] = {"", "a", "a.b", "a.b.c.d"};
    const struct jwt_rules usual = rules();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(not_compact); i++)
        assert_int_equal(verify(str_from(not_compact[i]), &usual, now_ms), JWT_NOT_COMPACT);
    assert_int_equal(verify(STR("a.b.c.d.e"), &usual, now_ms), JWT_ENCRYPTED);
    assert_int_equal(verify(STR("e30=.e30.AA"), &usual, now_ms), JWT_NOT_BASE64URL);
}

static void each_verdict_has_a_row(void **state)
{
    (void)state;
    for (int i = 0; i < JWT__MAX; i++) {
        const struct jwt_reason *reason = jwt_reason((enum jwt_verdict)i);

        assert_non_null(reason->code);
        assert_non_null(reason->detail);
        assert_non_null(reason->client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_headers),
        cmocka_unit_test(judges_claims),
        cmocka_unit_test(expires_exactly_at_exp_plus_leeway),
        cmocka_unit_test(is_valid_exactly_from_nbf_less_leeway_on),
        cmocka_unit_test(judges_the_form),
        cmocka_unit_test(each_verdict_has_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
