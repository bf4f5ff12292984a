/*
 * An answer as the API makes it; the gateway writes it out. No header can hold a byte that would
 * end its line: the only way to add one refuses such values.
 */
#ifndef ME_API_RESPONSE_H
#define ME_API_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

enum { RESPONSE_HEADERS_MAX = 24 };

struct response_header {
    const char *name; /* of this program */
    struct str value;
};

struct response {
    int status;
    struct response_header header[RESPONSE_HEADERS_MAX];
    size_t header_count;
    const char *content_type; /* NULL: there is no body, and no Content-Length */
    struct str body;
    bool omits_body; /* HEAD: Content-Length as if the body were there */
};

void response_init(struct response *response);

/*
 * Adds a header with a value that outlives the response. One with bytes other than visible ASCII,
 * space and tab is left out, and so is one too many; false then, for tests (no value that this
 * program makes can fail).
 */
bool response_add(struct response *response, const char *name, struct str value);

/* The value of a header that was added; STR_NONE. */
struct str response_header_value(const struct response *response, const char *name);

/* The reason phrase of the statuses that this program answers (RFC 9110, section 15). */
const char *response_phrase(int status);

#endif
