/*
 * To which application was a token issued? Decides nothing: it is for the audit trail.
 */
#ifndef ME_TOKEN_CLIENT_H
#define ME_TOKEN_CLIENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

/*
 * The claim azp (OpenID Connect Core 1.0, section 2), or else client_id (RFC 9068, section 2.2; RFC
 * 8693, section 4.3), out of the payload of a verified token. One that is no string, or an empty
 * one, is as good as none; *out is STR_NONE where there is none, and otherwise borrowed from the
 * payload and `room`, whose cap has to be the payload's length. False: out of memory.
 */
bool client_of_token(struct str payload, struct buf *room, struct str *out) MUST_CHECK;

#endif
