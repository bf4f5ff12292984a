/*
 * The names of the IANA time zone database, as they were when the list was made by
 * scripts/make-tables, which names its source: zones and links, old names included.
 */
#ifndef ME_PROFILE_ZONE_H
#define ME_PROFILE_ZONE_H

#include "profile/wordlist.h"

extern const struct wordlist zone_list;

/* The release of the database: "2026f". */
extern const char zone_list_version[];

#endif
