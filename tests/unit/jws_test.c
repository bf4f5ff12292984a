#include "token/jws.h"

#include <stdlib.h>

#include "base/base64url.h"
#include "template.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 256 * 1024 };

static const struct jwt_rules usual = {.allowed = {true, true}, .max_bytes = 200 * 1024};

#define OCT "{\"kty\":\"oct\",\"k\":\"$k\"}"

/* What came of a token. */
struct opened {
    enum jwt_verdict verdict;
    struct buf payload;
    int64_t end_ms;
    struct err err;
};

static void opened_free(struct opened *opened)
{
    buf_free_secret(&opened->payload);
}

static void open_token(struct str token, const struct jwt_rules *rules, struct opened *out)
{
    struct keyring *ring = template_keyring(OCT);

    *out = (struct opened){.end_ms = -1};
    buf_init(&out->payload, TEXT_MAX_BYTES);
    out->verdict = jws_open(token, ring, rules, NULL, &out->payload, &out->end_ms, &out->err);
    keyring_free(ring);
}

static void open_template(const char *template, struct opened *out)
{
    struct buf token;

    buf_init(&token, TEXT_MAX_BYTES);
    template_expand(str_from(template), &token);
    open_token(buf_str(&token), &usual, out);
    buf_free(&token);
}

/* ---- what is good */

static void gives_the_bytes_of_the_payload(void **state)
{
    static const struct {
        const char *token;
        struct str payload;
    } rows[] = {
        {"<{\"alg\":\"HS256\"}>.<{\"sub\":\"x\"}>.@secret", STR("{\"sub\":\"x\"}")},
        {"<{\"alg\":\"HS256\"}>..@secret", STR("")},
        {"<{\"alg\":\"HS256\"}>.AP8K.@secret", STR("\0\xff\n")},
        {"<{\"alg\":\"HS256\"}>.<not JSON>.@secret", STR("not JSON")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct opened opened;

        open_template(rows[i].token, &opened);
        assert_int_equal(opened.verdict, JWT_VALID);
        assert_true(str_equal(buf_str(&opened.payload), rows[i].payload));
        assert_int_equal(opened.end_ms, INT64_MAX);
        assert_string_equal(opened.err.text, "");
        opened_free(&opened);
    }
}

/* RFC 7515, appendix A.1: with CRLF in its header and payload. */
static void opens_the_example_of_rfc_7515(void **state)
{
    struct opened opened;

    (void)state;
    open_token(STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                   "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                   "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                   "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
               &usual, &opened);
    assert_int_equal(opened.verdict, JWT_VALID);
    assert_str_equal(buf_str(&opened.payload), "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                               "\"http://example.com/is_root\":true}");
    opened_free(&opened);
}

static void opens_a_token_as_long_as_is_allowed(void **state)
{
    struct jwt_rules rules = usual;
    struct opened opened;
    struct buf token;
    char *filler;

    (void)state;
    buf_init(&token, TEXT_MAX_BYTES);
    template_expand(STR("<{\"alg\":\"HS256\"}>."), &token);
    filler = buf_reserve(&token, 160000);
    memset(filler, 'A', 160000);
    buf_added(&token, 160000);
    template_expand(STR(".@secret"), &token);
    rules.max_bytes = token.len;
    open_token(buf_str(&token), &rules, &opened);
    assert_int_equal(opened.verdict, JWT_VALID);
    assert_int_equal(opened.payload.len, 120000);
    opened_free(&opened);
    rules.max_bytes = token.len - 1;
    open_token(buf_str(&token), &rules, &opened);
    assert_int_equal(opened.verdict, JWT_TOO_LONG);
    assert_int_equal(opened.payload.len, 0);
    opened_free(&opened);
    buf_free(&token);
}

/* ---- what the log is told */

static void tells_what_is_wrong(void **state)
{
    static const struct {
        const char *token, *told;
    } rows[] = {
        {"a.b", ""},
        {"<{\"alg\":\"HS256\"}>=.AA.AA", "the header"},
        {"<{\"alg\":\"HS256\"}>.AA.AB", "the signature"},
        {"<{\"alg\":\"HS256\"}>.A.@secret", "the payload"},
        {"<{\"alg\":\"HS256\"} x>.AA.AA", "it has something after the JSON value"},
        {"<[]>.AA.AA", "it is not a JSON object"},
        {"<{\"alg\":1}>.AA.AA", "alg is not a string"},
        {"<{\"alg\":\"HS256\",\"kid\":1}>.AA.AA", "kid is not a string"},
        {"<{\"alg\":\"HS256\",\"crit\":[]}>.AA.AA", "it is crit"},
        {"<{\"x5u\":\"\",\"alg\":\"HS256\",\"jku\":\"\"}>.AA.AA", "it is jku"},
        {"<{\"alg\":\"HS256\",\"typ\":\"a\\nb\"}>.AA.AA", "typ is 'a?b'"},
        {"<{\"alg\":\"none\"}>.AA.", ""},
        {"<{}>.AA.AA", ""},
        {"<{\"alg\":\"HS\\u001b[2J\\u00e9\"}>.AA.AA", "alg is 'HS?[2J?\?'"},
        {"<{\"alg\":\"RS256\"}>.AA.AA", "alg is RS256, without kid"},
        {"<{\"alg\":\"RS256\",\"kid\":\"a'\\u007fb\"}>.AA.AA", "alg is RS256, kid is 'a'?b'"},
        {"<{\"alg\":\"HS256\"}>.AA.AA", "1 HS256 key was tried"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct opened opened;

        open_template(rows[i].token, &opened);
        assert_int_not_equal(opened.verdict, JWT_VALID);
        assert_string_equal(opened.err.text, rows[i].told);
        opened_free(&opened);
    }
}

/* A header of a forger's choice is no way to fill the log. */
static void tells_no_more_than_the_beginning_of_a_long_value(void **state)
{
    struct opened opened;
    struct buf token, header;

    (void)state;
    buf_init(&header, TEXT_MAX_BYTES);
    buf_init(&token, TEXT_MAX_BYTES);
    buf_append_text(&header, "{\"alg\":\"");
    for (int i = 0; i < 100000; i++)
        buf_append_byte(&header, 'x');
    buf_append_text(&header, "\"}");
    base64url_encode(buf_str(&header), &token);
    buf_append_text(&token, ".AA.AA");
    open_token(buf_str(&token), &usual, &opened);
    assert_int_equal(opened.verdict, JWT_ALGORITHM_UNKNOWN);
    assert_in_range(strlen(opened.err.text), 64, 100);
    assert_contains(opened.err.text, "xxx...'");
    opened_free(&opened);
    buf_free(&header);
    buf_free(&token);
}

static void each_key_that_was_tried_is_counted(void **state)
{
    struct keyring *ring = template_keyring("{\"keys\":[" OCT "," OCT "," OCT "]}");
    struct err err = {""};
    struct buf token, payload;
    int64_t end_ms;

    (void)state;
    buf_init(&token, TEXT_MAX_BYTES);
    buf_init(&payload, TEXT_MAX_BYTES);
    template_expand(STR("<{\"alg\":\"HS256\"}>.AA.@other-secret"), &token);
    assert_int_equal(jws_open(buf_str(&token), ring, &usual, NULL, &payload, &end_ms, &err),
                     JWT_BAD_SIGNATURE);
    assert_string_equal(err.text, "3 HS256 keys were tried");
    assert_int_equal(payload.len, 0);
    buf_free(&token);
    buf_free(&payload);
    keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_bytes_of_the_payload),
        cmocka_unit_test(opens_the_example_of_rfc_7515),
        cmocka_unit_test(opens_a_token_as_long_as_is_allowed),
        cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(tells_no_more_than_the_beginning_of_a_long_value),
        cmocka_unit_test(each_key_that_was_tried_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
