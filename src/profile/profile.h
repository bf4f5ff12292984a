/*
 * The resource as plain values: a user with its child rows, as read from the database. Pure:
 * nothing here knows where the values come from or go. All strings and arrays live in the arena of
 * whoever filled the struct.
 */
#ifndef ME_PROFILE_PROFILE_H
#define ME_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"
#include "base/uuid.h"

enum user_status {
    USER_PENDING,
    USER_ACTIVE,
    USER_DELETED,
    USER_INVITED,
    USER_BANNED,
    USER_STATUS__MAX
};

/* The names that the resource and the database have for them. */
const char *user_status_name(enum user_status status);
bool user_status_from_name(struct str name, enum user_status *out) MUST_CHECK;

/* Of an issuer, of a subject: what OpenID Connect Core, section 2, grants a subject. */
enum { IDENTITY_MAX_BYTES = 255 };

/* Times are as in base/clock.h; a string that is unset is STR_NONE. */
struct profile_email {
    struct uuid id;
    struct str address;
    bool verified, password_set, token_set, is_default;
    int64_t created_ms, updated_ms;
};

struct profile_identity {
    struct str subject; /* the provider's own id for the user: `id` in the resource */
    struct str provider;
    struct str name, email, avatar_url; /* may be unset */
    int64_t created_ms, updated_ms;
};

struct profile_phone {
    struct uuid id;
    struct str number;
    bool verified, is_primary;
    int64_t created_ms, updated_ms;
};

struct profile {
    struct uuid id;
    enum user_status status;
    struct str name;
    struct str bio, avatar_url, locale, timezone; /* may be unset */
    int64_t active_sessions;
    int64_t created_ms, updated_ms;
    struct profile_email *emails;
    struct profile_identity *identities;
    struct profile_phone *phones;
    struct str *badges; /* "scope:name" */
    size_t email_count, identity_count, phone_count, badge_count;
    bool has_fraud_score;
    int64_t fraud_score;
};

/*
 * Puts the child rows into the order of the resource: the default email or primary phone first,
 * then by creation and id; identities by creation, provider and id, then by their other members;
 * badges bytewise. The database promises no order, and the same rows must always give the same
 * bytes: rows whose order is not settled by this look the same.
 */
void profile_sort(struct profile *profile);

#endif
