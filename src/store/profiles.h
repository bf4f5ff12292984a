/*
 * The profile in the database. One statement reads a user with all child rows in one round trip,
 * and judges in it whether the user and the token's session may be served; one updates the members
 * that a user may change.
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

struct profile_load {
    enum access access;
    struct profile profile; /* sorted; only where access was granted, else empty */
    int64_t now_ms;         /* the database's clock at the read */
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

#endif
