/*
 * The audit trail of a request: who changed what by it, from its token and the change itself.
 */
#ifndef ME_API_TRAIL_H
#define ME_API_TRAIL_H

#include "api/exchange.h"

/*
 * Adds the row that audit.level demands, if any, within the transaction that made the one profile
 * into the other: where it cannot be added, the change has to go back. What the values are never
 * gets into `err`.
 */
enum store_result trail_add(const struct exchange *exchange, struct database *database,
                            const struct profile *before, const struct profile *after,
                            struct err *err) MUST_CHECK;

#endif
