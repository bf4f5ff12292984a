#include "token/keyset.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "format/jsonvalue.h"
#include "token/jwk.h"
#include "token/shown.h"

struct keyset {
    struct key *keys[KEYSET_KEYS_MAX];
    size_t count;
    struct keyset_skip *skipped;
    size_t skipped_count;
};

void keyset_free(struct keyset *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        key_free(set->keys[i]);
    free(set->skipped);
    free(set);
}

size_t keyset_count(const struct keyset *set)
{
    return set->count;
}

struct key *keyset_key(const struct keyset *set, size_t i)
{
    return set->keys[i];
}

size_t keyset_skipped_count(const struct keyset *set)
{
    return set->skipped_count;
}

const struct keyset_skip *keyset_skipped(const struct keyset *set, size_t i)
{
    return &set->skipped[i];
}

bool keyset_is_secret(const struct keyset *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (key_algorithm(set->keys[i]) == KEY_HS256)
            return true;
    return false;
}

/* Takes the key over; NULL is refused, with what `err` says already. */
static bool add(struct keyset *set, struct key *key, struct err *err)
{
    if (key == NULL)
        return false;
    if (set->count < KEYSET_KEYS_MAX) {
        set->keys[set->count++] = key;
        return true;
    }
    key_free(key);
    err_set(err, "there are more than %d keys in it", KEYSET_KEYS_MAX);
    return false;
}

/* ---- a secret */

struct str keyset_secret_of_file(struct str text)
{
    if (!str_ends_with(text, STR("\n")))
        return text;
    text.len--;
    if (str_ends_with(text, STR("\r")))
        text.len--;
    return text;
}

static bool is_pem(struct str text)
{
    static const struct str begin = STR("-----BEGIN ");

    return memmem(text.data, text.len, begin.data, begin.len) != NULL;
}

static bool parse_secret(struct keyset *set, struct str text, struct err *err)
{
    if (is_pem(text)) {
        err_set(err, "it is PEM, not a secret: a public key is named in token.public_key_file");
        return false;
    }
    return add(set, key_from_secret(keyset_secret_of_file(text), STR_NONE, err), err);
}

/* ---- PEM */

static bool parse_pem(struct keyset *set, struct str text, struct err *err)
{
    return add(set, key_from_pem(text, STR_NONE, err), err);
}

/* ---- JWKS */

static void skip(struct keyset *set, enum jwk_result result, size_t place, struct str kid,
                 const struct err *why)
{
    struct keyset_skip *skipped = &set->skipped[set->skipped_count++];

    skipped->is_defective = result == JWK_DEFECTIVE;
    if (str_is_set(kid))
        err_set(&skipped->why, "key %zu (kid '%s'): %s", place, shown(kid).text, why->text);
    else
        err_set(&skipped->why, "key %zu: %s", place, why->text);
}

static bool read_jwk(struct keyset *set, struct json_object *jwk, size_t place, struct err *err)
{
    struct key *key;
    struct err why = {""};
    struct str kid;
    enum jwk_result result = jwk_read(jwk, &key, &kid, &why);

    if (result == JWK_OK)
        return add(set, key, err);
    if (result == JWK_OUT_OF_MEMORY) {
        err_set(err, "%s", why.text);
        return false;
    }
    skip(set, result, place, kid, &why);
    return true;
}

static bool read_jwks(struct keyset *set, struct json_object *keys, struct err *err)
{
    size_t count = json_object_array_length(keys);

    set->skipped = calloc(count + 1, sizeof(*set->skipped));
    if (set->skipped == NULL) {
        err_set(err, "out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!read_jwk(set, json_object_array_get_idx(keys, i), i + 1, err))
            return false;
    return true;
}

static bool is_usable(const struct keyset *set, struct err *err)
{
    if (set->count > 0)
        return true;
    if (set->skipped_count == 0)
        err_set(err, "there is no key in it");
    else
        err_set(err, "none of its %zu keys can be used here; the first: %s", set->skipped_count,
                set->skipped[0].why.text);
    return false;
}

static bool read_document(struct keyset *set, struct json_object *document, struct err *err)
{
    struct json_object *keys = jsonvalue_member(document, "keys", NULL), *one;
    bool is_jwk, good;

    if (json_object_is_type(keys, json_type_array))
        return read_jwks(set, keys, err) && is_usable(set, err);
    (void)jsonvalue_member(document, "kty", &is_jwk);
    if (!is_jwk) {
        err_set(err, "it is neither a JWK Set, which has an array 'keys', nor a JWK");
        return false;
    }
    one = json_object_new_array();
    good = one != NULL && json_object_array_add(one, json_object_get(document)) == 0 &&
           read_jwks(set, one, err) && is_usable(set, err);
    json_object_put(one);
    return good;
}

static bool parse_jwks(struct keyset *set, struct str text, struct err *err)
{
    struct json_object *document = NULL;
    struct strictjson_place place;
    enum strictjson_result result = jsonvalue_parse(text, &document, &place);
    bool good = false;

    if (result != STRICTJSON_OK)
        err_set(err, "line %zu, column %zu: it %s", place.line, place.column,
                strictjson_text(result));
    else if (!json_object_is_type(document, json_type_object))
        err_set(err, "it is not a JSON object");
    else
        good = read_document(set, document, err);
    json_object_put(document);
    return good;
}

/* ---- the forms */

static bool (*const parsers[KEYSET_FORM__MAX])(struct keyset *set, struct str text,
                                               struct err *err) = {
    [KEYSET_SECRET] = parse_secret,
    [KEYSET_PEM] = parse_pem,
    [KEYSET_JWKS] = parse_jwks,
};

struct keyset *keyset_parse(enum keyset_form form, struct str text, struct err *err)
{
    struct keyset *set = calloc(1, sizeof(*set));

    if (set == NULL)
        err_set(err, "out of memory");
    else if (parsers[form](set, text, err))
        return set;
    keyset_free(set);
    return NULL;
}
