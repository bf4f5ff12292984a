#include "store/profiles.h"

#include <string.h>

#include "base/clock.h"
#include "store/failure.h"
#include "store/sessions.h"

enum { ARRAY_FIRST_COUNT = 4 };

static const char *const access_names[ACCESS__MAX] = {
    [ACCESS_GRANTED] = "granted",
    [ACCESS_USER_UNKNOWN] = "user_unknown",
    [ACCESS_USER_DELETED] = "user_deleted",
    [ACCESS_USER_BANNED] = "user_banned",
    [ACCESS_SESSION_UNKNOWN] = "session_unknown",
    [ACCESS_SESSION_REVOKED] = "session_revoked",
    [ACCESS_SESSION_EXPIRED] = "session_expired",
};

const char *access_name(enum access access)
{
    return access_names[access];
}

/* What the rows of one read are gathered in. */
struct reading {
    struct arena *arena;
    struct profile *profile;
    struct profile_sessions sessions;
    struct str session; /* that was asked for */
    enum access by_session;
    bool found;
    int64_t revision, now_ms;
    bool out_of_memory;
};

/* Makes room for one more element: the room doubles whenever the count reaches a power of two. */
static void *grow(struct reading *reading, void *array, size_t count, size_t size)
{
    bool is_full = count == 0 || (count >= ARRAY_FIRST_COUNT && (count & (count - 1)) == 0);
    if (!is_full)
        return array;
    void *grown = arena_array(reading->arena, count == 0 ? ARRAY_FIRST_COUNT : count * 2, size);
    if (grown == NULL)
        reading->out_of_memory = true;
    else if (count > 0)
        memcpy(grown, array, count * size);
    return grown;
}

static struct str keep(struct reading *reading, const struct value *value)
{
    struct str copy = STR_NONE;
    if (!value->is_null && !arena_copy(reading->arena, value->text, &copy))
        reading->out_of_memory = true;
    return copy;
}

static bool is_true(const struct value *value)
{
    return !value->is_null && value->number != 0;
}

static bool read_user(struct reading *reading, const struct value *row)
{
    struct profile *profile = reading->profile;
    reading->found = true;
    reading->now_ms = row[PROFILE_NOW].time_ms;
    reading->revision = row[PROFILE_NUMBER1].number;
    profile->id = row[PROFILE_ID].uuid;
    profile->name = keep(reading, &row[PROFILE_TEXT1]);
    profile->locale = keep(reading, &row[PROFILE_TEXT2]);
    profile->timezone = keep(reading, &row[PROFILE_TEXT3]);
    profile->avatar_url = keep(reading, &row[PROFILE_TEXT4]);
    profile->bio = keep(reading, &row[PROFILE_TEXT5]);
    profile->created_ms = row[PROFILE_CREATED].time_ms;
    profile->updated_ms = row[PROFILE_UPDATED].time_ms;
    profile->has_fraud_score = !row[PROFILE_NUMBER2].is_null;
    profile->fraud_score = row[PROFILE_NUMBER2].number;
    return user_status_from_name(row[PROFILE_TEXT6].text, &profile->status);
}

static bool read_email(struct reading *reading, const struct value *row)
{
    struct profile *profile = reading->profile;
    profile->emails =
        grow(reading, profile->emails, profile->email_count, sizeof(*profile->emails));
    if (profile->emails == NULL)
        return true;
    profile->emails[profile->email_count++] = (struct profile_email){
        .id = row[PROFILE_ID].uuid,
        .address = keep(reading, &row[PROFILE_TEXT1]),
        .verified = is_true(&row[PROFILE_NUMBER1]),
        .password_set = is_true(&row[PROFILE_NUMBER2]),
        .token_set = is_true(&row[PROFILE_NUMBER3]),
        .is_default = is_true(&row[PROFILE_NUMBER4]),
        .created_ms = row[PROFILE_CREATED].time_ms,
        .updated_ms = row[PROFILE_UPDATED].time_ms,
    };
    return true;
}

static bool read_identity(struct reading *reading, const struct value *row)
{
    struct profile *profile = reading->profile;
    profile->identities =
        grow(reading, profile->identities, profile->identity_count, sizeof(*profile->identities));
    if (profile->identities == NULL)
        return true;
    profile->identities[profile->identity_count++] = (struct profile_identity){
        .subject = keep(reading, &row[PROFILE_TEXT1]),
        .provider = keep(reading, &row[PROFILE_TEXT2]),
        .name = keep(reading, &row[PROFILE_TEXT3]),
        .avatar_url = keep(reading, &row[PROFILE_TEXT4]),
        .email = keep(reading, &row[PROFILE_TEXT6]),
        .created_ms = row[PROFILE_CREATED].time_ms,
        .updated_ms = row[PROFILE_UPDATED].time_ms,
    };
    return true;
}

static bool read_phone(struct reading *reading, const struct value *row)
{
    struct profile *profile = reading->profile;
    profile->phones =
        grow(reading, profile->phones, profile->phone_count, sizeof(*profile->phones));
    if (profile->phones == NULL)
        return true;
    profile->phones[profile->phone_count++] = (struct profile_phone){
        .id = row[PROFILE_ID].uuid,
        .number = keep(reading, &row[PROFILE_TEXT1]),
        .verified = is_true(&row[PROFILE_NUMBER1]),
        .is_primary = is_true(&row[PROFILE_NUMBER2]),
        .created_ms = row[PROFILE_CREATED].time_ms,
        .updated_ms = row[PROFILE_UPDATED].time_ms,
    };
    return true;
}

static bool read_badge(struct reading *reading, const struct value *row)
{
    struct profile *profile = reading->profile;
    struct str scope = row[PROFILE_TEXT1].text, name = row[PROFILE_TEXT2].text;
    size_t len = scope.len + 1 + name.len;
    char *badge = arena_alloc(reading->arena, len);
    profile->badges =
        grow(reading, profile->badges, profile->badge_count, sizeof(*profile->badges));
    if (badge == NULL || profile->badges == NULL) {
        reading->out_of_memory = true;
        return true;
    }
    memcpy(badge, scope.data, scope.len);
    badge[scope.len] = ':';
    memcpy(badge + scope.len + 1, name.data, name.len);
    profile->badges[profile->badge_count++] = (struct str){badge, len};
    return true;
}

static void keep_session(struct reading *reading, const struct value *id)
{
    struct profile_sessions *sessions = &reading->sessions;
    sessions->has_more = sessions->count == PROFILE_SESSIONS_MAX;
    if (sessions->has_more)
        return;
    sessions->ids = grow(reading, sessions->ids, sessions->count, sizeof(*sessions->ids));
    if (sessions->ids != NULL)
        sessions->ids[sessions->count++] = keep(reading, id);
}

/* An id is compared byte by byte, whatever the column's collation is. */
static bool read_session(struct reading *reading, const struct value *row)
{
    const struct value *end = &row[PROFILE_UPDATED];
    if (str_equal(reading->session, row[PROFILE_TEXT1].text))
        reading->by_session = !end->is_null                    ? ACCESS_GRANTED
                              : is_true(&row[PROFILE_NUMBER3]) ? ACCESS_SESSION_REVOKED
                                                               : ACCESS_SESSION_EXPIRED;
    if (end->is_null)
        return true;
    reading->profile->active_sessions++;
    if (end->time_ms < reading->sessions.next_end_ms)
        reading->sessions.next_end_ms = end->time_ms;
    keep_session(reading, &row[PROFILE_TEXT1]);
    return true;
}

/* False: a value that this program does not know. */
typedef bool read_row(struct reading *reading, const struct value *row);
static read_row *const readers[PROFILE_ROW__MAX] = {
    [PROFILE_USER] = read_user,   [PROFILE_EMAIL] = read_email, [PROFILE_IDENTITY] = read_identity,
    [PROFILE_PHONE] = read_phone, [PROFILE_BADGE] = read_badge, [PROFILE_SESSION] = read_session,
};

static enum store_result visit_profile_row(void *context, const struct value *row, struct err *err)
{
    struct reading *reading = context;
    int64_t kind = row[PROFILE_KIND].number;
    if (kind < PROFILE_USER || kind >= PROFILE_ROW__MAX) {
        err_set(err, "profile_read: a row of an unknown kind");
        return STORE_FAILED;
    }
    if (!readers[kind](reading, row)) {
        err_set(err, "users.status holds a status that this program does not know: is it older "
                     "than the schema?");
        return STORE_FAILED;
    }
    if (!reading->out_of_memory)
        return STORE_OK;
    err_set(err, "the profile does not fit into the memory of a request");
    return STORE_FAILED;
}

static bool names_identity(const struct access_request *request)
{
    return str_is_set(request->subject);
}

static enum store_result read_profile(struct database *database,
                                      const struct access_request *request, struct reading *reading,
                                      struct err *err)
{
    const struct value session = value_text(request->session), id = value_uuid(&request->user),
                       iss = value_text(request->issuer), sub = value_text(request->subject);
    const struct value of_user[] = {id, id, id, id, id, id, session};
    const struct value of_identity[] = {iss, sub, iss, sub, iss, sub,    iss,
                                        sub, iss, sub, iss, sub, session};
    const struct call call = {
        .statement =
            names_identity(request) ? STATEMENT_PROFILE_READ_OF_IDENTITY : STATEMENT_PROFILE_READ,
        .in = names_identity(request) ? of_identity : of_user,
        .visit = visit_profile_row,
        .context = reading,
    };
    *reading->profile = (struct profile){0};
    reading->session = request->session;
    reading->by_session = ACCESS_SESSION_UNKNOWN;
    reading->sessions.next_end_ms = INT64_MAX;
    enum store_result result = database_run(database, &call, err);
    if (result == STORE_OK && reading->found)
        profile_sort(reading->profile);
    else
        *reading->profile = (struct profile){0};
    return result;
}

enum store_result profiles_read(struct database *database, const struct uuid *user,
                                struct arena *arena, struct profile *out, struct err *err)
{
    const struct access_request request = {.user = *user};
    struct reading reading = {.arena = arena, .profile = out};
    enum store_result result = read_profile(database, &request, &reading, err);
    if (result != STORE_OK || reading.found)
        return result;
    err_set(err, "there is no such user");
    return STORE_NOT_FOUND;
}

static const enum access access_of_status[USER_STATUS__MAX] = {
    [USER_DELETED] = ACCESS_USER_DELETED,
    [USER_BANNED] = ACCESS_USER_BANNED,
};

/* A session that has ended is told before the ban of its user: 401 comes before 403. */
static enum access judge(const struct access_request *request, const struct reading *reading)
{
    if (!reading->found)
        return ACCESS_USER_UNKNOWN;
    enum access by_status = access_of_status[reading->profile->status];
    if (by_status == ACCESS_USER_DELETED || !str_is_set(request->session))
        return by_status;
    return reading->by_session != ACCESS_GRANTED ? reading->by_session : by_status;
}

/* A session id that is longer than any that is stored matches none; asked for, it would be refused.
 */
static struct access_request askable(const struct access_request *request)
{
    struct access_request askable = *request;
    if (request->session.len > (size_t)SESSION_ID_MAX_BYTES * UTF8_MAX_BYTES)
        askable.session = STR_NONE;
    return askable;
}

enum store_result profiles_load(struct database *database, const struct access_request *request,
                                struct arena *arena, struct profile_load *out, struct err *err)
{
    const struct access_request asked = askable(request);
    struct reading reading = {.arena = arena, .profile = &out->profile};
    *out = (struct profile_load){.access = ACCESS_USER_UNKNOWN};
    enum store_result result = read_profile(database, &asked, &reading, err);
    if (result != STORE_OK)
        return result;
    out->now_ms = reading.now_ms;
    out->revision = reading.revision;
    out->access = judge(request, &reading);
    if (out->access == ACCESS_GRANTED)
        out->sessions = reading.sessions;
    else
        out->profile = (struct profile){0};
    return STORE_OK;
}

static enum store_result visit_found(void *context, const struct value *row, struct err *err)
{
    struct uuid *user = context;
    (void)err;
    *user = row[0].uuid;
    return STORE_OK;
}

/* Whose row is to be locked. STORE_NOT_FOUND: the identity is nobody's. */
static enum store_result find_user(struct database *database, const struct access_request *request,
                                   struct uuid *user, struct err *err)
{
    int64_t rows = 0;
    const struct value in[] = {value_text(request->issuer), value_text(request->subject)};
    const struct call call = {.statement = STATEMENT_USER_FIND,
                              .in = in,
                              .visit = visit_found,
                              .context = user,
                              .rows = &rows};
    *user = request->user;
    if (!names_identity(request))
        return STORE_OK;
    enum store_result result = database_run(database, &call, err);
    return result == STORE_OK && rows == 0 ? STORE_NOT_FOUND : result;
}

/*
 * The look-up of an identity comes before the lock without harm: at READ COMMITTED what it saw
 * binds no statement that follows. What it found is no more than a guess at whose row to lock,
 * which the read under the lock proves.
 */
enum store_result profiles_load_locked(struct database *database,
                                       const struct access_request *request, struct arena *arena,
                                       struct profile_load *out, struct err *err)
{
    struct uuid user;
    *out = (struct profile_load){.access = ACCESS_USER_UNKNOWN};
    enum store_result result = find_user(database, request, &user, err);
    if (result == STORE_NOT_FOUND)
        return STORE_OK;
    const struct value in[] = {value_uuid(&user)};
    if (result == STORE_OK)
        result = database_run_counted(database, STATEMENT_USER_LOCK, in, NULL, err);
    if (result == STORE_OK)
        result = profiles_load(database, request, arena, out, err);
    if (result != STORE_OK || out->access != ACCESS_GRANTED || uuid_equal(&out->profile.id, &user))
        return result;
    err_set(err, "the identity became another user's");
    return STORE_CONFLICT;
}

enum store_result profiles_update(struct database *database, const struct profile *profile,
                                  struct err *err)
{
    int64_t rows = 0;
    const struct value in[] = {
        value_text(profile->name),   value_text(profile->bio),      value_text(profile->avatar_url),
        value_text(profile->locale), value_text(profile->timezone), value_time(profile->updated_ms),
        value_uuid(&profile->id),
    };
    const struct call call = {.statement = STATEMENT_PROFILE_UPDATE, .in = in, .rows = &rows};
    enum store_result result = database_run(database, &call, err);
    if (result != STORE_OK || rows == 1)
        return result;
    err_set(err, "there is no such user");
    return STORE_NOT_FOUND;
}

/* ---- for who has kept what was read */

static enum store_result visit_probe(void *context, const struct value *row, struct err *err)
{
    struct profile_probe *probe = context;
    (void)err;
    *probe = (struct profile_probe){row[0].number, row[1].time_ms};
    return STORE_OK;
}

enum store_result profiles_probe(struct database *database, const struct uuid *user,
                                 struct profile_probe *out, struct err *err)
{
    int64_t rows = 0;
    const struct value in[] = {value_uuid(user)};
    const struct call call = {.statement = STATEMENT_PROFILE_PROBE,
                              .in = in,
                              .visit = visit_probe,
                              .context = out,
                              .rows = &rows};
    enum store_result result = database_run(database, &call, err);
    return result == STORE_OK && rows == 0 ? STORE_NOT_FOUND : result;
}

static struct value value_end(int64_t time_ms)
{
    const struct clock_parts last = {9999, 12, 31, 23, 59, 59, 999};
    int64_t last_ms = clock_from_parts(&last);
    return value_time(time_ms < last_ms ? time_ms : last_ms);
}

enum store_result profiles_swap(struct database *database, const struct profile_swap *swap,
                                struct err *err)
{
    int64_t rows = 0;
    const struct profile *profile = swap->profile;
    const struct value in[] = {
        value_text(profile->name),        value_text(profile->bio),
        value_text(profile->avatar_url),  value_text(profile->locale),
        value_text(profile->timezone),    value_time(profile->updated_ms),
        value_number(swap->new_revision), value_uuid(&profile->id),
        value_number(swap->old_revision), value_time(swap->since_ms),
        value_end(swap->until_ms),
    };
    const struct call call = {.statement = STATEMENT_PROFILE_SWAP, .in = in, .rows = &rows};
    /* What were lost on its way could not be told from what was done. */
    if (database_close_stale(database)) {
        err_set(err, "the connection to MariaDB was lost");
        return STORE_CONFLICT;
    }
    enum store_result result = database_run(database, &call, err);
    /* The right to set the revision is younger than that to change a profile. */
    if (result != STORE_OK && failure_is_denied(database_error(database)))
        return STORE_CONFLICT;
    if (result != STORE_OK || (rows == 1 && database_is_settled(database)))
        return result;
    /* Where somebody has turned autocommit off nothing is committed, and nothing will be. */
    if (!database_is_settled(database))
        database_close(database);
    err_set(err, "the user is not the one that was kept any more");
    return STORE_CONFLICT;
}
