#include "token/keyring.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct key *key;
    char *origin;
};

struct keyring {
    struct entry *entries;
    size_t count;
};

struct keyring *keyring_new(void)
{
    return calloc(1, sizeof(struct keyring));
}

void keyring_free(struct keyring *keyring)
{
    if (keyring == NULL)
        return;
    for (size_t i = 0; i < keyring->count; i++) {
        key_free(keyring->entries[i].key);
        free(keyring->entries[i].origin);
    }
    free(keyring->entries);
    free(keyring);
}

size_t keyring_count(const struct keyring *keyring)
{
    return keyring->count;
}

const struct key *keyring_key(const struct keyring *keyring, size_t i)
{
    return keyring->entries[i].key;
}

const char *keyring_origin(const struct keyring *keyring, size_t i)
{
    return keyring->entries[i].origin;
}

/* ---- adding */

/* How many there are that a token would choose together with this key. */
static size_t count_beside(const struct keyring *keyring, const struct key *key)
{
    size_t count = 0;

    for (size_t i = 0; i < keyring->count; i++) {
        const struct key *other = keyring->entries[i].key;

        count +=
            key_algorithm(other) == key_algorithm(key) && str_equal(key_id(other), key_id(key));
    }
    return count;
}

static bool add_key(struct keyring *keyring, struct key *key, const char *origin, struct err *err)
{
    char *copy;

    if (count_beside(keyring, key) == KEYRING_TRIED_MAX) {
        err_set(err,
                "it would be one %s key %s more than the %d that are tried for a token: remove one",
                key_algorithm_name(key_algorithm(key)),
                str_is_set(key_id(key)) ? "of its kid" : "without kid", KEYRING_TRIED_MAX);
        return false;
    }
    copy = strdup(origin);
    if (copy == NULL) {
        err_set(err, "out of memory");
        return false;
    }
    keyring->entries[keyring->count++] = (struct entry){key_share(key), copy};
    return true;
}

bool keyring_add(struct keyring *keyring, const struct keyset *set, const char *origin,
                 struct err *err)
{
    size_t count = keyset_count(set);
    struct entry *entries =
        reallocarray(keyring->entries, keyring->count + count + 1, sizeof(*entries));

    if (entries == NULL) {
        err_set(err, "out of memory");
        return false;
    }
    keyring->entries = entries;
    for (size_t i = 0; i < count; i++)
        if (!add_key(keyring, keyset_key(set, i), origin, err))
            return false;
    return true;
}

/* ---- selection */

static bool has_kid(const struct keyring *keyring, struct str kid)
{
    for (size_t i = 0; i < keyring->count; i++)
        if (str_equal(key_id(keyring->entries[i].key), kid))
            return true;
    return false;
}

size_t keyring_select(const struct keyring *keyring, enum key_algorithm algorithm, struct str kid,
                      const struct key *out[KEYRING_TRIED_MAX])
{
    bool is_any = !str_is_set(kid);
    struct str wanted = is_any || has_kid(keyring, kid) ? kid : STR_NONE;
    size_t count = 0;

    for (size_t i = 0; i < keyring->count && count < KEYRING_TRIED_MAX; i++) {
        const struct key *key = keyring->entries[i].key;

        if (key_algorithm(key) == algorithm && (is_any || str_equal(key_id(key), wanted)))
            out[count++] = key;
    }
    return count;
}
