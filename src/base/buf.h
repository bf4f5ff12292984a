/*
 * A growing byte buffer with a hard cap from birth. Once an append fails (cap or memory), the
 * buffer keeps what it had and remembers the failure, so that a row of appends can be checked once.
 */
#ifndef ME_BASE_BUF_H
#define ME_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

struct buf {
    char *data; /* owned; NULL until the first append */
    size_t len, size, max;
    bool failed;
};

/* Allocates nothing. `max` is in bytes. */
void buf_init(struct buf *buf, size_t max);

/* Frees the bytes; the struct may then be used again with the same cap. */
void buf_free(struct buf *buf);

/* As buf_free, but wipes the bytes first: for secrets. */
void buf_free_secret(struct buf *buf);

/* Forgets the bytes and the failure, keeps the memory. */
void buf_reset(struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_str(struct buf *buf, struct str s);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, char byte);
/* Up to 1023 bytes of text; more is a failure. */
void buf_append_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `len` more bytes at the end, to be written by the caller, then buf_added; NULL at the
 * cap. */
char *buf_reserve(struct buf *buf, size_t len) MUST_CHECK;
void buf_added(struct buf *buf, size_t len);

/* False when any append since the last reset failed. */
bool buf_is_good(const struct buf *buf) MUST_CHECK;

/* The bytes, borrowed until the next append. Never STR_NONE. */
struct str buf_str(const struct buf *buf);

#endif
