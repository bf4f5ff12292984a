/*
 * Users whom their first token brings: the user, its identity, its email address and phone number,
 * in one transaction. What is there already is never changed nor linked. Needs the account of
 * DATABASE_PROVISION, which can add such rows and can do nothing else.
 */
#ifndef ME_STORE_NEWCOMERS_H
#define ME_STORE_NEWCOMERS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "profile/newcomer.h"
#include "store/database.h"

/*
 * Adds the user, who gets the ids of its rows. *address_is_taken tells that its email address is
 * another user's, and was left out. STORE_DUPLICATE: the identity is there already, and nothing was
 * added: of several at the same time one adds, and the others learn so when it has done so.
 */
enum store_result newcomers_add(struct database *database, struct newcomer *newcomer,
                                bool *address_is_taken, struct err *err) MUST_CHECK;

#endif
