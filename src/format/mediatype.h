/*
 * Media types: one in Content-Type (RFC 9110, section 8.3.1), ranges with qualities in Accept
 * (section 12.5.1).
 */
#ifndef ME_FORMAT_MEDIATYPE_H
#define ME_FORMAT_MEDIATYPE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/str.h"

/* All borrowed from the header. */
struct mediatype {
    struct str name;    /* "application/json", in any case */
    struct str charset; /* the parameter without quotes, escapes as they are; STR_NONE: none */
};

/* False at what is not one media type with well-formed parameters, and at two charsets. */
bool mediatype_parse(struct str header, struct mediatype *out) MUST_CHECK;

/* Compares the name without regard to case. */
bool mediatype_is(const struct mediatype *type, const char *name);

/*
 * The quality that an Accept header gives a type, in thousandths: that of its most specific range.
 * Without a header everything has 1000; members that are malformed are passed over.
 */
int mediatype_quality(struct str accept, const char *type);

#endif
