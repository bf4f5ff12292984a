/*
 * Whose request is this? Takes the bearer token out of the request's headers (RFC 6750,
 * section 2.1) and has it judged.
 */
#ifndef ME_API_AUTHENTICATE_H
#define ME_API_AUTHENTICATE_H

#include "api/exchange.h"

/*
 * On PROBLEM_NONE exchange->access says for whom the profile is to be loaded. Otherwise the answer
 * has its WWW-Authenticate header, and exchange->reason and err are set for the log. Both clocks are
 * as the request began.
 */
enum problem authenticate(struct exchange *exchange, int64_t now_ms,
                          int64_t monotonic_us) MUST_CHECK;

/* What the judgement of the database, made later, means for the answer; with the header where it is
 * a 401. */
enum problem authenticate_access(struct exchange *exchange, enum access access) MUST_CHECK;

/* Whether the request has this secret as its bearer token. Compared in constant time. */
enum problem authenticate_by_secret(struct exchange *exchange, struct str secret) MUST_CHECK;

#endif
