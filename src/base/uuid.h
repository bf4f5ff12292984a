/*
 * UUIDs (RFC 9562, section 4): 16 bytes here and in the database, lower case hex with hyphens in
 * text.
 */
#ifndef ME_BASE_UUID_H
#define ME_BASE_UUID_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/str.h"

enum { UUID_BYTES = 16, UUID_TEXT_LEN = 36 };

struct uuid {
    unsigned char bytes[UUID_BYTES];
};

/* Takes the form 8-4-4-4-12 in hex of either case, and nothing else. Any version and variant. */
bool uuid_parse(struct str text, struct uuid *out) MUST_CHECK;

/* Writes the lower case form and a NUL. */
void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_LEN + 1]);

/* Version 7 (RFC 9562, section 5.7) at the given time: rows inserted later sort later. */
bool uuid_new(int64_t now_ms, struct uuid *out) MUST_CHECK;

/* The same out of bytes that are random already. */
void uuid_stamp(struct uuid *uuid, int64_t now_ms);

bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_compare(const struct uuid *a, const struct uuid *b);

#endif
