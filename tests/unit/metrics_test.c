#include "api/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/problem.h"
#include "process/countfile.h"
#include "token/verdict.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 256 * 1024 };

static struct metrics *new_metrics(void)
{
    struct metrics *metrics = metrics_new();

    assert_non_null(metrics);
    return metrics;
}

static void render(const struct metrics *sum, struct buf *out)
{
    buf_init(out, TEXT_MAX_BYTES);
    assert_true(metrics_render(sum, out));
    buf_append_byte(out, '\0');
    assert_true(buf_is_good(out));
}

static void count(struct metrics *metrics, const char *method, int status, const char *reason,
                  int64_t duration_us)
{
    metrics_count_request(metrics, &(const struct metrics_request){.method = str_from(method),
                                                                   .status = status,
                                                                   .reason = reason,
                                                                   .duration_us = duration_us});
}

static void assert_line(const char *text, const char *line)
{
    char whole[256];

    (void)snprintf(whole, sizeof(whole), "\n%s\n", line);
    assert_contains(text, whole);
}

static void fits_into_the_file(void **state)
{
    (void)state;
    assert_in_range(metrics_len(), 1, COUNTFILE_COUNTS_MAX);
    assert_in_range(metrics_levels(), 1, metrics_len() - 1);
}

static void counts_requests(void **state)
{
    struct metrics *metrics = new_metrics();
    struct buf text;

    (void)state;
    count(metrics, "GET", 200, NULL, 300);
    count(metrics, "GET", 200, NULL, 2500);
    count(metrics, "PATCH", 422, "validation_failed", 20000000);
    count(metrics, "BREW", 405, "method_not_allowed", 10);
    render(metrics, &text);
    assert_line(text.data, "me_requests_total{method=\"GET\",status=\"200\"} 2");
    assert_line(text.data, "me_requests_total{method=\"PATCH\",status=\"422\"} 1");
    assert_line(text.data, "me_requests_total{method=\"other\",status=\"405\"} 1");
    assert_line(text.data, "me_requests_total{method=\"GET\",status=\"503\"} 0");
    assert_line(text.data, "me_refusals_total{reason=\"validation_failed\"} 1");
    assert_line(text.data, "me_refusals_total{reason=\"expired\"} 0");
    buf_free(&text);
    metrics_free(metrics);
}

/* An end belongs to its bucket; each bucket has those below it; the sum is in seconds. */
static void makes_a_histogram(void **state)
{
    struct metrics *metrics = new_metrics();
    struct buf text;

    (void)state;
    count(metrics, "GET", 200, NULL, 250);
    count(metrics, "HEAD", 200, NULL, 251);
    count(metrics, "PATCH", 200, NULL, 20000000);
    render(metrics, &text);
    assert_line(text.data, "me_request_duration_seconds_bucket{method=\"GET\",le=\"0.0001\"} 0");
    assert_line(text.data, "me_request_duration_seconds_bucket{method=\"GET\",le=\"0.00025\"} 1");
    assert_line(text.data, "me_request_duration_seconds_bucket{method=\"GET\",le=\"0.0005\"} 2");
    assert_line(text.data, "me_request_duration_seconds_bucket{method=\"GET\",le=\"+Inf\"} 2");
    assert_line(text.data, "me_request_duration_seconds_sum{method=\"GET\"} 0.000501");
    assert_line(text.data, "me_request_duration_seconds_count{method=\"GET\"} 2");
    assert_line(text.data, "me_request_duration_seconds_bucket{method=\"PATCH\",le=\"10\"} 0");
    assert_line(text.data, "me_request_duration_seconds_bucket{method=\"PATCH\",le=\"+Inf\"} 1");
    assert_line(text.data, "me_request_duration_seconds_sum{method=\"PATCH\"} 20.000000");
    buf_free(&text);
    metrics_free(metrics);
}

/* Each has a line, so that what is counted is seen. */
static void knows_every_problem_and_verdict(void **state)
{
    char line[256];

    (void)state;
    for (int i = PROBLEM_NONE + 1; i < PROBLEM__MAX + JWT__MAX; i++) {
        struct metrics *metrics = new_metrics();
        bool is_problem = i < PROBLEM__MAX;
        const char *code = is_problem ? problem_row((enum problem)i)->code
                                      : jwt_reason((enum jwt_verdict)(i - PROBLEM__MAX))->code;
        int status = is_problem ? problem_row((enum problem)i)->status : 401;
        struct buf text;

        if (i == PROBLEM__MAX + JWT_VALID) {
            metrics_free(metrics);
            continue;
        }
        count(metrics, "GET", status, code, 1);
        render(metrics, &text);
        (void)snprintf(line, sizeof(line), "me_requests_total{method=\"GET\",status=\"%d\"} 1",
                       status);
        assert_line(text.data, line);
        (void)snprintf(line, sizeof(line), "me_refusals_total{reason=\"%s\"} 1", code);
        assert_line(text.data, line);
        buf_free(&text);
        metrics_free(metrics);
    }
}

static void adds_workers_up(void **state)
{
    struct metrics *one = new_metrics(), *two = new_metrics(), *dead = new_metrics();
    struct metrics *sum = new_metrics();
    struct buf text;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        count((struct metrics *[]){one, two, dead}[i], "GET", 200, NULL, 1000);
    metrics_set(one, METRIC_WORKERS, 0, 1);
    metrics_set(two, METRIC_WORKERS, 0, 1);
    metrics_set(dead, METRIC_WORKERS, 0, 1);
    metrics_set(one, METRIC_KEYS, 0, 3);
    metrics_set(two, METRIC_KEYS, 0, 2);
    metrics_set(dead, METRIC_KEYS, 0, 1);
    metrics_set(one, METRIC_KEYS_CHANGED, 0, 1500);
    metrics_set(two, METRIC_KEYS_CHANGED, 0, 1700);
    metrics_begin_sum(sum);
    metrics_add_worker(sum, metrics_numbers(one), true);
    metrics_add_worker(sum, metrics_numbers(two), true);
    metrics_add_worker(sum, metrics_numbers(dead), false);
    render(sum, &text);
    assert_line(text.data, "me_requests_total{method=\"GET\",status=\"200\"} 3");
    assert_line(text.data, "me_request_duration_seconds_sum{method=\"GET\"} 0.003000");
    assert_line(text.data, "me_workers 2");
    assert_line(text.data, "me_keys 2");
    assert_line(text.data, "me_keys_changed_timestamp_seconds 1.500");
    buf_free(&text);
    metrics_free(one);
    metrics_free(two);
    metrics_free(dead);
    metrics_free(sum);
}

/* What nobody can tell is not told to be 0. */
static void says_nothing_of_keys_where_no_worker_runs(void **state)
{
    struct metrics *dead = new_metrics(), *sum = new_metrics();
    struct buf text;

    (void)state;
    metrics_set(dead, METRIC_KEYS, 0, 1);
    metrics_begin_sum(sum);
    metrics_add_worker(sum, metrics_numbers(dead), false);
    render(sum, &text);
    assert_line(text.data, "me_workers 0");
    assert_null(strstr(text.data, "\nme_keys "));
    buf_free(&text);
    metrics_free(dead);
    metrics_free(sum);
}

/* Whether a series comes twice: Prometheus would refuse the whole text. */
static void has_no_line_twice(void **state)
{
    struct metrics *metrics = new_metrics();
    struct buf text;

    (void)state;
    render(metrics, &text);
    for (const char *line = text.data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char whole[512];
        int len = snprintf(whole, sizeof(whole), "\n%.*s\n", (int)(end - line), line);

        assert_in_range(len, 3, sizeof(whole) - 1);
        assert_null(strstr(end, whole));
    }
    buf_free(&text);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_into_the_file),
        cmocka_unit_test(counts_requests),
        cmocka_unit_test(makes_a_histogram),
        cmocka_unit_test(knows_every_problem_and_verdict),
        cmocka_unit_test(adds_workers_up),
        cmocka_unit_test(says_nothing_of_keys_where_no_worker_runs),
        cmocka_unit_test(has_no_line_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
