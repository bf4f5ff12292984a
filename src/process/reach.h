/*
 * What a worker has to reach while it serves: places in the file system with what it does there,
 * and the TCP ports that it connects to. Made of the settings alone; nothing is looked at, opened
 * or resolved here. A setting that names a file has its row in reach.c.
 */
#ifndef ME_PROCESS_REACH_H
#define ME_PROCESS_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "format/settings.h"

enum reach_right {
    REACH_READ = 1,
    REACH_WRITE = 2, /* to what is there */
    REACH_MAKE = 4,  /* files, and rename and remove them */
    /* The path is a file's, and its folder is meant, and that of the file which its links lead to:
     * a file that is replaced is another file by the same name. */
    REACH_BESIDE = 8,
};

struct reach_place {
    const char *path; /* borrowed from the settings, or for ever */
    unsigned rights;  /* enum reach_right */
};

enum { REACH_PLACES_MAX = 256, REACH_PORTS_MAX = 65 };

struct reach {
    struct reach_place places[REACH_PLACES_MAX];
    size_t place_count;
    uint16_t ports[REACH_PORTS_MAX]; /* none: every database is at a Unix socket */
    size_t port_count;
};

/* The settings are borrowed for as long as `out` is used. */
void reach_from_settings(const struct settings *settings, struct reach *out);

#endif
