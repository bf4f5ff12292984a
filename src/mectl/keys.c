#include <json-c/json.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "format/jsonvalue.h"
#include "mectl/invocation.h"
#include "token/keyfiles.h"
#include "token/shown.h"

enum { THUMBPRINT_MAX_BYTES = 64 };

/* ---- JSON */

static void add_text(struct json_object *object, const char *name, struct str text)
{
    (void)json_object_object_add(object, name,
                                 json_object_new_string_len(text.data, (int)text.len));
}

static void add_time(struct json_object *object, const char *name, int64_t time_ms)
{
    if (time_ms != INT64_MAX)
        (void)json_object_object_add(object, name, invocation_json_time(time_ms));
}

static void add_thumbprint(struct json_object *object, const struct key *key)
{
    struct buf thumbprint;

    buf_init(&thumbprint, THUMBPRINT_MAX_BYTES);
    if (key_thumbprint(key, &thumbprint))
        add_text(object, "thumbprint", buf_str(&thumbprint));
    buf_free(&thumbprint);
}

static struct json_object *json_of_key(const struct key *key, const char *origin)
{
    bool has_ended = key_end_ms(key) <= clock_now_ms();
    struct json_object *object = json_object_new_object();

    if (object == NULL)
        return NULL;
    add_text(object, "state", has_ended ? STR("ended") : STR("in-force"));
    if (str_is_set(key_id(key)))
        add_text(object, "kid", key_id(key));
    add_text(object, "algorithm", str_from(key_algorithm_name(key_algorithm(key))));
    (void)json_object_object_add(object, "bits", json_object_new_int64(key_bits(key)));
    add_text(object, "file", str_from(origin));
    add_thumbprint(object, key);
    add_time(object, "end", key_end_ms(key));
    add_time(object, "certificateEnd", key_certificate_end_ms(key));
    return object;
}

static struct json_object *json_of_skipped(bool is_defective, const char *path, const char *why)
{
    struct json_object *object = json_object_new_object();

    if (object == NULL)
        return NULL;
    add_text(object, "state", is_defective ? STR("defective") : STR("passed-over"));
    add_text(object, "file", str_from(path));
    add_text(object, "reason", str_from(why));
    return object;
}

/* ---- rows for people, of the same values */

static const char columns[] = "%-11s  %-9s  %4s  %-43s  %-24s  %-24s  %-12s  %s\n";

/* "-" where there is no such member: a secret has no thumbprint. */
static const char *text_of(struct json_object *row, const char *member)
{
    struct json_object *value = jsonvalue_member(row, member, NULL);

    return value == NULL ? "-" : json_object_get_string(value);
}

static void print_row(struct json_object *row)
{
    struct json_object *reason = jsonvalue_member(row, "reason", NULL);
    struct shown kid = shown(str_from(text_of(row, "kid")));

    if (reason != NULL)
        (void)printf("%-11s  %s: %s\n", text_of(row, "state"), text_of(row, "file"),
                     json_object_get_string(reason));
    else
        (void)printf(columns, text_of(row, "state"), text_of(row, "algorithm"),
                     text_of(row, "bits"), text_of(row, "thumbprint"), text_of(row, "end"),
                     text_of(row, "certificateEnd"), kid.text, text_of(row, "file"));
}

/* ---- all of them */

/* At the start nothing but keys that are passed over is told; `context` is the list of them. */
static void collect_skipped(void *context, enum keyfiles_event event, const char *path,
                            const char *detail)
{
    (void)json_object_array_add(context, json_of_skipped(event == KEYFILES_SKIPPED, path, detail));
}

/* Takes a row. */
static enum command_exit put_row(const struct invocation *invocation, struct json_object *row)
{
    if (invocation->json || row == NULL)
        return invocation_print_json(row);
    print_row(row);
    json_object_put(row);
    return COMMAND_OK;
}

static enum command_exit put_rows(const struct invocation *invocation,
                                  const struct keyring *keyring, struct json_object *skipped)
{
    enum command_exit result = COMMAND_OK;

    if (!invocation->json)
        (void)printf(columns, "STATE", "ALGORITHM", "BITS", "THUMBPRINT", "END", "CERTIFICATE-END",
                     "KID", "FILE");
    for (size_t i = 0; i < keyring_count(keyring) && result == COMMAND_OK; i++)
        result =
            put_row(invocation, json_of_key(keyring_key(keyring, i), keyring_origin(keyring, i)));
    for (size_t i = 0; i < json_object_array_length(skipped) && result == COMMAND_OK; i++)
        result = put_row(invocation, json_object_get(json_object_array_get_idx(skipped, i)));
    return result;
}

static enum command_exit list(const struct invocation *invocation, struct json_object *skipped)
{
    struct err err = {""};
    struct keyfiles *files = keyfiles_open(&invocation->settings, file_readers_of_operator(), 0,
                                           collect_skipped, skipped, &err);
    enum command_exit result;

    if (files == NULL)
        return invocation_fail("%s", err.text);
    result = put_rows(invocation, keyfiles_keyring(files), skipped);
    keyfiles_close(files);
    return result;
}

static enum command_exit run_list(struct invocation *invocation)
{
    struct json_object *skipped;
    enum command_exit result;

    if (!invocation_settings(invocation))
        return COMMAND_FAILED;
    skipped = json_object_new_array();
    result = skipped == NULL ? invocation_fail("out of memory") : list(invocation, skipped);
    json_object_put(skipped);
    return result;
}

const struct command keys_commands[] = {
    {
        .name = "keys list",
        .has_json = true,
        .summary = "Lists the keys of the settings: those in force, and those passed over.",
        .run = run_list,
    },
    {.name = NULL},
};
