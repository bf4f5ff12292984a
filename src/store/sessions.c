#include "store/sessions.h"

#include "store/statement.h"
#include "store/users.h"

/* One or all sessions of a user. */
struct target {
    struct uuid user;
    struct str id; /* STR_NONE: all */
    int64_t lifetime_s;
    session_visit *visit;
    void *context;
    int64_t *count;
};

static enum store_result work_add(struct database *database, void *context, struct err *err)
{
    const struct target *target = context;
    const struct value in[] = {value_uuid(&target->user), value_text(target->id),
                               value_number(target->lifetime_s)};
    enum store_result result = users_lock(database, &target->user, err);
    if (result == STORE_OK)
        result = database_run_counted(database, STATEMENT_SESSION_ADD, in, NULL, err);
    if (result == STORE_DUPLICATE)
        err_set(err, "the user has a session of this id already");
    return result;
}

enum store_result sessions_add(struct database *database, const struct uuid *user, struct str id,
                               int64_t lifetime_s, struct err *err)
{
    struct target target = {.user = *user, .id = id, .lifetime_s = lifetime_s};
    return database_transact(database, work_add, &target, err);
}

static enum store_result visit_session(void *context, const struct value *row, struct err *err)
{
    const struct target *target = context;
    (void)err;
    const struct session_row session = {
        .id = row[0].text,
        .created_ms = row[1].time_ms,
        .expires_ms = row[2].time_ms,
        .is_revoked = !row[3].is_null,
        .revoked_ms = row[3].time_ms,
        .is_active = row[4].number != 0,
    };
    return target->visit(target->context, &session) ? STORE_OK : STORE_ABANDONED;
}

enum store_result sessions_list(struct database *database, const struct uuid *user,
                                session_visit *visit, void *context, struct err *err)
{
    struct target target = {.user = *user, .visit = visit, .context = context};
    const struct value in[] = {value_uuid(user)};
    const struct call call = {
        .statement = STATEMENT_SESSION_LIST, .in = in, .visit = visit_session, .context = &target};
    enum store_result result = database_run(database, &call, err);
    return result == STORE_ABANDONED ? STORE_OK : result;
}

/* Where none was revoked: whether there is such a session at all. */
static enum store_result find(struct database *database, const struct value *in, struct err *err)
{
    int64_t rows = 0;
    enum store_result result =
        database_run_counted(database, STATEMENT_SESSION_FIND, in, &rows, err);
    if (result != STORE_OK || rows > 0)
        return result;
    err_set(err, "the user has no such session");
    return STORE_NOT_FOUND;
}

static enum store_result work_revoke(struct database *database, void *context, struct err *err)
{
    const struct target *target = context;
    const struct value in[] = {value_uuid(&target->user), value_text(target->id)};
    bool all = !str_is_set(target->id);
    enum store_result result = users_lock(database, &target->user, err);
    if (result == STORE_OK)
        result = database_run_counted(database,
                                      all ? STATEMENT_SESSION_REVOKE_ALL : STATEMENT_SESSION_REVOKE,
                                      in, target->count, err);
    if (result == STORE_OK && !all && *target->count == 0)
        result = find(database, in, err);
    return result;
}

enum store_result sessions_revoke(struct database *database, const struct uuid *user, struct str id,
                                  int64_t *count, struct err *err)
{
    struct target target = {.user = *user, .id = id, .count = count};
    *count = 0;
    return database_transact(database, work_revoke, &target, err);
}
