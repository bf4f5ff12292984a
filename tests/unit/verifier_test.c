#include "token/verifier.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocations.h"
#include "template.h"
#include "token/signer.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 64 * 1024 };

static const struct jwt_rules usual = {.allowed = {true, true}, .max_bytes = 8192};

/* Where no other is named. */
static const int64_t now_ms = 1000000;

#define SECRET "0123456789abcdef0123456789abcdef"
#define GOOD "{\"keys\":[{\"kty\":\"oct\",\"k\":\"<" SECRET ">\"}]}"
/* A ring in which the key was exchanged: what is valid by it was not verified again. */
#define EXCHANGED "{\"keys\":[{\"kty\":\"oct\",\"k\":\"$other-k\"}]}"

/* ---- a verifier with two rings and a signer */

struct fixture {
    struct keyring *good, *exchanged;
    struct signer *signer;
    struct verifier *verifier;
    struct err err;
};

static void fixture_init(struct fixture *f, size_t kept_max)
{
    f->good = template_keyring(GOOD);
    f->exchanged = template_keyring(EXCHANGED);
    f->signer = signer_from_secret(STR(SECRET), NULL);
    f->verifier = verifier_new(&usual, kept_max);
    assert_non_null(f->signer);
    assert_non_null(f->verifier);
}

static void fixture_free(struct fixture *f)
{
    keyring_free(f->good);
    keyring_free(f->exchanged);
    signer_free(f->signer);
    verifier_free(f->verifier);
}

/* Token number `number`, good until second 2000. */
static struct str mint(struct fixture *f, int number, struct buf *out)
{
    char payload[128];

    (void)snprintf(payload, sizeof(payload), "{\"sub\":\"%d\",\"exp\":2000}", number);
    buf_init(out, TEXT_MAX_BYTES);
    assert_true(signer_mint(f->signer, STR_NONE, str_from(payload), out));
    return buf_str(out);
}

static enum jwt_verdict verify(struct fixture *f, struct str token, const struct keyring *ring,
                               uint64_t generation)
{
    const struct verifier_keys keys = {ring, generation};
    const struct jwt_claims *claims;
    enum jwt_verdict verdict = verifier_verify(f->verifier, token, &keys, now_ms, &claims, &f->err);

    assert_int_equal(claims != NULL, verdict == JWT_VALID);
    return verdict;
}

static enum jwt_verdict verify_number(struct fixture *f, int number, const struct keyring *ring)
{
    struct buf text;
    enum jwt_verdict verdict = verify(f, mint(f, number, &text), ring, 1);

    buf_free(&text);
    return verdict;
}

/* Changes nothing but what was used last. */
static bool is_kept(struct fixture *f, int number)
{
    return verify_number(f, number, f->exchanged) == JWT_VALID;
}

/* ---- what is kept */

static void a_token_is_not_verified_again(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 16);
    assert_int_equal(verify_number(&f, 1, f.exchanged), JWT_BAD_SIGNATURE);
    assert_int_equal(verify_number(&f, 1, f.good), JWT_VALID);
    assert_int_equal(verify_number(&f, 1, f.exchanged), JWT_VALID);
    assert_int_equal(verify_number(&f, 1, f.exchanged), JWT_VALID);
    assert_int_equal(verify_number(&f, 2, f.exchanged), JWT_BAD_SIGNATURE);
    fixture_free(&f);
}

static void all_are_forgotten_with_another_generation(void **state)
{
    struct fixture f;
    struct buf text;
    struct str token;

    (void)state;
    fixture_init(&f, 16);
    token = mint(&f, 1, &text);
    assert_int_equal(verify(&f, token, f.good, 1), JWT_VALID);
    assert_int_equal(verify(&f, token, f.exchanged, 2), JWT_BAD_SIGNATURE);
    assert_int_equal(verify(&f, token, f.exchanged, 1), JWT_BAD_SIGNATURE);
    assert_int_equal(verify(&f, token, f.good, 1), JWT_VALID);
    assert_int_equal(verify(&f, token, f.exchanged, 0), JWT_BAD_SIGNATURE);
    buf_free(&text);
    fixture_free(&f);
}

static void a_verifier_that_keeps_none_verifies_each_time(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(verify_number(&f, 1, f.good), JWT_VALID);
        assert_int_equal(verify_number(&f, 1, f.exchanged), JWT_BAD_SIGNATURE);
    }
    fixture_free(&f);
}

static void what_was_refused_is_not_kept(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(verify_number(&f, i, f.good), JWT_VALID);
    for (int i = 100; i < 1100; i++)
        assert_int_equal(verify_number(&f, i, f.exchanged), JWT_BAD_SIGNATURE);
    for (int i = 0; i < 4; i++)
        assert_true(is_kept(&f, i));
    /* Nor is the refusal: with the right key it is good. */
    assert_int_equal(verify_number(&f, 100, f.good), JWT_VALID);
    fixture_free(&f);
}

static void the_one_that_was_not_used_for_the_longest_time_goes(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(verify_number(&f, i, f.good), JWT_VALID);
    assert_true(is_kept(&f, 0)); /* so that 1 is the oldest */
    assert_int_equal(verify_number(&f, 4, f.good), JWT_VALID);
    assert_false(is_kept(&f, 1));
    assert_true(is_kept(&f, 2));
    assert_true(is_kept(&f, 3));
    assert_true(is_kept(&f, 0));
    assert_true(is_kept(&f, 4));
    assert_int_equal(verify_number(&f, 5, f.good), JWT_VALID); /* in the place of 2 */
    assert_false(is_kept(&f, 2));
    assert_true(is_kept(&f, 3));
    fixture_free(&f);
}

/* A token that many use at a time stays, whatever comes in between. */
static void keeps_no_more_than_it_may(void **state)
{
    static const size_t rows[] = {1, 2, 5, 64, 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture f;
        size_t kept = 0;

        fixture_init(&f, rows[i]);
        for (int number = 0; number < 4000; number++)
            assert_int_equal(verify_number(&f, number, f.good), JWT_VALID);
        for (int number = 0; number < 4000; number++)
            kept += is_kept(&f, number);
        assert_int_equal(kept, rows[i]);
        fixture_free(&f);
    }
}

/* As many as it may keep, whoever comes when: each is verified once. */
static void keeps_as_many_as_it_may(void **state)
{
    enum { COUNT = 1000 };
    struct fixture f;

    (void)state;
    fixture_init(&f, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(verify_number(&f, i, f.good), JWT_VALID);
    for (int i = 0; i < 5 * COUNT; i++)
        assert_true(is_kept(&f, i * 7919 % COUNT));
    assert_int_equal(verifier_counts(f.verifier)->opened, COUNT);
    assert_int_equal(verifier_counts(f.verifier)->recalled, 5 * COUNT);
    fixture_free(&f);
}

/* ---- what is judged each time all the same */

struct moment {
    int64_t at_ms;
    enum jwt_verdict verdict;
};

static void assert_moments(const char *jwks, const char *payload, const struct jwt_rules *rules,
                           const struct moment *moments, size_t count)
{
    struct keyring *ring = template_keyring(jwks);
    struct signer *signer = signer_from_secret(STR(SECRET), NULL);
    struct verifier *verifier = verifier_new(rules, 16);
    const struct verifier_keys keys = {ring, 1};
    struct buf token;

    buf_init(&token, TEXT_MAX_BYTES);
    assert_true(signer_mint(signer, STR_NONE, str_from(payload), &token));
    for (size_t i = 0; i < count; i++) {
        const struct jwt_claims *claims = NULL;
        struct err err = {""};

        assert_int_equal(
            verifier_verify(verifier, buf_str(&token), &keys, moments[i].at_ms, &claims, &err),
            moments[i].verdict);
        assert_int_equal(claims != NULL, moments[i].verdict == JWT_VALID);
    }
    buf_free(&token);
    verifier_free(verifier);
    signer_free(signer);
    keyring_free(ring);
}

static void times_are_judged_each_time(void **state)
{
    static const struct moment moments[] = {
        {999999, JWT_NOT_YET_VALID},  {1000000, JWT_VALID}, {1999999, JWT_VALID},
        {2000000, JWT_EXPIRED},       {1999999, JWT_VALID}, {999999, JWT_NOT_YET_VALID},
        {INT64_MAX - 1, JWT_EXPIRED}, {1500000, JWT_VALID},
    };

    (void)state;
    assert_moments(GOOD, "{\"sub\":\"x\",\"exp\":2000,\"nbf\":1000}", &usual, moments,
                   ARRAY_LENGTH(moments));
}

static void the_end_of_the_key_is_judged_each_time(void **state)
{
    static const struct moment moments[] = {
        {1499999, JWT_VALID}, {1500000, JWT_KEY_WITHDRAWN}, {1499999, JWT_VALID}};

    (void)state;
    assert_moments("{\"keys\":[{\"kty\":\"oct\",\"k\":\"<" SECRET ">\",\"exp\":1500}]}",
                   "{\"sub\":\"x\",\"exp\":2000}", &usual, moments, ARRAY_LENGTH(moments));
}

static void what_the_rules_refuse_stays_refused(void **state)
{
    static const char *const names[] = {"us"};
    static const struct moment wrong_issuer[] = {{1, JWT_WRONG_ISSUER}, {2, JWT_WRONG_ISSUER}};
    static const struct moment wrong_audience[] = {{1, JWT_WRONG_AUDIENCE},
                                                   {2, JWT_WRONG_AUDIENCE}};
    static const struct moment no_subject[] = {{1, JWT_NO_SUBJECT}, {2, JWT_NO_SUBJECT}};
    struct jwt_rules rules = usual;

    (void)state;
    assert_moments(GOOD, "{\"exp\":2000}", &usual, no_subject, 2);
    rules.issuers = (struct settings_list){names, 1};
    assert_moments(GOOD, "{\"sub\":\"x\",\"exp\":2000,\"iss\":\"them\"}", &rules, wrong_issuer, 2);
    rules.issuers.count = 0;
    rules.audiences = (struct settings_list){names, 1};
    assert_moments(GOOD, "{\"sub\":\"x\",\"exp\":2000,\"aud\":\"them\"}", &rules, wrong_audience,
                   2);
}

/* ---- changes of a token that is kept */

static void a_kept_token_with_any_bit_changed_is_refused(void **state)
{
    struct fixture f;
    struct buf token;

    (void)state;
    fixture_init(&f, 16);
    (void)mint(&f, 1, &token);
    assert_int_equal(verify(&f, buf_str(&token), f.good, 1), JWT_VALID);
    for (size_t bit = 0; bit < token.len * 8; bit++) {
        char mask = (char)(1 << bit % 8);

        token.data[bit / 8] = (char)(token.data[bit / 8] ^ mask);
        assert_int_not_equal(verify(&f, buf_str(&token), f.good, 1), JWT_VALID);
        token.data[bit / 8] = (char)(token.data[bit / 8] ^ mask);
    }
    for (size_t len = 0; len < token.len; len++)
        assert_int_not_equal(verify(&f, (struct str){token.data, len}, f.good, 1), JWT_VALID);
    buf_append_byte(&token, 'A');
    assert_int_not_equal(verify(&f, buf_str(&token), f.good, 1), JWT_VALID);
    buf_free(&token);
    assert_true(is_kept(&f, 1));
    fixture_free(&f);
}

static void a_token_that_is_too_long_is_not_even_looked_up(void **state)
{
    struct fixture f;
    char token[8193];

    (void)state;
    fixture_init(&f, 16);
    memset(token, 'x', sizeof(token));
    assert_int_equal(verify(&f, (struct str){token, sizeof(token)}, f.good, 1), JWT_TOO_LONG);
    assert_int_equal(verify(&f, STR(""), f.good, 1), JWT_NOT_COMPACT);
    fixture_free(&f);
}

/* ---- memory */

static void claims_are_those_of_the_token(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, 4);
    for (int round = 0; round < 3; round++)
        for (int number = 0; number < 10; number++) {
            const struct verifier_keys keys = {f.good, 1};
            const struct jwt_claims *claims;
            struct buf text;
            char subject[16];

            (void)snprintf(subject, sizeof(subject), "%d", number);
            assert_int_equal(verifier_verify(f.verifier, mint(&f, number, &text), &keys, now_ms,
                                             &claims, &f.err),
                             JWT_VALID);
            buf_free(&text);
            assert_str_equal(claims->subject, subject);
            assert_int_equal(claims->expires_ms, 2000000);
        }
    fixture_free(&f);
}

/* A token that two calls judge, the second from memory; the claims of that one, which outlive it
 * with the verifier. */
static const struct jwt_claims *claims_kept(struct verifier *verifier,
                                            const struct verifier_keys *keys, struct str token)
{
    const struct jwt_claims *claims;
    uint64_t recalled = verifier_counts(verifier)->recalled;

    for (int i = 0; i < 2; i++)
        assert_int_equal(verifier_verify(verifier, token, keys, now_ms, &claims, NULL), JWT_VALID);
    assert_int_equal(verifier_counts(verifier)->recalled, recalled + 1);
    return claims;
}

static void assert_names(const struct jwt_claims *claims, const char *subject, const char *issuer,
                         const char *session)
{
    assert_true(str_equal(claims->subject, str_from(subject)));
    assert_true(str_equal(claims->issuer, str_from(issuer)));
    assert_true(str_equal(claims->session, str_from(session)));
    assert_int_equal(str_is_set(claims->issuer), issuer != NULL);
    assert_int_equal(str_is_set(claims->session), session != NULL);
}

/* Whatever the rules know of them, and where claims are absent. */
static void what_is_needed_of_the_claims_is_kept(void **state)
{
    static const char *const names[] = {"us", "u"};
    static const struct {
        const char *payload, *subject, *issuer, *session;
        size_t issuers; /* of the rules */
    } rows[] = {
        {"{\"sub\":\"a\",\"exp\":2000}", "a", NULL, NULL, 0},
        {"{\"sub\":\"a\",\"iss\":\"us\",\"exp\":2000}", "a", "us", NULL, 2},
        {"{\"sub\":\"\\u0062b\",\"iss\":\"u\",\"sid\":\"s\",\"exp\":2000,\"nbf\":999}", "bb", "u",
         "s", 2},
        {"{\"sub\":\"a\",\"iss\":\"them\",\"sid\":\"ss\",\"exp\":2000}", "a", "them", "ss", 0},
        {"{\"sub\":\"a\",\"iss\":\"\",\"exp\":2000}", "a", "", NULL, 0},
    };
    struct keyring *ring = template_keyring(GOOD);
    struct signer *signer = signer_from_secret(STR(SECRET), NULL);
    const struct verifier_keys keys = {ring, 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct jwt_rules rules = usual;
        struct verifier *verifier;
        struct buf token;

        rules.issuers = (struct settings_list){names, rows[i].issuers};
        rules.session_claim = "sid";
        verifier = verifier_new(&rules, 16);
        buf_init(&token, TEXT_MAX_BYTES);
        assert_true(signer_mint(signer, STR_NONE, str_from(rows[i].payload), &token));
        assert_names(claims_kept(verifier, &keys, buf_str(&token)), rows[i].subject, rows[i].issuer,
                     rows[i].session);
        buf_free(&token);
        verifier_free(verifier);
    }
    signer_free(signer);
    keyring_free(ring);
}

/* There where a sanitizer has taken the place of malloc. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated_bytes(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    return mallinfo2().uordblks;
}

static void memory_does_not_grow_with_the_tokens(void **state)
{
    struct fixture f;
    size_t before, after;

    (void)state;
    fixture_init(&f, 256);
    for (int i = 10000; i < 20000; i++)
        assert_int_equal(verify_number(&f, i, f.good), JWT_VALID);
    before = allocated_bytes();
    for (int i = 20000; i < 99999; i++)
        assert_int_equal(verify_number(&f, i, f.good), JWT_VALID);
    after = allocated_bytes();
    assert_true(before > 0);
    if (after > before + 4096)
        fail_msg("%zu bytes became %zu", before, after);
    fixture_free(&f);
}

/* A worker has a thousand of them: what is not needed again is not kept. */
static void a_kept_token_takes_little_memory(void **state)
{
    enum { COUNT = 1000, LITTLE_BYTES = 256 };
    static const char *const issuers[] = {"https://login.example.com/realms/one"};
    struct jwt_rules rules = usual;
    struct keyring *ring = template_keyring(GOOD);
    struct signer *signer = signer_from_secret(STR(SECRET), NULL);
    const struct verifier_keys keys = {ring, 1};
    struct verifier *verifier;
    const struct jwt_claims *claims;
    size_t before, after;

    (void)state;
    rules.issuers = (struct settings_list){issuers, 1};
    rules.session_claim = "sid";
    verifier = verifier_new(&rules, COUNT);
    before = allocated_bytes();
    for (int i = 0; i < COUNT; i++) {
        struct buf payload, token;

        buf_init(&payload, TEXT_MAX_BYTES);
        buf_init(&token, TEXT_MAX_BYTES);
        buf_append_format(&payload,
                          "{\"iss\":\"%s\",\"sub\":\"01938a5e-7c3f-7b41-8d20-%012d\",\"exp\":2000,"
                          "\"aud\":[\"https://me.example.com/\",\"account\"],\"scope\":\"openid "
                          "profile email\",\"sid\":\"01938a5e-7c3f-7b41-8d21-%012d\"}",
                          issuers[0], i, i);
        assert_true(signer_mint(signer, STR_NONE, buf_str(&payload), &token));
        assert_int_equal(verifier_verify(verifier, buf_str(&token), &keys, now_ms, &claims, NULL),
                         JWT_VALID);
        buf_free(&payload);
        buf_free(&token);
    }
    after = allocated_bytes();
    if (after - before > (size_t)COUNT * LITTLE_BYTES)
        fail_msg("%zu bytes for each", (after - before) / COUNT);
    verifier_free(verifier);
    signer_free(signer);
    keyring_free(ring);
}

/* Looks for the bytes of `masked`, each with MASK in it, in all of the heap. */
enum { MASK = 0x55, MASKED_BYTES = 24 };

static bool heap_has(const unsigned char masked[MASKED_BYTES])
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    bool found = false;

    assert_non_null(maps);
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t start, end;

        if (strstr(line, "[heap]") == NULL ||
            sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) != 2)
            continue;
        for (const unsigned char *at = (const unsigned char *)start;
             !found && at + MASKED_BYTES <= (const unsigned char *)end; at++) {
            size_t same = 0;

            while (same < MASKED_BYTES && (at[same] ^ MASK) == masked[same])
                same++;
            found = same == MASKED_BYTES;
        }
    }
    (void)fclose(maps);
    return found;
}

static void no_text_of_a_token_is_kept(void **state)
{
    unsigned char masked[MASKED_BYTES];
    struct fixture f;
    struct buf token;

    (void)state;
    if (__sanitizer_get_current_allocated_bytes != NULL)
        skip_because("the heap of a sanitizer is elsewhere");
    fixture_init(&f, 16);
    (void)mint(&f, 1, &token);
    for (size_t i = 0; i < MASKED_BYTES; i++)
        masked[i] = (unsigned char)token.data[token.len - MASKED_BYTES + i] ^ MASK;
    assert_int_equal(verify(&f, buf_str(&token), f.good, 1), JWT_VALID);
    assert_true(heap_has(masked));
    buf_free_secret(&token);
    assert_false(heap_has(masked));
    assert_true(is_kept(&f, 1));
    fixture_free(&f);
}

/* Each allocation fails in turn: valid or out of memory, and the verifier goes on. */
static void short_memory_harms_nothing(void **state)
{
    struct fixture f;
    struct buf text;
    struct str token;
    size_t count, refused = 0;

    (void)state;
    allocations_skip_where_none_can_fail();
    fixture_init(&f, 16);
    token = mint(&f, 1, &text);
    allocations_fail(1, 0);
    assert_int_equal(verify(&f, token, f.good, 1), JWT_VALID);
    count = allocations_end();
    assert_true(count > 2);
    for (size_t i = 0; i < count; i++) {
        enum jwt_verdict verdict;

        allocations_fail(i, i);
        verdict = verify(&f, token, f.good, 2 + i);
        (void)allocations_end();
        if (verdict != JWT_VALID)
            assert_int_equal(verdict, JWT_OUT_OF_MEMORY);
        refused += verdict != JWT_VALID;
        assert_int_equal(verify(&f, token, f.good, 2 + i), JWT_VALID);
    }
    assert_true(refused > 2);
    buf_free(&text);
    fixture_free(&f);
}

static void nothing_is_left_of_a_verifier_that_cannot_be_made(void **state)
{
    size_t count;

    (void)state;
    allocations_skip_where_none_can_fail();
    allocations_fail(1, 0);
    verifier_free(verifier_new(&usual, 64));
    count = allocations_end();
    for (size_t i = 0; i < count; i++) {
        struct verifier *verifier;

        allocations_fail(i, SIZE_MAX);
        verifier = verifier_new(&usual, 64);
        (void)allocations_end();
        assert_null(verifier);
    }
    verifier_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_not_verified_again),
        cmocka_unit_test(all_are_forgotten_with_another_generation),
        cmocka_unit_test(a_verifier_that_keeps_none_verifies_each_time),
        cmocka_unit_test(what_was_refused_is_not_kept),
        cmocka_unit_test(the_one_that_was_not_used_for_the_longest_time_goes),
        cmocka_unit_test(keeps_no_more_than_it_may),
        cmocka_unit_test(keeps_as_many_as_it_may),
        cmocka_unit_test(times_are_judged_each_time),
        cmocka_unit_test(the_end_of_the_key_is_judged_each_time),
        cmocka_unit_test(what_the_rules_refuse_stays_refused),
        cmocka_unit_test(a_kept_token_with_any_bit_changed_is_refused),
        cmocka_unit_test(a_token_that_is_too_long_is_not_even_looked_up),
        cmocka_unit_test(claims_are_those_of_the_token),
        cmocka_unit_test(what_is_needed_of_the_claims_is_kept),
        cmocka_unit_test(a_kept_token_takes_little_memory),
        cmocka_unit_test(memory_does_not_grow_with_the_tokens),
        cmocka_unit_test(no_text_of_a_token_is_kept),
        cmocka_unit_test(short_memory_harms_nothing),
        cmocka_unit_test(nothing_is_left_of_a_verifier_that_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
