#include "token/keyset.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "template.h"
#include "testkeys.h"
#include "unit.h"
#include "vectors.h"

enum { TEXT_MAX_BYTES = 1024 * 1024 };

/* ---- JWKS */

/* "2; -key 1: …; !key 4: …": `-` before what is not for us, `!` before what is defective. */
static void describe(const struct keyset *set, struct buf *out)
{
    buf_append_format(out, "%zu", keyset_count(set));
    for (size_t i = 0; i < keyset_skipped_count(set); i++) {
        const struct keyset_skip *skip = keyset_skipped(set, i);

        buf_append_format(out, "; %c%s", skip->is_defective ? '!' : '-', skip->why.text);
    }
}

static bool judge(const struct vector *vector, void *context)
{
    struct err err = {""};
    struct buf text, is;
    struct keyset *set;
    char expected[1024];
    bool good;

    (void)context;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[2]));
    buf_init(&text, TEXT_MAX_BYTES);
    buf_init(&is, TEXT_MAX_BYTES);
    template_expand(vector->field[1], &text);
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
    if (set != NULL) {
        describe(set, &is);
        assert_string_equal(err.text, "");
    } else
        buf_append_text(&is, err.text);
    buf_append_byte(&is, '\0');
    good = (set != NULL) == str_equal(vector->field[0], STR("ok")) &&
           (set == NULL ? strstr(is.data, expected) != NULL : strcmp(is.data, expected) == 0);
    if (!good)
        (void)vector_wrong(vector, expected, is.data);
    keyset_free(set);
    buf_free(&text);
    buf_free(&is);
    assert_int_equal(ERR_peek_error(), 0);
    return good;
}

static void judges_jwks_by_vectors(void **state)
{
    (void)state;
    vectors_run("jwks.tsv", 45, judge, NULL);
}

/* A set with this many entries, each of them the given text. */
static struct keyset *parse_many(size_t count, const char *entry, struct err *err)
{
    struct keyset *set;
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    buf_append_text(&text, "{\"keys\":[");
    for (size_t i = 0; i < count; i++) {
        buf_append_text(&text, i == 0 ? "" : ",");
        template_expand(str_from(entry), &text);
    }
    buf_append_text(&text, "]}");
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), err);
    buf_free(&text);
    return set;
}

#define OCT "{\"kty\":\"oct\",\"k\":\"$k\"}"

static void takes_128_keys(void **state)
{
    struct err err = {""};
    struct keyset *set = parse_many(128, OCT, &err);

    (void)state;
    assert_non_null(set);
    assert_int_equal(keyset_count(set), 128);
    keyset_free(set);
}

static void refuses_129_keys(void **state)
{
    struct err err = {""};

    (void)state;
    assert_null(parse_many(129, OCT, &err));
    assert_contains(err.text, "more than 128 keys");
}

/* Each that is passed over is told, so there is a limit to those as well. */
static void refuses_more_entries_than_keys_may_be(void **state)
{
    struct err err = {""};

    (void)state;
    assert_null(parse_many(100000, "0", &err));
    assert_contains(err.text, "more than 128 keys");
}

static void gives_the_keys_in_their_order(void **state)
{
    struct err err = {""};
    struct buf text;
    struct keyset *set;

    (void)state;
    buf_init(&text, TEXT_MAX_BYTES);
    template_expand(STR("{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\",\"kid\":\"b\"},{\"kty\":\"EC\"},"
                        "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\",\"kid\":\"a\"}]}"),
                    &text);
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
    buf_free(&text);
    assert_int_equal(keyset_count(set), 2);
    assert_str_equal(key_id(keyset_key(set, 0)), "b");
    assert_int_equal(key_algorithm(keyset_key(set, 0)), KEY_HS256);
    assert_str_equal(key_id(keyset_key(set, 1)), "a");
    assert_int_equal(key_algorithm(keyset_key(set, 1)), KEY_RS256);
    assert_true(keyset_is_secret(set));
    keyset_free(set);
}

static void a_set_with_no_secret_is_none(void **state)
{
    struct err err = {""};
    struct keyset *set = parse_many(2, "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\"}", &err);

    (void)state;
    assert_false(keyset_is_secret(set));
    keyset_free(set);
}

/* ---- secrets */

static void assert_secret(struct str text, unsigned bits)
{
    struct err err = {""};
    struct keyset *set = keyset_parse(KEYSET_SECRET, text, &err);

    if (set == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(keyset_count(set), 1);
    assert_int_equal(key_bits(keyset_key(set, 0)), bits);
    assert_false(str_is_set(key_id(keyset_key(set, 0))));
    assert_int_equal(keyset_skipped_count(set), 0);
    assert_true(keyset_is_secret(set));
    keyset_free(set);
}

static void assert_no_secret(struct str text, const char *complaint)
{
    struct err err = {""};

    assert_null(keyset_parse(KEYSET_SECRET, text, &err));
    assert_contains(err.text, complaint);
}

#define S32 "0123456789abcdef0123456789abcdef"

static void one_line_end_is_no_part_of_a_secret(void **state)
{
    (void)state;
    assert_secret(STR(S32), 256);
    assert_secret(STR(S32 "\n"), 256);
    assert_secret(STR(S32 "\r\n"), 256);
    assert_secret(STR(S32 "\0"), 264);
    assert_no_secret(STR("0123456789abcdef0123456789abcde\n"), "the secret has 31 bytes");
    assert_no_secret(STR(""), "the secret has 0 bytes");
    assert_no_secret(STR("\n"), "the secret has 0 bytes");
    assert_no_secret(STR("\r\n"), "the secret has 0 bytes");
}

static void what_is_left_around_a_secret_is_refused(void **state)
{
    static const struct str around[] = {
        STR(S32 "\r"), STR(S32 "\n\n"), STR(S32 " \n"),      STR(S32 "\t"),
        STR("\n" S32), STR(" " S32),    STR(S32 "\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(around); i++)
        assert_no_secret(around[i], "it begins or ends with white space: take that out");
    assert_no_secret(STR("\xEF\xBB\xBF" S32 "\n"), "it begins or ends with a byte order mark");
    /* inside it belongs to the secret, and so it does beside bytes that are no text */
    assert_secret(STR(S32 " " S32), 65 * 8);
    assert_secret(STR(S32 "\x80 "), 34 * 8);
    assert_secret(STR("\n" S32 "\x01"), 34 * 8);
}

/* What is public must not become a secret by a mistake in the settings. */
static void refuses_a_secret_that_is_a_key_of_another_form(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX_BYTES);
    testkeys_pem(pair, TESTKEYS_SPKI, &text);
    assert_no_secret(buf_str(&text), "token.public_key_file");
    buf_reset(&text);
    testkeys_pem(pair, TESTKEYS_PRIVATE, &text);
    assert_no_secret(buf_str(&text), "it is PEM");
    buf_reset(&text);
    template_expand(STR("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\"}]}\n"), &text);
    assert_no_secret(buf_str(&text), "token.jwks_file");
    buf_free(&text);
    EVP_PKEY_free(pair);
    assert_secret(STR("{\"keys\": this is no JSON, so it may be a secret}"), 48 * 8);
}

/* ---- PEM */

static void a_pem_file_gives_one_key_without_kid(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct err err = {""};
    struct keyset *set;
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX_BYTES);
    testkeys_pem(pair, TESTKEYS_CERTIFICATE, &text);
    set = keyset_parse(KEYSET_PEM, buf_str(&text), &err);
    assert_int_equal(keyset_count(set), 1);
    assert_int_equal(key_algorithm(keyset_key(set, 0)), KEY_RS256);
    assert_false(str_is_set(key_id(keyset_key(set, 0))));
    assert_false(keyset_is_secret(set));
    keyset_free(set);
    assert_null(keyset_parse(KEYSET_PEM, STR("{\"keys\":[]}"), &err));
    assert_contains(err.text, "no PEM block");
    buf_free(&text);
    EVP_PKEY_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_jwks_by_vectors),
        cmocka_unit_test(takes_128_keys),
        cmocka_unit_test(refuses_129_keys),
        cmocka_unit_test(refuses_more_entries_than_keys_may_be),
        cmocka_unit_test(gives_the_keys_in_their_order),
        cmocka_unit_test(a_set_with_no_secret_is_none),
        cmocka_unit_test(one_line_end_is_no_part_of_a_secret),
        cmocka_unit_test(what_is_left_around_a_secret_is_refused),
        cmocka_unit_test(refuses_a_secret_that_is_a_key_of_another_form),
        cmocka_unit_test(a_pem_file_gives_one_key_without_kid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
