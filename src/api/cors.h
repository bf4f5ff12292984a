/*
 * Cross-origin resource sharing (the Fetch standard, section 3.2): which pages' scripts may read
 * the answers. Nothing here protects the resource, which the token does; without it a browser keeps
 * the answers from the script that asked.
 */
#ifndef ME_API_CORS_H
#define ME_API_CORS_H

#include "api/exchange.h"

/* Whether cors.origin can be used; `err` names the item that cannot. */
bool cors_check(const struct settings *settings, struct err *err) MUST_CHECK;

/* Whether answers depend on the Origin that was sent, so that Vary has to name it, also where none
 * was sent. */
bool cors_varies(const struct settings *settings);

/*
 * Adds to an answer what lets an allowed origin's page read it. An origin that is not allowed, and
 * a request of no page, get the same answer without.
 */
void cors_add_headers(struct exchange *exchange);

/* Adds to the answer to an OPTIONS what a preflight asks for (section 3.2.3), for an allowed
 * origin. */
void cors_add_preflight(struct exchange *exchange);

#endif
