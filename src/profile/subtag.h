/*
 * The subtags that the IANA Language Subtag Registry holds (RFC 5646, section 3), deprecated ones
 * included: a subtag once registered stays valid. The lists are made by scripts/make-tables, which
 * names their source.
 */
#ifndef ME_PROFILE_SUBTAG_H
#define ME_PROFILE_SUBTAG_H

#include "profile/wordlist.h"

enum subtag_kind {
    SUBTAG_LANGUAGE,
    SUBTAG_EXTLANG, /* behind its prefix, the one language that it is registered for: "zh-yue" */
    SUBTAG_SCRIPT,
    SUBTAG_REGION,
    SUBTAG_VARIANT,
    SUBTAG_GRANDFATHERED, /* a whole tag */
    SUBTAG__MAX
};

/* Each word in the case of the registry. Ranges for private use ("qaa..qtz") are written out. */
extern const struct wordlist subtag_lists[SUBTAG__MAX];

/* The registry's own date: "2025-08-25". */
extern const char subtag_file_date[];

#endif
