/*
 * An answer into the bytes that a CGI program writes (RFC 3875, section 6): header lines, Status
 * first, an empty line, the body.
 */
#ifndef ME_GATEWAY_OUTPUT_H
#define ME_GATEWAY_OUTPUT_H

#include "api/response.h"
#include "base/buf.h"

/* Appends everything but the body. False: out of memory. */
bool output_head(const struct response *response, struct buf *out) MUST_CHECK;

/* The body to be written after it: empty for HEAD and where there is none. */
struct str output_body(const struct response *response);

#endif
