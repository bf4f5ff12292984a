/*
 * The handlers of /me. The dispatcher has verified the token; each handler loads, changes, stores
 * and responds. The load judges user and session, and yields no profile where they may not be
 * served.
 */
#ifndef ME_API_ME_H
#define ME_API_ME_H

#include "api/exchange.h"

/* Each fills the response, or returns the problem that is the answer. */
enum problem me_get(struct exchange *exchange) MUST_CHECK;
enum problem me_patch(struct exchange *exchange) MUST_CHECK;

#endif
