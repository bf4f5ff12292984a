#include <json-c/json.h>
#include <stdio.h>

#include "mectl/usersource.h"
#include "store/records.h"

enum {
    BATCH_MAX_BYTES = 512 * 1024, /* of the file: some servers take packets of 1 MiB alone */
    CHANGES_MAX_BYTES = 256 * 1024 * 1024,
    RECORDS_MAX_BYTES = 512 * 1024 * 1024
};

struct import {
    struct invocation *invocation;
    struct infile file;
    struct faultreport report;
    struct progress progress;
    struct usersource source;
    struct arena *changes_arena, *records_arena;
    struct record_change changes[RECORDS_MAX]; /* the batch, and where each change begins */
    size_t lines[RECORDS_MAX];
    struct records_outcome outcomes[RECORDS_MAX];
    size_t count;
    int64_t batch_begin; /* bytes of the file before the batch */
    bool is_dry, stops;
    int64_t tally[RECORD_OUTCOME__MAX];
};

/* ---- a batch */

static int64_t total(const struct import *import)
{
    int64_t sum = 0;

    for (size_t i = 0; i < RECORD_OUTCOME__MAX; i++)
        sum += import->tally[i];
    return sum;
}

static void take_outcomes(struct import *import, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        import->tally[import->outcomes[i].outcome]++;
        faultreport_add_all(&import->report, import->lines[i], import->outcomes[i].faults);
    }
}

/* The database refused this one: whose fault is it? */
static enum store_result explain(struct import *import, size_t at, enum store_result refusal,
                                 const struct err *why, struct err *err)
{
    struct record_reader reader = {.arena = import->records_arena,
                                   .is_bare = import->source.format.is_csv};
    enum store_result result = STORE_OK;

    if (refusal == STORE_DUPLICATE)
        result =
            records_find_rivals(import->invocation->database, &import->changes[at], &reader, err);
    if (result != STORE_OK)
        return result;
    import->tally[RECORD_REFUSED]++;
    faultreport_add_all(&import->report, import->lines[at], reader.first);
    if (reader.first == NULL)
        faultreport_add(&import->report, import->lines[at], STR(""), why->text);
    return STORE_OK;
}

static enum store_result try_part(struct import *import, size_t first, size_t count,
                                  struct err *err)
{
    const struct records_batch batch = {
        .changes = import->changes + first,
        .count = count,
        .is_bare = import->source.format.is_csv,
        .is_dry = import->is_dry,
        .arena = import->records_arena,
        .outcomes = import->outcomes + first,
    };
    return records_apply(import->invocation->database, &batch, err);
}

static bool has_to_stop(const struct import *import)
{
    return import->stops && import->tally[RECORD_REFUSED] > 0;
}

/*
 * In one transaction where nothing in it is refused, else in halves, down to single users: so only
 * the bad ones are left out, and each user is written as a whole or not at all.
 */
static enum store_result apply_part(struct import *import, size_t first, size_t count,
                                    struct err *err)
{
    struct err why = {""};
    enum store_result result = try_part(import, first, count, &why);

    if (result == STORE_OK) {
        take_outcomes(import, first, count);
        return STORE_OK;
    }
    if (result != STORE_DUPLICATE && result != STORE_REFUSED) {
        *err = why;
        return result;
    }
    if (count == 1)
        return explain(import, first, result, &why, err);
    result = apply_part(import, first, count / 2, err);
    if (result != STORE_OK || has_to_stop(import))
        return result;
    return apply_part(import, first + count / 2, count - count / 2, err);
}

static enum store_result flush(struct import *import, struct err *err)
{
    enum store_result result = STORE_OK;

    if (import->count > 0)
        result = apply_part(import, 0, import->count, err);
    import->count = 0;
    import->batch_begin = import->file.taken;
    arena_reset(import->changes_arena);
    import->progress.part = import->file.taken;
    progress_tell(&import->progress, total(import));
    return result;
}

static bool is_full(const struct import *import)
{
    return import->count == RECORDS_MAX ||
           import->file.taken - import->batch_begin >= BATCH_MAX_BYTES;
}

/* ---- the file */

static enum command_exit fail_store(const struct import *import, enum store_result result,
                                    const struct err *err)
{
    if (result == STORE_OK)
        return COMMAND_OK;
    return invocation_fail("%s; stopped near line %zu: run the same command again to go on",
                           err->text, import->file.line);
}

/* Reads one more change into the batch; *is_over: there is none, or it was the last one wanted. */
static enum command_exit read_change(struct import *import, bool *is_over)
{
    size_t at = import->count;
    struct err err = {""};
    enum usersource_result result =
        usersource_next(&import->source, &import->changes[at], &import->lines[at], &err);

    import->count += result == USERSOURCE_CHANGE;
    import->tally[RECORD_REFUSED] += result == USERSOURCE_REFUSED;
    *is_over = result == USERSOURCE_END || result == USERSOURCE_FAILED || has_to_stop(import);
    return result == USERSOURCE_FAILED ? invocation_fail("%s", err.text) : COMMAND_OK;
}

static enum command_exit import_users(struct import *import)
{
    enum command_exit exit = COMMAND_OK;
    bool is_over = false;

    while (!is_over && exit == COMMAND_OK) {
        struct err err = {""};

        exit = read_change(import, &is_over);
        if (!is_over && !is_full(import))
            continue;
        if (exit == COMMAND_OK)
            exit = fail_store(import, flush(import, &err), &err);
        is_over |= has_to_stop(import);
    }
    return exit;
}

static enum command_exit begin(struct import *import)
{
    struct err err = {""};

    switch (usersource_begin(&import->source, &err)) {
    case USERSOURCE_CHANGE:
        return import_users(import);
    case USERSOURCE_FAILED:
        return invocation_fail("%s", err.text);
    case USERSOURCE_REFUSED:
    case USERSOURCE_END:
    default:
        return invocation_fail("%s: nothing was imported: see its first line", import->file.path);
    }
}

/* ---- the end */

static const char *const tally_names[RECORD_OUTCOME__MAX] = {
    [RECORD_UNCHANGED] = "unchanged",
    [RECORD_CHANGED] = "changed",
    [RECORD_ADDED] = "added",
    [RECORD_REFUSED] = "refused",
};

static const enum record_outcome tally_order[] = {RECORD_ADDED, RECORD_CHANGED, RECORD_UNCHANGED,
                                                  RECORD_REFUSED};

static void print_json_tally(const struct import *import)
{
    struct json_object *object = json_object_new_object();

    for (size_t i = 0; object != NULL && i < ARRAY_LENGTH(tally_order); i++)
        (void)json_object_object_add(object, tally_names[tally_order[i]],
                                     json_object_new_int64(import->tally[tally_order[i]]));
    if (object != NULL)
        (void)json_object_object_add(object, "dryRun", json_object_new_boolean(import->is_dry));
    (void)invocation_print_json(object);
}

static void print_tally(const struct import *import)
{
    (void)printf("%lld users:", (long long)total(import));
    for (size_t i = 0; i < ARRAY_LENGTH(tally_order); i++)
        (void)printf("%s %lld %s", i > 0 ? "," : "", (long long)import->tally[tally_order[i]],
                     tally_names[tally_order[i]]);
    (void)puts(import->is_dry ? "; nothing was written" : "");
}

static enum command_exit finish(struct import *import, enum command_exit exit)
{
    struct err err = {""};

    progress_end(&import->progress);
    if (import->invocation->json)
        print_json_tally(import);
    else
        print_tally(import);
    if (!faultreport_close(&import->report, &err))
        exit = invocation_fail("%s", err.text);
    return import->tally[RECORD_REFUSED] > 0 ? COMMAND_FAILED : exit;
}

static bool make_arenas(struct import *import)
{
    import->changes_arena = arena_new(CHANGES_MAX_BYTES);
    import->records_arena = arena_new(RECORDS_MAX_BYTES);
    if (import->changes_arena != NULL && import->records_arena != NULL)
        return true;
    (void)invocation_fail("out of memory");
    return false;
}

static enum command_exit run_opened(struct import *import)
{
    struct invocation *invocation = import->invocation;
    struct err err = {""};

    progress_begin(&import->progress, invocation, "imported", NULL);
    import->progress.unit = "users";
    import->progress.total = -1;
    import->progress.whole = import->file.size;
    if (!faultreport_open(invocation_option(invocation, "report"), import->file.path,
                          &import->progress, &import->report, &err))
        return invocation_fail("%s", err.text);
    import->source.zoneinfo = invocation->settings.profile.zoneinfo;
    import->source.report = &import->report;
    import->source.file = &import->file;
    import->source.arena = import->changes_arena;
    return finish(import, begin(import));
}

static enum command_exit run_import(struct invocation *invocation)
{
    struct import *import = arena_alloc(invocation->arena, sizeof(*import));
    enum command_exit exit = COMMAND_FAILED;
    struct err err = {""};

    if (import == NULL)
        return invocation_fail("out of memory");
    import->invocation = invocation;
    import->is_dry = invocation_flag(invocation, "dry-run");
    import->stops = invocation_flag(invocation, "stop-on-error");
    if (!userfile_choose(invocation, &import->source.format) || !invocation_database(invocation))
        return COMMAND_FAILED;
    if (!infile_open(invocation->argument, USERSOURCE_LINE_MAX_BYTES, &import->file, &err))
        return invocation_fail("%s", err.text);
    if (make_arenas(import))
        exit = run_opened(import);
    arena_free(import->changes_arena);
    arena_free(import->records_arena);
    infile_close(&import->file);
    return exit;
}

const struct command user_import_commands[] = {
    {
        .name = "user import",
        .argument = "FILE",
        .has_json = true,
        .summary = "Adds the users of a file, or changes those that are there; - reads standard "
                   "input.",
        .options = {{"format", "jsonl|csv", "What the file is; otherwise by its name.", false},
                    {"table", "NAME", "Which table a file of csv has; users otherwise.", false},
                    {"dry-run", NULL, "Try everything, write nothing.", false},
                    {"report", "FILE", "What is refused, and why; standard error otherwise.",
                     false},
                    {"stop-on-error", NULL, "Stop where the first user is refused.", false},
                    {"progress", NULL, "Tell how far it is, also where no terminal is.", false}},
        .run = run_import,
    },
    {.name = NULL},
};
