#include "mectl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { STEP_ON_TERMINAL_US = 200 * 1000, STEP_ELSEWHERE_US = 1000 * 1000, BAR_LEN = 20 };

static bool is_terminal(FILE *stream)
{
    return stream != NULL && isatty(fileno(stream)) == 1;
}

void progress_begin(struct progress *progress, const struct invocation *invocation,
                    const char *verb, FILE *output)
{
    *progress = (struct progress){
        .verb = verb,
        .unit = "rows",
        .begin_us = clock_monotonic_us(),
        .is_terminal = is_terminal(stderr),
    };
    progress->is_on =
        invocation_flag(invocation, "progress") || (progress->is_terminal && !is_terminal(output));
}

/* From 0 to 1; below 0 where it is not known. */
static double fraction_of(const struct progress *progress)
{
    if (progress->total < 0 && progress->whole > 0)
        return (double)progress->part / (double)progress->whole;
    return progress->total > 0 ? (double)progress->done / (double)progress->total : -1;
}

static void print_bar(double fraction)
{
    static const char full[] = "####################", empty[] = "--------------------";
    int len = (int)(fraction * BAR_LEN);

    len = len > BAR_LEN ? BAR_LEN : len;
    (void)fprintf(stderr, " [%.*s%.*s] %d %%", len, full, BAR_LEN - len, empty,
                  (int)(fraction * 100));
}

/* What is left goes by the pace so far. */
static void print_pace(const struct progress *progress, double fraction, double used_s)
{
    if (used_s > 0)
        (void)fprintf(stderr, ", %.0f a second", (double)progress->done / used_s);
    if (fraction > 0 && fraction < 1)
        (void)fprintf(stderr, ", some %.0f s left", used_s * (1 - fraction) / fraction);
}

/* Rows that were added meanwhile count as well. */
static void print(struct progress *progress, int64_t now_us)
{
    double fraction;

    if (progress->total >= 0 && progress->total < progress->done)
        progress->total = progress->done;
    fraction = fraction_of(progress);
    (void)fprintf(stderr, "%smectl: %s %lld", progress->is_terminal ? "\r" : "", progress->verb,
                  (long long)progress->done);
    if (progress->total >= 0)
        (void)fprintf(stderr, " of %lld", (long long)progress->total);
    (void)fprintf(stderr, " %s", progress->unit);
    if (fraction >= 0)
        print_bar(fraction);
    print_pace(progress, fraction, (double)(now_us - progress->begin_us) / 1e6);
    /* clears what was longer before */
    (void)fputs(progress->is_terminal ? "\033[K" : "\n", stderr);
    (void)fflush(stderr);
    progress->is_shown = true;
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

void progress_hide(struct progress *progress)
{
    if (progress->is_terminal && progress->is_shown)
        (void)fputs("\r\033[K", stderr);
    progress->is_shown = false;
    progress->next_us = 0;
}

void progress_end(struct progress *progress)
{
    if (!progress->is_on)
        return;
    print(progress, clock_monotonic_us());
    if (progress->is_terminal)
        (void)fputc('\n', stderr);
}
