#include "token/jwt.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "allocations.h"
#include "template.h"
#include "unit.h"
#include "vectors.h"

enum { TEXT_MAX_BYTES = 256 * 1024 };

static const int64_t now_ms = INT64_C(2000000000) * 1000;

/* ---- keys and rules */

static const char jwks[] =
    "{\"keys\":["
    "{\"kty\":\"oct\",\"k\":\"$k\"},"
    "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\"},"
    "{\"kty\":\"oct\",\"k\":\"$other-k\",\"kid\":\"oct\"},"
    "{\"kty\":\"RSA\",\"n\":\"$other-n\",\"e\":\"AQAB\",\"kid\":\"rsa\"},"
    "{\"kty\":\"RSA\",\"n\":\"$other-n\",\"e\":\"AQAB\",\"kid\":\"old\",\"exp\":1999999999}]}";

static const char *const issuers[] = {"https://login.example.com", "two"};
static const char *const audiences[] = {"https://api.example.com", "two"};

static const struct named_rules {
    struct str name;
    struct jwt_rules rules;
} rules_table[] = {
    {STR("usual"),
     {.allowed = {true, true}, .max_bytes = 8192, .leeway_s = 10, .session_claim = "sid"}},
    {STR("strict"),
     {.allowed = {true, true},
      .issuers = {issuers, 2},
      .audiences = {audiences, 2},
      .max_bytes = 8192,
      .leeway_s = 10,
      .session_claim = "sid",
      .session_required = true}},
    {STR("hs256"), {.allowed = {[KEY_HS256] = true}, .max_bytes = 8192}},
    {STR("rs256"), {.allowed = {[KEY_RS256] = true}, .max_bytes = 8192}},
    {STR("off"), {.allowed = {true, true}, .max_bytes = 8192}},
    {STR("short"), {.allowed = {true, true}, .max_bytes = 100}},
};

static const struct jwt_rules *rules_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rules_table); i++)
        if (str_equal(name, rules_table[i].name))
            return &rules_table[i].rules;
    fail_msg("there are no rules '%.*s'", STR_ARGS(name));
    return NULL;
}

static struct str expand(const char *template, struct buf *out)
{
    buf_init(out, TEXT_MAX_BYTES);
    template_expand(str_from(template), out);
    return buf_str(out);
}

/* ---- the table of refusals */

struct judgement {
    struct keyring *ring;
    size_t rows[JWT__MAX]; /* how many came out so */
};

/* What the log is told: one line of printable ASCII, which nothing in it can end. */
static void assert_is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        assert_in_range(*text, ' ', '~');
}

static bool judge(const struct vector *vector, void *context)
{
    struct judgement *judgement = context;
    struct err err = {"left over"};
    struct jwt_claims claims;
    enum jwt_verdict verdict;
    struct buf token;

    buf_init(&token, TEXT_MAX_BYTES);
    template_expand(vector->field[2], &token);
    verdict = jwt_verify(buf_str(&token), judgement->ring, rules_of(vector->field[1]), now_ms,
                         &claims, &err);
    buf_free(&token);
    judgement->rows[verdict]++;
    assert_int_equal(claims.memory != NULL, verdict == JWT_VALID);
    assert_is_printable(err.text);
    assert_string_not_equal(err.text, "left over");
    assert_int_equal(ERR_peek_error(), 0);
    claims_free(&claims);
    if (str_equal(vector->field[0], str_from(jwt_reason(verdict)->code)))
        return true;
    return vector_wrong(vector, "as the row says", jwt_reason(verdict)->code);
}

static void every_refusal_has_a_vector(void **state)
{
    struct judgement judgement = {.ring = template_keyring(jwks)};

    (void)state;
    vectors_run("jwt.tsv", 170, judge, &judgement);
    keyring_free(judgement.ring);
    for (int i = 0; i < JWT__MAX; i++)
        if (judgement.rows[i] == 0 && i != JWT_OUT_OF_MEMORY)
            fail_msg("no vector comes out as %s", jwt_reason((enum jwt_verdict)i)->code);
}

/* The one verdict that no token brings about. */
static enum jwt_verdict verify_short_of_memory(const char *template, size_t first, size_t last,
                                               size_t *asked)
{
    struct keyring *ring = template_keyring(jwks);
    struct err err = {""};
    struct jwt_claims claims;
    enum jwt_verdict verdict;
    struct buf text;
    struct str token = expand(template, &text);

    allocations_fail(first, last);
    verdict = jwt_verify(token, ring, rules_of(STR("strict")), now_ms, &claims, &err);
    *asked = allocations_end();
    assert_int_equal(claims.memory != NULL, verdict == JWT_VALID);
    claims_free(&claims);
    buf_free(&text);
    keyring_free(ring);
    return verdict;
}

/* Never a refusal that a client would take for the token's fault, and never a half-read token. */
static void fail_each_allocation(const char *token)
{
    size_t count, asked, refused = 0;

    assert_int_equal(verify_short_of_memory(token, 1, 0, &count), JWT_VALID);
    assert_true(count > 2);
    for (size_t first = 0; first < count; first++)
        for (int is_one = 0; is_one < 2; is_one++) {
            enum jwt_verdict verdict =
                verify_short_of_memory(token, first, is_one ? first : SIZE_MAX, &asked);

            if (verdict != JWT_VALID && verdict != JWT_OUT_OF_MEMORY)
                fail_msg("allocation %zu of %zu: %s", first, count, jwt_reason(verdict)->code);
            refused += verdict == JWT_OUT_OF_MEMORY;
        }
    assert_true(refused > 2);
}

#define CLAIMS                                                                                     \
    "<{\"sub\":\"x\\u0079\",\"exp\":2000000001,\"iss\":\"two\",\"aud\":[\"x\",\"t\\u0077o\"],"     \
    "\"sid\":\"s\"}>"

static void short_memory_is_told_from_a_bad_token(void **state)
{
    (void)state;
    allocations_skip_where_none_can_fail();
    fail_each_allocation("<{\"alg\":\"HS256\",\"k\\u0069d\":\"o\\u0063t\"}>." CLAIMS
                         ".@other-secret");
    fail_each_allocation("<{\"alg\":\"RS256\"}>." CLAIMS ".@rsa");
}

/* ---- the texts */

static bool is_code(const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

/* error_description may have neither quotes nor backslashes (RFC 6750, section 3). */
static bool is_description(const char *text)
{
    return strlen(text) > 0 && strpbrk(text, "\"\\\n") == NULL;
}

static void each_row_has_a_code_of_its_own_and_its_texts(void **state)
{
    (void)state;
    for (int i = 0; i < JWT__MAX; i++) {
        const struct jwt_reason *reason = jwt_reason((enum jwt_verdict)i);

        assert_true(is_code(reason->code));
        assert_true(is_description(reason->detail));
        assert_true(is_description(reason->client));
        for (int j = 0; j < i; j++) {
            const struct jwt_reason *other = jwt_reason((enum jwt_verdict)j);

            assert_string_not_equal(reason->code, other->code);
            assert_string_not_equal(reason->detail, other->detail);
        }
    }
}

/* What he can mend; all else reads the same, since it would help a forger. */
static void a_client_learns_of_times_alone(void **state)
{
    const char *invalid = jwt_reason(JWT_BAD_SIGNATURE)->client;

    (void)state;
    for (int i = JWT_VALID + 1; i < JWT__MAX; i++) {
        const char *told = jwt_reason((enum jwt_verdict)i)->client;

        if (i == JWT_EXPIRED)
            assert_string_equal(told, "The access token expired");
        else if (i == JWT_NOT_YET_VALID)
            assert_string_equal(told, "The access token is not valid yet");
        else
            assert_string_equal(told, invalid);
    }
}

/* ---- what comes of a token that is good */

static void gives_the_claims_of_a_valid_token(void **state)
{
    struct keyring *ring = template_keyring(jwks);
    struct err err = {""};
    struct jwt_claims claims;
    struct buf text;
    struct str token = expand("<{\"alg\":\"RS256\",\"kid\":\"rsa\"}>." CLAIMS ".@other-rsa", &text);

    (void)state;
    assert_int_equal(jwt_verify(token, ring, rules_of(STR("strict")), now_ms, &claims, &err),
                     JWT_VALID);
    buf_free(&text); /* they are independent of the token and of the keys */
    keyring_free(ring);
    assert_string_equal(err.text, "");
    assert_str_equal(claims.subject, "xy");
    assert_str_equal(claims.issuer, "two");
    assert_str_equal(claims.session, "s");
    assert_int_equal(claims.audience_count, 2);
    assert_str_equal(claims.audiences[0], "x");
    assert_str_equal(claims.audiences[1], "two");
    assert_int_equal(claims.expires_ms, INT64_C(2000000001000));
    assert_int_equal(claims.not_before_ms, JWT_NO_TIME);
    assert_int_equal(claims.key_end_ms, INT64_MAX);
    assert_contains(claims.payload.data, "{\"sub\":\"x\\u0079\"");
    claims_free(&claims);
    assert_null(claims.memory);
}

/* Opened once, judged at any time. */
static void what_was_opened_does_not_depend_on_the_time(void **state)
{
    struct keyring *ring = template_keyring(jwks);
    const struct jwt_rules *rules = rules_of(STR("usual"));
    struct err err = {""};
    struct jwt_claims claims;
    struct buf text;
    struct str token = expand("<{\"alg\":\"RS256\",\"kid\":\"old\"}>."
                              "<{\"sub\":\"x\",\"exp\":1000,\"nbf\":500}>.@other-rsa",
                              &text);

    (void)state;
    assert_int_equal(jwt_open(token, ring, rules, NULL, &claims, &err), JWT_VALID);
    assert_int_equal(claims.key_end_ms, INT64_C(1999999999000));
    assert_int_equal(claims_judge(&claims, rules, 489999, &err), JWT_NOT_YET_VALID);
    assert_int_equal(claims_judge(&claims, rules, 490000, &err), JWT_VALID);
    assert_int_equal(claims_judge(&claims, rules, 1009999, &err), JWT_VALID);
    assert_int_equal(claims_judge(&claims, rules, 1010000, &err), JWT_EXPIRED);
    assert_int_equal(claims_judge(&claims, rules, INT64_C(1999999998999), &err), JWT_EXPIRED);
    assert_int_equal(claims_judge(&claims, rules, INT64_C(1999999999000), &err), JWT_KEY_WITHDRAWN);
    claims_free(&claims);
    buf_free(&text);
    keyring_free(ring);
}

/* ---- the signature alone */

static enum jwt_verdict verify_signature(const char *template, const char *ring_template,
                                         int64_t at_ms)
{
    struct keyring *ring = template_keyring(ring_template);
    struct err err = {""};
    struct buf text;
    struct str token = expand(template, &text);
    enum jwt_verdict verdict =
        jwt_verify_signature(token, ring, rules_of(STR("strict")), at_ms, &err);

    buf_free(&text);
    keyring_free(ring);
    return verdict;
}

static void the_signature_counts_whatever_the_payload_is(void **state)
{
    static const char *const payloads[] = {"", "<x>", "<\xff\xfe>", "<[]>", "<{\"exp\":1}>", "AA"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(payloads); i++) {
        struct buf template;

        buf_init(&template, TEXT_MAX_BYTES);
        buf_append_format(&template, "<{\"alg\":\"HS256\"}>.%s.@secret", payloads[i]);
        buf_append_byte(&template, '\0');
        assert_int_equal(verify_signature(template.data, jwks, now_ms), JWT_VALID);
        buf_free(&template);
    }
    assert_int_equal(verify_signature("<{\"alg\":\"HS256\"}>.A.@secret", jwks, now_ms),
                     JWT_NOT_BASE64URL);
    assert_int_equal(verify_signature("<{\"alg\":\"HS256\"}>.AA.@empty", jwks, now_ms),
                     JWT_BAD_SIGNATURE);
}

static void the_end_of_the_key_counts_as_well(void **state)
{
    const char *token = "<{\"alg\":\"RS256\",\"kid\":\"old\"}>.<x>.@other-rsa";

    (void)state;
    assert_int_equal(verify_signature(token, jwks, INT64_C(1999999998999)), JWT_VALID);
    assert_int_equal(verify_signature(token, jwks, INT64_C(1999999999000)), JWT_KEY_WITHDRAWN);
}

/* The same rows as those by which mectl is tested. */
static bool judge_signature(const struct vector *vector, void *context)
{
    struct keyring *ring = keyring_new();
    struct err err = {""};
    const char *is = "unusable";
    struct buf text, token;
    struct keyset *set;

    (void)context;
    buf_init(&text, TEXT_MAX_BYTES);
    buf_init(&token, TEXT_MAX_BYTES);
    template_expand(vector->field[1], &text);
    template_expand(vector->field[2], &token);
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
    if (set != NULL && keyring_add(ring, set, "test", &err))
        is = jwt_reason(
                 jwt_verify_signature(buf_str(&token), ring, rules_of(STR("usual")), now_ms, &err))
                 ->code;
    keyset_free(set);
    keyring_free(ring);
    buf_free(&text);
    buf_free(&token);
    if (str_equal(vector->field[0], str_from(is)))
        return true;
    return vector_wrong(vector, "as the row says", is);
}

static void judges_signatures_by_vectors(void **state)
{
    (void)state;
    vectors_run("signature.tsv", 180, judge_signature, NULL);
}

/* Listed twice, as while it is withdrawn from one of two files: the later end counts. */
static void the_latest_end_counts_of_a_key_that_is_there_twice(void **state)
{
    static const char *const rings[] = {
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\",\"exp\":10},{\"kty\":\"oct\",\"k\":\"$k\","
        "\"exp\":"
        "20},{\"kty\":\"oct\",\"k\":\"$other-k\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\",\"exp\":20},{\"kty\":\"oct\",\"k\":\"$k\","
        "\"exp\":"
        "10},{\"kty\":\"oct\",\"k\":\"$other-k\",\"exp\":30}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rings); i++) {
        const char *token = "<{\"alg\":\"HS256\"}>.<x>.@secret";

        assert_int_equal(verify_signature(token, rings[i], 19999), JWT_VALID);
        assert_int_equal(verify_signature(token, rings[i], 20000), JWT_KEY_WITHDRAWN);
    }
    assert_int_equal(verify_signature("<{\"alg\":\"HS256\"}>.<x>.@secret",
                                      "{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\",\"exp\":10},"
                                      "{\"kty\":\"oct\",\"k\":\"$k\"}]}",
                                      now_ms),
                     JWT_VALID);
}

/* ---- every change of a good token */

/* Each character replaced by each other one that base64url has, and by some that it has not. */
static void no_character_of_a_token_can_be_another_one(void **state)
{
    static const char others[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n\0\xff";
    struct keyring *ring = template_keyring(jwks);
    const struct jwt_rules *rules = rules_of(STR("usual"));
    struct buf text;

    (void)state;
    (void)expand("<{\"alg\":\"HS256\"}>.<{\"sub\":\"x\",\"exp\":2000000001}>.@secret", &text);
    for (size_t at = 0; at < text.len; at++) {
        char right = text.data[at];

        for (size_t i = 0; i < sizeof(others) - 1; i++) {
            struct err err = {""};
            struct jwt_claims claims;

            text.data[at] = others[i];
            if (jwt_verify(buf_str(&text), ring, rules, now_ms, &claims, &err) == JWT_VALID)
                assert_int_equal(others[i], right);
            claims_free(&claims);
        }
        text.data[at] = right;
    }
    buf_free(&text);
    keyring_free(ring);
}

static void no_character_can_be_added_or_left_out(void **state)
{
    struct keyring *ring = template_keyring(jwks);
    const struct jwt_rules *rules = rules_of(STR("usual"));
    struct buf text, changed;

    (void)state;
    (void)expand("<{\"alg\":\"HS256\"}>.<{\"sub\":\"x\",\"exp\":2000000001}>.@secret", &text);
    buf_init(&changed, TEXT_MAX_BYTES);
    for (size_t at = 0; at <= text.len; at++) {
        static const char *const added[] = {"", "A", "=", ".", " ", "\n"};

        for (size_t i = 0; i < ARRAY_LENGTH(added); i++) {
            size_t left_out = i == 0;
            struct err err = {""};
            struct jwt_claims claims;

            buf_reset(&changed);
            buf_append(&changed, text.data, at);
            buf_append_text(&changed, added[i]);
            if (at + left_out <= text.len)
                buf_append(&changed, text.data + at + left_out, text.len - at - left_out);
            else
                buf_reset(&changed);
            assert_int_not_equal(jwt_verify(buf_str(&changed), ring, rules, now_ms, &claims, &err),
                                 JWT_VALID);
        }
    }
    buf_free(&text);
    buf_free(&changed);
    keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal_has_a_vector),
        cmocka_unit_test(short_memory_is_told_from_a_bad_token),
        cmocka_unit_test(each_row_has_a_code_of_its_own_and_its_texts),
        cmocka_unit_test(a_client_learns_of_times_alone),
        cmocka_unit_test(gives_the_claims_of_a_valid_token),
        cmocka_unit_test(what_was_opened_does_not_depend_on_the_time),
        cmocka_unit_test(the_signature_counts_whatever_the_payload_is),
        cmocka_unit_test(the_end_of_the_key_counts_as_well),
        cmocka_unit_test(judges_signatures_by_vectors),
        cmocka_unit_test(the_latest_end_counts_of_a_key_that_is_there_twice),
        cmocka_unit_test(no_character_of_a_token_can_be_another_one),
        cmocka_unit_test(no_character_can_be_added_or_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
