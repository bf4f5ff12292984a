#include "store/audit.h"

#include "store/statement.h"

enum {
    PAGE_ROWS = 256,           /* of the longest that there can be, some 60 MiB */
    COUNTED_ROWS = 100 * 1000, /* of an index alone */
    REMOVED_ROWS = 1000
};

/* What MariaDB's times can hold: the years 1000 to 9999. */
static const int64_t first_ms = -30610224000000;
static const int64_t last_ms = 253402300799999;

/* Where a walk over the rows is: behind this one, or ahead of it. No row has the id 0. */
struct place {
    int64_t time_ms, id;
};

enum store_result audit_add(struct database *database, const struct audit_entry *entry,
                            struct err *err)
{
    const struct value in[] = {
        value_uuid(&entry->user),  value_text(entry->request_id), value_text(entry->issuer),
        value_text(entry->client), value_text(entry->members),    value_text(entry->values),
    };
    return database_run_counted(database, STATEMENT_AUDIT_ADD, in, NULL, err);
}

enum store_result audit_probe(struct database *database, struct err *err)
{
    return database_prepare(database, STATEMENT_AUDIT_ADD, err);
}

static int64_t clamp(int64_t time_ms)
{
    if (time_ms < first_ms)
        return first_ms;
    return time_ms > last_ms ? last_ms : time_ms;
}

static struct place begin_of(const struct audit_range *range)
{
    return (struct place){clamp(range->since_ms), 0};
}

static struct place end_of(const struct audit_range *range)
{
    return (struct place){clamp(range->until_ms), 0};
}

/* ---- reading */

struct listing {
    audit_visit *visit;
    void *context;
    struct place place; /* of the last row */
    int64_t rows;       /* of this page */
};

static enum store_result visit_row(void *context, const struct value *row, struct err *err)
{
    struct listing *listing = context;
    const struct audit_row audit = {
        .id = row[0].number,
        .changed_ms = row[1].time_ms,
        .entry = {.user = row[2].uuid,
                  .request_id = row[3].text,
                  .issuer = row[4].text,
                  .client = row[5].text,
                  .members = row[6].text,
                  .values = row[7].text},
    };
    (void)err;
    listing->place = (struct place){audit.changed_ms, audit.id};
    listing->rows++;
    return listing->visit(listing->context, &audit) ? STORE_OK : STORE_ABANDONED;
}

static const enum statement_id statement_of[AUDIT_ORDER__MAX] = {
    [AUDIT_OLDEST_FIRST] = STATEMENT_AUDIT_OLDEST,
    [AUDIT_NEWEST_FIRST] = STATEMENT_AUDIT_NEWEST,
};

static enum store_result list_page(struct database *database, const struct audit_range *range,
                                   enum audit_order order, int64_t limit, struct listing *listing,
                                   struct err *err)
{
    const struct value user = value_uuid(range->user), from = value_time(listing->place.time_ms);
    int64_t end_ms = order == AUDIT_OLDEST_FIRST ? end_of(range).time_ms : begin_of(range).time_ms;
    const struct value in[] = {user,
                               user,
                               from,
                               from,
                               value_number(listing->place.id),
                               value_time(end_ms),
                               value_number(limit)};
    const struct call call = {
        .statement = statement_of[order], .in = in, .visit = visit_row, .context = listing};
    listing->rows = 0;
    return database_run(database, &call, err);
}

enum store_result audit_list(struct database *database, const struct audit_range *range,
                             enum audit_order order, int64_t limit, audit_visit *visit,
                             void *context, struct err *err)
{
    struct listing listing = {
        .visit = visit,
        .context = context,
        .place = order == AUDIT_OLDEST_FIRST ? begin_of(range) : end_of(range),
    };
    while (limit > 0) {
        int64_t wanted = limit < PAGE_ROWS ? limit : PAGE_ROWS;
        enum store_result result = list_page(database, range, order, wanted, &listing, err);
        if (result != STORE_OK)
            return result == STORE_ABANDONED ? STORE_OK : result;
        if (listing.rows < wanted)
            break;
        limit -= wanted;
    }
    return STORE_OK;
}

/* ---- counting and removing */

static enum store_result visit_place(void *context, const struct value *row, struct err *err)
{
    struct place *place = context;
    (void)err;
    *place = (struct place){row[0].time_ms, row[1].number};
    return STORE_OK;
}

/* Moves *place on to the row that is `rows` further; where there are fewer, *is_last is true and it
 * stays. */
static enum store_result skip(struct database *database, const struct audit_range *range,
                              int64_t rows, struct place *place, bool *is_last, struct err *err)
{
    int64_t found = 0;
    const struct value user = value_uuid(range->user), from = value_time(place->time_ms);
    const struct value in[] = {user,
                               user,
                               from,
                               from,
                               value_number(place->id),
                               value_time(end_of(range).time_ms),
                               value_number(rows - 1)};
    const struct call call = {.statement = STATEMENT_AUDIT_SKIP,
                              .in = in,
                              .visit = visit_place,
                              .context = place,
                              .rows = &found};
    enum store_result result = database_run(database, &call, err);
    *is_last = found == 0;
    return result;
}

static enum store_result visit_count(void *context, const struct value *row, struct err *err)
{
    int64_t *count = context;
    (void)err;
    *count += row[0].number;
    return STORE_OK;
}

static enum store_result count_rest(struct database *database, const struct audit_range *range,
                                    const struct place *place, int64_t *count, struct err *err)
{
    const struct value user = value_uuid(range->user), from = value_time(place->time_ms);
    const struct value in[] = {
        user, user, from, from, value_number(place->id), value_time(end_of(range).time_ms)};
    const struct call call = {
        .statement = STATEMENT_AUDIT_COUNT, .in = in, .visit = visit_count, .context = count};
    return database_run(database, &call, err);
}

enum store_result audit_count(struct database *database, const struct audit_range *range,
                              int64_t *count, struct err *err)
{
    struct place place = begin_of(range);
    *count = 0;
    for (;;) {
        bool is_last = false;
        enum store_result result = skip(database, range, COUNTED_ROWS, &place, &is_last, err);
        if (result != STORE_OK)
            return result;
        if (is_last)
            return count_rest(database, range, &place, count, err);
        *count += COUNTED_ROWS;
    }
}

/* The rows behind one place and up to another. */
struct removal {
    const struct uuid *user;
    struct place from, to;
    int64_t rows;
};

static enum store_result work_remove(struct database *database, void *context, struct err *err)
{
    struct removal *removal = context;
    const struct value user = value_uuid(removal->user);
    const struct value from = value_time(removal->from.time_ms);
    const struct value to = value_time(removal->to.time_ms);
    const struct value in[] = {user,
                               user,
                               from,
                               from,
                               value_number(removal->from.id),
                               to,
                               to,
                               value_number(removal->to.id + 1)};
    return database_run_counted(database, STATEMENT_AUDIT_REMOVE, in, &removal->rows, err);
}

enum store_result audit_prune(struct database *database, const struct audit_range *range,
                              audit_tell *tell, void *context, int64_t *count, struct err *err)
{
    struct removal removal = {.user = range->user, .to = begin_of(range)};
    bool is_last = false;
    *count = 0;
    while (!is_last) {
        removal.from = removal.to;
        enum store_result result = skip(database, range, REMOVED_ROWS, &removal.to, &is_last, err);
        if (is_last)
            removal.to = (struct place){end_of(range).time_ms, -1};
        if (result == STORE_OK)
            result = database_transact(database, work_remove, &removal, err);
        if (result != STORE_OK)
            return result;
        *count += removal.rows;
        if (tell != NULL)
            tell(context, *count);
    }
    return STORE_OK;
}
