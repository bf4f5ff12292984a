#include "api/metrics.h"

#include <stdio.h>

#include "mectl/invocation.h"
#include "process/countfile.h"

enum { TEXT_MAX_BYTES = 1024 * 1024 };

static void add_worker(void *context, const uint64_t *numbers, bool is_alive)
{
    metrics_add_worker(context, numbers, is_alive);
}

static bool read_sum(const char *path, struct metrics *sum, struct err *err)
{
    const struct countfile_place place = {path, metrics_len(), metrics_layout(), metrics_levels()};
    struct countfile *file = countfile_open_to_read(&place, err);
    bool good = file != NULL;

    metrics_begin_sum(sum);
    if (good && !countfile_read(file, add_worker, sum)) {
        err_set(err, "%s: was damaged: workers make it anew", path);
        good = false;
    }
    countfile_close(file);
    return good;
}

static enum command_exit print(const struct metrics *sum)
{
    enum command_exit result = COMMAND_OK;
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    if (!metrics_render(sum, &text))
        result = invocation_fail("out of memory");
    else if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
        result = invocation_fail("standard output cannot be written");
    buf_free(&text);
    return result;
}

static enum command_exit run_metrics(struct invocation *invocation)
{
    enum command_exit result;
    struct err err = {""};
    struct metrics *sum;
    const char *path;

    if (!invocation_settings(invocation))
        return COMMAND_FAILED;
    path = invocation->settings.watch.metrics_file;
    if (path == NULL)
        return invocation_fail("nothing is counted: set watch.metrics_file, see me.conf(5)");
    sum = metrics_new();
    if (sum == NULL)
        return invocation_fail("out of memory");
    result = read_sum(path, sum, &err) ? print(sum) : invocation_fail("%s", err.text);
    metrics_free(sum);
    return result;
}

const struct command metrics_commands[] = {
    {
        .name = "metrics",
        .summary = "Prints what the workers of this host counted, as text for Prometheus.",
        .run = run_metrics,
    },
    {.name = NULL},
};
