#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/newfile.h"
#include "mectl/discovery.h"
#include "mectl/https.h"
#include "mectl/invocation.h"
#include "token/keyring.h"
#include "token/rollover.h"
#include "token/shown.h"

enum {
    JWKS_MAX_BYTES = 512 * 1024, /* a worker reads no more */
    ADDRESS_MAX_BYTES = 4096,
    GRACE_MAX_S = 30 * 24 * 3600,
    TRANSFERS_MAX = 2,
    US_PER_S = 1000000
};

/* What is asked, and for what file. */
struct source {
    const char *issuer, *url; /* one of them; the other one is NULL */
    const char *file;
    int64_t grace_s;
    struct https_request terms;
};

/* What came of it. */
struct outcome {
    bool changed;
    struct rollover_counts counts;
    const struct keyset *listed;
    struct err replaced; /* why what was in the file counted for nothing; empty: it counted */
};

/* ---- options and settings */

static enum command_exit refuse_both(const char *first, const char *second)
{
    (void)invocation_fail("%s and %s exclude each other: give one of them", first, second);
    return COMMAND_USAGE;
}

/* The sole issuer whose tokens are accepted is asked where nothing else is said. */
static enum command_exit choose_address(const struct invocation *invocation, struct source *out)
{
    const struct settings *settings = &invocation->settings;

    out->issuer = invocation_option(invocation, "issuer");
    out->url = invocation_option(invocation, "url");
    if (out->issuer != NULL && out->url != NULL)
        return refuse_both("--issuer", "--url");
    if (out->issuer != NULL || out->url != NULL)
        return COMMAND_OK;
    out->issuer = settings->keys.issuer;
    out->url = settings->keys.url;
    if (out->issuer != NULL && out->url != NULL)
        return refuse_both("keys.issuer", "keys.url");
    if (out->issuer == NULL && out->url == NULL && settings->token.issuer.count == 1)
        out->issuer = settings->token.issuer.items[0];
    if (out->issuer != NULL || out->url != NULL)
        return COMMAND_OK;
    return invocation_fail("there is nobody to get keys from: give --issuer or --url, or set "
                           "keys.issuer or keys.url");
}

static enum command_exit judge_address(const struct source *source)
{
    const char *url = source->url == NULL ? source->issuer : source->url;
    struct err err = {""};

    if (discovery_is_https(url, source->url == NULL ? "the issuer" : "the address of the keys",
                           &err))
        return COMMAND_OK;
    return invocation_fail("%s", err.text);
}

static enum command_exit choose_file(const struct invocation *invocation, struct source *out)
{
    const struct settings_list *files = &invocation->settings.token.jwks_file;

    out->file = invocation_option(invocation, "file");
    if (out->file == NULL && files->count > 0)
        out->file = files->items[0];
    if (out->file != NULL)
        return COMMAND_OK;
    return invocation_fail("there is no file for the keys: give --file, or set token.jwks_file");
}

static enum command_exit choose_terms(const struct invocation *invocation, struct source *out)
{
    const char *grace = invocation_option(invocation, "grace");
    const char *ca = invocation_option(invocation, "ca");

    out->grace_s = invocation->settings.keys.grace_s;
    out->terms.ca = ca == NULL ? invocation->settings.keys.ca : ca;
    out->terms.timeout_s = invocation->settings.keys.timeout_s;
    if (grace != NULL && !invocation_number(grace, "--grace", 0, GRACE_MAX_S, &out->grace_s))
        return COMMAND_FAILED;
    return COMMAND_OK;
}

static enum command_exit choose(const struct invocation *invocation, struct source *out)
{
    enum command_exit result = choose_address(invocation, out);

    if (result == COMMAND_OK)
        result = judge_address(out);
    if (result == COMMAND_OK)
        result = choose_file(invocation, out);
    return result == COMMAND_OK ? choose_terms(invocation, out) : result;
}

/* ---- what the issuer lists */

static struct keyset *get_keys(const struct source *source, const char *url, struct err *err)
{
    struct https_request request = source->terms;
    struct keyset *set = NULL;
    struct buf text;

    request.url = url;
    request.accept = "application/jwk-set+json, application/json";
    buf_init(&text, JWKS_MAX_BYTES);
    if (https_get(&request, &text, err)) {
        set = keyset_parse(KEYSET_JWKS, buf_str(&text), err);
        if (set == NULL)
            err_prefix(err, "%s: no keys could be taken from its answer", url);
    }
    buf_free(&text);
    return set;
}

static struct keyset *fetch(const struct source *source, struct err *err)
{
    struct keyset *set = NULL;
    struct buf address;

    if (source->url != NULL)
        return get_keys(source, source->url, err);
    buf_init(&address, ADDRESS_MAX_BYTES);
    if (discovery_jwks_uri(source->issuer, &source->terms, &address, err))
        set = get_keys(source, address.data, err);
    buf_free(&address);
    return set;
}

/* ---- what the file holds */

/* What begins as a JWKS does was one, and may be mended; anything else is somebody's. */
static bool is_ours(struct str text)
{
    while (text.len > 0 && str_has_byte(STR(" \t\r\n"), text.data[0])) {
        text.data++;
        text.len--;
    }
    return text.len == 0 || text.data[0] == '{';
}

static bool judge_before(const char *path, struct str text, struct keyset **out,
                         struct err *replaced, struct err *err)
{
    *out = keyset_parse(KEYSET_JWKS, text, replaced);
    if (*out != NULL && keyset_is_secret(*out))
        err_set(err,
                "%s: there is a secret in it, which no issuer has given: name another file with "
                "--file",
                path);
    else if (*out == NULL && !is_ours(text))
        err_set(err, "%s: it is no JWKS, and is left alone: name another file with --file", path);
    else
        return true;
    return false;
}

/* *out is NULL where there is nothing to keep. */
static bool read_before(const char *path, struct buf *text, struct keyset **out,
                        struct err *replaced, struct err *err)
{
    *out = NULL;
    if (file_is_missing(path))
        return true;
    return file_read(path, FILE_READERS_ANY, text, err) &&
           (text->len == 0 || judge_before(path, buf_str(text), out, replaced, err));
}

/* ---- what it is to hold */

/* As a worker will judge it. */
static bool is_accepted(struct str text, const char *path, struct err *err)
{
    struct keyset *set = keyset_parse(KEYSET_JWKS, text, err);
    struct keyring *keyring = keyring_new();
    bool good = set != NULL && keyring != NULL && keyring_add(keyring, set, path, err);

    keyring_free(keyring);
    keyset_free(set);
    return good;
}

static bool write_file(const struct source *source, struct str before, const struct rollover *keys,
                       struct outcome *outcome, struct err *err)
{
    struct buf text;
    bool good;

    buf_init(&text, JWKS_MAX_BYTES);
    good = rollover_write(keys, &text, &outcome->counts, err) &&
           is_accepted(buf_str(&text), source->file, err);
    if (!good)
        err_prefix(err, "%s is left as it was", source->file);
    outcome->changed = good && !str_equal(buf_str(&text), before);
    if (outcome->changed)
        good = newfile_replace(source->file, buf_str(&text), err);
    buf_free(&text);
    return good;
}

static bool update(const struct source *source, struct outcome *outcome, struct err *err)
{
    struct rollover keys = {.listed = outcome->listed, .grace_ms = source->grace_s * 1000};
    struct keyset *before = NULL;
    struct buf text;
    bool good;

    buf_init(&text, JWKS_MAX_BYTES);
    good = read_before(source->file, &text, &before, &outcome->replaced, err);
    if (good) {
        keys.before = before;
        keys.now_ms = clock_now_ms();
        good = write_file(source, buf_str(&text), &keys, outcome, err);
    }
    keyset_free(before);
    buf_free(&text);
    return good;
}

/* ---- telling */

static void add_count(struct json_object *object, const char *name, size_t count)
{
    (void)json_object_object_add(object, name, json_object_new_int64((int64_t)count));
}

static struct json_object *json_of_skipped(const struct keyset *set)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; list != NULL && i < keyset_skipped_count(set); i++)
        (void)json_object_array_add(list, json_object_new_string(keyset_skipped(set, i)->why.text));
    return list;
}

static enum command_exit print_json(const struct source *source, const struct outcome *outcome)
{
    const struct rollover_counts *counts = &outcome->counts;
    struct json_object *object = json_object_new_object();

    if (object == NULL)
        return invocation_fail("out of memory");
    (void)json_object_object_add(object, "file", json_object_new_string(source->file));
    (void)json_object_object_add(object, "changed", json_object_new_boolean(outcome->changed));
    add_count(object, "listed", counts->listed);
    add_count(object, "added", counts->added);
    add_count(object, "withdrawn", counts->withdrawn);
    add_count(object, "ending", counts->ending);
    add_count(object, "dropped", counts->dropped);
    add_count(object, "secrets", counts->secrets);
    (void)json_object_object_add(object, "passedOver", json_of_skipped(outcome->listed));
    if (outcome->replaced.text[0] != '\0')
        (void)json_object_object_add(object, "replaced",
                                     json_object_new_string(outcome->replaced.text));
    return invocation_print_json(object);
}

/* Keys that are not for us are as they should be; the issuer should hear of the others. */
static void print_faults(const struct source *source, const struct outcome *outcome)
{
    for (size_t i = 0; i < keyset_skipped_count(outcome->listed); i++)
        if (keyset_skipped(outcome->listed, i)->is_defective)
            (void)printf("passed over: %s\n", keyset_skipped(outcome->listed, i)->why.text);
    if (outcome->counts.secrets > 0)
        (void)printf("passed over: %zu secrets: everybody can fetch them, so they are none: tell "
                     "the issuer\n",
                     outcome->counts.secrets);
    if (outcome->replaced.text[0] != '\0')
        (void)printf("%s: what was in it was of no use, and is replaced: %s\n", source->file,
                     outcome->replaced.text);
}

static enum command_exit print_text(const struct source *source, const struct outcome *outcome)
{
    const struct rollover_counts *counts = &outcome->counts;

    print_faults(source, outcome);
    if (!outcome->changed)
        (void)printf("%s: unchanged, %zu keys, %zu withdrawn\n", source->file, counts->listed,
                     counts->ending);
    else
        (void)printf("%s: written, %zu keys (%zu new), %zu withdrawn (%zu just now), %zu dropped\n",
                     source->file, counts->listed, counts->added,
                     counts->withdrawn + counts->ending, counts->withdrawn, counts->dropped);
    return COMMAND_OK;
}

/* ---- the whole */

static enum command_exit run_locked(const struct invocation *invocation,
                                    const struct source *source)
{
    struct outcome outcome = {.changed = false};
    struct err err = {""};
    struct keyset *listed = fetch(source, &err);
    enum command_exit result;

    outcome.listed = listed;
    if (listed == NULL || !update(source, &outcome, &err))
        result = invocation_fail("%s", err.text);
    else
        result = (invocation->json ? print_json : print_text)(source, &outcome);
    keyset_free(listed);
    return result;
}

/* The lock is held while the issuer is asked as well: else an older answer could be written after a
 * newer one. */
static enum command_exit run_fetch(struct invocation *invocation)
{
    struct source source = {.file = NULL};
    enum command_exit result;
    struct err err = {""};
    int lock;

    if (!invocation_settings(invocation))
        return COMMAND_FAILED;
    result = choose(invocation, &source);
    if (result != COMMAND_OK)
        return result;
    lock = newfile_lock(source.file, (TRANSFERS_MAX * source.terms.timeout_s + 1) * US_PER_S, &err);
    if (lock < 0)
        return invocation_fail("%s", err.text);
    result = run_locked(invocation, &source);
    (void)close(lock);
    return result;
}

const struct command fetch_commands[] = {
    {
        .name = "keys fetch",
        .has_json = true,
        .summary = "Brings a JWKS file up to date with the keys that an issuer lists.",
        .options = {{"issuer", "URL",
                     "The issuer, whose discovery document leads to its keys; otherwise "
                     "keys.issuer, or the only token.issuer.",
                     false},
                    {"url", "URL", "The address of the keys instead; otherwise keys.url.", false},
                    {"file", "FILE", "The file; otherwise the first token.jwks_file.", false},
                    {"grace", "SECONDS", "How long a withdrawn key stays; otherwise keys.grace_s.",
                     false},
                    {"ca", "FILE",
                     "PEM certificates that are trusted instead of the system's; otherwise "
                     "keys.ca.",
                     false}},
        .run = run_fetch,
    },
    {.name = NULL},
};
