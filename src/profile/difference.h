/*
 * What has become of the members that a user may change: for the audit trail. Pure; two members
 * differ where patch_apply would have changed one into the other.
 */
#ifndef ME_PROFILE_DIFFERENCE_H
#define ME_PROFILE_DIFFERENCE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "profile/profile.h"

/* Appends the names of the members that differ, separated by commas: "name,avatarUrl". False: the
 * cap of `out`, or out of memory. */
bool difference_names(const struct profile *before, const struct profile *after,
                      struct buf *out) MUST_CHECK;

/* Appends them with their values as a JSON object, null where one is unset:
 * {"bio":{"old":null,"new":"Hello"}}. False as above. */
bool difference_values(const struct profile *before, const struct profile *after,
                       struct buf *out) MUST_CHECK;

#endif
