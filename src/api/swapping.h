/*
 * A PATCH as one statement: where the profile is kept, its change is made on the condition that it
 * is still the one that is kept, and what it becomes is known without another read.
 */
#ifndef ME_API_SWAPPING_H
#define ME_API_SWAPPING_H

#include "api/exchange.h"
#include "api/rendered.h"
#include "profile/patch.h"

/*
 * On STORE_OK the change is committed (or there was none to make), *out shows the result, and that
 * is what is kept now. STORE_CONFLICT: nothing was done, and a transaction has to find out what is to be
 * answered. Anything else is the answer.
 */
enum store_result swapping_try(struct exchange *exchange, const struct patch *patch,
                               struct rendered *out) MUST_CHECK;

#endif
