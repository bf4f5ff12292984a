#include "token/keyfiles.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum { FILE_MAX_BYTES = 512 * 1024, LOOK_INTERVAL_US = 1000000, WRITING_MS = 100 };

/* The settings that name key files. */
static const struct source {
    const char *setting;
    size_t files; /* offset of its list in struct settings */
    enum keyset_form form;
    bool is_secret;
    const char *advice; /* where there is no file, or no key in it; PATH is its name */
} sources[] = {
    {"token.secret_file", offsetof(struct settings, token.secret_file), KEYSET_SECRET, true,
     "make one with 'mectl keys generate --secret PATH'"},
    {"token.public_key_file", offsetof(struct settings, token.public_key_file), KEYSET_PEM, false,
     "save the login system's public key there"},
    {"token.jwks_file", offsetof(struct settings, token.jwks_file), KEYSET_JWKS, false,
     "get it from the issuer with 'mectl keys fetch'"},
};

struct keyfile {
    const struct source *source;
    const char *path; /* borrowed from the settings */
    struct keyset *set;
    struct file_stamp stamp;
    int64_t good_ns; /* when the file was changed that `set`, or the same again, was read from */
    unsigned char digest[DIGEST_BYTES]; /* of the bytes that `set` was made of */
    bool is_settled; /* was read twice, a second apart: what has this stamp has these bytes */
    struct err fault;
};

struct keyfiles {
    enum file_readers readers;
    keyfiles_tell *tell;
    void *context;
    struct digest *digest;
    struct keyring *keyring;
    uint64_t generation;
    int64_t next_look_us;
    size_t count;
    struct keyfile files[];
};

/* ---- one file */

/* PATH in the advice is replaced by the file's name. */
static void advise(const struct keyfile *file, struct err *err)
{
    const char *advice = file->source->advice, *place;
    struct err fault;

    if (advice == NULL || err == NULL)
        return;
    fault = *err;
    place = strstr(advice, "PATH");
    if (place == NULL)
        err_set(err, "%s: %s", fault.text, advice);
    else
        err_set(err, "%s: %.*s%s%s", fault.text, (int)(place - advice), advice, file->path,
                place + strlen("PATH"));
}

/* What a file turned out to hold. */
struct reading {
    struct file_stamp stamp;
    unsigned char digest[DIGEST_BYTES];
    struct keyset *set;
};

static bool is_kept_secret(const struct keyfiles *files, const struct keyfile *file,
                           const struct keyset *set, struct err *err)
{
    return file->source->is_secret || !keyset_is_secret(set) ||
           file_is_kept_from_others(file->path, files->readers, err);
}

static bool parse(const struct keyfiles *files, const struct keyfile *file, struct str text,
                  struct reading *out, struct err *err)
{
    if (!digest_of(files->digest, text, out->digest)) {
        err_set(err, "%s: out of memory", file->path);
        return false;
    }
    out->set = keyset_parse(file->source->form, text, err);
    if (out->set == NULL) {
        err_prefix(err, "%s", file->path);
        if (file->source->is_secret)
            advise(file, err);
        return false;
    }
    if (is_kept_secret(files, file, out->set, err))
        return true;
    keyset_free(out->set);
    out->set = NULL;
    return false;
}

static bool read_file(const struct keyfiles *files, const struct keyfile *file, struct reading *out,
                      struct err *err)
{
    enum file_readers readers = file->source->is_secret ? files->readers : FILE_READERS_ANY;
    struct buf text;
    bool good;

    *out = (struct reading){.set = NULL};
    buf_init(&text, FILE_MAX_BYTES);
    good = file_read_stamped(file->path, readers, &text, &out->stamp, err);
    if (!good && file_is_missing(file->path))
        advise(file, err);
    good = good && parse(files, file, buf_str(&text), out, err);
    buf_free_secret(&text);
    return good;
}

static void tell_skipped(const struct keyfiles *files, const struct keyfile *file)
{
    for (size_t i = 0; i < keyset_skipped_count(file->set); i++) {
        const struct keyset_skip *skip = keyset_skipped(file->set, i);

        files->tell(files->context, skip->is_defective ? KEYFILES_SKIPPED : KEYFILES_PASSED,
                    file->path, skip->why.text);
    }
}

/* ---- the keyring of all of them */

/* With the set of `changed`, which is one of the files, in place of the one that it has. */
static struct keyring *make_keyring(const struct keyfiles *files, const struct keyfile *changed,
                                    const struct keyset *set, struct err *err)
{
    struct keyring *keyring = keyring_new();

    if (keyring == NULL)
        err_set(err, "out of memory");
    for (size_t i = 0; keyring != NULL && i < files->count; i++) {
        const struct keyfile *file = &files->files[i];
        const struct keyset *its = file == changed ? set : file->set;

        if (its == NULL || keyring_add(keyring, its, file->path, err))
            continue;
        err_prefix(err, "%s", file->path);
        keyring_free(keyring);
        keyring = NULL;
    }
    return keyring;
}

/* Takes the reading over. False: the keys that were in force stay so. */
static bool put_in_force(struct keyfiles *files, struct keyfile *file, struct reading *reading,
                         struct err *err)
{
    struct keyring *keyring = make_keyring(files, file, reading->set, err);

    if (keyring == NULL) {
        keyset_free(reading->set);
        return false;
    }
    keyring_free(files->keyring);
    files->keyring = keyring;
    files->generation++;
    keyset_free(file->set);
    file->set = reading->set; /* transferred */
    file->good_ns = reading->stamp.modified_ns;
    memcpy(file->digest, reading->digest, sizeof(file->digest));
    return true;
}

static bool load(struct keyfiles *files, struct keyfile *file, struct err *err)
{
    struct reading reading;

    if (read_file(files, file, &reading, err)) {
        file->stamp = reading.stamp;
        if (put_in_force(files, file, &reading, err)) {
            tell_skipped(files, file);
            return true;
        }
    }
    err_prefix(err, "%s", file->source->setting);
    return false;
}

/* ---- opening */

static size_t count_files(const struct settings *settings)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++)
        count += ((const struct settings_list *)((const char *)settings + sources[i].files))->count;
    return count;
}

static void name_files(struct keyfiles *files, const struct settings *settings)
{
    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++) {
        const struct settings_list *list =
            (const struct settings_list *)((const char *)settings + sources[i].files);

        for (size_t j = 0; j < list->count; j++)
            files->files[files->count++] =
                (struct keyfile){.source = &sources[i], .path = list->items[j]};
    }
}

static struct keyfiles *new_files(const struct settings *settings, struct err *err)
{
    size_t count = count_files(settings);
    struct keyfiles *files;

    if (count == 0) {
        err_set(err, "there is no key to verify tokens with: set token.secret_file, "
                     "token.public_key_file or token.jwks_file");
        return NULL;
    }
    files = calloc(1, sizeof(*files) + count * sizeof(files->files[0]));
    if (files != NULL)
        files->digest = digest_new();
    if (files != NULL && files->digest != NULL) {
        name_files(files, settings);
        return files;
    }
    err_set(err, "out of memory, or OpenSSL has no SHA-256");
    keyfiles_close(files);
    return NULL;
}

struct keyfiles *keyfiles_open(const struct settings *settings, enum file_readers readers,
                               int64_t monotonic_us, keyfiles_tell *tell, void *context,
                               struct err *err)
{
    struct keyfiles *files = new_files(settings, err);

    if (files == NULL)
        return NULL;
    files->readers = readers;
    files->tell = tell;
    files->context = context;
    files->next_look_us = monotonic_us + LOOK_INTERVAL_US;
    for (size_t i = 0; i < files->count; i++)
        if (!load(files, &files->files[i], err)) {
            keyfiles_close(files);
            return NULL;
        }
    return files;
}

void keyfiles_close(struct keyfiles *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->count; i++)
        keyset_free(files->files[i].set);
    keyring_free(files->keyring);
    digest_free(files->digest);
    free(files);
}

/* ---- keeping up */

static void fail(struct keyfiles *files, struct keyfile *file, const struct err *err)
{
    if (strcmp(file->fault.text, err->text) == 0)
        return; /* it was told already */
    file->fault = *err;
    files->tell(files->context, KEYFILES_FAILED, file->path, err->text);
}

static void tell_change(struct keyfiles *files, struct keyfile *file)
{
    struct err detail;

    err_set(&detail, "%zu keys of it are in force", keyset_count(file->set));
    files->tell(files->context, KEYFILES_CHANGED, file->path, detail.text);
    err_clear(&file->fault);
}

static void read_again(struct keyfiles *files, struct keyfile *file)
{
    struct reading reading;
    struct err err = {""};
    bool is_same_stamp, is_same_text;

    if (!read_file(files, file, &reading, &err)) {
        fail(files, file, &err);
        return;
    }
    is_same_stamp = file_stamp_equal(&reading.stamp, &file->stamp);
    is_same_text = memcmp(reading.digest, file->digest, sizeof(file->digest)) == 0;
    file->stamp = reading.stamp;
    file->is_settled = is_same_stamp && is_same_text;
    if (is_same_text) {
        keyset_free(reading.set);
        file->good_ns = reading.stamp.modified_ns;
        if (file->fault.text[0] != '\0')
            tell_change(files, file);
    } else if (put_in_force(files, file, &reading, &err)) {
        tell_change(files, file);
        tell_skipped(files, file);
    } else {
        fail(files, file, &err);
    }
}

static bool is_being_written(const struct file_stamp *stamp, int64_t now_ms)
{
    int64_t age_ms = now_ms - stamp->modified_ns / 1000000;

    return age_ms >= 0 && age_ms < WRITING_MS; /* one from the future is not waited for */
}

static void look(struct keyfiles *files, struct keyfile *file, int64_t now_ms)
{
    struct file_stamp stamp;
    bool is_there = file_stamp_of(file->path, &stamp);
    bool is_known = is_there && file_stamp_equal(&stamp, &file->stamp);

    if (is_known && file->is_settled && file->fault.text[0] == '\0')
        return;
    if (is_there && !is_known && is_being_written(&stamp, now_ms))
        return;
    read_again(files, file);
}

void keyfiles_refresh(struct keyfiles *files, int64_t now_ms, int64_t monotonic_us)
{
    if (monotonic_us < files->next_look_us)
        return;
    files->next_look_us = monotonic_us + LOOK_INTERVAL_US;
    for (size_t i = 0; i < files->count; i++)
        look(files, &files->files[i], now_ms);
}

const struct keyring *keyfiles_keyring(const struct keyfiles *files)
{
    return files->keyring;
}

int64_t keyfiles_modified_ms(const struct keyfiles *files)
{
    int64_t newest_ns = 0;

    for (size_t i = 0; i < files->count; i++)
        if (files->files[i].good_ns > newest_ns)
            newest_ns = files->files[i].good_ns;
    return newest_ns / 1000000;
}

uint64_t keyfiles_generation(const struct keyfiles *files)
{
    return files->generation;
}
