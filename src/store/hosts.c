#include "store/hosts.h"

#include <stdbool.h>
#include <stdlib.h>

#include "format/endpoint.h"
#include "store/probe.h"

/* How long to leave a host alone before it is probed: doubled where it fails again soon. */
enum {
    PAUSE_MIN_US = 1000 * 1000,
    PAUSE_MAX_US = 16 * 1000 * 1000,
    SOON_US = 60 * 1000 * 1000 /* after it was taken up again */
};

struct host {
    bool is_out;
    int64_t pause_us; /* 0: it never failed */
    int64_t due_us;   /* of the next probe */
    int64_t taken_us; /* when it was last taken up */
    struct probe probe;
};

struct hosts {
    const struct settings_list *names; /* borrowed */
    size_t *order;
    struct host *host;
};

struct hosts *hosts_new(const struct settings_list *names)
{
    struct hosts *hosts = calloc(1, sizeof(*hosts));
    if (hosts == NULL)
        return NULL;
    hosts->names = names;
    hosts->order = calloc(names->count + 1, sizeof(*hosts->order));
    hosts->host = calloc(names->count + 1, sizeof(*hosts->host));
    if (hosts->order == NULL || hosts->host == NULL) {
        free(hosts->order);
        free(hosts->host);
        free(hosts);
        return NULL;
    }
    for (size_t i = 0; i < names->count; i++)
        hosts->host[i].probe = PROBE_NONE;
    hosts_sort(hosts);
    return hosts;
}

void hosts_free(struct hosts *hosts)
{
    if (hosts == NULL)
        return;
    for (size_t i = 0; i < hosts->names->count; i++)
        probe_end(&hosts->host[i].probe);
    free(hosts->order);
    free(hosts->host);
    free(hosts);
}

size_t hosts_count(const struct hosts *hosts)
{
    return hosts->names->count;
}

static size_t append_those(struct hosts *hosts, bool is_out, size_t place)
{
    for (size_t i = 0; i < hosts->names->count; i++)
        if (hosts->host[i].is_out == is_out)
            hosts->order[place++] = i;
    return place;
}

void hosts_sort(struct hosts *hosts)
{
    size_t place = append_those(hosts, false, 0);
    (void)append_those(hosts, true, place);
}

size_t hosts_at(const struct hosts *hosts, size_t place)
{
    return hosts->order[place];
}

void hosts_note_failure(struct hosts *hosts, size_t host, int64_t monotonic_us)
{
    struct host *failed = &hosts->host[host];
    bool is_again = failed->pause_us > 0 && monotonic_us - failed->taken_us < SOON_US;
    int64_t pause_us = is_again ? failed->pause_us * 2 : PAUSE_MIN_US;
    failed->pause_us = pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US;
    failed->due_us = monotonic_us + failed->pause_us;
    failed->is_out = true;
    probe_end(&failed->probe);
}

void hosts_note_success(struct hosts *hosts, size_t host, int64_t monotonic_us)
{
    struct host *taken = &hosts->host[host];
    if (taken->is_out || taken->taken_us == 0)
        taken->taken_us = monotonic_us;
    taken->is_out = false;
    probe_end(&taken->probe);
}

static void begin_probe(struct host *host, const char *name, int64_t monotonic_us)
{
    struct endpoint endpoint;
    struct err ignored;
    if (monotonic_us < host->due_us)
        return;
    host->due_us = monotonic_us + (host->pause_us > 0 ? host->pause_us : PAUSE_MIN_US);
    if (endpoint_parse(name, &endpoint, &ignored))
        (void)!probe_begin(&host->probe, &endpoint, monotonic_us);
}

static bool has_returned(struct host *host, const char *name, int64_t monotonic_us)
{
    if (host->probe.fd < 0) {
        begin_probe(host, name, monotonic_us);
        return false;
    }
    return probe_look(&host->probe, monotonic_us) == PROBE_GREETED;
}

size_t hosts_find_returned(struct hosts *hosts, size_t current, int64_t monotonic_us)
{
    for (size_t i = 0; i < current && i < hosts->names->count; i++)
        if (has_returned(&hosts->host[i], hosts->names->items[i], monotonic_us))
            return i;
    return current;
}
