#include "store/diagnosis.h"

#include <stdio.h>
#include <string.h>

#include <mysql.h>

#include <errmsg.h>
#include <mysqld_error.h>

#include "base/clock.h"
#include "store/connection.h"
#include "store/failure.h"
#include "store/grants.h"
#include "store/right.h"

enum {
    RIGHTS_MAX = 16, /* of one row of the grants */
    SQL_MAX_BYTES = 4096,
    VERSION_MIN = 1003, /* 10.3 */
};

/* ---- reached, and what it is */

static const struct {
    unsigned int number;
    enum diagnosis_verdict verdict;
} verdicts[] = {
    {CR_CONNECTION_ERROR, DIAGNOSIS_UNREACHED},
    {CR_CONN_HOST_ERROR, DIAGNOSIS_UNREACHED},
    {CR_UNKNOWN_HOST, DIAGNOSIS_UNREACHED},
    {CR_SERVER_HANDSHAKE_ERR, DIAGNOSIS_UNREACHED},
    {CR_SERVER_GONE_ERROR, DIAGNOSIS_UNREACHED},
    {CR_SERVER_LOST, DIAGNOSIS_UNREACHED},
    {CR_SSL_CONNECTION_ERROR, DIAGNOSIS_UNTRUSTED},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, DIAGNOSIS_NO_PLUGIN},
    {CR_AUTH_PLUGIN_ERR, DIAGNOSIS_NO_PLUGIN},
    {ER_ACCESS_DENIED_ERROR, DIAGNOSIS_REFUSED},
    {ER_ACCESS_DENIED_NO_PASSWORD_ERROR, DIAGNOSIS_REFUSED},
    {ER_DBACCESS_DENIED_ERROR, DIAGNOSIS_REFUSED},
    {ER_BAD_DB_ERROR, DIAGNOSIS_REFUSED},
    {ER_HOST_NOT_PRIVILEGED, DIAGNOSIS_REFUSED},
    {ER_SERVER_IS_IN_SECURE_AUTH_MODE, DIAGNOSIS_REFUSED},
    {ER_MUST_CHANGE_PASSWORD, DIAGNOSIS_REFUSED},
    {ER_MUST_CHANGE_PASSWORD_LOGIN, DIAGNOSIS_REFUSED},
    {ER_ACCOUNT_HAS_BEEN_LOCKED, DIAGNOSIS_REFUSED},
    {ER_CON_COUNT_ERROR, DIAGNOSIS_FULL},
    {ER_TOO_MANY_USER_CONNECTIONS, DIAGNOSIS_FULL},
    {ER_USER_LIMIT_REACHED, DIAGNOSIS_FULL},
};

static enum diagnosis_verdict verdict_of(const struct connection_failure *failure)
{
    for (size_t i = 0; i < ARRAY_LENGTH(verdicts); i++)
        if (verdicts[i].number == failure->number)
            return verdicts[i].verdict;
    /* A server without TLS is refused by this program, not by the library. */
    if (failure->number == 0 && failure->result == STORE_UNAVAILABLE)
        return DIAGNOSIS_UNTRUSTED;
    return DIAGNOSIS_STRANGE;
}

static void copy(char out[DIAGNOSIS_TEXT_MAX_BYTES + 1], struct str text)
{
    (void)snprintf(out, DIAGNOSIS_TEXT_MAX_BYTES + 1, "%.*s", STR_ARGS(text));
}

static enum store_result take_state(void *context, const struct value *row, struct err *err)
{
    struct diagnosis *out = context;
    (void)err;
    copy(out->version, row[0].text);
    copy(out->account, row[1].text);
    out->ahead_ms = row[2].time_ms;
    out->is_read_only = row[3].number != 0;
    out->max_connections = row[4].number;
    out->max_user_connections = row[5].number;
    copy(out->cipher, row[6].is_null ? STR("") : row[6].text);
    return STORE_OK;
}

static enum store_result ask(struct database *database, struct diagnosis *out, struct err *err)
{
    const struct call call = {
        .statement = STATEMENT_SERVER_STATE, .visit = take_state, .context = out};
    int64_t sent_ms = clock_now_ms();
    enum store_result result = database_run(database, &call, err);
    if (result == STORE_OK)
        out->ahead_ms -= sent_ms + (clock_now_ms() - sent_ms) / 2;
    return result;
}

enum diagnosis_verdict diagnosis_make(struct database *database, struct diagnosis *out,
                                      struct err *err)
{
    struct connection_failure failure;
    *out = (struct diagnosis){.version = ""};
    if (database_open(database, &failure, err) != STORE_OK) {
        copy(out->version, str_from(failure.server));
        return verdict_of(&failure);
    }
    return ask(database, out, err) == STORE_OK ? DIAGNOSIS_GOOD : DIAGNOSIS_STRANGE;
}

bool diagnosis_knows_version(const char *version)
{
    struct str rest = str_from(version), major = str_cut(&rest, '.'), minor = str_cut(&rest, '.');
    int64_t first, second;
    return strstr(version, "MariaDB") != NULL && str_to_number(major, 99, &first) &&
           str_to_number(minor, 99, &second) && first * 100 + second >= VERSION_MIN;
}

/* ---- rights that are missing */

/* The server judges the rights of a statement when it prepares it; nothing is run. */
static enum store_result try_right(struct database *database, const struct right *right,
                                   bool *denied, struct err *err)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX_BYTES);
    buf_append_text(&sql, "PREPARE me_doctor FROM '");
    size_t empty = sql.len;
    right_append_trial(right, &sql);
    bool has_trial = sql.len > empty;
    buf_append_text(&sql, "'");
    enum store_result result = STORE_OK;
    if (has_trial && buf_is_good(&sql))
        result = database_run_text(database, buf_str(&sql), err);
    *denied = result != STORE_OK && failure_is_denied(database_error(database));
    buf_free(&sql);
    /* What else keeps it from being prepared, a table that is not there yet, is no lack of a right.
     */
    return result == STORE_OK || database_error(database) != 0 ? STORE_OK : result;
}

static enum store_result try_row(struct database *database, const char *row, diagnosis_visit *visit,
                                 void *context, struct err *err)
{
    struct right rights[RIGHTS_MAX];
    size_t count = right_parse(row, rights, ARRAY_LENGTH(rights));
    for (size_t i = 0; i < count; i++) {
        bool denied;
        enum store_result result = try_right(database, &rights[i], &denied, err);
        if (result != STORE_OK)
            return result;
        if (denied)
            visit(context, rights[i].privilege, rights[i].table);
    }
    return STORE_OK;
}

enum store_result diagnosis_missing_rights(struct database *database,
                                           const struct diagnosis_grants *grants,
                                           diagnosis_visit *visit, void *context, struct err *err)
{
    const char *row;
    enum store_result result = STORE_OK;
    for (size_t i = 0; (row = grants_right(grants->settings, grants->account, i)) != NULL; i++)
        if (result == STORE_OK)
            result = try_row(database, row, visit, context, err);
    return result;
}

/* ---- rights beyond need */

struct listing {
    const struct diagnosis_grants *grants;
    diagnosis_visit *visit;
    void *context;
};

static bool is_granted_by(const char *row, const struct listing *listing,
                          const struct right_held *held)
{
    struct right rights[RIGHTS_MAX];
    size_t count = right_parse(row, rights, ARRAY_LENGTH(rights));
    struct str database_name = str_from(listing->grants->settings->database.name);
    for (size_t i = 0; i < count; i++)
        if (right_covers(&rights[i], database_name, held))
            return true;
    return false;
}

static bool is_granted(const struct listing *listing, const struct right_held *held)
{
    const struct diagnosis_grants *grants = listing->grants;
    const char *row;
    for (size_t i = 0; (row = grants_right(grants->settings, grants->account, i)) != NULL; i++)
        if (is_granted_by(row, listing, held))
            return true;
    return false;
}

static void append_name(struct buf *out, struct str name)
{
    if (name.len == 0) {
        buf_append_byte(out, '*');
        return;
    }
    buf_append_byte(out, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '`')
            buf_append_byte(out, '`');
        buf_append_byte(out, name.data[i]);
    }
    buf_append_byte(out, '`');
}

static void tell(const struct listing *listing, const struct right_held *held)
{
    struct buf privilege, object;
    buf_init(&privilege, SQL_MAX_BYTES);
    buf_init(&object, SQL_MAX_BYTES);
    buf_append_str(&privilege, held->privilege);
    if (held->column.len > 0)
        buf_append_format(&privilege, " (%.*s)", STR_ARGS(held->column));
    if (held->can_be_granted_on)
        buf_append_text(&privilege, ", GRANT OPTION");
    append_name(&object, held->database);
    buf_append_byte(&object, '.');
    append_name(&object, held->table);
    if (buf_is_good(&privilege) && buf_is_good(&object))
        listing->visit(listing->context, buf_str(&privilege), buf_str(&object));
    buf_free(&privilege);
    buf_free(&object);
}

static enum store_result judge_held(void *context, const struct value *row, struct err *err)
{
    const struct listing *listing = context;
    const struct right_held held = {
        .database = row[0].text,
        .table = row[1].text,
        .column = row[2].text,
        .privilege = row[3].text,
        .can_be_granted_on = str_equal(row[4].text, STR("YES")),
    };
    (void)err;
    if (!is_granted(listing, &held))
        tell(listing, &held);
    return STORE_OK;
}

enum store_result diagnosis_excess_rights(struct database *database,
                                          const struct diagnosis_grants *grants,
                                          diagnosis_visit *visit, void *context, struct err *err)
{
    struct listing listing = {grants, visit, context};
    const struct call call = {
        .statement = STATEMENT_RIGHT_LIST, .visit = judge_held, .context = &listing};
    return database_run(database, &call, err);
}
