/*
 * base64url without padding (RFC 4648, section 5; RFC 7515, section 2). Decoding takes the
 * canonical form alone: no padding, no blanks, no other alphabet, and the bits that the last
 * character does not need are zero. So no two texts decode to the same bytes.
 */
#ifndef ME_BASE_BASE64URL_H
#define ME_BASE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

/* Appends the decoded bytes. False at a text that is not canonical, and when the buffer is full. */
bool base64url_decode(struct str text, struct buf *out) MUST_CHECK;

/* Appends the text; check buf_is_good. */
void base64url_encode(struct str bytes, struct buf *out);

#endif
