#include "token/jwk.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "template.h"
#include "unit.h"
#include "vectors.h"

enum { TEXT_MAX_BYTES = 64 * 1024 };

static const char *const names[] = {
    [JWK_OK] = "ok",
    [JWK_NOT_FOR_US] = "not_for_us",
    [JWK_DEFECTIVE] = "defective",
    [JWK_OUT_OF_MEMORY] = "out_of_memory",
};

/* The key is freed by the caller. */
static enum jwk_result read_template(struct str template, struct key **key, struct jwk_fault *fault)
{
    enum jwk_result result;
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    template_expand(template, &text);
    result = jwk_read(buf_str(&text), key, fault);
    buf_free(&text);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(*key != NULL, result == JWK_OK);
    return result;
}

/* "RS256 2048 kid", and its end where it has one. */
static void describe(const struct key *key, char out[256])
{
    struct str kid = key_id(key);
    int len = snprintf(out, 256, "%s %u %.*s", key_algorithm_name(key_algorithm(key)),
                       key_bits(key), STR_ARGS(str_is_set(kid) ? kid : STR("-")));

    if (key_end_ms(key) != INT64_MAX)
        (void)snprintf(out + len, 256 - (size_t)len, " %" PRId64, key_end_ms(key));
}

static bool judge(const struct vector *vector, void *context)
{
    struct jwk_fault fault;
    struct key *key;
    char expected[256], actual[sizeof(fault.why.text)];
    enum jwk_result result = read_template(vector->field[1], &key, &fault);
    bool good;

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[2]));
    if (result == JWK_OK)
        describe(key, actual);
    else
        (void)snprintf(actual, sizeof(actual), "%s", fault.why.text);
    key_free(key);
    good = str_equal(vector->field[0], str_from(names[result])) &&
           (result == JWK_OK ? strcmp(actual, expected) == 0 : strstr(actual, expected) != NULL);
    return good || vector_wrong(vector, expected, actual);
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("jwk.tsv", 110, judge, NULL);
}

/* For the line that tells of a key that was passed over. */
static void tells_the_kid_of_a_key_that_it_refuses(void **state)
{
    static const struct {
        const char *jwk, *kid; /* NULL: none */
    } rows[] = {
        {"{\"kty\":\"EC\",\"kid\":\"a\"}", "a"},
        {"{\"kty\":\"RSA\",\"kid\":\"b\\u000a\"}", "b?"},
        {"{\"kid\":\"\",\"kty\":\"RSA\"}", ""},
        {"{\"kty\":\"RSA\",\"kid\":1}", NULL},
        {"{\"kty\":\"RSA\"}", NULL},
        {"7", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct jwk_fault fault;
        struct key *key;

        assert_int_not_equal(read_template(str_from(rows[i].jwk), &key, &fault), JWK_OK);
        assert_int_equal(fault.has_kid, rows[i].kid != NULL);
        if (fault.has_kid)
            assert_string_equal(fault.kid.text, rows[i].kid);
    }
}

static void a_kid_that_is_too_long_is_a_defect(void **state)
{
    (void)state;
    for (size_t len = KEY_ID_MAX_BYTES; len <= KEY_ID_MAX_BYTES + 1; len++) {
        struct jwk_fault fault;
        struct key *key;
        char *text;
        struct buf jwk;

        buf_init(&jwk, TEXT_MAX_BYTES);
        buf_append_text(&jwk, "{\"kty\":\"oct\",\"k\":\"$k\",\"kid\":\"");
        text = buf_reserve(&jwk, len);
        memset(text, 'k', len);
        buf_added(&jwk, len);
        buf_append_text(&jwk, "\"}");
        assert_int_equal(read_template(buf_str(&jwk), &key, &fault),
                         len == KEY_ID_MAX_BYTES ? JWK_OK : JWK_DEFECTIVE);
        if (len > KEY_ID_MAX_BYTES)
            assert_contains(fault.why.text, "its kid is longer than 1024 bytes");
        key_free(key);
        buf_free(&jwk);
    }
}

/* Nobody else's text stands in what is told. */
static void tells_nothing_of_what_the_jwk_says(void **state)
{
    static const char *const jwks[] = {
        "{\"kty\":\"S3CRET\"}",
        "{\"kty\":\"oct\",\"k\":\"S3CRET\"}",
        "{\"kty\":\"oct\",\"k\":\"$k\",\"use\":\"S3CRET\"}",
        "{\"kty\":\"oct\",\"k\":\"$k\",\"alg\":\"S3CRET\"}",
        "{\"kty\":\"oct\",\"k\":\"$k\",\"key_ops\":[\"S3CRET\"]}",
        "{\"kty\":\"oct\",\"k\":\"$k\",\"exp\":\"S3CRET\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(jwks); i++) {
        struct jwk_fault fault;
        struct key *key;

        assert_int_not_equal(read_template(str_from(jwks[i]), &key, &fault), JWK_OK);
        assert_string_not_equal(fault.why.text, "");
        assert_null(strstr(fault.why.text, "S3CRET"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(tells_the_kid_of_a_key_that_it_refuses),
        cmocka_unit_test(a_kid_that_is_too_long_is_a_defect),
        cmocka_unit_test(tells_nothing_of_what_the_jwk_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
