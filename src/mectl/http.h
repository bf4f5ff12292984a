/*
 * One request over HTTP and its answer, by libcurl: for mectl keys fetch, which is bound to HTTPS,
 * and for mectl doctor. Servers are always verified; neither credentials nor cookies of curl's own
 * are sent. Where configure found no libcurl, http_missing.c takes the place of http.c.
 */
#ifndef ME_MECTL_HTTP_H
#define ME_MECTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum http_result {
    HTTP_ANSWERED, /* whatever the status */
    HTTP_UNRESOLVED,
    HTTP_UNREACHED,
    HTTP_TIMED_OUT,
    HTTP_UNTRUSTED,      /* the server's certificate */
    HTTP_BAD_CA,         /* the file of trusted certificates */
    HTTP_REDIRECTED,     /* more often than is followed */
    HTTP_WRONG_PROTOCOL, /* it leads to what is not allowed */
    HTTP_TOO_LARGE,      /* the body; what came before the cap is there */
    HTTP_MISSING,        /* this program has no libcurl */
    HTTP_FAILED,         /* anything else */
    HTTP_RESULT__MAX
};

enum { HTTP_HEADERS_MAX = 8, HTTP_HEAD_MAX_BYTES = 64 * 1024 };

struct http_header {
    const char *name, *value; /* value NULL: it is left out */
};

struct http_request {
    const char *method; /* NULL: GET */
    const char *url;
    struct http_header headers[HTTP_HEADERS_MAX]; /* end in one without a name */
    struct str body;                              /* STR_NONE: none is sent */
    const char *ca; /* a file of PEM certificates that are trusted instead of the system's; NULL */
    int64_t timeout_s; /* for all of it */
    bool only_https;   /* also of redirects */
    long redirects_max;
};

struct http_answer {
    int64_t status;
    struct buf head; /* the lines of the header, as they came */
    struct buf body;
};

/* Whether there is a libcurl in this program. */
bool http_is_built_in(void);

void http_answer_init(struct http_answer *answer, size_t body_max_bytes);
void http_answer_free(struct http_answer *answer);

/* Into an answer that is empty. `err` says why the result is another one than HTTP_ANSWERED. */
enum http_result http_send(const struct http_request *request, struct http_answer *answer,
                           struct err *err) MUST_CHECK;

/* The value of the first header of this name, in any case, borrowed; STR_NONE: there is none. */
struct str http_answer_header(const struct http_answer *answer, const char *name);
size_t http_answer_header_count(const struct http_answer *answer, const char *name);

#endif
