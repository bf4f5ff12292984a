/*
 * Texts and names in quotes, as SQL that a person pastes has them. Not for statements of this
 * program, whose values are bound.
 */
#ifndef ME_STORE_QUOTING_H
#define ME_STORE_QUOTING_H

#include "base/buf.h"
#include "base/str.h"

/* 'a text', the backslash and the quote in it doubled. */
void quoting_append_text(struct buf *out, struct str text);

/* `a name`, the backtick in it doubled. */
void quoting_append_name(struct buf *out, struct str name);

/* 'name'@'host' of an account that the server writes as name@host, where the name may have an @. */
void quoting_append_account(struct buf *out, struct str account);

#endif
