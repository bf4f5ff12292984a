#include "token/claims.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "unit.h"
#include "vectors.h"

enum { TEXT_MAX_BYTES = 256 * 1024 };

static const struct jwt_rules with_sid = {.session_claim = "sid"};

/* ---- what is read */

static void append_text(struct buf *out, struct str text)
{
    if (!str_is_set(text))
        buf_append_text(out, "-");
    else
        buf_append_str(out, text.len == 0 ? STR("_") : text);
}

static void append_time(struct buf *out, int64_t time_ms)
{
    if (time_ms == JWT_NO_TIME)
        buf_append_text(out, " -");
    else
        buf_append_format(out, " %" PRId64, time_ms);
}

static void describe(const struct jwt_claims *claims, struct buf *out)
{
    append_text(out, claims->issuer);
    buf_append_text(out, " ");
    append_text(out, claims->subject);
    buf_append_text(out, " ");
    append_text(out, claims->session);
    buf_append_text(out, " [");
    for (size_t i = 0; i < claims->audience_count; i++) {
        buf_append_text(out, i == 0 ? "" : " ");
        append_text(out, claims->audiences[i]);
    }
    buf_append_text(out, "]");
    append_time(out, claims->expires_ms);
    append_time(out, claims->not_before_ms);
}

static bool judge(const struct vector *vector, void *context)
{
    struct err err = {""};
    struct jwt_claims claims;
    enum jwt_verdict verdict = claims_read(vector->field[1], &with_sid, 7, &claims, &err);
    struct buf is, expected;
    bool good;

    (void)context;
    buf_init(&is, TEXT_MAX_BYTES);
    buf_init(&expected, TEXT_MAX_BYTES);
    if (verdict == JWT_VALID) {
        describe(&claims, &is);
        assert_true(str_equal(claims.payload, vector->field[1]));
        assert_int_equal(claims.key_end_ms, 7);
    } else {
        buf_append_text(&is, err.text);
        assert_null(claims.memory);
    }
    buf_append_byte(&is, '\0');
    buf_append_str(&expected, vector->field[2]);
    buf_append_byte(&expected, '\0');
    good = str_equal(vector->field[0], str_from(jwt_reason(verdict)->code)) &&
           (verdict == JWT_VALID ? strcmp(is.data, expected.data) == 0
                                 : strstr(is.data, expected.data) == is.data);
    if (!good)
        (void)vector_wrong(vector, expected.data, is.data);
    claims_free(&claims);
    buf_free(&is);
    buf_free(&expected);
    return good;
}

static void reads_by_vectors(void **state)
{
    (void)state;
    vectors_run("claims.tsv", 70, judge, NULL);
}

/* The claims of the rules' session claim, whatever it is called. */
static void assert_session(const char *claim, const char *payload, const char *expected,
                           const char *told)
{
    const struct jwt_rules rules = {.session_claim = claim};
    struct err err = {""};
    struct jwt_claims claims;
    enum jwt_verdict verdict = claims_read(str_from(payload), &rules, INT64_MAX, &claims, &err);

    assert_int_equal(verdict, told == NULL ? JWT_VALID : JWT_CLAIM_TYPE);
    assert_string_equal(err.text, told == NULL ? "" : told);
    assert_true(str_equal(claims.session, str_from(expected)));
    claims_free(&claims);
}

static void any_claim_can_be_the_session(void **state)
{
    (void)state;
    assert_session("sid", "{\"sid\":\"a\",\"jti\":\"b\"}", "a", NULL);
    assert_session("session_state", "{\"sid\":\"a\",\"session_state\":\"b\"}", "b", NULL);
    assert_session("jti", "{\"sid\":7,\"jti\":\"\\u0062\"}", "b", NULL);
    assert_session("iss", "{\"iss\":\"\\u0069\\u0069\"}", "ii", NULL);
    assert_session("sid", "{}", NULL, NULL);
    assert_session(NULL, "{\"sid\":7}", NULL, NULL);
    assert_session("aud", "{\"aud\":\"a\"}", "a", NULL);
    assert_session("aud", "{\"aud\":[\"a\"]}", NULL, "aud is not a string");
    assert_session("exp", "{\"exp\":1}", NULL, "exp is not a string");
    assert_session("jti", "{\"jti\":7}", NULL, "jti is not a string");
}

static void a_session_has_1_to_255_bytes(void **state)
{
    static const struct {
        size_t bytes;
        enum jwt_verdict verdict;
    } rows[] = {{0, JWT_CLAIM_TYPE}, {1, JWT_VALID}, {255, JWT_VALID}, {256, JWT_CLAIM_TYPE}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct jwt_claims claims;
        struct buf payload;

        buf_init(&payload, TEXT_MAX_BYTES);
        buf_append_text(&payload, "{\"sid\":\"");
        for (size_t j = 0; j < rows[i].bytes; j++)
            buf_append_text(&payload, "\\u0073");
        buf_append_text(&payload, "\"}");
        assert_int_equal(claims_read(buf_str(&payload), &with_sid, 0, &claims, NULL),
                         rows[i].verdict);
        assert_int_equal(claims.session.len, rows[i].verdict == JWT_VALID ? rows[i].bytes : 0);
        claims_free(&claims);
        buf_free(&payload);
    }
}

static void reads_many_audiences(void **state)
{
    struct jwt_claims claims;
    struct buf payload;

    (void)state;
    buf_init(&payload, TEXT_MAX_BYTES);
    buf_append_text(&payload, "{\"aud\":[\"0\"");
    for (int i = 1; i < 10000; i++)
        buf_append_format(&payload, ",\"\\u0061%d\"", i);
    buf_append_text(&payload, "],\"sub\":\"\\u0073\"}");
    assert_int_equal(claims_read(buf_str(&payload), &with_sid, 0, &claims, NULL), JWT_VALID);
    buf_free(&payload);
    assert_int_equal(claims.audience_count, 10000);
    assert_str_equal(claims.audiences[0], "0");
    assert_str_equal(claims.audiences[9999], "a9999");
    assert_str_equal(claims.subject, "s");
    claims_free(&claims);
}

static void freed_claims_are_empty(void **state)
{
    struct jwt_claims claims;

    (void)state;
    assert_int_equal(claims_read(STR("{\"sub\":\"x\"}"), &with_sid, 0, &claims, NULL), JWT_VALID);
    claims_free(&claims);
    assert_null(claims.memory);
    assert_false(str_is_set(claims.subject));
    claims_free(&claims);
}

/* ---- what they say */

static const struct settings_list none = {NULL, 0};
static const char *const names[] = {"one", "two"};
static const struct settings_list one_or_two = {names, 2};

/* The verdict at 1000 s on what a payload says, with no leeway. */
static enum jwt_verdict judge_by(const struct jwt_rules *rules, const char *payload, int64_t end_ms,
                                 struct err *err)
{
    struct jwt_claims claims;
    enum jwt_verdict verdict;

    assert_int_equal(claims_read(str_from(payload), rules, end_ms, &claims, NULL), JWT_VALID);
    err_clear(err);
    verdict = claims_judge(&claims, rules, 1000000, err);
    claims_free(&claims);
    return verdict;
}

static void judges_in_the_order_of_the_table(void **state)
{
    const struct jwt_rules rules = {.issuers = one_or_two,
                                    .audiences = one_or_two,
                                    .session_claim = "sid",
                                    .session_required = true};
    static const struct {
        const char *payload;
        enum jwt_verdict verdict;
    } rows[] = {
        {"{}", JWT_NO_EXPIRY},
        {"{\"exp\":1000}", JWT_EXPIRED},
        {"{\"exp\":1001,\"nbf\":1001}", JWT_NOT_YET_VALID},
        {"{\"exp\":1001,\"nbf\":1000}", JWT_WRONG_ISSUER},
        {"{\"exp\":1001,\"iss\":\"two\"}", JWT_WRONG_AUDIENCE},
        {"{\"exp\":1001,\"iss\":\"two\",\"aud\":\"two\"}", JWT_NO_SUBJECT},
        {"{\"exp\":1001,\"iss\":\"two\",\"aud\":\"two\",\"sub\":\"s\"}", JWT_NO_SESSION},
        {"{\"exp\":1001,\"iss\":\"two\",\"aud\":\"two\",\"sub\":\"s\",\"sid\":\"x\"}", JWT_VALID},
    };
    struct err err = {""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(judge_by(&rules, rows[i].payload, INT64_MAX, &err), rows[i].verdict);
        assert_int_equal(judge_by(&rules, rows[i].payload, 1000000, &err), JWT_KEY_WITHDRAWN);
        assert_int_equal(judge_by(&rules, rows[i].payload, 1000001, &err), rows[i].verdict);
    }
}

static void leeway_moves_both_times(void **state)
{
    struct jwt_rules rules = {.leeway_s = 0};
    struct err err = {""};

    (void)state;
    for (rules.leeway_s = 0; rules.leeway_s <= 600; rules.leeway_s += 30) {
        char payload[128];
        int64_t last_s = 1000 - rules.leeway_s, first_s = 1000 + rules.leeway_s;

        (void)snprintf(payload, sizeof(payload), "{\"sub\":\"s\",\"exp\":%" PRId64 "}", last_s);
        assert_int_equal(judge_by(&rules, payload, INT64_MAX, &err), JWT_EXPIRED);
        (void)snprintf(payload, sizeof(payload), "{\"sub\":\"s\",\"exp\":%" PRId64 ".001}", last_s);
        assert_int_equal(judge_by(&rules, payload, INT64_MAX, &err), JWT_VALID);
        (void)snprintf(payload, sizeof(payload), "{\"sub\":\"s\",\"exp\":9999,\"nbf\":%" PRId64 "}",
                       first_s);
        assert_int_equal(judge_by(&rules, payload, INT64_MAX, &err), JWT_VALID);
        (void)snprintf(payload, sizeof(payload),
                       "{\"sub\":\"s\",\"exp\":9999,\"nbf\":%" PRId64 ".001}", first_s);
        assert_int_equal(judge_by(&rules, payload, INT64_MAX, &err), JWT_NOT_YET_VALID);
    }
}

/* No sum of a time and a leeway is out of range. */
static void judges_times_at_their_ends(void **state)
{
    const struct jwt_rules rules = {.leeway_s = 600};
    struct jwt_claims claims;

    (void)state;
    assert_int_equal(claims_read(STR("{\"sub\":\"s\",\"exp\":253402300799,\"nbf\":0}"), &rules,
                                 INT64_MAX, &claims, NULL),
                     JWT_VALID);
    assert_int_equal(claims_judge(&claims, &rules, 0, NULL), JWT_VALID);
    assert_int_equal(claims_judge(&claims, &rules, -600001, NULL), JWT_NOT_YET_VALID);
    assert_int_equal(claims_judge(&claims, &rules, INT64_MAX - 1, NULL), JWT_EXPIRED);
    assert_int_equal(claims_judge(&claims, &rules, INT64_MIN, NULL), JWT_NOT_YET_VALID);
    claims_free(&claims);
}

static void issuer_and_audience_count_where_the_rules_name_some(void **state)
{
    static const struct {
        const struct settings_list *issuers, *audiences;
        const char *payload;
        enum jwt_verdict verdict;
    } rows[] = {
        {&none, &none, "", JWT_VALID},
        {&none, &none, ",\"iss\":\"x\",\"aud\":\"x\"", JWT_VALID},
        {&one_or_two, &none, "", JWT_WRONG_ISSUER},
        {&one_or_two, &none, ",\"iss\":\"\"", JWT_WRONG_ISSUER},
        {&one_or_two, &none, ",\"iss\":\"three\"", JWT_WRONG_ISSUER},
        {&one_or_two, &none, ",\"iss\":\"One\"", JWT_WRONG_ISSUER},
        {&one_or_two, &none, ",\"iss\":\"on\"", JWT_WRONG_ISSUER},
        {&one_or_two, &none, ",\"iss\":\"one,two\"", JWT_WRONG_ISSUER},
        {&one_or_two, &none, ",\"iss\":\"one\"", JWT_VALID},
        {&one_or_two, &none, ",\"iss\":\"\\u006fne\"", JWT_VALID},
        {&none, &one_or_two, "", JWT_WRONG_AUDIENCE},
        {&none, &one_or_two, ",\"aud\":[]", JWT_WRONG_AUDIENCE},
        {&none, &one_or_two, ",\"aud\":\"\"", JWT_WRONG_AUDIENCE},
        {&none, &one_or_two, ",\"aud\":\"ONE\"", JWT_WRONG_AUDIENCE},
        {&none, &one_or_two, ",\"aud\":[\"three\",\"one \"]", JWT_WRONG_AUDIENCE},
        {&none, &one_or_two, ",\"aud\":\"two\"", JWT_VALID},
        {&none, &one_or_two, ",\"aud\":[\"three\",\"two\"]", JWT_VALID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct jwt_rules rules = {.issuers = *rows[i].issuers,
                                        .audiences = *rows[i].audiences};
        struct err err = {""};
        char payload[256];

        (void)snprintf(payload, sizeof(payload), "{\"sub\":\"s\",\"exp\":1001%s}", rows[i].payload);
        if (judge_by(&rules, payload, INT64_MAX, &err) != rows[i].verdict)
            fail_msg("%s is not %s", payload, jwt_reason(rows[i].verdict)->code);
    }
}

static void tells_which_issuer_it_was(void **state)
{
    const struct jwt_rules rules = {.issuers = one_or_two};
    struct err err = {""};

    (void)state;
    assert_int_equal(judge_by(&rules, "{\"sub\":\"s\",\"exp\":1001,\"iss\":\"a\\u001bb\\u00e9\"}",
                              INT64_MAX, &err),
                     JWT_WRONG_ISSUER);
    assert_string_equal(err.text, "iss is 'a?b?\?'");
    assert_int_equal(judge_by(&rules, "{\"sub\":\"s\",\"exp\":1001}", INT64_MAX, &err),
                     JWT_WRONG_ISSUER);
    assert_string_equal(err.text, "");
}

static void a_session_is_demanded_where_it_is_required(void **state)
{
    struct jwt_rules rules = {.session_claim = "sid"};
    struct err err = {""};

    (void)state;
    assert_int_equal(judge_by(&rules, "{\"sub\":\"s\",\"exp\":1001}", INT64_MAX, &err), JWT_VALID);
    rules.session_required = true;
    assert_int_equal(judge_by(&rules, "{\"sub\":\"s\",\"exp\":1001}", INT64_MAX, &err),
                     JWT_NO_SESSION);
    assert_int_equal(
        judge_by(&rules, "{\"sub\":\"s\",\"exp\":1001,\"Sid\":\"x\"}", INT64_MAX, &err),
        JWT_NO_SESSION);
    assert_int_equal(
        judge_by(&rules, "{\"sub\":\"s\",\"exp\":1001,\"sid\":\"x\"}", INT64_MAX, &err), JWT_VALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_by_vectors),
        cmocka_unit_test(any_claim_can_be_the_session),
        cmocka_unit_test(a_session_has_1_to_255_bytes),
        cmocka_unit_test(reads_many_audiences),
        cmocka_unit_test(freed_claims_are_empty),
        cmocka_unit_test(judges_in_the_order_of_the_table),
        cmocka_unit_test(leeway_moves_both_times),
        cmocka_unit_test(judges_times_at_their_ends),
        cmocka_unit_test(issuer_and_audience_count_where_the_rules_name_some),
        cmocka_unit_test(tells_which_issuer_it_was),
        cmocka_unit_test(a_session_is_demanded_where_it_is_required),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
