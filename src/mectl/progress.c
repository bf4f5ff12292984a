#include "mectl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { STEP_ON_TERMINAL_US = 200 * 1000, STEP_ELSEWHERE_US = 1000 * 1000 };

static bool is_terminal(FILE *stream)
{
    return stream != NULL && isatty(fileno(stream)) == 1;
}

void progress_begin(struct progress *progress, const struct invocation *invocation,
                    const char *verb, FILE *output)
{
    *progress = (struct progress){
        .verb = verb,
        .begin_us = clock_monotonic_us(),
        .is_terminal = is_terminal(stderr),
    };
    progress->is_on =
        invocation_flag(invocation, "progress") || (progress->is_terminal && !is_terminal(output));
}

/* What is left, by the pace so far. */
static int64_t left_s(const struct progress *progress, int64_t now_us)
{
    double used_us = (double)(now_us - progress->begin_us);

    if (progress->done == 0)
        return 0;
    return (int64_t)(used_us * (double)(progress->total - progress->done) / (double)progress->done /
                     1e6);
}

/* Rows that were added meanwhile count as well. */
static void print(struct progress *progress, int64_t now_us)
{
    if (progress->total < progress->done)
        progress->total = progress->done;
    (void)fprintf(stderr, "%smectl: %s %lld of %lld rows", progress->is_terminal ? "\r" : "",
                  progress->verb, (long long)progress->done, (long long)progress->total);
    if (progress->done < progress->total)
        (void)fprintf(stderr, ", some %lld s left", (long long)left_s(progress, now_us));
    /* clears what was longer before */
    (void)fputs(progress->is_terminal ? "\033[K" : "\n", stderr);
    (void)fflush(stderr);
}

void progress_tell(struct progress *progress, int64_t done)
{
    int64_t now_us;

    progress->done = done;
    if (!progress->is_on)
        return;
    now_us = clock_monotonic_us();
    if (now_us < progress->next_us)
        return;
    print(progress, now_us);
    progress->next_us = now_us + (progress->is_terminal ? STEP_ON_TERMINAL_US : STEP_ELSEWHERE_US);
}

void progress_end(struct progress *progress)
{
    if (!progress->is_on)
        return;
    print(progress, clock_monotonic_us());
    if (progress->is_terminal)
        (void)fputc('\n', stderr);
}
