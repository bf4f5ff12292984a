/*
 * A request as the API sees it, whatever gateway it came through. Everything is borrowed from the
 * gateway for the time of one api_handle. A header that was not sent is STR_NONE; one that was sent
 * empty is not.
 */
#ifndef ME_API_REQUEST_H
#define ME_API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

enum request_header {
    REQUEST_AUTHORIZATION,
    REQUEST_TOKEN, /* the header that token.header names */
    REQUEST_ACCEPT,
    REQUEST_CONTENT_LENGTH,
    REQUEST_CONTENT_TYPE,
    REQUEST_IF_MATCH,
    REQUEST_IF_NONE_MATCH,
    REQUEST_REQUEST_ID, /* X-Request-Id */
    REQUEST_ORIGIN,
    REQUEST_METHOD_OVERRIDE, /* X-HTTP-Method-Override */
    REQUEST_DOCTOR,          /* X-Me-Doctor: api/fingerprint.h */
    REQUEST_HEADER__MAX
};

/* Fills up to `size` bytes and returns how many; 0 at the end of the body, REQUEST_READ_BROKEN where
 * it is known to have broken off before. */
typedef size_t request_read(void *context, char *out, size_t size);
#define REQUEST_READ_BROKEN SIZE_MAX

struct request {
    struct str method;
    struct str path; /* "/me" where it is the resource, whatever prefix it is mapped under */
    struct str header[REQUEST_HEADER__MAX];
    request_read *read;
    void *read_context;
};

/* 1 to 64 of [A-Za-z0-9._-]: a request id that may be taken over. */
bool request_id_is_good(struct str id);

enum request_body {
    REQUEST_BODY_OK,
    REQUEST_BODY_TOO_LARGE,  /* over out->max; nothing was read where Content-Length said so */
    REQUEST_BODY_BAD_LENGTH, /* Content-Length is no number */
    REQUEST_BODY_SHORT,      /* ended before Content-Length bytes */
    REQUEST_BODY_BROKEN,     /* broke off where its length was not given */
};

/*
 * Appends the body to `out`, whose cap is the limit: Content-Length bytes, or all there is where it
 * is not given (a chunked body comes so through some servers).
 */
enum request_body request_read_body(const struct request *request, struct buf *out) MUST_CHECK;

#endif
