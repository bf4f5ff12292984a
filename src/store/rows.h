/*
 * A new user and its child rows as the values of the statements that add them. Everything in a row
 * is borrowed from what it was made of. Of this folder alone.
 */
#ifndef ME_STORE_ROWS_H
#define ME_STORE_ROWS_H

#include "base/uuid.h"
#include "profile/profile.h"
#include "store/statement.h"

struct row {
    struct value in[STATEMENT_COLUMNS_MAX];
};

struct row row_of_user(const struct profile *profile);                               /* USER_ADD */
struct row row_of_email(const struct uuid *user, const struct profile_email *email); /* EMAIL_ADD */
struct row row_of_phone(const struct uuid *user, const struct profile_phone *phone); /* PHONE_ADD */

/* IDENTITY_ADD; `id` is the row's own, which the profile has no member for. */
struct row row_of_identity(const struct uuid *user, const struct uuid *id, struct str issuer,
                           const struct profile_identity *identity);

#endif
