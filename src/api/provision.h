/*
 * The first token of an identity that nobody has makes its user (token.provision = on). Nobody is
 * made a user by a token that names a session: that session cannot be theirs, so the answer would
 * be 401 all the same.
 */
#ifndef ME_API_PROVISION_H
#define ME_API_PROVISION_H

#include "api/exchange.h"

/* Whether what the load found says that the user is to be added; once a request. */
bool provision_is_due(const struct exchange *exchange, enum access access);

/* PROBLEM_NONE: the user is there now, added by this request or another, and can be loaded. Else
 * exchange->err says why not. */
enum problem provision(struct exchange *exchange) MUST_CHECK;

#endif
