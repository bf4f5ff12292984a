#include "store/audit.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/clock.h"
#include "format/jsonvalue.h"
#include "format/timestamp.h"
#include "mectl/invocation.h"
#include "mectl/outfile.h"
#include "mectl/progress.h"

enum {
    LIST_LIMIT = 100,
    LIST_LIMIT_MAX = 1000000,
    DAYS_MAX = 100 * 366,
    DAY_MS = 24 * 60 * 60 * 1000
};

/* ---- which rows */

static bool read_time(const struct invocation *invocation, const char *name, int64_t *out_ms)
{
    const char *text = invocation_option(invocation, name);
    char option[32];

    if (text == NULL || timestamp_parse(str_from(text), out_ms))
        return true;
    (void)snprintf(option, sizeof(option), "--%s", name);
    (void)invocation_refuse(option, text, "is no time, as 2025-07-03T02:14:22Z and 2025-07-03 are");
    return false;
}

/* `user` is where the range gets it from. */
static bool read_user(const struct invocation *invocation, struct uuid *user,
                      struct audit_range *range)
{
    if (invocation_option(invocation, "user") == NULL)
        return true;
    range->user = user;
    return invocation_user(invocation, user);
}

static bool read_range(const struct invocation *invocation, struct uuid *user,
                       struct audit_range *out)
{
    *out = (struct audit_range){.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    return read_user(invocation, user, out) && read_time(invocation, "since", &out->since_ms) &&
           read_time(invocation, "until", &out->until_ms);
}

/* ---- a row as JSON */

/* Takes the value over, also on failure. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
    if (value != NULL && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static struct json_object *new_string(struct str text)
{
    return json_object_new_string_len(text.data, (int)text.len);
}

static bool add_optional(struct json_object *object, const char *name, struct str text)
{
    return !str_is_set(text) || add(object, name, new_string(text));
}

static struct json_object *new_members(struct str members)
{
    struct json_object *array = json_object_new_array();

    while (array != NULL && str_is_set(members)) {
        struct json_object *name = new_string(str_cut(&members, ','));

        if (name != NULL && json_object_array_add(array, name) == 0)
            continue;
        json_object_put(name);
        json_object_put(array);
        return NULL;
    }
    return array;
}

/* Text that is not what the worker writes stands there as it is, and stops nothing. */
static struct json_object *new_values(struct str values)
{
    struct json_object *object = NULL;
    enum strictjson_result result = jsonvalue_parse_object(values, &object, NULL);

    if (result == STRICTJSON_OK)
        return object;
    return result == STRICTJSON_OUT_OF_MEMORY ? NULL : new_string(values);
}

static bool fill(struct json_object *object, const struct audit_row *row)
{
    const struct audit_entry *entry = &row->entry;

    return add(object, "id", json_object_new_int64(row->id)) &&
           add(object, "changedAt", invocation_json_time(row->changed_ms)) &&
           add(object, "userId", invocation_json_uuid(&entry->user)) &&
           add(object, "requestId", new_string(entry->request_id)) &&
           add_optional(object, "issuer", entry->issuer) &&
           add_optional(object, "client", entry->client) &&
           add(object, "members", new_members(entry->members)) &&
           (!str_is_set(entry->values) || add(object, "values", new_values(entry->values)));
}

/* NULL: out of memory. */
static struct json_object *new_row(const struct audit_row *row)
{
    struct json_object *object = json_object_new_object();

    if (object != NULL && fill(object, row))
        return object;
    json_object_put(object);
    return NULL;
}

/* ---- audit list */

static bool print_json_row(void *context, const struct audit_row *row)
{
    bool *good = context;

    *good = invocation_print_json(new_row(row)) == COMMAND_OK;
    return *good;
}

static bool print_row(void *context, const struct audit_row *row)
{
    char time[CLOCK_TEXT_LEN + 1], user[UUID_TEXT_LEN + 1];
    const struct audit_entry *entry = &row->entry;
    const struct str texts[] = {entry->members, entry->client, entry->issuer, entry->request_id};

    (void)context;
    clock_format(row->changed_ms, time);
    uuid_format(&entry->user, user);
    (void)printf("%s  %s", time, user);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        (void)fputs("  ", stdout);
        invocation_show(str_is_set(texts[i]) ? texts[i] : STR("-"), stdout);
    }
    return putchar('\n') != EOF;
}

static enum command_exit run_list(struct invocation *invocation)
{
    const char *limit_text = invocation_option(invocation, "limit");
    int64_t limit = LIST_LIMIT;
    struct audit_range range;
    struct err err = {""};
    struct uuid user;
    enum store_result result;
    bool good = true;

    if (!read_range(invocation, &user, &range) ||
        (limit_text != NULL &&
         !invocation_number(limit_text, "--limit", 1, LIST_LIMIT_MAX, &limit)) ||
        !invocation_database(invocation))
        return COMMAND_FAILED;
    result = audit_list(invocation->database, &range, AUDIT_NEWEST_FIRST, limit,
                        invocation->json ? print_json_row : print_row, &good, &err);
    return good ? invocation_end(result, "the audit trail", &err) : COMMAND_FAILED;
}

/* ---- audit export */

struct export
{
    struct outfile file;
    struct progress progress;
    int64_t rows;
    bool is_short_of_memory;
};

static bool write_row(void *context, const struct audit_row *row)
{
    struct export *export = context;
    struct json_object *object = new_row(row);
    const char *text = NULL;
    bool good;

    if (object != NULL)
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                          JSON_C_TO_STRING_NOSLASHESCAPE);
    export->is_short_of_memory = text == NULL;
    good = text != NULL && outfile_add(&export->file, text);
    json_object_put(object);
    progress_tell(&export->progress, ++export->rows);
    return good;
}

/* Counted only for whom it is told. */
static enum store_result count_total(struct invocation *invocation, const struct audit_range *range,
                                     struct progress *progress, struct err *err)
{
    if (!progress->is_on)
        return STORE_OK;
    return audit_count(invocation->database, range, &progress->total, err);
}

static enum command_exit export_rows(struct invocation *invocation, const struct audit_range *range,
                                     struct export *export)
{
    struct err err = {""};
    enum store_result result;

    progress_begin(&export->progress, invocation, "exported", export->file.stream);
    result = count_total(invocation, range, &export->progress, &err);
    if (result == STORE_OK)
        result = audit_list(invocation->database, range, AUDIT_OLDEST_FIRST, INT64_MAX, write_row,
                            export, &err);
    progress_end(&export->progress);
    if (export->is_short_of_memory)
        return invocation_fail("out of memory");
    return invocation_end(result, "the audit trail", &err);
}

static enum command_exit run_export(struct invocation *invocation)
{
    struct export export = {.rows = 0};
    struct audit_range range;
    struct err err = {""};
    struct uuid user;

    if (!read_range(invocation, &user, &range) || !invocation_database(invocation))
        return COMMAND_FAILED;
    if (!outfile_open(invocation->argument, &export.file, &err))
        return invocation_fail("%s", err.text);
    if (export_rows(invocation, &range, &export) != COMMAND_OK) {
        outfile_abandon(&export.file);
        return COMMAND_FAILED;
    }
    if (!outfile_finish(&export.file, &err))
        return invocation_fail("%s", err.text);
    return COMMAND_OK;
}

/* ---- audit prune */

static bool read_days(const struct invocation *invocation, int64_t *before_ms)
{
    const char *text = invocation_option(invocation, "older-than");
    int64_t days = 0;

    if (text == NULL)
        return true;
    if (!invocation_number(text, "--older-than", 0, DAYS_MAX, &days))
        return false;
    *before_ms = clock_now_ms() - days * DAY_MS;
    return true;
}

static void tell(void *context, int64_t count)
{
    progress_tell(context, count);
}

static enum command_exit prune(struct invocation *invocation, const struct audit_range *range)
{
    struct progress progress;
    struct err err = {""};
    enum store_result result;
    int64_t count = 0;

    progress_begin(&progress, invocation, "removed", NULL);
    result = count_total(invocation, range, &progress, &err);
    if (result == STORE_OK)
        result = audit_prune(invocation->database, range, tell, &progress, &count, &err);
    progress_end(&progress);
    (void)printf("%lld removed\n", (long long)count);
    return invocation_end(result, "the audit trail", &err);
}

static enum command_exit count_only(struct invocation *invocation, const struct audit_range *range)
{
    struct err err = {""};
    int64_t count = 0;
    enum store_result result = audit_count(invocation->database, range, &count, &err);

    if (result == STORE_OK)
        (void)printf("%lld would be removed\n", (long long)count);
    return invocation_end(result, "the audit trail", &err);
}

static enum command_exit run_prune(struct invocation *invocation)
{
    struct audit_range range = {.since_ms = INT64_MIN};
    struct uuid user;

    if (invocation_flag(invocation, "before") == invocation_flag(invocation, "older-than")) {
        (void)invocation_fail("audit prune: give either --before or --older-than");
        return COMMAND_USAGE;
    }
    if (!read_user(invocation, &user, &range) ||
        !read_time(invocation, "before", &range.until_ms) ||
        !read_days(invocation, &range.until_ms) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_flag(invocation, "dry-run") ? count_only(invocation, &range)
                                                  : prune(invocation, &range);
}

const struct command audit_commands[] = {
    {
        .name = "audit list",
        .has_json = true,
        .summary = "Lists changes of profiles, the newest first; with --json one object a line.",
        .options = {{"user", "ID", "Only those of this user.", false},
                    {"since", "TIME", "Only those from this time on.", false},
                    {"until", "TIME", "Only those before this time.", false},
                    {"limit", "N", "At most so many; 100 otherwise.", false}},
        .run = run_list,
    },
    {
        .name = "audit export",
        .argument = "FILE",
        .summary = "Writes changes of profiles to a new file, the oldest first, one JSON object a "
                   "line.",
        .options = {{"user", "ID", "Only those of this user.", false},
                    {"since", "TIME", "Only those from this time on.", false},
                    {"until", "TIME", "Only those before this time.", false},
                    {"progress", NULL, "Tell how far it is, also where no terminal is.", false}},
        .run = run_export,
    },
    {
        .name = "audit prune",
        .summary = "Removes changes of profiles from the audit trail, the oldest first.",
        .options = {{"before", "TIME", "Those before this time.", false},
                    {"older-than", "DAYS", "Those that are older than so many days.", false},
                    {"user", "ID", "Only those of this user.", false},
                    {"dry-run", NULL, "Tell how many it would be, and remove none.", false},
                    {"progress", NULL, "Tell how far it is, also where no terminal is.", false}},
        .run = run_prune,
    },
    {.name = NULL},
};
