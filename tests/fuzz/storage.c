#include "storage.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "store/database.h"

struct storage storage;

struct database {
    struct str results; /* what is left of them for this request */
};

/* ---- what a call ends in */

static const enum store_result results[] = {
    STORE_OK,       STORE_OK,          STORE_OK,       STORE_OK,     STORE_OK,      STORE_OK,
    STORE_CONFLICT, STORE_UNAVAILABLE, STORE_IN_DOUBT, STORE_FAILED, STORE_REFUSED, STORE_LOST,
};

static enum store_result take_result(struct database *database, struct err *err)
{
    enum store_result result = results[take_choice(&database->results, ARRAY_LENGTH(results))];

    if (result == STORE_OK)
        return result;
    storage.has_refused = true;
    err_set(err, "the storage was told to fail");
    return result;
}

/* ---- rows: a byte for the kind, and for each column what its type takes */

static struct str take_bytes(struct str *rest, size_t len)
{
    struct str taken = {rest->data, len < rest->len ? len : rest->len};

    rest->data += taken.len;
    rest->len -= taken.len;
    return taken;
}

/* A length of 255 is NULL. The server's character set lets nothing through that is not UTF-8. */
static void take_text(struct str *rest, struct value *out)
{
    struct str length = take_bytes(rest, 1);
    size_t len = length.len == 0 ? 255 : (unsigned char)length.data[0];

    out->is_null = len == 255;
    out->text = out->is_null ? STR("") : take_bytes(rest, len);
    if (!utf8_is_valid(out->text))
        out->text = STR("?");
}

/* Mostly small ones. */
static void take_number(struct str *rest, struct value *out)
{
    size_t choice = take_choice(rest, 256);

    out->is_null = choice == 255;
    out->number = choice == 254 ? INT64_MIN : choice == 253 ? INT64_MAX : (int64_t)choice;
}

static const int64_t times_ms[] = {0, 1, 999, INT64_C(1751508862094), INT64_C(4102444800000)};

static void take_time(struct str *rest, struct value *out)
{
    out->time_ms = times_ms[take_choice(rest, ARRAY_LENGTH(times_ms))];
}

static void take_uuid(struct str *rest, struct value *out)
{
    struct str bytes = take_bytes(rest, 1);

    out->uuid = storage.user;
    if (bytes.len == 1)
        ((unsigned char *)&out->uuid)[0] = (unsigned char)bytes.data[0];
}

static void take_value(struct str *rest, enum value_type type, struct value *out)
{
    static void (*const takers[VALUE__MAX])(struct str *, struct value *) = {
        [VALUE_NUMBER] = take_number, [VALUE_TEXT] = take_text, [VALUE_BYTES] = take_text,
        [VALUE_UUID] = take_uuid,     [VALUE_TIME] = take_time,
    };

    *out = (struct value){.is_null = false};
    takers[type](rest, out);
}

static const struct str status_names[] = {STR("active"),  STR("pending"), STR("invited"),
                                          STR("deleted"), STR("banned"),  STR("unheard of")};

/* What the schema promises of a user: one that is asked for, a name, a status. */
static void mend_user(struct str *rest, struct value *row)
{
    size_t status = take_choice(rest, ARRAY_LENGTH(status_names));

    row[PROFILE_ID].uuid = storage.user;
    row[PROFILE_NUMBER1].is_null = false;
    row[PROFILE_TEXT6] = (struct value){.text = status_names[status]};
    if (row[PROFILE_TEXT1].is_null)
        row[PROFILE_TEXT1] = (struct value){.text = STR("Ann")};
    storage.has_user = true;
    storage.may_be_shown = status < 3;
    storage.is_wrong |= status == ARRAY_LENGTH(status_names) - 1;
}

/* What becomes of the session that the token names. */
enum session { SESSION_ACTIVE, SESSION_REVOKED, SESSION_EXPIRED, SESSION_UNKNOWN, SESSION__MAX };

/* One that is over has no end, and is there for being asked for. */
static enum store_result show_session(const struct call *call, enum session session,
                                      struct err *err)
{
    struct value row[PROFILE_COLUMN__MAX] = {[PROFILE_KIND] = {.number = PROFILE_SESSION}};

    storage.is_active = session == SESSION_ACTIVE;
    if (session == SESSION_UNKNOWN)
        return STORE_OK;
    row[PROFILE_TEXT1] = (struct value){.text = STR("s")};
    row[PROFILE_UPDATED] =
        (struct value){.is_null = !storage.is_active, .time_ms = INT64_C(4102444800000)};
    row[PROFILE_NUMBER3] = (struct value){.number = session == SESSION_REVOKED};
    return call->visit(call->context, row, err);
}

/* What it promises of the others: whatever has no member in the resource that could be unset. */
static void mend_child(struct value *row)
{
    for (size_t i = PROFILE_NUMBER1; i <= PROFILE_NUMBER4; i++)
        row[i].is_null = false;
    for (size_t i = PROFILE_TEXT1; i <= PROFILE_TEXT2; i++)
        if (row[i].is_null)
            row[i] = (struct value){.text = STR("")};
}

static void take_row(struct str *rest, size_t kind, struct value *row)
{
    const struct column *columns = statement_get(STATEMENT_PROFILE_READ)->out;

    for (size_t i = 0; i < PROFILE_COLUMN__MAX; i++)
        take_value(rest, columns[i].type, &row[i]);
    row[PROFILE_KIND] = (struct value){.number = (int64_t)kind};
    if (kind == PROFILE_USER)
        mend_user(rest, row);
    else
        mend_child(row);
    if (kind == PROFILE_SESSION) /* another one of the user's */
        row[PROFILE_TEXT1] = (struct value){.text = STR("t")};
}

/* A user comes once, and first, or never. */
static enum store_result show_profile(const struct call *call, struct err *err)
{
    enum store_result result = STORE_OK;
    struct str rest = storage.input;

    storage.has_user = storage.may_be_shown = storage.is_active = false;
    (void)take_bytes(&rest, STORAGE_RESULTS);
    for (size_t i = 0; i < STORAGE_ROWS_MAX && rest.len > 0 && result == STORE_OK; i++) {
        struct value row[PROFILE_COLUMN__MAX];
        size_t kind = take_choice(&rest, PROFILE_ROW__MAX);

        if (kind == 0)
            break;
        if ((kind == PROFILE_USER) != (i == 0))
            kind = i == 0 ? PROFILE_USER : PROFILE_EMAIL;
        take_row(&rest, kind, row);
        result = call->visit(call->context, row, err);
        if (result == STORE_OK && kind == PROFILE_USER)
            result = show_session(call, (enum session)take_choice(&rest, SESSION__MAX), err);
    }
    return result;
}

/* ---- the functions of store/database.c */

/* For the labels of metrics, which no target asks for. */
const char *store_result_name(enum store_result result)
{
    return result == STORE_OK ? "ok" : "other";
}

struct database *database_new(const struct settings *settings, enum database_account account,
                              enum file_readers readers, struct err *err)
{
    (void)settings;
    (void)account;
    (void)readers;
    (void)err;
    return calloc(1, sizeof(struct database));
}

void database_free(struct database *database)
{
    free(database);
}

void database_begin_request(struct database *database)
{
    require(storage.transactions == 0, "no transaction is left open");
    database->results = storage.input;
    if (storage.input.len > STORAGE_RESULTS)
        database->results.len = STORAGE_RESULTS;
}

enum store_result database_connect(struct database *database, struct err *err)
{
    return take_result(database, err);
}

void database_close(struct database *database)
{
    (void)database;
}

bool database_close_stale(struct database *database)
{
    (void)database;
    return false;
}

bool database_is_settled(const struct database *database)
{
    (void)database;
    return storage.transactions == 0;
}

bool database_is_open(const struct database *database)
{
    (void)database;
    return true;
}

struct database_link database_link(const struct database *database)
{
    (void)database;
    return (struct database_link){1, 0};
}

const struct database_counts *database_counts(const struct database *database)
{
    static const struct database_counts counts;

    (void)database;
    return &counts;
}

unsigned int database_error(const struct database *database)
{
    (void)database;
    return 0;
}

int64_t database_close_idle(struct database *database, int64_t monotonic_us)
{
    (void)database;
    (void)monotonic_us;
    return -1;
}

enum store_result database_prepare(struct database *database, enum statement_id statement,
                                   struct err *err)
{
    (void)statement;
    return take_result(database, err);
}

static void require_texts(const struct call *call)
{
    const struct statement *statement = statement_get(call->statement);

    for (size_t i = 0; i < statement_column_count(statement->in); i++)
        require(statement->in[i].type != VALUE_TEXT || call->in[i].is_null ||
                    (utf8_is_valid(call->in[i].text) &&
                     call->in[i].text.len <= statement->in[i].max_bytes),
                "what is written is UTF-8, and fits");
}

enum store_result database_run(struct database *database, const struct call *call, struct err *err)
{
    enum store_result result = take_result(database, err);

    require_texts(call);
    require(storage.transactions == 1 || !statement_get(call->statement)->writes,
            "nothing is written outside of a transaction");
    if (result != STORE_OK)
        return result;
    if (call->rows != NULL)
        *call->rows = 1;
    return call->statement == STATEMENT_PROFILE_READ ? show_profile(call, err) : STORE_OK;
}

enum store_result database_run_counted(struct database *database, enum statement_id statement,
                                       const struct value *in, int64_t *rows, struct err *err)
{
    const struct call call = {.statement = statement, .in = in, .rows = rows};

    return database_run(database, &call, err);
}

enum store_result database_transact(struct database *database, database_work *work, void *context,
                                    struct err *err)
{
    enum store_result result;

    require(storage.transactions++ == 0, "one transaction at a time");
    result = work(database, context, err);
    if (result == STORE_OK)
        result = take_result(database, err);
    storage.is_committed = result == STORE_OK;
    storage.transactions--;
    return result;
}
