#include "profile/badge.h"

#include <stdbool.h>
#include <stddef.h>

#include "profile/ascii.h"

static bool is_part(struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        if (!ascii_is_alnum(part.data[i]) && !str_has_byte(STR("-_."), part.data[i]))
            return false;
    return part.len > 0 && part.len <= BADGE_PART_MAX_BYTES;
}

enum violation validate_badge(struct str badge)
{
    struct str name = badge, scope = str_cut(&name, ':');

    return is_part(scope) && is_part(name) ? VIOLATION_NONE : VIOLATION_INVALID_BADGE;
}
