/*
 * What is demanded of every token: from the settings, the same for the life of a process.
 */
#ifndef ME_TOKEN_RULES_H
#define ME_TOKEN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/settings.h"
#include "token/key.h"

struct jwt_rules {
    bool allowed[KEY_ALGORITHM__MAX];
    struct settings_list issuers, audiences; /* empty: not checked; borrowed from the settings */
    int64_t leeway_s;
    size_t max_bytes;
    const char *session_claim; /* borrowed; NULL: sessions are off */
    bool session_required;
};

void jwt_rules_from_settings(const struct settings *settings, struct jwt_rules *out);

#endif
