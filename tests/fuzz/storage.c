#include "storage.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "store/database.h"

enum { PROOF_AGE_MAX_MS = 1000, SESSION_ENDING_MS = 1500, LINKS_MAX = 256 };

/* 2025-07-03T02:14:22.094Z, and the last second of 2099 */
static const int64_t begin_ms = INT64_C(1751508862094), last_ms = INT64_C(4102444800000);

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

    if (result == STORE_OK || storage.never_fails)
        return STORE_OK;
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
static const int64_t ends_ms[] = {1, 300, 1000, 1001}; /* of a session, from the beginning */

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

static const struct str status_names[STORAGE_STATUS__MAX] = {
    STR("active"), STR("pending"), STR("invited"), STR("deleted"), STR("banned"), STR("unheard of"),
};

/* Which column of a row shows each of those that a change has. */
static const enum profile_column text_columns[STORAGE_TEXTS] = {
    PROFILE_TEXT1, PROFILE_TEXT5, PROFILE_TEXT4, PROFILE_TEXT2, PROFILE_TEXT3,
};

/* What was written since is what is read. */
static void show_written(struct value *row)
{
    const struct storage_state *state = &storage.state;

    for (size_t i = 0; i < STORAGE_TEXTS; i++) {
        const struct storage_text *text = &state->texts[i];

        if (text->is_written)
            row[text_columns[i]] =
                (struct value){.is_null = text->is_null, .text = {text->bytes, text->len}};
    }
    if (state->is_changed)
        row[PROFILE_UPDATED].time_ms = state->updated_ms;
    row[PROFILE_NUMBER1].number = state->revision;
    row[PROFILE_NOW].time_ms = state->now_ms;
}

/* What the schema promises of a user: one that is asked for, a name, a status. */
static void mend_user(struct str *rest, struct value *row)
{
    size_t status = take_choice(rest, STORAGE_STATUS__MAX);

    if (storage.state.has_status)
        status = storage.state.status;
    row[PROFILE_ID].uuid = storage.user;
    row[PROFILE_NUMBER1].is_null = false;
    row[PROFILE_TEXT6] = (struct value){.text = status_names[status]};
    if (row[PROFILE_TEXT1].is_null)
        row[PROFILE_TEXT1] = (struct value){.text = STR("Ann")};
    show_written(row);
    storage.has_user = true;
    storage.may_be_shown = status != STORAGE_DELETED && status != STORAGE_BANNED;
    storage.is_wrong |= status == STORAGE_UNHEARD_OF;
}

/* Nobody looks where `call` is NULL. */
static enum store_result visit(const struct call *call, const struct value *row, struct err *err)
{
    return call == NULL ? STORE_OK : call->visit(call->context, row, err);
}

/* What becomes of the session that the token names. One that is over has no end, and is there for
 * being asked for. */
static enum store_result show_session(const struct call *call, enum storage_session session,
                                      struct err *err)
{
    struct value row[PROFILE_COLUMN__MAX] = {[PROFILE_KIND] = {.number = PROFILE_SESSION}};
    int64_t end_ms = session == STORAGE_SESSION_ENDING ? begin_ms + SESSION_ENDING_MS : last_ms;

    if (storage.state.has_session)
        session = storage.state.session;
    storage.is_active = session == STORAGE_SESSION_ACTIVE ||
                        (session == STORAGE_SESSION_ENDING && storage.state.now_ms < end_ms);
    if (session == STORAGE_SESSION_UNKNOWN)
        return STORE_OK;
    row[PROFILE_TEXT1] = (struct value){.text = STR("s")};
    row[PROFILE_UPDATED] = (struct value){.is_null = !storage.is_active, .time_ms = end_ms};
    row[PROFILE_NUMBER3] = (struct value){.number = session == STORAGE_SESSION_REVOKED};
    return visit(call, row, err);
}

/* Another one of the user's: its end is soon, or years away. */
static void mend_session(struct value *row)
{
    int64_t end_ms = row[PROFILE_UPDATED].time_ms;

    for (size_t i = 0; i < ARRAY_LENGTH(ends_ms); i++)
        if (row[PROFILE_UPDATED].time_ms == times_ms[i])
            end_ms = begin_ms + ends_ms[i];
    row[PROFILE_UPDATED].time_ms = end_ms;
    row[PROFILE_TEXT1] = (struct value){.text = STR("t")};
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
    if (kind == PROFILE_SESSION)
        mend_session(row);
}

/* A session that is over, and was not asked for, is not shown. */
static bool is_over(size_t kind, const struct value *row)
{
    return kind == PROFILE_SESSION && row[PROFILE_UPDATED].time_ms <= storage.state.now_ms;
}

/* A user comes once, and first, or never. */
static enum store_result show_profile(const struct call *call, struct err *err)
{
    enum store_result result = STORE_OK;
    struct str rest = storage.input;

    (void)take_bytes(&rest, STORAGE_RESULTS);
    for (size_t i = 0; i < STORAGE_ROWS_MAX && rest.len > 0 && result == STORE_OK; i++) {
        struct value row[PROFILE_COLUMN__MAX];
        size_t kind = take_choice(&rest, PROFILE_ROW__MAX);

        if (kind == 0)
            break;
        if ((kind == PROFILE_USER) != (i == 0))
            kind = i == 0 ? PROFILE_USER : PROFILE_EMAIL;
        take_row(&rest, kind, row);
        if (!is_over(kind, row))
            result = visit(call, row, err);
        if (result == STORE_OK && kind == PROFILE_USER)
            result = show_session(
                call, (enum storage_session)take_choice(&rest, STORAGE_SESSION__MAX), err);
    }
    return result;
}

void storage_judge(void)
{
    struct err unused;

    storage.has_user = storage.is_wrong = storage.may_be_shown = storage.is_active = false;
    (void)show_profile(NULL, &unused);
}

/* ---- what is written */

void storage_begin(struct str input)
{
    uint64_t first = ++storage.inputs * LINKS_MAX;

    storage.input = input;
    storage.state = (struct storage_state){
        .triggers_stand = true, .epoch = (int64_t)first, .link = first, .now_ms = begin_ms};
}

/* As the triggers do it. */
static void raise_revision(void)
{
    struct storage_state *state = &storage.state;
    int64_t now_us = state->now_ms * 1000;

    if (state->triggers_stand)
        state->revision = now_us > state->revision ? now_us : state->revision + 1;
}

static void write_text(struct storage_text *out, const struct value *value)
{
    require(value->is_null || value->text.len <= sizeof(out->bytes),
            "it is no longer than inputs are");
    out->is_written = true;
    out->is_null = value->is_null;
    out->len = value->is_null ? 0 : value->text.len;
    if (out->len > 0)
        memcpy(out->bytes, value->text.data, out->len);
}

/* The columns that PROFILE_UPDATE and PROFILE_SWAP have in common. */
static void write_profile(const struct value *in)
{
    for (size_t i = 0; i < STORAGE_TEXTS; i++)
        write_text(&storage.state.texts[i], &in[i]);
    storage.state.is_changed = true;
    storage.state.updated_ms = in[STORAGE_TEXTS].time_ms;
}

static void update(const struct call *call)
{
    write_profile(call->in);
    raise_revision();
    *call->rows = 1;
}

/* A statement by itself: what it wrote is committed. */
static void swap(const struct call *call)
{
    const struct value *rest = call->in + STORAGE_TEXTS + 1;
    int64_t now_ms = storage.state.now_ms;

    *call->rows = uuid_equal(&rest[1].uuid, &storage.user) && storage.has_user &&
                  rest[2].number == storage.state.revision && rest[3].time_ms <= now_ms &&
                  now_ms < rest[4].time_ms;
    if (*call->rows == 0)
        return;
    require(rest[0].number > storage.state.revision, "revisions rise");
    write_profile(call->in);
    storage.state.revision = rest[0].number;
    storage.is_committed = true;
}

static enum store_result show_guard(const struct call *call, struct err *err)
{
    const struct value row[] = {{.number = storage.state.triggers_stand},
                                {.number = storage.state.epoch},
                                {.number = storage.state.now_ms * 1000}};

    return call->visit(call->context, row, err);
}

static enum store_result show_revision(const struct call *call, struct err *err)
{
    const struct value row[] = {{.number = storage.state.revision},
                                {.time_ms = storage.state.now_ms}};

    *call->rows = storage.has_user;
    return storage.has_user ? call->visit(call->context, row, err) : STORE_OK;
}

static void set_status(enum storage_status status)
{
    storage.state.has_status = true;
    storage.state.status = status;
    raise_revision();
}

static void set_session(enum storage_session session)
{
    storage.state.has_session = true;
    storage.state.session = session;
    raise_revision();
}

static void set_triggers(bool stand)
{
    if (!stand)
        storage.state.now_ms += PROOF_AGE_MAX_MS;
    storage.state.triggers_stand = stand;
    storage.state.epoch++;
}

void storage_change(enum storage_change change)
{
    const struct value name = {.text = STR("renamed by others")};

    switch (change) {
    case STORAGE_CHANGE_NAME:
        write_text(&storage.state.texts[0], &name);
        raise_revision();
        break;
    case STORAGE_CHANGE_STATUS_ACTIVE:
        set_status(STORAGE_ACTIVE);
        break;
    case STORAGE_CHANGE_STATUS_BANNED:
        set_status(STORAGE_BANNED);
        break;
    case STORAGE_CHANGE_STATUS_DELETED:
        set_status(STORAGE_DELETED);
        break;
    case STORAGE_CHANGE_LOG_OUT:
        set_session(STORAGE_SESSION_REVOKED);
        break;
    case STORAGE_CHANGE_LOG_IN:
        set_session(STORAGE_SESSION_ACTIVE);
        break;
    case STORAGE_CHANGE_TRIGGERS_GONE:
    case STORAGE_CHANGE_TRIGGERS_MADE:
        set_triggers(change == STORAGE_CHANGE_TRIGGERS_MADE);
        break;
    case STORAGE_CHANGE_RESTART:
        storage.state.epoch++;
        storage.state.link++;
        break;
    case STORAGE_CHANGE_NOTHING:
    case STORAGE_CHANGE__MAX:
        break;
    }
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
    return (struct database_link){storage.state.link, 0};
}

struct str database_secret(const struct database *database)
{
    (void)database;
    return STR("secret");
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

unsigned int database_last_error(const struct database *database)
{
    return database_error(database);
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

static enum store_result serve(const struct call *call, struct err *err)
{
    switch (call->statement) {
    case STATEMENT_PROFILE_READ:
        return show_profile(call, err);
    case STATEMENT_PROFILE_PROBE:
        return show_revision(call, err);
    case STATEMENT_REVISION_GUARD:
        return show_guard(call, err);
    case STATEMENT_PROFILE_UPDATE:
        update(call);
        return STORE_OK;
    case STATEMENT_PROFILE_SWAP:
        swap(call);
        return STORE_OK;
    default:
        return STORE_OK;
    }
}

/* What is in doubt was done, and nobody knows. */
enum store_result database_run(struct database *database, const struct call *call, struct err *err)
{
    bool is_swap = call->statement == STATEMENT_PROFILE_SWAP;
    enum store_result result = take_result(database, err);
    int64_t unused;

    require_texts(call);
    require(is_swap || storage.transactions == 1 || !statement_get(call->statement)->writes,
            "nothing is written outside of a transaction");
    if (is_swap && result == STORE_IN_DOUBT) {
        const struct call lost = {.in = call->in, .rows = &unused};

        swap(&lost);
        storage.is_committed = false;
    }
    if (result != STORE_OK)
        return result;
    if (call->rows != NULL)
        *call->rows = 1;
    return serve(call, err);
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
    struct storage_state before = storage.state;
    enum store_result result;

    require(storage.transactions++ == 0, "one transaction at a time");
    result = work(database, context, err);
    if (result == STORE_OK)
        result = take_result(database, err);
    storage.is_committed = result == STORE_OK;
    if (result != STORE_OK && result != STORE_IN_DOUBT)
        storage.state = before;
    storage.transactions--;
    return result;
}
