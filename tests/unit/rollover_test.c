#include "token/rollover.h"

#include <stdio.h>

#include "token/jwk.h"
#include "token/keypair.h"
#include "unit.h"

static const int64_t now_ms = INT64_C(2000000000) * 1000;

/* ---- keys to write about: the modulus is what tells them apart */

enum { NUMBERS = 3, MODULUS_LEN = 342 };
static char moduli[NUMBERS][MODULUS_LEN + 1];

/* Odd, of 2048 bits: all that a public key is judged by. */
static int make_moduli(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++) {
        memset(moduli[i], 'A' + (int)i, MODULUS_LEN);
        moduli[i][0] = '_';
        moduli[i][MODULUS_LEN - 1] = 'w';
    }
    return 0;
}

/* Appends the JWK of number `i`; `more` is a list of members. */
static void append(struct buf *out, size_t i, const char *more)
{
    buf_append_format(out, "%s{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"%s%s}",
                      out->len == 0 ? "{\"keys\":[" : ",", moduli[i], *more == '\0' ? "" : ",",
                      more);
}

static struct keyset *parse(struct buf *text)
{
    struct err err = {""};
    struct keyset *set;

    buf_append_text(text, "]}");
    set = keyset_parse(KEYSET_JWKS, buf_str(text), &err);
    if (set == NULL)
        fail_msg("%s", err.text);
    buf_free(text);
    return set;
}

static struct keyset *set_of(size_t first, const char *more)
{
    struct buf text;

    buf_init(&text, 65536);
    append(&text, first, more);
    return parse(&text);
}

static struct keyset *set_of_two(const char *more_of_0, const char *more_of_1)
{
    struct buf text;

    buf_init(&text, 65536);
    append(&text, 0, more_of_0);
    append(&text, 1, more_of_1);
    return parse(&text);
}

/* ---- running it */

/* What is written, read again. Frees neither set. */
static struct keyset *roll(const struct keyset *listed, const struct keyset *before,
                           int64_t grace_ms, struct rollover_counts *counts)
{
    const struct rollover rollover = {listed, before, now_ms, grace_ms};
    struct err err = {""};
    struct keyset *set;
    struct buf text;

    buf_init(&text, 65536);
    if (!rollover_write(&rollover, &text, counts, &err))
        fail_msg("%s", err.text);
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
    if (set == NULL)
        fail_msg("%s", err.text);
    buf_free(&text);
    return set;
}

/* In ms after now; INT64_MAX: it has none; INT64_MIN: there is no key of this kid. */
static int64_t end_of(const struct keyset *set, const char *kid)
{
    for (size_t i = 0; i < keyset_count(set); i++) {
        int64_t end_ms = key_end_ms(keyset_key(set, i));

        if (str_equal(key_id(keyset_key(set, i)), str_from(kid)))
            return end_ms == INT64_MAX ? end_ms : end_ms - now_ms;
    }
    return INT64_MIN;
}

static struct keyset *roll_and_free(struct keyset *listed, struct keyset *before, int64_t grace_ms,
                                    struct rollover_counts *counts)
{
    struct keyset *after = roll(listed, before, grace_ms, counts);

    keyset_free(listed);
    keyset_free(before);
    return after;
}

/* ---- the tests */

static void takes_what_is_listed_into_a_new_file(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(set_of_two("\"kid\":\"a\",\"x5t\":\"x\"", "\"kid\":\"b\""),
                                         NULL, 10000, &counts);

    (void)state;
    assert_int_equal(keyset_count(after), 2);
    assert_int_equal(end_of(after, "a"), INT64_MAX);
    assert_int_equal(end_of(after, "b"), INT64_MAX);
    assert_int_equal(counts.listed, 2);
    assert_int_equal(counts.added, 2);
    keyset_free(after);
}

static void a_withdrawn_key_ends_after_the_grace_time(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(
        set_of(1, "\"kid\":\"b\""), set_of_two("\"kid\":\"a\"", "\"kid\":\"b\""), 10000, &counts);

    (void)state;
    assert_int_equal(end_of(after, "a"), 10000);
    assert_int_equal(end_of(after, "b"), INT64_MAX);
    assert_int_equal(counts.listed, 1);
    assert_int_equal(counts.added, 0);
    assert_int_equal(counts.withdrawn, 1);
    assert_int_equal(counts.ending, 0);
    keyset_free(after);
}

static void an_end_is_never_put_off(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(
        set_of(1, "\"kid\":\"b\""), set_of_two("\"kid\":\"a\",\"exp\":2000000005", "\"kid\":\"b\""),
        10000, &counts);

    (void)state;
    assert_int_equal(end_of(after, "a"), 5000);
    assert_int_equal(counts.withdrawn, 0);
    assert_int_equal(counts.ending, 1);
    keyset_free(after);
}

static void a_shorter_grace_time_counts_for_keys_that_end_already(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(
        set_of(1, "\"kid\":\"b\""), set_of_two("\"kid\":\"a\",\"exp\":2000000005", "\"kid\":\"b\""),
        2000, &counts);

    (void)state;
    assert_int_equal(end_of(after, "a"), 2000);
    keyset_free(after);
}

static void without_grace_a_withdrawn_key_is_out_at_once(void **state)
{
    struct rollover_counts counts;
    struct keyset *after =
        roll_and_free(set_of(1, "\"kid\":\"b\""), set_of(0, "\"kid\":\"a\""), 0, &counts);

    (void)state;
    assert_int_equal(end_of(after, "a"), INT64_MIN);
    assert_int_equal(counts.dropped, 1);
    assert_int_equal(counts.withdrawn, 0);
    keyset_free(after);
}

static void a_key_that_has_ended_is_dropped(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(
        set_of(1, "\"kid\":\"b\""), set_of_two("\"kid\":\"a\",\"exp\":2000000000", "\"kid\":\"b\""),
        10000, &counts);

    (void)state;
    assert_int_equal(keyset_count(after), 1);
    assert_int_equal(counts.dropped, 1);
    keyset_free(after);
}

static void a_key_that_is_listed_again_loses_its_end(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(
        set_of_two("\"kid\":\"a\"", "\"kid\":\"b\""),
        set_of_two("\"kid\":\"a\",\"exp\":2000000005", "\"kid\":\"b\""), 10000, &counts);

    (void)state;
    assert_int_equal(end_of(after, "a"), INT64_MAX);
    assert_int_equal(counts.listed, 2);
    assert_int_equal(counts.ending, 0);
    keyset_free(after);
}

static void an_end_that_the_issuer_gives_counts(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(
        set_of_two("\"kid\":\"a\",\"exp\":2000000005.25", "\"kid\":\"b\",\"exp\":1999999999"), NULL,
        0, &counts);

    (void)state;
    assert_int_equal(end_of(after, "a"), 6000); /* in whole seconds, rounded up */
    assert_int_equal(end_of(after, "b"), INT64_MIN);
    assert_int_equal(counts.listed, 1);
    keyset_free(after);
}

static void a_kid_that_is_given_to_another_key_withdraws_the_old_one(void **state)
{
    struct rollover_counts counts;
    struct keyset *after =
        roll_and_free(set_of(1, "\"kid\":\"a\""), set_of(0, "\"kid\":\"a\""), 10000, &counts);

    (void)state;
    assert_int_equal(keyset_count(after), 2);
    assert_int_equal(key_end_ms(keyset_key(after, 0)), INT64_MAX);
    assert_int_equal(key_end_ms(keyset_key(after, 1)), now_ms + 10000);
    assert_int_equal(counts.added, 1);
    assert_int_equal(counts.withdrawn, 1);
    keyset_free(after);
}

static void keys_without_kid_are_told_apart_by_their_numbers(void **state)
{
    struct rollover_counts counts;
    struct keyset *after = roll_and_free(set_of(1, ""), set_of_two("", ""), 10000, &counts);

    (void)state;
    assert_int_equal(keyset_count(after), 2);
    assert_false(str_is_set(key_id(keyset_key(after, 0))));
    assert_int_equal(counts.added, 0);
    assert_int_equal(counts.withdrawn, 1);
    keyset_free(after);
}

static void a_key_that_is_listed_twice_is_written_once(void **state)
{
    struct rollover_counts counts;
    struct keyset *after;
    struct buf text;

    (void)state;
    buf_init(&text, 65536);
    append(&text, 0, "\"kid\":\"a\"");
    append(&text, 0, "\"kid\":\"a\",\"use\":\"sig\"");
    append(&text, 0, "\"kid\":\"b\"");
    after = roll_and_free(parse(&text), NULL, 0, &counts);
    assert_int_equal(keyset_count(after), 2);
    keyset_free(after);
}

static void the_order_in_which_keys_are_listed_makes_no_difference(void **state)
{
    struct rollover rollover = {.now_ms = now_ms, .grace_ms = 1000};
    struct keyset *one = set_of_two("\"kid\":\"a\"", "\"kid\":\"b\""), *other;
    struct rollover_counts counts;
    struct buf text, first, second;
    struct err err = {""};

    (void)state;
    buf_init(&text, 65536);
    append(&text, 1, "\"kid\":\"b\"");
    append(&text, 0, "\"kid\":\"a\"");
    other = parse(&text);
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    rollover.listed = one;
    assert_true(rollover_write(&rollover, &first, &counts, &err));
    rollover.listed = other;
    rollover.before = one;
    assert_true(rollover_write(&rollover, &second, &counts, &err));
    assert_true(str_equal(buf_str(&first), buf_str(&second)));
    buf_free(&first);
    buf_free(&second);
    keyset_free(one);
    keyset_free(other);
}

static void a_listed_secret_is_left_out(void **state)
{
    struct rollover_counts counts;
    struct keyset *after;
    struct buf text;

    (void)state;
    buf_init(&text, 65536);
    append(&text, 0, "\"kid\":\"a\"");
    buf_append_format(&text, ",{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"%.43s\"}", moduli[0] + 1);
    after = roll_and_free(parse(&text), NULL, 0, &counts);
    assert_int_equal(keyset_count(after), 1);
    assert_false(keyset_is_secret(after));
    assert_int_equal(counts.secrets, 1);
    keyset_free(after);
}

static void refuses(const struct keyset *listed, const struct keyset *before, const char *why)
{
    const struct rollover rollover = {listed, before, now_ms, 1000};
    struct rollover_counts counts;
    struct err err = {""};
    struct buf text;

    buf_init(&text, 1024 * 1024);
    assert_false(rollover_write(&rollover, &text, &counts, &err));
    assert_contains(err.text, why);
    assert_int_equal(text.len, 0);
    buf_free(&text);
}

static void refuses_a_list_without_a_key_that_is_of_use(void **state)
{
    struct keyset *ended = set_of(0, "\"kid\":\"a\",\"exp\":1999999999");
    struct keyset *before = set_of(1, "\"kid\":\"b\"");

    (void)state;
    refuses(ended, before, "no public key in it that is of use");
    keyset_free(ended);
    keyset_free(before);
}

/* As many as a file may hold, of kids that begin so. */
static struct keyset *full_set(const char *kid)
{
    struct buf text;
    char more[64];

    buf_init(&text, 1024 * 1024);
    for (int i = 0; i < KEYSET_KEYS_MAX; i++) {
        (void)snprintf(more, sizeof(more), "\"kid\":\"%s%d\"", kid, i);
        append(&text, 0, more);
    }
    return parse(&text);
}

static void refuses_more_keys_than_a_file_may_hold(void **state)
{
    struct keyset *listed = full_set("a"), *before = full_set("b");

    (void)state;
    refuses(listed, before, "shorten the grace time");
    keyset_free(listed);
    keyset_free(before);
}

static void a_jwk_has_the_members_of_a_public_key(void **state)
{
    struct keyset *set = set_of(0, "\"kid\":\"a\"");
    struct rollover_counts counts;
    const struct rollover rollover = {set, NULL, now_ms, 0};
    struct err err = {""};
    struct buf text, expected;

    (void)state;
    buf_init(&text, 4096);
    buf_init(&expected, 4096);
    buf_append_format(&expected,
                      "{\"keys\":[\n{\"kty\":\"RSA\",\"kid\":\"a\",\"alg\":\"RS256\","
                      "\"use\":\"sig\",\"n\":\"%s\",\"e\":\"AQAB\"}\n]}\n",
                      moduli[0]);
    assert_true(rollover_write(&rollover, &text, &counts, &err));
    buf_append_byte(&expected, '\0');
    assert_str_equal(buf_str(&text), expected.data);
    buf_free(&text);
    buf_free(&expected);
    keyset_free(set);
}

static void a_generated_pair_is_one_that_verifies(void **state)
{
    struct err err = {""};
    struct keypair pair;
    struct key *key;

    (void)state;
    assert_true(keypair_generate(&pair, 2048, &err));
    key = key_from_pem(buf_str(&pair.public), STR_NONE, &err);
    assert_non_null(key);
    assert_int_equal(key_bits(key), 2048);
    assert_true(str_starts_with(buf_str(&pair.private), STR("-----BEGIN PRIVATE KEY-----\n")));
    key_free(key);
    keypair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_listed_into_a_new_file),
        cmocka_unit_test(a_withdrawn_key_ends_after_the_grace_time),
        cmocka_unit_test(an_end_is_never_put_off),
        cmocka_unit_test(a_shorter_grace_time_counts_for_keys_that_end_already),
        cmocka_unit_test(without_grace_a_withdrawn_key_is_out_at_once),
        cmocka_unit_test(a_key_that_has_ended_is_dropped),
        cmocka_unit_test(a_key_that_is_listed_again_loses_its_end),
        cmocka_unit_test(an_end_that_the_issuer_gives_counts),
        cmocka_unit_test(a_kid_that_is_given_to_another_key_withdraws_the_old_one),
        cmocka_unit_test(keys_without_kid_are_told_apart_by_their_numbers),
        cmocka_unit_test(a_key_that_is_listed_twice_is_written_once),
        cmocka_unit_test(the_order_in_which_keys_are_listed_makes_no_difference),
        cmocka_unit_test(a_listed_secret_is_left_out),
        cmocka_unit_test(refuses_a_list_without_a_key_that_is_of_use),
        cmocka_unit_test(refuses_more_keys_than_a_file_may_hold),
        cmocka_unit_test(a_jwk_has_the_members_of_a_public_key),
        cmocka_unit_test(a_generated_pair_is_one_that_verifies),
    };

    return cmocka_run_group_tests(tests, make_moduli, NULL);
}
