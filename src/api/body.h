/*
 * The JSON body of a request: size, media type and syntax judged, in this order.
 */
#ifndef ME_API_BODY_H
#define ME_API_BODY_H

#include <json-c/json_types.h>

#include "api/exchange.h"

/* What PATCH takes (RFC 5789, section 3.1: Accept-Patch). */
#define BODY_ACCEPTED "application/merge-patch+json, application/json"

/*
 * On PROBLEM_NONE *out is a JSON object, to be freed by json_object_put. Otherwise exchange->note
 * says what is wrong, and where.
 */
enum problem body_read(struct exchange *exchange, struct json_object **out) MUST_CHECK;

#endif
