#include "token/keyring.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 128, FILE_MAX_BYTES = 64 * 1024 };

struct entry {
    struct key *key;
    char *origin;
};

struct keyring {
    struct entry entries[KEYS_MAX];
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
    free(keyring);
}

bool keyring_add(struct keyring *keyring, struct key *key, const char *origin)
{
    char *copy = strdup(origin);

    if (copy == NULL || keyring->count == KEYS_MAX) {
        free(copy);
        key_free(key);
        return false;
    }
    keyring->entries[keyring->count++] = (struct entry){key, copy};
    return true;
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

/* ---- files */

struct str keyring_secret_of_file(struct str text)
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

static void advise_on_secret(const char *path, struct err *err)
{
    struct err fault;

    if (err == NULL)
        return;
    fault = *err;
    err_set(err, "%s: make one with 'openssl rand -hex 32 > %s; chmod 600 %s'", fault.text, path,
            path);
}

static struct key *parse_secret(struct str text, const char *path, struct err *err)
{
    struct str secret = keyring_secret_of_file(text);
    struct key *key;

    if (is_pem(text)) {
        err_set(err, "it is PEM, not a secret: a public key is named in token.public_key_file");
        return NULL;
    }
    key = key_from_secret(secret, STR_NONE, err);
    if (key == NULL)
        advise_on_secret(path, err);
    return key;
}

static struct key *parse_public_key(struct str text, const char *path, struct err *err)
{
    (void)path;
    return key_from_pem(text, STR_NONE, err);
}

/* The settings that name key files, and how such a file is read. */
struct source {
    const char *setting;
    const struct settings_list *files;
    enum file_readers readers;
    struct key *(*parse)(struct str text, const char *path, struct err *err);
    void (*advise)(const char *path, struct err *err); /* where there is no file; NULL: nothing */
};

static bool load_file(struct keyring *keyring, const struct source *source, const char *path,
                      struct err *err)
{
    struct key *key = NULL;
    struct buf text;

    buf_init(&text, FILE_MAX_BYTES);
    if (file_read(path, source->readers, &text, err)) {
        key = source->parse(buf_str(&text), path, err);
        if (key == NULL)
            err_prefix(err, "%s", path);
    } else if (source->advise != NULL && !file_exists(path)) {
        source->advise(path, err);
    }
    buf_free_secret(&text);
    if (key == NULL) {
        err_prefix(err, "%s", source->setting);
        return false;
    }
    if (keyring_add(keyring, key, path))
        return true;
    err_set(err, "out of memory, or more than %d keys", KEYS_MAX);
    return false;
}

static bool load_source(struct keyring *keyring, const struct source *source, struct err *err)
{
    for (size_t i = 0; i < source->files->count; i++)
        if (!load_file(keyring, source, source->files->items[i], err))
            return false;
    return true;
}

/* No token can choose a key without kid: one past the last that is tried would verify nothing. */
static bool are_all_tried(const struct keyring *keyring, struct err *err)
{
    size_t counts[KEY_ALGORITHM__MAX] = {0};

    for (size_t i = 0; i < keyring->count; i++) {
        const struct key *key = keyring->entries[i].key;

        if (str_is_set(key_id(key)) || ++counts[key_algorithm(key)] <= KEYRING_TRIED_MAX)
            continue;
        err_set(err, "%s: is one %s key more than the %d that can be tried for a token: remove one",
                keyring->entries[i].origin, key_algorithm_name(key_algorithm(key)),
                KEYRING_TRIED_MAX);
        return false;
    }
    return true;
}

static bool load(struct keyring *keyring, const struct settings *settings,
                 enum file_readers readers, struct err *err)
{
    const struct source sources[] = {
        {"token.secret_file", &settings->token.secret_file, readers, parse_secret,
         advise_on_secret},
        {"token.public_key_file", &settings->token.public_key_file, FILE_READERS_ANY,
         parse_public_key, NULL},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++)
        if (!load_source(keyring, &sources[i], err))
            return false;
    if (keyring->count > 0)
        return are_all_tried(keyring, err);
    err_set(err, "there is no key to verify tokens with: set token.secret_file or "
                 "token.public_key_file");
    return false;
}

bool keyring_load(const struct settings *settings, enum file_readers readers, struct keyring **out,
                  struct err *err)
{
    *out = keyring_new();
    if (*out == NULL) {
        err_set(err, "out of memory");
        return false;
    }
    if (load(*out, settings, readers, err))
        return true;
    keyring_free(*out);
    *out = NULL;
    return false;
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
