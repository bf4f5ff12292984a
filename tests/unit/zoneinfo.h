/*
 * A time zone database made for a test: a few zones, some of which no list knows, and all that lies
 * beside zones and is none.
 */
#ifndef ME_TESTS_UNIT_ZONEINFO_H
#define ME_TESTS_UNIT_ZONEINFO_H

/* The path of a new folder; zoneinfo_remove deletes the folder and frees the path. */
char *zoneinfo_new(void);
void zoneinfo_remove(char *path);

/* Adds a file that is a zone; the folders above it are made. */
void zoneinfo_add_zone(const char *zoneinfo, const char *name);

#endif
