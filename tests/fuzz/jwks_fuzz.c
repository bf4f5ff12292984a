#include "token/keyset.h"

#include <json-c/json.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "format/jsonvalue.h"
#include "fuzz.h"
#include "token/hmac.h"
#include "token/keyring.h"

/* ---- what is chosen of a ring */

static bool has_kid(const struct keyring *ring, struct str kid)
{
    for (size_t i = 0; i < keyring_count(ring); i++)
        if (str_equal(key_id(keyring_key(ring, i)), kid))
            return true;
    return false;
}

/* DESIGN: those of the kid, or, where there are none, those without; a token without: any. */
static void require_selection(const struct keyring *ring, enum key_algorithm algorithm,
                              struct str kid)
{
    const struct key *chosen[KEYRING_TRIED_MAX];
    size_t count = keyring_select(ring, algorithm, kid, chosen), expected = 0;
    bool is_known = str_is_set(kid) && has_kid(ring, kid);

    for (size_t i = 0; i < keyring_count(ring); i++) {
        const struct key *key = keyring_key(ring, i);
        struct str its = key_id(key);

        expected += key_algorithm(key) == algorithm &&
                    (!str_is_set(kid) || (is_known ? str_equal(its, kid) : !str_is_set(its)));
    }
    require(count == (expected < KEYRING_TRIED_MAX ? expected : KEYRING_TRIED_MAX),
            "as many are chosen as there are, up to eight");
    for (size_t i = 0; i < count; i++) {
        struct str its = key_id(chosen[i]);

        require(key_algorithm(chosen[i]) == algorithm, "of the algorithm");
        require(!str_is_set(kid) || str_equal(its, kid) || (!str_is_set(its) && !is_known),
                "never one of another kid");
    }
}

static void fill_ring(const struct keyset *set)
{
    struct keyring *ring = keyring_new();
    struct err err = {""};
    bool good = keyring_add(ring, set, "fuzz", &err);

    require(good || err.text[0] != '\0', "a refusal is told");
    require(!good || keyring_count(ring) == keyset_count(set), "all keys are in the ring");
    for (size_t i = 0; i < keyset_count(set); i++)
        for (int algorithm = 0; algorithm < KEY_ALGORITHM__MAX; algorithm++)
            require_selection(ring, (enum key_algorithm)algorithm, key_id(keyset_key(set, i)));
    require_selection(ring, KEY_HS256, STR("unknown"));
    require_selection(ring, KEY_RS256, STR_NONE);
    keyring_free(ring);
}

/* ---- what is read of a text */

static void require_told(const struct keyset *set)
{
    for (size_t i = 0; i < keyset_skipped_count(set); i++) {
        require_printable(keyset_skipped(set, i)->why.text);
        require(strncmp(keyset_skipped(set, i)->why.text, "key ", 4) == 0, "it is told which");
    }
}

/* By json-c: how many entries there are. */
static void require_all_entries(struct str text, const struct keyset *set)
{
    struct json_object *document = NULL, *keys;
    size_t count = 1; /* a JWK alone */

    require(jsonvalue_parse_object(text, &document, NULL) == STRICTJSON_OK,
            "keys come of an object");
    keys = jsonvalue_member(document, "keys", NULL);
    if (json_object_is_type(keys, json_type_array))
        count = json_object_array_length(keys);
    require(keyset_count(set) + keyset_skipped_count(set) == count,
            "each entry is a key, or told of");
    json_object_put(document);
}

static void require_set(enum keyset_form form, struct str text, const struct keyset *set)
{
    bool has_secret = false;

    require(keyset_count(set) >= 1 && keyset_count(set) <= KEYSET_KEYS_MAX,
            "a set has keys, and not too many");
    for (size_t i = 0; i < keyset_count(set); i++)
        has_secret = has_secret || key_algorithm(keyset_key(set, i)) == KEY_HS256;
    require(keyset_is_secret(set) == has_secret, "a secret is one to all");
    if (form == KEYSET_JWKS)
        require_all_entries(text, set);
    else
        require(keyset_count(set) == 1 && keyset_skipped_count(set) == 0, "a file has one key");
    require_told(set);
    fill_ring(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum keyset_form forms[] = {KEYSET_JWKS, KEYSET_JWKS, KEYSET_SECRET, KEYSET_PEM};
    struct str text = {size == 0 ? "" : (const char *)data, size};
    enum keyset_form form = forms[take_choice(&text, ARRAY_LENGTH(forms))];
    struct err err = {""};
    struct keyset *set = keyset_parse(form, text, &err);

    require(set != NULL || err.text[0] != '\0', "a refusal is told");
    require_printable(err.text);
    require(!str_starts_with(str_from(err.text), STR("out of memory")), "memory suffices");
    if (set != NULL)
        require_set(form, text, set);
    require(ERR_peek_error() == 0, "OpenSSL's error queue is empty");
    keyset_free(set);
    return 0;
}
