/*
 * The profile of whom the token names, read whole, and whether it may be shown.
 */
#ifndef ME_API_LOADING_H
#define ME_API_LOADING_H

#include "api/exchange.h"

/* Outside of a transaction; a user who is to be added is added first. */
enum problem loading_load(struct exchange *exchange, struct profile_load *loaded) MUST_CHECK;

#endif
