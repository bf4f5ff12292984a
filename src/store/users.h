/*
 * Users and their child rows, for the operator's tool: add, list, change, remove. Values have been
 * validated (profile/validate.h); what the database refuses comes back with a sentence for people
 * in `err`. Each function is a transaction of its own. Needs the account of DATABASE_ADMIN.
 */
#ifndef ME_STORE_USERS_H
#define ME_STORE_USERS_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/uuid.h"
#include "profile/profile.h"
#include "store/database.h"

/* Adds the user's own row from profile->id, status, name, bio, avatar_url, locale, timezone; times
 * are the database's. */
enum store_result users_add(struct database *database, const struct profile *profile,
                            struct err *err) MUST_CHECK;

/* The profile whatever the status is; STORE_NOT_FOUND. */
enum store_result users_show(struct database *database, const struct uuid *user,
                             struct arena *arena, struct profile *out, struct err *err) MUST_CHECK;

struct user_row {
    struct uuid id;
    enum user_status status;
    struct str name, default_email; /* the address may be unset; valid during the call */
    int64_t created_ms, updated_ms;
};
typedef bool user_visit(void *context, const struct user_row *row); /* false stops */

/* In the order of ids, from behind `after` (NULL: from the first); at most `limit`; `status` NULL:
 * all. */
enum store_result users_list(struct database *database, const struct uuid *after,
                             const enum user_status *status, int64_t limit, user_visit *visit,
                             void *context, struct err *err) MUST_CHECK;

enum store_result users_set_status(struct database *database, const struct uuid *user,
                                   enum user_status status, struct err *err) MUST_CHECK;

/*
 * Child rows. The id of an email or phone is made by the caller. A new default email or primary
 * phone takes that role from the one that has it. STORE_NOT_FOUND: no such user (add) or row
 * (remove); STORE_DUPLICATE: it is there already, perhaps as another user's.
 */
enum store_result users_add_email(struct database *database, const struct uuid *user,
                                  const struct profile_email *email, struct err *err) MUST_CHECK;
enum store_result users_remove_email(struct database *database, const struct uuid *user,
                                     struct str address, struct err *err) MUST_CHECK;
enum store_result users_add_phone(struct database *database, const struct uuid *user,
                                  const struct profile_phone *phone, struct err *err) MUST_CHECK;
enum store_result users_remove_phone(struct database *database, const struct uuid *user,
                                     struct str number, struct err *err) MUST_CHECK;
enum store_result users_add_identity(struct database *database, const struct uuid *user,
                                     struct str issuer, const struct profile_identity *identity,
                                     struct err *err) MUST_CHECK;
enum store_result users_remove_identity(struct database *database, const struct uuid *user,
                                        struct str issuer, struct str subject,
                                        struct err *err) MUST_CHECK;
/* `badge` is scope:name. */
enum store_result users_add_badge(struct database *database, const struct uuid *user,
                                  struct str badge, struct err *err) MUST_CHECK;
enum store_result users_remove_badge(struct database *database, const struct uuid *user,
                                     struct str badge, struct err *err) MUST_CHECK;
/* Sets the score, also where there is one already. */
enum store_result users_set_fraud_score(struct database *database, const struct uuid *user,
                                        int64_t score, struct err *err) MUST_CHECK;
enum store_result users_remove_fraud_score(struct database *database, const struct uuid *user,
                                           struct err *err) MUST_CHECK;

/* Within a transaction: locks the user's row, so that no other change of the user comes between.
 * STORE_NOT_FOUND: no such user. */
enum store_result users_lock(struct database *database, const struct uuid *user,
                             struct err *err) MUST_CHECK;

#endif
