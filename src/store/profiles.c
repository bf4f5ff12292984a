#include "store/profiles.h"

#include <string.h>

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
    bool found;
    enum profile_session session;
    int64_t now_ms;
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
    reading->session = (enum profile_session)row[PROFILE_NUMBER3].number;
    profile->id = row[PROFILE_ID].uuid;
    profile->name = keep(reading, &row[PROFILE_TEXT1]);
    profile->locale = keep(reading, &row[PROFILE_TEXT2]);
    profile->timezone = keep(reading, &row[PROFILE_TEXT3]);
    profile->avatar_url = keep(reading, &row[PROFILE_TEXT4]);
    profile->bio = keep(reading, &row[PROFILE_TEXT5]);
    profile->created_ms = row[PROFILE_CREATED].time_ms;
    profile->updated_ms = row[PROFILE_UPDATED].time_ms;
    profile->active_sessions = row[PROFILE_NUMBER1].number;
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

/* False: a value that this program does not know. */
typedef bool read_row(struct reading *reading, const struct value *row);
static read_row *const readers[PROFILE_ROW__MAX] = {
    [PROFILE_USER] = read_user,   [PROFILE_EMAIL] = read_email, [PROFILE_IDENTITY] = read_identity,
    [PROFILE_PHONE] = read_phone, [PROFILE_BADGE] = read_badge,
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
    const struct value of_user[] = {session, id, id, id, id, id};
    const struct value of_identity[] = {session, iss, sub, iss, sub, iss, sub, iss, sub, iss, sub};
    const struct call call = {
        .statement =
            names_identity(request) ? STATEMENT_PROFILE_READ_OF_IDENTITY : STATEMENT_PROFILE_READ,
        .in = names_identity(request) ? of_identity : of_user,
        .visit = visit_profile_row,
        .context = reading,
    };
    *reading->profile = (struct profile){0};
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

static const enum access access_of_session[PROFILE_SESSION__MAX] = {
    [PROFILE_SESSION_NONE] = ACCESS_SESSION_UNKNOWN,
    [PROFILE_SESSION_ACTIVE] = ACCESS_GRANTED,
    [PROFILE_SESSION_REVOKED] = ACCESS_SESSION_REVOKED,
    [PROFILE_SESSION_EXPIRED] = ACCESS_SESSION_EXPIRED,
};

/* A session that has ended is told before the ban of its user: 401 comes before 403. */
static enum access judge(const struct access_request *request, const struct reading *reading)
{
    if (!reading->found)
        return ACCESS_USER_UNKNOWN;
    enum access by_status = access_of_status[reading->profile->status];
    if (by_status == ACCESS_USER_DELETED || !str_is_set(request->session))
        return by_status;
    enum access by_session = access_of_session[reading->session];
    return by_session != ACCESS_GRANTED ? by_session : by_status;
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
    out->access = judge(request, &reading);
    if (out->access != ACCESS_GRANTED)
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
