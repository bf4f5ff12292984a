#include "store/migrations.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mysql.h>

#include <mysqld_error.h>

#include "base/buf.h"
#include "base/file.h"
#include "store/migration_file.h"
#include "store/schema_data.h"
#include "store/statement.h"

enum { LOCK_TIMEOUT_S = 5, FILE_MAX_BYTES = 4 * 1024 * 1024, PATH_MAX_BYTES = 4096 };

/*
 * The checksum of a finished migration is that of its file (sha256sum prints the same); of one that
 * stopped in its middle, that of the statements which were done.
 */
static const struct str create_table =
    STR("CREATE TABLE IF NOT EXISTS schema_migrations ("
        " version INT NOT NULL, name VARCHAR(255) NOT NULL, checksum CHAR(64) NOT NULL,"
        " statements INT NOT NULL, statements_done INT NOT NULL, applied_at DATETIME(3) NULL,"
        " PRIMARY KEY (version)"
        ") ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4"
        " COLLATE = utf8mb4_nopad_bin");

/* A statement that waits for a table makes all others wait behind it, so it gives up soon. */
static const struct str patience =
    STR("SET SESSION lock_wait_timeout = 10, innodb_lock_wait_timeout = 60");

struct migrations {
    struct migration_file *files; /* by version */
    size_t count;
};

/* A row of schema_migrations. */
struct record {
    int64_t version;
    char name[MIGRATION_NAME_MAX_BYTES * UTF8_MAX_BYTES + 1];
    char checksum[MIGRATION_CHECKSUM_LEN + 1];
    size_t statements, done;
    bool has_applied_ms;
    int64_t applied_ms;
};

struct records {
    struct record *items; /* by version */
    size_t count;
};

static const char *const state_names[MIGRATION_STATE__MAX] = {
    [MIGRATION_PENDING] = "pending", [MIGRATION_PARTIAL] = "partial",
    [MIGRATION_APPLIED] = "applied", [MIGRATION_CHANGED] = "changed",
    [MIGRATION_UNKNOWN] = "unknown",
};

const char *migration_state_name(enum migration_state state)
{
    return state_names[state];
}

static bool add_file(struct migrations *migrations, const char *path, struct str text,
                     struct err *err)
{
    struct migration_file *grown =
        realloc(migrations->files, (migrations->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        err_set(err, "%s: out of memory", path);
        return false;
    }
    migrations->files = grown;
    if (!migration_file_read(path, text, &grown[migrations->count], err))
        return false;
    migrations->count++;
    return true;
}

static bool add_compiled_in(struct migrations *migrations, struct err *err)
{
    for (size_t i = 0; i < schema_file_count; i++) {
        struct str text = {schema_files[i].text, schema_files[i].len};
        if (!add_file(migrations, schema_files[i].name, text, err))
            return false;
    }
    return true;
}

static bool add_path(struct migrations *migrations, const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    bool ok = file_read(path, FILE_READERS_ANY, &text, err) &&
              add_file(migrations, path, buf_str(&text), err);
    buf_free(&text);
    return ok;
}

static bool add_entry(struct migrations *migrations, const char *folder, const char *name,
                      struct err *err)
{
    char path[PATH_MAX_BYTES];
    if (!str_ends_with(str_from(name), STR(".sql")))
        return true;
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        err_set(err, "%s: its name is too long", folder);
        return false;
    }
    return add_path(migrations, path, err);
}

static bool add_folder(struct migrations *migrations, const char *folder, struct err *err)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        err_set(err, "%s: %m", folder);
        return false;
    }
    bool ok = true;
    const struct dirent *entry;
    while (ok && (entry = readdir(dir)) != NULL)
        ok = add_entry(migrations, folder, entry->d_name, err);
    (void)closedir(dir); /* nothing was written */
    if (ok && migrations->count == 0) {
        err_set(err, "%s: holds no migration (NNNN_name.sql)", folder);
        ok = false;
    }
    return ok;
}

static int compare_files(const void *a, const void *b)
{
    const struct migration_file *x = a, *y = b;
    return (x->version > y->version) - (x->version < y->version);
}

static bool sort_files(struct migrations *migrations, struct err *err)
{
    struct migration_file *files = migrations->files;
    if (migrations->count > 0)
        qsort(files, migrations->count, sizeof(*files), compare_files);
    for (size_t i = 1; i < migrations->count; i++) {
        if (files[i - 1].version == files[i].version) {
            err_set(err, "%s and %s have the same number: give one of them another",
                    files[i - 1].path, files[i].path);
            return false;
        }
    }
    return true;
}

struct migrations *migrations_open(const char *folder, struct err *err)
{
    struct migrations *migrations = calloc(1, sizeof(*migrations));
    if (migrations == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    bool ok =
        folder != NULL ? add_folder(migrations, folder, err) : add_compiled_in(migrations, err);
    if (ok && sort_files(migrations, err))
        return migrations;
    migrations_close(migrations);
    return NULL;
}

void migrations_close(struct migrations *migrations)
{
    if (migrations == NULL)
        return;
    for (size_t i = 0; i < migrations->count; i++)
        migration_file_free(&migrations->files[i]);
    free(migrations->files);
    free(migrations);
}

/* Lengths were judged by the statement's table, in the same units. */
static void copy_text(char *to, size_t size, struct str text)
{
    size_t len = text.len < size ? text.len : size - 1;
    memcpy(to, text.data, len);
    to[len] = '\0';
}

static enum store_result visit_record(void *context, const struct value *row, struct err *err)
{
    struct records *records = context;
    struct record *grown = realloc(records->items, (records->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        err_set(err, "out of memory");
        return STORE_FAILED;
    }
    records->items = grown;
    struct record *record = &grown[records->count++];
    *record = (struct record){
        .version = row[0].number,
        .statements = (size_t)row[3].number,
        .done = (size_t)row[4].number,
        .has_applied_ms = !row[5].is_null,
        .applied_ms = row[5].time_ms,
    };
    copy_text(record->name, sizeof(record->name), row[1].text);
    copy_text(record->checksum, sizeof(record->checksum), row[2].text);
    return STORE_OK;
}

static enum store_result visit_number(void *context, const struct value *row, struct err *err)
{
    int64_t *number = context;
    (void)err;
    *number = row[0].is_null ? 0 : row[0].number;
    return STORE_OK;
}

/* A database in which nothing was migrated yet has no table of records. */
static enum store_result load_records(struct database *database, struct records *records,
                                      struct err *err)
{
    int64_t tables = 0;
    const struct call find = {
        .statement = STATEMENT_MIGRATION_TABLE_FIND, .visit = visit_number, .context = &tables};
    const struct call list = {
        .statement = STATEMENT_MIGRATION_LIST, .visit = visit_record, .context = records};
    enum store_result result = database_run(database, &find, err);
    if (result != STORE_OK || tables == 0)
        return result;
    return database_run(database, &list, err);
}

static bool is_equal_checksum(const struct migration_file *file, const struct record *record)
{
    char sum[MIGRATION_CHECKSUM_LEN + 1];
    bool ok = record->has_applied_ms ? migration_file_checksum(file, sum)
                                     : record->done <= file->count &&
                                           migration_file_partial_checksum(file, record->done, sum);
    return ok && strcmp(sum, record->checksum) == 0;
}

static enum migration_state judge(const struct migration_file *file, const struct record *record)
{
    if (file == NULL)
        return MIGRATION_UNKNOWN;
    if (record == NULL)
        return MIGRATION_PENDING;
    if (!is_equal_checksum(file, record))
        return MIGRATION_CHANGED;
    return record->has_applied_ms ? MIGRATION_APPLIED : MIGRATION_PARTIAL;
}

/* Where there is a file, its name and length are told rather than those of the record. */
static struct migration_row describe(const struct migration_file *file, const struct record *record)
{
    struct migration_row row = {.state = judge(file, record)};
    if (record != NULL) {
        row.version = record->version;
        row.name = record->name;
        row.statements = record->statements;
        row.statements_done = record->done;
        row.has_applied_ms = record->has_applied_ms;
        row.applied_ms = record->applied_ms;
    }
    if (file != NULL) {
        row.version = file->version;
        row.name = file->name;
        row.statements = file->count;
        row.optional = file->optional;
    }
    return row;
}

/* One version: its file (NULL: none) and what is told of it. A result that is not STORE_OK ends the
 * walk. */
typedef enum store_result visit_pair(void *context, const struct migration_file *file,
                                     const struct migration_row *row, struct err *err);

static enum store_result walk(const struct migrations *migrations, const struct records *records,
                              visit_pair *visit, void *context, struct err *err)
{
    size_t f = 0, r = 0;
    while (f < migrations->count || r < records->count) {
        const struct migration_file *file = f < migrations->count ? &migrations->files[f] : NULL;
        const struct record *record = r < records->count ? &records->items[r] : NULL;
        if (file != NULL && record != NULL && file->version < record->version)
            record = NULL;
        else if (file != NULL && record != NULL && file->version > record->version)
            file = NULL;
        f += file != NULL;
        r += record != NULL;
        const struct migration_row row = describe(file, record);
        enum store_result result = visit(context, file, &row, err);
        if (result != STORE_OK)
            return result;
    }
    return STORE_OK;
}

struct application {
    struct database *database;
    migration_visit *visit;
    void *context;
    bool again; /* the optional ones */
};

static enum store_result tell(const struct application *application,
                              const struct migration_row *row)
{
    return application->visit(application->context, row) ? STORE_OK : STORE_ABANDONED;
}

static enum store_result visit_status(void *context, const struct migration_file *file,
                                      const struct migration_row *row, struct err *err)
{
    const struct application *application = context;
    (void)file;
    (void)err;
    return tell(application, row);
}

enum store_result migrations_status(struct migrations *migrations, struct database *database,
                                    migration_visit *visit, void *context, struct err *err)
{
    struct records records = {NULL, 0};
    struct application application = {database, visit, context, false};
    enum store_result result = load_records(database, &records, err);
    if (result == STORE_OK)
        result = walk(migrations, &records, visit_status, &application, err);
    free(records.items);
    return result == STORE_ABANDONED ? STORE_OK : result;
}

static enum store_result refuse_conflicts(void *context, const struct migration_file *file,
                                          const struct migration_row *row, struct err *err)
{
    (void)context;
    if (row->state == MIGRATION_CHANGED) {
        err_set(err,
                "%s was changed after it had been applied%s: put it back as it was, and make "
                "the change in a migration of its own",
                file->path, row->has_applied_ms ? "" : " in part");
        return STORE_REFUSED;
    }
    if (row->state == MIGRATION_UNKNOWN) {
        err_set(err,
                "the database has migration %04lld_%s, which is not among the files here: it "
                "was made for a newer version, so use that one",
                (long long)row->version, row->name);
        return STORE_REFUSED;
    }
    return STORE_OK;
}

/* Tells the table how far a migration has come. */
static enum store_result record(struct database *database, const struct migration_file *file,
                                size_t done, struct err *err)
{
    char sum[MIGRATION_CHECKSUM_LEN + 1];
    bool is_finished = done == file->count;
    if (!(is_finished ? migration_file_checksum(file, sum)
                      : migration_file_partial_checksum(file, done, sum))) {
        err_set(err, "%s: out of memory", file->path);
        return STORE_FAILED;
    }
    const struct value in[] = {
        value_number(file->version), value_text(str_from(file->name)),
        value_text(str_from(sum)),   value_number((int64_t)file->count),
        value_number((int64_t)done), value_number(is_finished),
    };
    return database_run_counted(database, STATEMENT_MIGRATION_RECORD, in, NULL, err);
}

static enum store_result apply_statement(struct database *database,
                                         const struct migration_file *file, size_t index,
                                         struct err *err)
{
    const struct migration_statement *statement = &file->statements[index];
    enum store_result result = database_run_text(database, statement->sql, err);
    if (result != STORE_OK) {
        err_prefix(err, "%s:%zu: statement %zu of %zu", file->path, statement->line, index + 1,
                   file->count);
        return result;
    }
    result = record(database, file, index + 1, err);
    if (result != STORE_OK)
        err_prefix(err,
                   "%s:%zu: statement %zu of %zu was done, but could not be recorded in "
                   "schema_migrations",
                   file->path, statement->line, index + 1, file->count);
    return result;
}

static enum migration_refusal refusal_of(unsigned int number)
{
    static const struct {
        unsigned int number;
        enum migration_refusal refusal;
    } refusals[] = {
        {ER_DBACCESS_DENIED_ERROR, MIGRATION_LACKS_RIGHT},
        {ER_TABLEACCESS_DENIED_ERROR, MIGRATION_LACKS_RIGHT},
        {ER_COLUMNACCESS_DENIED_ERROR, MIGRATION_LACKS_RIGHT},
        {ER_SPECIFIC_ACCESS_DENIED_ERROR, MIGRATION_LACKS_RIGHT},
        {ER_BINLOG_CREATE_ROUTINE_NEED_SUPER, MIGRATION_BARRED_BY_BINLOG},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++)
        if (refusals[i].number == number)
            return refusals[i].refusal;
    return MIGRATION_NOT_REFUSED;
}

/* Goes on from where the row says, and keeps its count. */
static enum store_result apply_rest(struct database *database, const struct migration_file *file,
                                    struct migration_row *row, struct err *err)
{
    enum store_result result = STORE_OK;
    while (row->statements_done < file->count && result == STORE_OK) {
        result = apply_statement(database, file, row->statements_done, err);
        row->statements_done += result == STORE_OK;
    }
    return result;
}

static enum store_result apply_file(void *context, const struct migration_file *file,
                                    const struct migration_row *row, struct err *err)
{
    const struct application *application = context;
    struct migration_row done = *row;
    if (application->again && file->optional != NULL)
        done.statements_done = 0;
    else if (row->state == MIGRATION_APPLIED)
        return STORE_OK;
    enum store_result result = apply_rest(application->database, file, &done, err);
    done.state = result == STORE_OK          ? MIGRATION_APPLIED
                 : done.statements_done == 0 ? MIGRATION_PENDING
                                             : MIGRATION_PARTIAL;
    if (result != STORE_OK && file->optional != NULL)
        done.refusal = refusal_of(database_error(application->database));
    if (result != STORE_OK && done.refusal == MIGRATION_NOT_REFUSED)
        return result;
    done.refusal_text = err->text;
    result = tell(application, &done);
    err_clear(err);
    return result;
}

static enum store_result take_lock(struct database *database, struct err *err)
{
    int64_t taken = 0;
    const struct value in[] = {value_number(LOCK_TIMEOUT_S)};
    const struct call call = {
        .statement = STATEMENT_MIGRATION_LOCK, .in = in, .visit = visit_number, .context = &taken};
    enum store_result result = database_run(database, &call, err);
    if (result != STORE_OK || taken == 1)
        return result;
    err_set(err, "another migration of this database is running: when it has ended, run mectl "
                 "migrate again");
    return STORE_UNAVAILABLE;
}

static enum store_result apply_all(struct migrations *migrations, struct application *application,
                                   struct err *err)
{
    struct database *database = application->database;
    struct records records = {NULL, 0};
    enum store_result result = database_run_text(database, patience, err);
    if (result == STORE_OK)
        result = database_run_text(database, create_table, err);
    if (result == STORE_OK)
        result = load_records(database, &records, err);
    if (result == STORE_OK)
        result = walk(migrations, &records, refuse_conflicts, NULL, err);
    if (result == STORE_OK)
        result = walk(migrations, &records, apply_file, application, err);
    free(records.items);
    return result;
}

static enum store_result apply(struct migrations *migrations, struct application *application,
                               struct err *err)
{
    enum store_result result = database_open_for_migrations(application->database, err);
    if (result == STORE_OK)
        result = take_lock(application->database, err);
    if (result == STORE_OK)
        result = apply_all(migrations, application, err);
    database_close(application->database); /* the lock goes with the connection */
    return result == STORE_ABANDONED ? STORE_OK : result;
}

enum store_result migrations_apply(struct migrations *migrations, struct database *database,
                                   migration_visit *visit, void *context, struct err *err)
{
    struct application application = {database, visit, context, false};
    return apply(migrations, &application, err);
}

enum store_result migrations_apply_again(struct migrations *migrations, struct database *database,
                                         migration_visit *visit, void *context, struct err *err)
{
    struct application application = {database, visit, context, true};
    return apply(migrations, &application, err);
}
