#include "gateway/counting.h"

#include <stdlib.h>

#include "api/metrics.h"
#include "api/watch.h"
#include "base/clock.h"
#include "process/countfile.h"

enum { LOOK_INTERVAL_US = 1000000 };

struct counting {
    struct api *api;
    struct countfile *file;
    int64_t next_look_us;
};

static bool read_all(void *context, watch_visit *visit, void *visit_context)
{
    struct counting *counting = context;

    counting_write(counting);
    return countfile_read(counting->file, visit, visit_context);
}

static struct countfile *open_file(const struct settings *settings, struct err *err)
{
    const struct countfile_place place = {
        .path = settings->watch.metrics_file,
        .counts = metrics_len(),
        .layout = metrics_layout(),
        .levels = metrics_levels(),
    };

    return countfile_open(&place, err);
}

struct counting *counting_open(struct api *api, const struct settings *settings,
                               const struct log *log)
{
    struct counting *counting;
    struct err err = {""};

    if (api_numbers(api) == NULL)
        return NULL;
    counting = calloc(1, sizeof(*counting));
    if (counting == NULL)
        err_set(&err, "out of memory");
    else
        counting->file = open_file(settings, &err);
    if (counting == NULL || counting->file == NULL) {
        LOG_EVENT(log, LOG_WARNING, "nothing is counted", {"detail", str_from(err.text)});
        counting_close(counting);
        return NULL;
    }
    counting->api = api;
    api_set_source(api, &(const struct watch_source){read_all, counting});
    counting_write(counting); /* it is there from now on, whether requests come or not */
    return counting;
}

void counting_close(struct counting *counting)
{
    if (counting == NULL)
        return;
    countfile_close(counting->file);
    free(counting);
}

void counting_keep_up(struct counting *counting)
{
    int64_t now_us = clock_monotonic_us();

    if (counting == NULL || now_us < counting->next_look_us)
        return;
    counting->next_look_us = now_us + LOOK_INTERVAL_US;
    countfile_keep_up(counting->file, api_numbers(counting->api));
}

void counting_write(struct counting *counting)
{
    if (counting == NULL)
        return;
    counting_keep_up(counting);
    (void)countfile_write(counting->file, api_numbers(counting->api)); /* else the next one does */
}
