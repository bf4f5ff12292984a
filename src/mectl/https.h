/*
 * One GET over HTTPS, for mectl keys fetch. The server is always verified, no request goes anywhere
 * but to https, redirects included, and neither credentials nor cookies are sent.
 */
#ifndef ME_MECTL_HTTPS_H
#define ME_MECTL_HTTPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

struct https_request {
    const char *url;
    const char *accept; /* media types */
    const char *ca; /* a file of PEM certificates that are trusted instead of the system's; NULL */
    int64_t timeout_s; /* for all of it */
};

/*
 * Appends the body of an answer with status 200, up to the buffer's cap. On anything else `err` is
 * "URL: what is wrong: what to do".
 */
bool https_get(const struct https_request *request, struct buf *body, struct err *err) MUST_CHECK;

#endif
