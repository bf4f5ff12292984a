/*
 * Login sessions, for the operator's tool: in production the login system writes them. Needs the
 * account of DATABASE_ADMIN.
 */
#ifndef ME_STORE_SESSIONS_H
#define ME_STORE_SESSIONS_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "store/database.h"

enum { SESSION_ID_MAX_BYTES = 255 };

struct session_row {
    struct str id; /* the issuer's own, any string; compared bytewise; valid during the call */
    int64_t created_ms, expires_ms;
    bool is_revoked;
    int64_t revoked_ms;
    bool is_active; /* neither revoked nor expired, by the database's clock */
};
typedef bool session_visit(void *context, const struct session_row *row); /* false stops */

/* The end is counted from the database's clock. STORE_NOT_FOUND: no such user; STORE_DUPLICATE: the
 * id is taken. */
enum store_result sessions_add(struct database *database, const struct uuid *user, struct str id,
                               int64_t lifetime_s, struct err *err) MUST_CHECK;

/* By creation, then id. */
enum store_result sessions_list(struct database *database, const struct uuid *user,
                                session_visit *visit, void *context, struct err *err) MUST_CHECK;

/*
 * Revokes one session, or with STR_NONE all that are not revoked yet; *count is how many. One that
 * is revoked already keeps its time and counts as none. STORE_NOT_FOUND: no such user or session.
 */
enum store_result sessions_revoke(struct database *database, const struct uuid *user, struct str id,
                                  int64_t *count, struct err *err) MUST_CHECK;

#endif
