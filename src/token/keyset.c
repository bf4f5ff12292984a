#include "token/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "format/strictjson.h"
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

/* Takes the key over; there is room for it. NULL is refused, with what `err` says already. */
static bool add(struct keyset *set, struct key *key)
{
    if (key == NULL)
        return false;
    set->keys[set->count++] = key;
    return true;
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

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* No bytes made at random are text, of so many. */
static bool is_text(struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (!is_white(bytes.data[i]) && (bytes.data[i] < ' ' || bytes.data[i] > '~'))
            return false;
    return bytes.len > 0;
}

/* What an editor or a paste leaves around a secret nobody sees, and every token is refused. */
static const char *fault_around(struct str secret)
{
    if (str_starts_with(secret, STR("\xEF\xBB\xBF")))
        return "a byte order mark";
    if (is_text(secret) && (is_white(secret.data[0]) || is_white(secret.data[secret.len - 1])))
        return "white space";
    return NULL;
}

/*
 * A public key taken for a secret would let anybody make tokens (RFC 8725, section 2.1). No bytes
 * made at random are a JSON object.
 */
static bool is_secret(struct str text, struct err *err)
{
    enum strictjson_result result = strictjson_scan_object(text, NULL, NULL);
    const char *fault = fault_around(keyset_secret_of_file(text));

    if (is_pem(text))
        err_set(err, "it is PEM, not a secret: a public key is named in token.public_key_file");
    else if (result == STRICTJSON_OK)
        err_set(err, "it is JSON, not a secret: a JWK Set is named in token.jwks_file");
    else if (result == STRICTJSON_OUT_OF_MEMORY)
        err_set(err, "out of memory");
    else if (fault != NULL)
        err_set(err,
                "it begins or ends with %s: take that out, or, where the login system has it in "
                "its secret too, write the secret as a JWK into token.jwks_file",
                fault);
    else
        return true;
    return false;
}

static bool parse_secret(struct keyset *set, struct str text, struct err *err)
{
    return is_secret(text, err) &&
           add(set, key_from_secret(keyset_secret_of_file(text), STR_NONE, err));
}

/* ---- PEM */

static bool parse_pem(struct keyset *set, struct str text, struct err *err)
{
    return add(set, key_from_pem(text, STR_NONE, err));
}

/* ---- JWKS */

/* A JWK Set on its way into a set. */
struct reading {
    struct keyset *set;
    struct strictjson_value keys; /* of a JWK Set, its array */
    bool is_set, is_jwk;          /* a JWK Set, or a JWK alone */
    size_t place;                 /* of the key that is read, from 1 */
    struct err *err;
};

static bool say_out_of_memory(struct err *err)
{
    err_set(err, "out of memory");
    return false;
}

static bool skip(struct reading *reading, enum jwk_result result, const struct jwk_fault *fault)
{
    struct keyset *set = reading->set;
    size_t count = set->skipped_count + 1;
    struct keyset_skip *skipped = reallocarray(set->skipped, count, sizeof(*skipped));

    if (skipped == NULL)
        return say_out_of_memory(reading->err);
    set->skipped = skipped;
    set->skipped_count = count;
    skipped += count - 1;
    skipped->is_defective = result == JWK_DEFECTIVE;
    if (fault->has_kid)
        err_set(&skipped->why, "key %zu (kid '%s'): %s", reading->place, fault->kid.text,
                fault->why.text);
    else
        err_set(&skipped->why, "key %zu: %s", reading->place, fault->why.text);
    return true;
}

static bool read_jwk(struct reading *reading, struct str text)
{
    struct jwk_fault fault;
    struct key *key;
    enum jwk_result result;

    if (reading->place++ == KEYSET_KEYS_MAX) {
        err_set(reading->err, "there are more than %d keys in it", KEYSET_KEYS_MAX);
        return false;
    }
    result = jwk_read(text, &key, &fault);
    if (result == JWK_OK)
        return add(reading->set, key);
    if (result == JWK_OUT_OF_MEMORY)
        return say_out_of_memory(reading->err);
    return skip(reading, result, &fault);
}

/* A string's text comes without its quotes, and is no JWK either way. */
static bool visit_key(void *context, struct str name, const struct strictjson_value *value)
{
    (void)name;
    return read_jwk(context, value->kind == STRICTJSON_STRING ? STR("\"\"") : value->text);
}

static bool visit_member(void *context, struct str name, const struct strictjson_value *value)
{
    struct reading *reading = context;

    if (str_equal(name, STR("keys")) && value->kind == STRICTJSON_ARRAY) {
        reading->is_set = true;
        reading->keys = *value;
    }
    reading->is_jwk = reading->is_jwk || str_equal(name, STR("kty"));
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

static bool read_keys(struct reading *reading, struct str text)
{
    const struct strictjson_visitor visitor = {.item = visit_key, .context = reading};

    if (reading->is_jwk && !reading->is_set)
        return read_jwk(reading, text);
    if (reading->is_set)
        return strictjson_scan(reading->keys.text, &visitor, NULL, NULL) == STRICTJSON_OK;
    err_set(reading->err, "it is neither a JWK Set, which has an array 'keys', nor a JWK");
    return false;
}

static bool parse_jwks(struct keyset *set, struct str text, struct err *err)
{
    struct reading reading = {.set = set, .err = err};
    const struct strictjson_visitor visitor = {.item = visit_member, .context = &reading};
    struct strictjson_place place;
    enum strictjson_result result = strictjson_scan_object(text, &visitor, &place);

    if (result != STRICTJSON_OK) {
        err_set(err, "line %zu, column %zu: it %s", place.line, place.column,
                strictjson_text(result));
        return false;
    }
    (void)say_out_of_memory(err); /* unless something else is wrong */
    if (!read_keys(&reading, text) || !is_usable(set, err))
        return false;
    err_clear(err);
    return true;
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
