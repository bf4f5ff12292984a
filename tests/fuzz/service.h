/*
 * The whole of a worker but its database, for fuzz targets: settings, keys, an API over the storage
 * of storage.h, and a token that it takes.
 */
#ifndef ME_TESTS_FUZZ_SERVICE_H
#define ME_TESTS_FUZZ_SERVICE_H

#include "api/api.h"
#include "format/settings.h"

struct service_world {
    struct settings settings;
    struct log log; /* of every level, into nothing */
    struct api *api;
    struct buf bearer; /* "Bearer ..." for storage.user */
};

enum service_kind {
    SERVICE_PLAIN,   /* nothing is kept; with an audit trail */
    SERVICE_KEEPING, /* what was shown is kept, in the file of damage_path() */
    SERVICE_KEEPING_AUDITED,
    SERVICE__MAX
};

/* Each is made once. */
struct service_world *service_world(enum service_kind kind);

/* What must be true of every answer's header and body, which stand as CGI has them; its status. */
int service_require_good(struct str answer, bool may_omit_body);

#endif
