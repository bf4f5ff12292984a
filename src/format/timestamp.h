/*
 * Times as people and programs write them: RFC 3339, section 5.6.
 */
#ifndef ME_FORMAT_TIMESTAMP_H
#define ME_FORMAT_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/*
 * "2025-07-03T02:14:22.094Z", with any offset and any number of digits behind the point, of which
 * three count; a space, and letters in lower case, as that section allows them. A leap second is
 * the second after it. A date alone is its midnight in UTC. False: it is none of these, or no time
 * that there is. Years are 0000 to 9999; *out_ms, as in base/clock.h, may lie a day outside of them
 * where the offset leads out.
 */
bool timestamp_parse(struct str text, int64_t *out_ms) MUST_CHECK;

#endif
