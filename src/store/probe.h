/*
 * Is a server there again? Asked without ever waiting: a connection is begun, and whoever passes by
 * later looks whether the server's greeting has arrived on it. A process that is stopped, or a host
 * behind a broken line, does not greet. Nothing is sent, nobody logs in.
 */
#ifndef ME_STORE_PROBE_H
#define ME_STORE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "format/endpoint.h"

struct probe {
    int fd; /* -1: none is under way */
    bool is_connected;
    int64_t begun_us;
    size_t next; /* of the host's addresses: each probe asks another one */
};

enum probe_state { PROBE_WAITING, PROBE_GREETED, PROBE_FAILED };

#define PROBE_NONE                                                                                 \
    (struct probe)                                                                                 \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* False: it cannot even be begun. */
bool probe_begin(struct probe *probe, const struct endpoint *endpoint,
                 int64_t monotonic_us) MUST_CHECK;

/* Anything but PROBE_WAITING has ended the probe. */
enum probe_state probe_look(struct probe *probe, int64_t monotonic_us);

void probe_end(struct probe *probe);

#endif
