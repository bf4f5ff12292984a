#include "token/keyring.h"

#include <stdio.h>
#include <stdlib.h>

#include "template.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 1024 * 1024 };

/* ---- rings made of short descriptions: "RSA one, oct two, RSA -" (no kid) */

static void append_jwk(struct str description, struct buf *out)
{
    struct str kid = str_trim(description), type = str_cut(&kid, ' ');

    template_expand(str_equal(type, STR("oct"))
                        ? STR("{\"kty\":\"oct\",\"k\":\"$k\"")
                        : STR("{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\""),
                    out);
    if (!str_equal(kid, STR("-")))
        buf_append_format(out, ",\"kid\":\"%.*s\"", STR_ARGS(kid));
    buf_append_text(out, "}");
}

static struct keyset *set_of(const char *description)
{
    struct str rest = str_from(description);
    struct err err = {""};
    struct keyset *set;
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    buf_append_text(&text, "{\"keys\":[");
    while (str_is_set(rest)) {
        append_jwk(str_cut(&rest, ','), &text);
        if (str_is_set(rest))
            buf_append_text(&text, ",");
    }
    buf_append_text(&text, "]}");
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
    if (set == NULL)
        fail_msg("%s: %s", description, err.text);
    buf_free(&text);
    return set;
}

static bool add(struct keyring *ring, const char *description, struct err *err)
{
    struct keyset *set = set_of(description);
    bool good = keyring_add(ring, set, description, err);

    keyset_free(set);
    return good;
}

static struct keyring *ring_of(const char *description)
{
    struct keyring *ring = keyring_new();
    struct err err = {""};

    if (!add(ring, description, &err))
        fail_msg("%s", err.text);
    return ring;
}

/* ---- selection */

/* The places in the ring of what was selected: "0 2". */
static void show(const struct keyring *ring, const struct key *const *keys, size_t count,
                 char out[128])
{
    int len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        for (size_t place = 0; place < keyring_count(ring); place++)
            if (keyring_key(ring, place) == keys[i])
                len += snprintf(out + len, 128 - (size_t)len, "%s%zu", len == 0 ? "" : " ", place);
}

static void kid_and_algorithm_choose_the_keys(void **state)
{
    static const struct {
        const char *ring, *algorithm, *kid, *chosen; /* kid NULL: the token has none */
    } rows[] = {
        {"RSA one, RSA two", "RS256", "two", "1"},
        {"RSA one, RSA two", "RS256", "three", ""},
        {"RSA one, RSA two", "RS256", "", ""},
        {"RSA one, RSA two", "RS256", NULL, "0 1"},
        {"RSA one, RSA two", "HS256", NULL, ""},
        {"RSA one, RSA two", "HS256", "one", ""},
        /* unknown here: the keys without kid */
        {"RSA one, RSA -, RSA -", "RS256", "three", "1 2"},
        {"RSA one, RSA -, RSA -", "RS256", "one", "0"},
        {"RSA one, RSA -, RSA -", "RS256", NULL, "0 1 2"},
        {"oct -, RSA -", "RS256", "any", "1"},
        {"oct -, RSA -", "HS256", "any", "0"},
        {"oct -, RSA -", "HS256", NULL, "0"},
        /* known for the other algorithm alone: none, also where there are keys without kid */
        {"RSA one, oct -, RSA -", "HS256", "one", ""},
        {"oct one, oct -, RSA -", "RS256", "one", ""},
        /* known for both */
        {"RSA same, oct same", "RS256", "same", "0"},
        {"RSA same, oct same", "HS256", "same", "1"},
        {"RSA same, oct same, RSA same", "RS256", "same", "0 2"},
        /* never another kid */
        {"RSA one", "RS256", "One", ""},
        {"RSA one", "RS256", "one ", ""},
        {"RSA one", "RS256", "on", ""},
        {"RSA one, RSA onetwo", "RS256", "one", "0"},
        {"RSA , RSA -", "RS256", "", "0"},
        {"RSA , RSA -", "RS256", "x", "1"},
        {"RSA , RSA -", "RS256", NULL, "0 1"},
        /* no more than eight */
        {"RSA 0,RSA 1,RSA 2,RSA 3,RSA 4,RSA 5,RSA 6,RSA 7,RSA 8,RSA 9", "RS256", NULL,
         "0 1 2 3 4 5 6 7"},
        {"RSA 0,RSA 1,RSA 2,RSA 3,RSA 4,RSA 5,RSA 6,RSA 7,RSA 8,RSA 9", "RS256", "9", "9"},
        {"RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -", "RS256", "x", "0 1 2 3 4 5 6 7"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct keyring *ring = ring_of(rows[i].ring);
        const struct key *keys[KEYRING_TRIED_MAX];
        enum key_algorithm algorithm;
        char chosen[128];
        size_t count;

        assert_true(key_algorithm_from_name(str_from(rows[i].algorithm), &algorithm));
        count = keyring_select(ring, algorithm, str_from(rows[i].kid), keys);
        show(ring, keys, count, chosen);
        if (strcmp(chosen, rows[i].chosen) != 0)
            fail_msg("%s: %s %s gives '%s', not '%s'", rows[i].ring, rows[i].algorithm,
                     rows[i].kid == NULL ? "without kid" : rows[i].kid, chosen, rows[i].chosen);
        for (size_t j = 0; j < count; j++)
            assert_int_equal(key_algorithm(keys[j]), algorithm);
        keyring_free(ring);
    }
}

/* ---- adding */

static void refuses_a_key_that_no_token_could_choose(void **state)
{
    static const struct {
        const char *ring, *more, *complaint; /* complaint NULL: it is taken */
    } rows[] = {
        {"RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -", "RSA -", NULL},
        {"RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -", "RSA -", "RS256 key without kid"},
        {"RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -", "oct -", NULL},
        {"RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -,RSA -", "RSA one", NULL},
        {"oct -,oct -,oct -,oct -,oct -,oct -,oct -,oct -", "oct -", "HS256 key without kid"},
        {"RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a", "RSA a", "RS256 key of its kid"},
        {"RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a", "RSA b", NULL},
        {"RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a", "oct a", NULL},
        {"RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a,RSA a", "RSA -", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct keyring *ring = ring_of(rows[i].ring);
        struct err err = {""};
        bool good = add(ring, rows[i].more, &err);

        if (good != (rows[i].complaint == NULL))
            fail_msg("%s and %s: %s", rows[i].ring, rows[i].more, err.text);
        if (!good) {
            assert_contains(err.text, rows[i].complaint);
            assert_contains(err.text, "more than the 8 that are tried");
        }
        keyring_free(ring);
    }
}

static void each_key_has_the_file_that_it_came_from(void **state)
{
    struct keyring *ring = ring_of("RSA one, oct -");
    char other[] = "oct two";
    struct err err = {""};

    (void)state;
    assert_true(add(ring, other, &err));
    memset(other, 'x', sizeof(other) - 1);
    assert_int_equal(keyring_count(ring), 3);
    assert_string_equal(keyring_origin(ring, 0), "RSA one, oct -");
    assert_string_equal(keyring_origin(ring, 1), "RSA one, oct -");
    assert_string_equal(keyring_origin(ring, 2), "oct two");
    assert_str_equal(key_id(keyring_key(ring, 2)), "two");
    keyring_free(ring);
}

/* The set keeps its keys, and the ring has them when the set is gone. */
static void shares_the_keys_of_the_set(void **state)
{
    struct keyset *set = set_of("oct one, RSA two");
    struct keyring *first = keyring_new(), *second = keyring_new();

    (void)state;
    assert_true(keyring_add(first, set, "x", NULL));
    assert_true(keyring_add(second, set, "x", NULL));
    assert_ptr_equal(keyring_key(first, 0), keyset_key(set, 0));
    keyset_free(set);
    keyring_free(first);
    assert_str_equal(key_id(keyring_key(second, 1)), "two");
    keyring_free(second);
    keyring_free(NULL);
}

static void an_empty_ring_gives_nothing(void **state)
{
    struct keyring *ring = keyring_new();
    const struct key *keys[KEYRING_TRIED_MAX];

    (void)state;
    assert_int_equal(keyring_count(ring), 0);
    assert_int_equal(keyring_select(ring, KEY_RS256, STR_NONE, keys), 0);
    assert_int_equal(keyring_select(ring, KEY_HS256, STR("one"), keys), 0);
    keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kid_and_algorithm_choose_the_keys),
        cmocka_unit_test(refuses_a_key_that_no_token_could_choose),
        cmocka_unit_test(each_key_has_the_file_that_it_came_from),
        cmocka_unit_test(shares_the_keys_of_the_set),
        cmocka_unit_test(an_empty_ring_gives_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
