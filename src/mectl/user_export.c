#include <stdio.h>

#include "mectl/outfile.h"
#include "mectl/progress.h"
#include "mectl/userfile.h"
#include "profile/recordcsv.h"
#include "profile/recordjson.h"
#include "store/records.h"

enum { PAGE_MAX_BYTES = 512 * 1024 * 1024, TEXT_MAX_BYTES = 512 * 1024 * 1024 };

struct export
{
    struct invocation *invocation;
    struct userfile format;
    enum record_sessions sessions;
    struct outfile file;
    struct progress progress;
    struct records_page page;
    struct buf text; /* of a page */
    int64_t users;
};

/* ---- a page */

static bool render_rows(struct export *export, const struct record *record)
{
    enum record_table table = export->format.table;
    const struct record_rows *rows = &record->tables[table];

    for (size_t i = 0; i < rows->count; i++)
        recordcsv_write_row(table, &record->id, &rows->rows[i], &export->text);
    return buf_is_good(&export->text);
}

static bool render(struct export *export, const struct record *record)
{
    if (export->format.is_csv)
        return render_rows(export, record);
    if (!recordjson_render(record, export->sessions, &export->text))
        return false;
    buf_append_byte(&export->text, '\n');
    return buf_is_good(&export->text);
}

/* What was rendered goes to the file; where it is not taken, the end of the file tells why. */
static enum store_result write_text(struct export *export)
{
    bool good = outfile_add_bytes(&export->file, buf_str(&export->text));

    buf_reset(&export->text);
    return good ? STORE_OK : STORE_ABANDONED;
}

static enum store_result write_page(struct export *export, struct err *err)
{
    enum store_result result;

    for (size_t i = 0; i < export->page.count; i++)
        if (!render(export, &export->page.records[i])) {
            err_set(err, "out of memory");
            return STORE_FAILED;
        }
    result = write_text(export);
    if (result == STORE_OK)
        export->users += (int64_t) export->page.count;
    progress_tell(&export->progress, export->users);
    return result;
}

/* ---- all of them */

static enum store_result count_users(struct database *database, struct export *export,
                                     struct err *err)
{
    return export->progress.is_on ? records_count(database, &export->progress.total, err)
                                  : STORE_OK;
}

static enum store_result write_users(struct database *database, void *context, struct err *err)
{
    struct export *export = context;
    enum store_result result = count_users(database, export, err);
    struct uuid last;
    bool is_first = true;

    do {
        arena_reset(export->page.arena);
        if (result == STORE_OK)
            result = records_read(database, is_first ? NULL : &last, &export->page, err);
        if (result == STORE_OK)
            result = write_page(export, err);
        is_first = false;
        if (result == STORE_OK && export->page.count > 0)
            last = export->page.records[export->page.count - 1].id;
    } while (result == STORE_OK && export->page.count == RECORDS_MAX);
    return result;
}

static enum store_result write_header(struct export *export)
{
    if (!export->format.is_csv)
        return STORE_OK;
    recordcsv_write_header(export->format.table, &export->text);
    return write_text(export);
}

static enum command_exit export_users(struct export *export)
{
    struct err err = {""};
    enum store_result result;

    progress_begin(&export->progress, export->invocation, "exported", export->file.stream);
    export->progress.unit = "users";
    result = write_header(export);
    if (result == STORE_OK)
        result = database_read_snapshot(export->invocation->database, write_users, export, &err);
    progress_end(&export->progress);
    return result == STORE_ABANDONED ? COMMAND_OK : invocation_end(result, "users", &err);
}

/* ---- the command */

static unsigned int tables_of(const struct export *export)
{
    if (export->format.is_csv)
        return RECORD_BIT(export->format.table);
    return export->sessions == RECORD_WITH_SESSIONS
               ? (unsigned int)RECORDS_ALL_TABLES
               : (unsigned int)RECORDS_ALL_TABLES & ~RECORD_BIT(RECORD_SESSIONS);
}

static enum command_exit run_opened(struct export *export)
{
    struct err err = {""};

    if (export_users(export) != COMMAND_OK) {
        outfile_abandon(&export->file);
        return COMMAND_FAILED;
    }
    if (!outfile_finish(&export->file, &err))
        return invocation_fail("%s", err.text);
    return COMMAND_OK;
}

static enum command_exit run_export(struct invocation *invocation)
{
    struct export export = {.invocation = invocation};
    enum command_exit exit;
    struct err err = {""};

    if (invocation_flag(invocation, "sessions"))
        export.sessions = RECORD_WITH_SESSIONS;
    if (!userfile_choose(invocation, &export.format))
        return COMMAND_FAILED;
    if (export.format.is_csv && export.sessions == RECORD_WITH_SESSIONS)
        return invocation_fail("--sessions: is for jsonl; --table sessions has them as csv");
    if (!invocation_database(invocation))
        return COMMAND_FAILED;
    if (!outfile_open(invocation->argument, &export.file, &err))
        return invocation_fail("%s", err.text);
    export.page.tables = tables_of(&export);
    export.page.arena = arena_new(PAGE_MAX_BYTES);
    buf_init(&export.text, TEXT_MAX_BYTES);
    exit = export.page.arena == NULL ? invocation_fail("out of memory") : run_opened(&export);
    arena_free(export.page.arena);
    buf_free(&export.text);
    return exit;
}

const struct command user_export_commands[] = {
    {
        .name = "user export",
        .argument = "FILE",
        .summary = "Writes all users to a new file, as they are at one moment; - writes standard "
                   "output.",
        .options = {{"format", "jsonl|csv", "What the file is; otherwise by its name.", false},
                    {"table", "NAME", "Which table a file of csv has; users otherwise.", false},
                    {"sessions", NULL, "With login sessions; jsonl alone.", false},
                    {"progress", NULL, "Tell how far it is, also where no terminal is.", false}},
        .run = run_export,
    },
    {.name = NULL},
};
