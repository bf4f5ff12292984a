#include "store/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/recordplan.h"
#include "store/recordread.h"

_Static_assert((int)RECORDS_MAX <= (int)STATEMENT_USERS_MAX, "a batch fits a statement");

static enum store_result out_of_memory(struct err *err)
{
    err_set(err, "the rows of these users do not fit into memory");
    return STORE_REFUSED;
}

/* ---- pages */

static enum store_result visit_id(void *context, const struct value *row, struct err *err)
{
    struct records_page *page = context;
    (void)err;
    page->records[page->count++].id = row[0].uuid;
    return STORE_OK;
}

static enum store_result read_ids(struct database *database, const struct uuid *after,
                                  struct records_page *page, struct err *err)
{
    const struct value from = value_uuid(after);
    const struct value in[] = {from, from, value_number(RECORDS_MAX)};
    const struct call call = {
        .statement = STATEMENT_RECORD_PAGE, .in = in, .visit = visit_id, .context = page};
    page->count = 0;
    page->records = arena_array(page->arena, RECORDS_MAX, sizeof(*page->records));
    return page->records == NULL ? out_of_memory(err) : database_run(database, &call, err);
}

enum store_result records_read(struct database *database, const struct uuid *after,
                               struct records_page *page, struct err *err)
{
    enum store_result result = read_ids(database, after, page, err);
    const struct recordread reading = {page->records, page->count, page->arena};
    if (result == STORE_OK)
        result = recordread_users(database, &reading, STATEMENT_RECORD_USERS, err);
    if (result == STORE_OK)
        result = recordread_tables(database, &reading, page->tables, err);
    return result;
}

static enum store_result visit_count(void *context, const struct value *row, struct err *err)
{
    int64_t *count = context;
    (void)err;
    *count = row[0].number;
    return STORE_OK;
}

enum store_result records_count(struct database *database, int64_t *count, struct err *err)
{
    const struct call call = {
        .statement = STATEMENT_RECORD_COUNT, .visit = visit_count, .context = count};
    return database_run(database, &call, err);
}

/* ---- a batch */

struct work {
    const struct records_batch *batch;
    struct recordread before; /* as the database has them */
    struct record *after;     /* as they are to be, in the same order */
    int64_t now_ms;
};

static int compare_records(const void *a, const void *b)
{
    return uuid_compare(&((const struct record *)a)->id, &((const struct record *)b)->id);
}

static size_t drop_repeated(struct record *records, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !uuid_equal(&records[kept - 1].id, &records[i].id))
            records[kept++] = records[i];
    return kept;
}

/* In the order of ids, so that two batches wait for one another and never each for the other. */
static bool gather(struct work *work)
{
    const struct records_batch *batch = work->batch;
    struct record *records = arena_array(batch->arena, batch->count, sizeof(*records));
    work->after = arena_array(batch->arena, batch->count, sizeof(*records));
    if (records == NULL || work->after == NULL)
        return false;
    for (size_t i = 0; i < batch->count; i++)
        records[i].id = batch->changes[i].id;
    qsort(records, batch->count, sizeof(*records), compare_records);
    work->before = (struct recordread){records, drop_repeated(records, batch->count), batch->arena};
    return true;
}

static enum store_result visit_now(void *context, const struct value *row, struct err *err)
{
    struct work *work = context;
    (void)err;
    work->now_ms = row[0].time_ms;
    return STORE_OK;
}

static unsigned int told_tables(const struct records_batch *batch)
{
    unsigned int tables = 0;
    for (size_t i = 0; i < batch->count; i++)
        for (size_t table = 0; table < RECORD_TABLE__MAX; table++)
            if (batch->changes[i].modes[table] != RECORD_KEEP)
                tables |= RECORD_BIT(table);
    return tables;
}

static enum store_result read_before(struct database *database, struct work *work, struct err *err)
{
    const struct call now = {
        .statement = STATEMENT_RECORD_NOW, .visit = visit_now, .context = work};
    enum store_result result =
        recordread_users(database, &work->before, STATEMENT_RECORD_USERS_LOCKED, err);
    if (result == STORE_OK)
        result = database_run(database, &now, err);
    if (result == STORE_OK)
        result = recordread_tables(database, &work->before, told_tables(work->batch), err);
    return result;
}

/* Each change finds what those before it left. */
static bool change_all(struct work *work)
{
    const struct records_batch *batch = work->batch;
    memcpy(work->after, work->before.records, work->before.count * sizeof(*work->after));
    for (size_t i = 0; i < batch->count; i++) {
        const struct record_change *change = &batch->changes[i];
        struct record_reader reader = {.arena = batch->arena, .is_bare = batch->is_bare};
        size_t at = (size_t)(recordread_find(&work->before, &change->id) - work->before.records);
        batch->outcomes[i].outcome =
            recordchange_apply(&reader, &work->after[at], change, work->now_ms, &work->after[at]);
        batch->outcomes[i].faults = reader.first;
        if (reader.is_out_of_memory)
            return false;
    }
    return true;
}

/* ---- writing what differs */

/* One statement's rows of values. */
struct list {
    struct value *values;
    size_t columns, rows;
};

/* A row that stands on one side, judged by the other. */
static bool takes_step(enum record_table table, enum recordplan_step step,
                       const struct record_row *row, const struct record_rows *others)
{
    const struct record_row *other = record_find(table, others, row);
    bool can_change = recordplans[table].writes[RECORDPLAN_CHANGE].put != NULL;
    if (other == NULL)
        return step != RECORDPLAN_CHANGE;
    return can_change == (step == RECORDPLAN_CHANGE) && !record_equal(table, row, other);
}

static const struct record_rows *side(const struct work *work, enum record_table table,
                                      bool is_before, size_t at)
{
    return is_before ? &work->before.records[at].tables[table] : &work->after[at].tables[table];
}

static size_t count_rows(const struct work *work, enum record_table table, bool is_before)
{
    size_t count = 0;
    for (size_t i = 0; i < work->before.count; i++)
        count += side(work, table, is_before, i)->count;
    return count;
}

static void list_user(const struct work *work, enum record_table table, enum recordplan_step step,
                      size_t at, struct list *list)
{
    bool is_before = step == RECORDPLAN_REMOVE;
    const struct record_rows *rows = side(work, table, is_before, at);
    const struct record_rows *others = side(work, table, !is_before, at);
    if (rows->rows == others->rows) /* nothing was told of them */
        return;
    for (size_t i = 0; i < rows->count; i++) {
        if (!takes_step(table, step, &rows->rows[i], others))
            continue;
        struct value *values = list->values + list->rows * list->columns;
        (void)recordplans[table].writes[step].put(table, &work->after[at].id, &rows->rows[i],
                                                  values);
        list->rows++;
    }
}

static enum store_result write_step(struct database *database, const struct work *work,
                                    enum record_table table, enum recordplan_step step,
                                    struct err *err)
{
    const struct recordplan_write *write = &recordplans[table].writes[step];
    struct list list = {.rows = 0};
    if (write->put == NULL)
        return STORE_OK;
    list.columns = statement_column_count(statement_get(write->statement)->in);
    list.values = arena_array(work->batch->arena,
                              count_rows(work, table, step == RECORDPLAN_REMOVE) * list.columns,
                              sizeof(*list.values));
    if (list.values == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < work->before.count; i++)
        list_user(work, table, step, i, &list);
    return database_run_bulk(database, write->statement, list.values, list.rows, err);
}

/* What goes makes way first: what is unique may move from one row, or user, to another. Users come
 * before their child rows. */
static enum store_result write_all(struct database *database, const struct work *work,
                                   struct err *err)
{
    enum store_result result = STORE_OK;
    for (size_t step = 0; step < RECORDPLAN__MAX; step++)
        for (size_t i = 0; result == STORE_OK && i < RECORD_TABLE__MAX; i++)
            result =
                write_step(database, work, (enum record_table)i, (enum recordplan_step)step, err);
    return result;
}

static enum store_result work_batch(struct database *database, void *context, struct err *err)
{
    const struct records_batch *batch = context;
    struct work work = {.batch = batch};
    arena_reset(batch->arena);
    if (!gather(&work))
        return out_of_memory(err);
    enum store_result result = read_before(database, &work, err);
    if (result != STORE_OK)
        return result;
    if (!change_all(&work))
        return out_of_memory(err);
    result = write_all(database, &work, err);
    return result == STORE_OK && batch->is_dry ? STORE_ABANDONED : result;
}

enum store_result records_apply(struct database *database, const struct records_batch *batch,
                                struct err *err)
{
    enum store_result result =
        database_transact(database, work_batch, (void *)(uintptr_t)batch, err);
    return result == STORE_ABANDONED ? STORE_OK : result;
}

/* ---- whose it is */

/* A value that belongs to one user. */
struct claim {
    struct record_place place;
    const char *field;
    enum statement_id statement;
    struct value in[2];
    struct uuid user;
    struct record_reader *reader;
};

static enum store_result visit_owner(void *context, const struct value *row, struct err *err)
{
    struct claim *claim = context;
    char id[UUID_TEXT_LEN + 1], why[96];
    struct str kept;
    if (uuid_equal(&row[0].uuid, &claim->user))
        return STORE_OK;
    uuid_format(&row[0].uuid, id);
    (void)snprintf(why, sizeof(why), "belongs to another user, %s", id);
    if (!arena_copy(claim->reader->arena, str_from(why), &kept))
        return out_of_memory(err);
    record_complain(claim->reader, claim->place, str_from(claim->field), kept.data);
    return STORE_OK;
}

static enum store_result find_owner(struct database *database, struct claim *claim, struct err *err)
{
    const struct call call = {
        .statement = claim->statement, .in = claim->in, .visit = visit_owner, .context = claim};
    return database_run(database, &call, err);
}

/* Fields as they are in profile/record.c. */
static struct claim claim_of(enum record_table table, const struct record_row *row)
{
    size_t email = record_field_find(RECORD_EMAILS, STR("email"));
    size_t issuer = record_field_find(RECORD_IDENTITIES, STR("issuer"));
    size_t subject = record_field_find(RECORD_IDENTITIES, STR("id"));
    if (table == RECORD_EMAILS)
        return (struct claim){.field = "email",
                              .statement = STATEMENT_RECORD_EMAIL_OWNER,
                              .in = {value_text(row->values[email].text)}};
    return (struct claim){
        .field = "id",
        .statement = STATEMENT_RECORD_IDENTITY_OWNER,
        .in = {value_text(row->values[issuer].text), value_text(row->values[subject].text)}};
}

enum store_result records_find_rivals(struct database *database, const struct record_change *change,
                                      struct record_reader *reader, struct err *err)
{
    static const enum record_table tables[] = {RECORD_EMAILS, RECORD_IDENTITIES};
    enum store_result result = STORE_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        const struct record_rows *rows = &change->tables[tables[i]];
        for (size_t row = 0; result == STORE_OK && row < rows->count; row++) {
            struct claim claim = claim_of(tables[i], &rows->rows[row]);
            claim.place = (struct record_place){tables[i], (int64_t)row};
            claim.user = change->id;
            claim.reader = reader;
            result = find_owner(database, &claim, err);
        }
    }
    return result;
}
