/*
 * The profile in the database. One statement reads a user with all child rows in one round trip,
 * and whether the user and the token's session may be served; one updates the members that a user
 * may change. Two more are for who has kept what was read: one asks whether it is still so, the
 * other makes the change only where it is.
 */
#ifndef ME_STORE_PROFILES_H
#define ME_STORE_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "base/uuid.h"
#include "profile/profile.h"
#include "store/database.h"

/* For whom a profile is asked: a user, or whose the identity is. */
struct access_request {
    struct uuid user;
    struct str issuer, subject; /* IDENTITY_MAX_BYTES at most; STR_NONE, both: `user` is meant */
    struct str session;         /* STR_NONE: no session is checked */
};

enum access {
    ACCESS_GRANTED = 0,
    ACCESS_USER_UNKNOWN,
    ACCESS_USER_DELETED,
    ACCESS_USER_BANNED,
    ACCESS_SESSION_UNKNOWN, /* or another user's */
    ACCESS_SESSION_REVOKED,
    ACCESS_SESSION_EXPIRED,
    ACCESS__MAX
};

/* For the log: "user_banned". */
const char *access_name(enum access access);

/* The sessions of a user that were active at the read. */
enum { PROFILE_SESSIONS_MAX = 256 };
struct profile_sessions {
    struct str *ids;
    size_t count;
    bool has_more;       /* than PROFILE_SESSIONS_MAX: `ids` are not all */
    int64_t next_end_ms; /* when the first of all of them ends; INT64_MAX: there is none */
};

struct profile_load {
    enum access access;
    struct profile profile; /* sorted; only where access was granted, else empty */
    struct profile_sessions sessions;
    int64_t revision; /* of the same moment as the profile */
    int64_t now_ms;   /* the database's clock at the read */
};

/*
 * Reads outside of a transaction. A connection that turns out to be lost is opened again and the
 * read repeated once. STORE_OK also where access is refused.
 */
enum store_result profiles_load(struct database *database, const struct access_request *request,
                                struct arena *arena, struct profile_load *out,
                                struct err *err) MUST_CHECK;

/*
 * Within a transaction: locks the users row, then reads what profiles_load reads. Where an identity
 * became another user's between the two, that is a STORE_CONFLICT.
 */
enum store_result profiles_load_locked(struct database *database,
                                       const struct access_request *request, struct arena *arena,
                                       struct profile_load *out, struct err *err) MUST_CHECK;

/* The profile whoever asks, for the operator: STORE_NOT_FOUND where there is no such user. */
enum store_result profiles_read(struct database *database, const struct uuid *user,
                                struct arena *arena, struct profile *out,
                                struct err *err) MUST_CHECK;

/* Within the transaction that locked it: writes the five members and updated_at. */
enum store_result profiles_update(struct database *database, const struct profile *profile,
                                  struct err *err) MUST_CHECK;

/* The revision of a user, and the database's clock. STORE_NOT_FOUND: there
 * is no such user. */
struct profile_probe {
    int64_t revision, now_ms;
};
enum store_result profiles_probe(struct database *database, const struct uuid *user,
                                 struct profile_probe *out, struct err *err) MUST_CHECK;

/*
 * Writes the five members, updated_at and the revision outside of a transaction, where the user has
 * the old revision still and the database's clock is between the two times: then the row and its
 * children are what they were. The new revision has to be later than the old one. On STORE_OK it is
 * committed; STORE_CONFLICT: nothing was written, also where the account may not set the revision.
 */
struct profile_swap {
    const struct profile *profile; /* as it is to be */
    int64_t old_revision, new_revision;
    int64_t since_ms, until_ms; /* until_ms is too late already; INT64_MAX: never */
};
enum store_result profiles_swap(struct database *database, const struct profile_swap *swap,
                                struct err *err) MUST_CHECK;

#endif
