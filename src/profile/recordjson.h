/*
 * A user with all child rows as one JSON object, for import and export: the members of the resource
 * in its order, without those that are made of others (activeSessions, defaultEmail, phoneNumber),
 * and with what the resource leaves out and a database needs: an identity's issuer, an email's
 * default, and sessions where they are asked for.
 */
#ifndef ME_PROFILE_RECORDJSON_H
#define ME_PROFILE_RECORDJSON_H

#include <json-c/json_types.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "profile/record.h"
#include "profile/recordchange.h"

/* Whether a member may be left out of the files at all; the others always are there. */
enum record_sessions { RECORD_WITHOUT_SESSIONS, RECORD_WITH_SESSIONS };

/* Appends the object, without a line end; unset members are left out, arrays never. False: out of
 * memory, or the cap of `out`; nothing was appended then. */
bool recordjson_render(const struct record *record, enum record_sessions sessions,
                       struct buf *out) MUST_CHECK;

/*
 * Judges `object`, from jsonvalue_parse_object, as a whole user: an array that is not there leaves
 * the rows of its table as they are, any other member that is not there is unset. The reader has a
 * fault for each member that is wrong. False: out of memory. Borrows nothing from `object`.
 */
bool recordjson_read(struct record_reader *reader, struct json_object *object,
                     struct record_change *out) MUST_CHECK;

#endif
