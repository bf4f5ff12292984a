#include "token/hmac.h"

#include <openssl/err.h>
#include <stdio.h>

#include "testkeys.h"
#include "unit.h"
#include "vectors.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct hmac *made(const char *secret)
{
    struct err err = {""};
    struct hmac *hmac = hmac_new(str_from(secret), &err);

    if (hmac == NULL)
        fail_msg("%s", err.text);
    return hmac;
}

static struct str bytes(const unsigned char *data, size_t len)
{
    return (struct str){(const char *)data, len};
}

static void show(const unsigned char *data, char out[HMAC_BYTES * 2 + 1])
{
    for (size_t i = 0; i < HMAC_BYTES; i++)
        (void)snprintf(out + i * 2, 3, "%02x", data[i]);
}

static bool judge(const struct vector *vector, void *context)
{
    struct err err = {""};
    struct hmac *hmac = hmac_new(vector->field[1], &err);
    unsigned char is[HMAC_BYTES];
    char actual[HMAC_BYTES * 2 + 1], expected[HMAC_BYTES * 2 + 1];

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[3]));
    if (str_equal(vector->field[0], STR("refused"))) {
        hmac_free(hmac);
        return hmac == NULL || vector_wrong(vector, "a refusal", "none");
    }
    if (hmac == NULL)
        return vector_wrong(vector, expected, err.text);
    assert_true(hmac_of(hmac, vector->field[2], is));
    assert_int_equal(hmac_verify(hmac, vector->field[2], bytes(is, HMAC_BYTES)), JWT_VALID);
    hmac_free(hmac);
    show(is, actual);
    return strcmp(actual, expected) == 0 || vector_wrong(vector, expected, actual);
}

static void gives_the_known_answers(void **state)
{
    (void)state;
    vectors_run("hmac.tsv", 9, judge, NULL);
}

static void takes_secrets_of_32_to_4096_bytes(void **state)
{
    static const struct {
        size_t bytes;
        bool good;
    } rows[] = {{0, false}, {1, false},   {31, false},  {32, true},
                {64, true}, {4096, true}, {4097, false}};
    char secret[4097];

    (void)state;
    memset(secret, 's', sizeof(secret));
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct err err = {""};
        struct str text = {secret, rows[i].bytes};
        struct hmac *hmac = hmac_new(text, &err);

        assert_int_equal(hmac != NULL, rows[i].good);
        assert_int_equal(hmac_is_good_secret(text, NULL), rows[i].good);
        if (hmac == NULL)
            assert_contains(err.text, "must have 32 to 4096");
        hmac_free(hmac);
    }
}

static void keeps_a_copy_of_the_secret(void **state)
{
    char secret[] = SECRET;
    struct hmac *hmac = made(secret);
    unsigned char before[HMAC_BYTES], after[HMAC_BYTES];

    (void)state;
    assert_true(hmac_of(hmac, STR("input"), before));
    memset(secret, 'x', sizeof(secret) - 1);
    assert_true(hmac_of(hmac, STR("input"), after));
    assert_memory_equal(before, after, HMAC_BYTES);
    hmac_free(hmac);
}

static void each_input_stands_alone(void **state)
{
    struct hmac *hmac = made(SECRET), *other = made("another secret of at least 32 bytes");
    char input[200];

    (void)state;
    memset(input, 'i', sizeof(input));
    for (size_t len = 0; len <= sizeof(input); len++) {
        struct str text = {input, len};
        unsigned char is[HMAC_BYTES], others[HMAC_BYTES];
        struct buf expected;

        buf_init(&expected, HMAC_BYTES);
        testkeys_hmac(STR(SECRET), text, &expected);
        assert_true(hmac_of(hmac, text, is));
        assert_true(hmac_of(other, text, others));
        assert_memory_equal(is, expected.data, HMAC_BYTES);
        assert_memory_not_equal(is, others, HMAC_BYTES);
        buf_free(&expected);
    }
    hmac_free(hmac);
    hmac_free(other);
}

static void refuses_a_signature_with_any_bit_changed(void **state)
{
    struct hmac *hmac = made(SECRET);
    unsigned char is[HMAC_BYTES];

    (void)state;
    assert_true(hmac_of(hmac, STR("input"), is));
    for (size_t bit = 0; bit < sizeof(is) * 8; bit++) {
        is[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_int_equal(hmac_verify(hmac, STR("input"), bytes(is, sizeof(is))), JWT_BAD_SIGNATURE);
        is[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    assert_int_equal(hmac_verify(hmac, STR("input"), bytes(is, sizeof(is))), JWT_VALID);
    hmac_free(hmac);
}

static void refuses_a_signature_of_any_other_length(void **state)
{
    struct hmac *hmac = made(SECRET);
    unsigned char is[HMAC_BYTES * 2] = {0};

    (void)state;
    assert_true(hmac_of(hmac, STR("input"), is));
    for (size_t len = 0; len <= sizeof(is); len++)
        assert_int_equal(hmac_verify(hmac, STR("input"), bytes(is, len)),
                         len == HMAC_BYTES ? JWT_VALID : JWT_BAD_SIGNATURE);
    assert_int_equal(hmac_verify(hmac, STR("input"), STR_NONE), JWT_BAD_SIGNATURE);
    assert_int_equal(ERR_peek_error(), 0);
    hmac_free(hmac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_answers),
        cmocka_unit_test(takes_secrets_of_32_to_4096_bytes),
        cmocka_unit_test(keeps_a_copy_of_the_secret),
        cmocka_unit_test(each_input_stands_alone),
        cmocka_unit_test(refuses_a_signature_with_any_bit_changed),
        cmocka_unit_test(refuses_a_signature_of_any_other_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
