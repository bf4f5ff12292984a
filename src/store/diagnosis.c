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
#include "store/quoting.h"
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
    {ER_HOST_IS_BLOCKED, DIAGNOSIS_REFUSED},
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

static void copy_account(char out[DIAGNOSIS_TEXT_MAX_BYTES + 1], struct str account)
{
    struct buf quoted;
    buf_init(&quoted, DIAGNOSIS_TEXT_MAX_BYTES);
    quoting_append_account(&quoted, account);
    copy(out, buf_is_good(&quoted) ? buf_str(&quoted) : STR(""));
    buf_free(&quoted);
}

static enum store_result take_state(void *context, const struct value *row, struct err *err)
{
    struct diagnosis *out = context;
    (void)err;
    copy(out->version, row[0].text);
    copy_account(out->account, row[1].text);
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
    if (ask(database, out, err) == STORE_OK)
        return DIAGNOSIS_GOOD;
    failure = (struct connection_failure){.result = STORE_FAILED,
                                          .number = database_last_error(database)};
    return verdict_of(&failure);
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

/* The rights of one holder. */
struct listing {
    const struct diagnosis_grants *grants;
    diagnosis_excess_visit *visit;
    void *context;
    struct str role;    /* by which the account has them, in quotes; STR_NONE: by none */
    bool is_everybodys; /* they are of PUBLIC */
    bool is_told;       /* of the role: one line takes all of it away */
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

static void append_place(struct buf *out, struct str name)
{
    if (name.len == 0)
        buf_append_byte(out, '*');
    else
        quoting_append_name(out, name);
}

/* "DELETE", "UPDATE (`bio`), GRANT OPTION" */
static void append_privilege(struct buf *out, const struct right_held *held)
{
    buf_append_str(out, held->privilege);
    if (held->column.len > 0) {
        buf_append_text(out, " (");
        quoting_append_name(out, held->column);
        buf_append_byte(out, ')');
    }
    if (held->can_be_granted_on)
        buf_append_text(out, ", GRANT OPTION");
}

static void append_object(struct buf *out, const struct right_held *held)
{
    if (str_is_set(held->kind))
        buf_append_format(out, "%.*s ", STR_ARGS(held->kind));
    append_place(out, held->database);
    buf_append_byte(out, '.');
    append_place(out, held->table);
}

static void append_right(struct buf *out, const struct right_held *held, const char *on)
{
    append_privilege(out, held);
    buf_append_text(out, on);
    append_object(out, held);
}

static void visit_excess(const struct listing *listing, const struct buf *what,
                         const struct buf *revoke)
{
    const struct diagnosis_excess excess = {buf_str(what), buf_str(revoke)};
    if (buf_is_good(what) && buf_is_good(revoke))
        listing->visit(listing->context, &excess);
}

static void append_revoke(struct buf *out, const struct listing *listing,
                          const struct right_held *held)
{
    const char *account = listing->grants->grantee;
    if (str_is_set(listing->role)) {
        buf_append_format(out, "%.*s FROM %s", STR_ARGS(listing->role), account);
        return;
    }
    append_right(out, held, " ON ");
    buf_append_format(out, " FROM %s", listing->is_everybodys ? "PUBLIC" : account);
}

static void tell(struct listing *listing, const struct right_held *held)
{
    struct buf what, revoke;
    buf_init(&what, SQL_MAX_BYTES);
    buf_init(&revoke, SQL_MAX_BYTES);
    append_right(&what, held, " on ");
    if (str_is_set(listing->role))
        buf_append_format(&what, " by the role %.*s", STR_ARGS(listing->role));
    if (listing->is_everybodys)
        buf_append_text(&what, " by PUBLIC");
    if (!listing->is_told)
        append_revoke(&revoke, listing, held);
    listing->is_told = str_is_set(listing->role);
    visit_excess(listing, &what, &revoke);
    buf_free(&what);
    buf_free(&revoke);
}

static void judge(void *context, const struct right_held *held)
{
    struct listing *listing = context;
    if (!is_granted(listing, held))
        tell(listing, held);
}

static enum store_result judge_held(void *context, const struct value *row, struct err *err)
{
    const struct right_held held = {
        .database = row[0].text,
        .table = row[1].text,
        .column = row[2].text,
        .privilege = row[3].text,
        .can_be_granted_on = str_equal(row[4].text, STR("YES")),
    };
    (void)err;
    judge(context, &held);
    return STORE_OK;
}

static enum store_result list(struct database *database, enum statement_id statement,
                              row_visit *visit, void *context, struct err *err)
{
    const struct call call = {.statement = statement, .visit = visit, .context = context};
    return database_run(database, &call, err);
}

/* ---- those on routines, which the lists do not have */

static void judge_routine(void *context, const struct right_held *held)
{
    if (str_is_set(held->kind))
        judge(context, held);
}

static enum store_result judge_own(void *context, const struct value *row, struct err *err)
{
    struct right_shown shown;
    (void)err;
    if (right_shown_parse(row[0].text, &shown) && !shown.is_role)
        right_shown_visit(&shown, judge_routine, context);
    return STORE_OK;
}

/* ---- those by a role: whoever is the account can take it on, by default or not */

/* Those that the account was given itself: names that end in NUL, in the order of the list. */
struct roles {
    struct listing *listing;
    struct buf names;
    size_t by_default; /* where the name of that one begins, from 1; 0: there is none */
};

/* Whoever has the admin option can give the role to others. */
static void tell_admin(const struct listing *listing, struct str role, struct str grantee)
{
    struct buf what, revoke;
    buf_init(&what, SQL_MAX_BYTES);
    buf_init(&revoke, SQL_MAX_BYTES);
    buf_append_format(&what, "ADMIN OPTION for the role %.*s", STR_ARGS(role));
    buf_append_format(&revoke, "ADMIN OPTION FOR %.*s FROM %.*s", STR_ARGS(role),
                      STR_ARGS(grantee));
    visit_excess(listing, &what, &revoke);
    buf_free(&what);
    buf_free(&revoke);
}

static void judge_admin(const struct listing *listing, const struct value *row)
{
    struct buf role, grantee;
    buf_init(&role, SQL_MAX_BYTES);
    buf_init(&grantee, SQL_MAX_BYTES);
    quoting_append_name(&role, row[2].text);
    if (row[0].number != 0)
        buf_append_text(&grantee, listing->grants->grantee);
    else
        quoting_append_name(&grantee, row[1].text);
    if (row[3].number != 0)
        tell_admin(listing, buf_str(&role), buf_str(&grantee));
    buf_free(&role);
    buf_free(&grantee);
}

static enum store_result take_role(void *context, const struct value *row, struct err *err)
{
    struct roles *roles = context;
    (void)err;
    judge_admin(roles->listing, row);
    if (row[0].number == 0) /* a role of a role, which comes with that */
        return STORE_OK;
    if (row[4].number != 0)
        roles->by_default = roles->names.len + 1;
    buf_append_str(&roles->names, row[2].text);
    buf_append_byte(&roles->names, '\0');
    return STORE_OK;
}

static enum store_result judge_shown(void *context, const struct value *row, struct err *err)
{
    struct right_shown shown;
    (void)err;
    if (right_shown_parse(row[0].text, &shown) && !shown.is_role)
        right_shown_visit(&shown, judge, context);
    return STORE_OK;
}

/* STR_NONE: none of them. */
static enum store_result take_on(struct database *database, struct str role, struct err *err)
{
    struct buf sql;
    enum store_result result = STORE_FAILED;
    buf_init(&sql, SQL_MAX_BYTES);
    buf_append_text(&sql, "SET ROLE ");
    if (str_is_set(role))
        quoting_append_name(&sql, role);
    else
        buf_append_text(&sql, "NONE");
    if (buf_is_good(&sql))
        result = database_run_text(database, buf_str(&sql), err);
    buf_free(&sql);
    return result;
}

static enum store_result judge_role(struct database *database, struct listing *listing,
                                    struct str role, struct err *err)
{
    struct buf quoted;
    enum store_result result = take_on(database, role, err);
    buf_init(&quoted, SQL_MAX_BYTES);
    quoting_append_name(&quoted, role);
    listing->role = buf_str(&quoted);
    listing->is_told = false;
    if (result == STORE_OK)
        result = list(database, STATEMENT_GRANTS_OF_ROLE, judge_shown, listing, err);
    listing->role = STR_NONE;
    buf_free(&quoted);
    return result;
}

static enum store_result judge_each_role(struct database *database, const struct roles *roles,
                                         struct err *err)
{
    struct str rest = buf_str(&roles->names);
    struct str by_default = STR_NONE;
    enum store_result result = STORE_OK;
    while (rest.len > 0 && result == STORE_OK) {
        struct str role = str_cut(&rest, '\0');
        if (roles->by_default == (size_t)(role.data - roles->names.data) + 1)
            by_default = role;
        result = judge_role(database, roles->listing, role, err);
    }
    if (result != STORE_OK || roles->names.len == 0)
        return result;
    return take_on(database, by_default, err); /* as it was after the login */
}

static enum store_result judge_roles(struct database *database, struct listing *listing,
                                     struct err *err)
{
    struct roles roles = {.listing = listing};
    buf_init(&roles.names, SQL_MAX_BYTES);
    enum store_result result = list(database, STATEMENT_ROLE_LIST, take_role, &roles, err);
    if (result == STORE_OK && !buf_is_good(&roles.names))
        result = STORE_FAILED;
    if (result == STORE_OK)
        result = judge_each_role(database, &roles, err);
    buf_free(&roles.names);
    return result;
}

/* ---- those of everybody (MariaDB 10.11) */

/* A role of everybody is one of each account, whatever it is for. */
static void tell_role_of_everybody(const struct listing *listing, struct str role)
{
    struct buf what, revoke;
    buf_init(&what, SQL_MAX_BYTES);
    buf_init(&revoke, SQL_MAX_BYTES);
    buf_append_format(&what, "the role %.*s by PUBLIC", STR_ARGS(role));
    buf_append_format(&revoke, "%.*s FROM PUBLIC", STR_ARGS(role));
    visit_excess(listing, &what, &revoke);
    buf_free(&what);
    buf_free(&revoke);
}

static enum store_result judge_everybodys(void *context, const struct value *row, struct err *err)
{
    struct right_shown shown;
    (void)err;
    if (!right_shown_parse(row[0].text, &shown) || !str_equal(shown.grantee, STR("PUBLIC")))
        return STORE_OK; /* a right of a role that is told itself */
    if (shown.is_role)
        tell_role_of_everybody(context, shown.object);
    else
        right_shown_visit(&shown, judge, context);
    return STORE_OK;
}

/* A server that knows no PUBLIC, or has nothing granted to it, says that there is no such grant. */
static enum store_result judge_public(struct database *database, struct listing *listing,
                                      struct err *err)
{
    listing->is_everybodys = true;
    enum store_result result =
        list(database, STATEMENT_GRANTS_OF_PUBLIC, judge_everybodys, listing, err);
    listing->is_everybodys = false;
    if (result == STORE_OK || database_error(database) == 0)
        return result;
    err_clear(err);
    return STORE_OK;
}

enum store_result diagnosis_excess_rights(struct database *database,
                                          const struct diagnosis_grants *grants,
                                          diagnosis_excess_visit *visit, void *context,
                                          struct err *err)
{
    struct listing listing = {.grants = grants, .visit = visit, .context = context};
    enum store_result result = list(database, STATEMENT_RIGHT_LIST, judge_held, &listing, err);
    if (result == STORE_OK)
        result = list(database, STATEMENT_GRANTS_OF_ACCOUNT, judge_own, &listing, err);
    if (result == STORE_OK)
        result = judge_public(database, &listing, err);
    return result == STORE_OK ? judge_roles(database, &listing, err) : result;
}
