/*
 * What a worker counts, as one table: a row for each metric, with its name, help and labels, from
 * which the text for Prometheus (exposition format 0.0.4) is made. The counts are plain numbers in
 * a row, so that those of several workers can be added up. A metric more is one line in the enum
 * and one row in the table.
 */
#ifndef ME_API_METRICS_H
#define ME_API_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kept.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

enum metric {
    METRIC_REQUESTS,          /* by method and status: metrics_count_request */
    METRIC_REFUSALS,          /* by reason: metrics_count_request */
    METRIC_DURATIONS,         /* by enum metric_duration */
    METRIC_PROFILES,          /* by enum kept_use: metrics_count_request */
    METRIC_TOKENS,            /* by enum metric_token */
    METRIC_DATABASE_OPENED,   /* connections */
    METRIC_DATABASE_FAILURES, /* by enum store_result */
    METRIC_DATABASE_TIME,     /* in microseconds */
    METRIC_KEY_FILE_FAILURES,
    METRIC_LEVELS, /* from here on: what is so now, of workers that run */
    METRIC_WORKERS = METRIC_LEVELS,
    METRIC_DATABASE_CONNECTIONS, /* that are open */
    METRIC_KEYS,                 /* in force */
    METRIC_KEYS_CHANGED,         /* keyfiles_modified_ms */
    METRIC__MAX
};

enum metric_duration { METRIC_DURATION_READ, METRIC_DURATION_CHANGE, METRIC_DURATION__MAX };
enum metric_token {
    METRIC_TOKEN_RECALLED,
    METRIC_TOKEN_SHARED,
    METRIC_TOKEN_VERIFIED,
    METRIC_TOKEN__MAX
};

/* How many numbers there are, how many of them, the last ones, are levels, and a number that is
 * another one where they mean something else. */
size_t metrics_len(void);
size_t metrics_levels(void);
uint64_t metrics_layout(void);

struct metrics;

/* All 0. NULL: out of memory. */
struct metrics *metrics_new(void) MUST_CHECK;
void metrics_free(struct metrics *metrics);

/* `series` is which of the lines of a metric that has labels; 0 else. */
void metrics_add(struct metrics *metrics, enum metric metric, size_t series, uint64_t amount);
void metrics_set(struct metrics *metrics, enum metric metric, size_t series, uint64_t value);

struct metrics_request {
    struct str method;
    int status;
    const char *reason; /* NULL: none */
    enum kept_use cache;
    int64_t duration_us;
};
void metrics_count_request(struct metrics *metrics, const struct metrics_request *request);

/* All numbers, metrics_len() of them. */
const uint64_t *metrics_numbers(const struct metrics *metrics);

/* A sum that nothing was added to yet, and the numbers of one worker added to it; of one that has
 * ended, only what was counted. */
void metrics_begin_sum(struct metrics *sum);
void metrics_add_worker(struct metrics *sum, const uint64_t *numbers, bool is_alive);

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends a sum as text. False: out of memory, or over the cap. */
bool metrics_render(const struct metrics *sum, struct buf *out) MUST_CHECK;

#endif
