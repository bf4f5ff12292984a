#include "store/recordread.h"

#include <stdlib.h>
#include <string.h>

#include "store/recordplan.h"

static int compare_ids(const void *id, const void *record)
{
    return uuid_compare(id, &((const struct record *)record)->id);
}

struct record *recordread_find(const struct recordread *reading, const struct uuid *id)
{
    return bsearch(id, reading->records, reading->count, sizeof(*reading->records), compare_ids);
}

/* The rows of one table as they come. */
struct visiting {
    const struct recordread *reading;
    enum record_table table;
};

static enum store_result visit(void *context, const struct value *values, struct err *err)
{
    const struct visiting *visiting = context;
    struct arena *arena = visiting->reading->arena;
    struct record *record = recordread_find(visiting->reading, &values[0].uuid);
    struct record_row *row = NULL;
    if (record != NULL)
        row = record_rows_add(&record->tables[visiting->table], arena);
    if (row != NULL && recordplan_take(visiting->table, values, arena, row))
        return STORE_OK;
    err_set(err, record == NULL ? "a row of a user who was not asked for"
                                : "the rows of these users do not fit into memory");
    return record == NULL ? STORE_FAILED : STORE_REFUSED;
}

/* The ids of the users who are looked for. */
struct wanted {
    char ids[STATEMENT_USERS_MAX * UUID_BYTES];
    size_t count;
};

static void want(struct wanted *wanted, const struct uuid *id)
{
    memcpy(wanted->ids + wanted->count * UUID_BYTES, id->bytes, UUID_BYTES);
    wanted->count++;
}

static enum store_result run(struct database *database, const struct wanted *wanted,
                             enum statement_id statement, struct visiting *visiting,
                             struct err *err)
{
    const struct value in[] = {value_number((int64_t)wanted->count),
                               value_text((struct str){wanted->ids, wanted->count * UUID_BYTES})};
    const struct call call = {
        .statement = statement, .in = in, .visit = visit, .context = visiting};
    return wanted->count == 0 ? STORE_OK : database_run(database, &call, err);
}

enum store_result recordread_users(struct database *database, const struct recordread *reading,
                                   enum statement_id statement, struct err *err)
{
    struct visiting visiting = {reading, RECORD_USERS};
    struct wanted wanted = {.count = 0};
    for (size_t i = 0; i < reading->count; i++)
        want(&wanted, &reading->records[i].id);
    return run(database, &wanted, statement, &visiting, err);
}

enum store_result recordread_tables(struct database *database, const struct recordread *reading,
                                    unsigned int tables, struct err *err)
{
    enum store_result result = STORE_OK;
    struct wanted wanted = {.count = 0};
    for (size_t i = 0; i < reading->count; i++)
        if (reading->records[i].tables[RECORD_USERS].count > 0)
            want(&wanted, &reading->records[i].id);
    for (size_t i = RECORD_USERS + 1; result == STORE_OK && i < RECORD_TABLE__MAX; i++) {
        struct visiting visiting = {reading, (enum record_table)i};
        if ((tables & RECORD_BIT(i)) != 0)
            result = run(database, &wanted, recordplans[i].read, &visiting, err);
    }
    return result;
}
