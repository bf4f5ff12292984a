#include "api/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "api/subject.h"
#include "store/database.h"
#include "store/profiles.h"
#include "token/verdict.h"

enum { NUMBERS_MAX = 1024 };

/* ---- labels: each function appends that of one line, or says that there is no such line */

static const char *const methods[] = {"GET", "HEAD", "PATCH", "OPTIONS", "other"};
static const int statuses[] = {200, 204, 304, 400, 401, 403, 404, 405,
                               412, 413, 415, 422, 428, 500, 503};

static bool label_request(size_t series, struct buf *out)
{
    buf_append_format(out, "method=\"%s\",status=\"%d\"", methods[series / ARRAY_LENGTH(statuses)],
                      statuses[series % ARRAY_LENGTH(statuses)]);
    return true;
}

/* All reasons of all tables that an exchange takes its reason from. */
enum { REASONS = PROBLEM__MAX + JWT__MAX + SUBJECT__MAX + ACCESS__MAX };

static const char *reason_at(size_t series)
{
    if (series < PROBLEM__MAX)
        return problem_row((enum problem)series)->code;
    series -= PROBLEM__MAX;
    if (series < JWT__MAX)
        return jwt_reason((enum jwt_verdict)series)->code;
    series -= JWT__MAX;
    if (series < SUBJECT__MAX)
        return subject_reason((enum subject_verdict)series)->code;
    return access_name((enum access)(series - SUBJECT__MAX));
}

/* Some are in two tables: the first counts. */
static size_t find_reason(const char *reason)
{
    size_t series = 0;

    while (series < REASONS && strcmp(reason_at(series), reason) != 0)
        series++;
    return series;
}

/* The first of each table stands for there being no reason. */
static bool is_reason(size_t series)
{
    return series != PROBLEM_NONE && series != PROBLEM__MAX + JWT_VALID &&
           series != PROBLEM__MAX + JWT__MAX + SUBJECT_NAMED &&
           series != PROBLEM__MAX + JWT__MAX + SUBJECT__MAX + ACCESS_GRANTED;
}

static bool label_reason(size_t series, struct buf *out)
{
    if (!is_reason(series) || find_reason(reason_at(series)) != series)
        return false;
    buf_append_format(out, "reason=\"%s\"", reason_at(series));
    return true;
}

static bool label_duration(size_t series, struct buf *out)
{
    static const char *const names[METRIC_DURATION__MAX] = {
        [METRIC_DURATION_READ] = "GET",
        [METRIC_DURATION_CHANGE] = "PATCH",
    };

    buf_append_format(out, "method=\"%s\"", names[series]);
    return true;
}

static bool label_profile(size_t series, struct buf *out)
{
    if (series == KEPT_UNASKED)
        return false;
    buf_append_format(out, "cache=\"%s\"", kept_use_name((enum kept_use)series));
    return true;
}

static bool label_token(size_t series, struct buf *out)
{
    static const char *const names[METRIC_TOKEN__MAX] = {
        [METRIC_TOKEN_RECALLED] = "recalled",
        [METRIC_TOKEN_SHARED] = "shared",
        [METRIC_TOKEN_VERIFIED] = "verified",
    };

    buf_append_format(out, "by=\"%s\"", names[series]);
    return true;
}

static bool label_failure(size_t series, struct buf *out)
{
    if (series == STORE_OK || series == STORE_ABANDONED)
        return false;
    buf_append_format(out, "result=\"%s\"", store_result_name((enum store_result)series));
    return true;
}

/* ---- the table */

enum metric_type {
    METRIC_COUNTER,
    METRIC_COUNTER_OF_US, /* shown in seconds */
    METRIC_HISTOGRAM,
    METRIC_SUM,   /* a level: that of all workers together */
    METRIC_LEAST, /* a level: that of the worker that has the least */
    METRIC_LEAST_OF_MS,
};

/* The upper ends of the buckets. The last bucket has none; after it comes the sum. */
static const struct {
    int64_t us;
    const char *seconds;
} bucket_ends[] = {
    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
    {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
};
enum { BUCKETS = ARRAY_LENGTH(bucket_ends) + 1, HISTOGRAM_NUMBERS = BUCKETS + 1 };

static const struct metric_row {
    const char *name, *help;
    enum metric_type type;
    size_t series;                                 /* how many lines */
    bool (*label)(size_t series, struct buf *out); /* NULL: the only line has none */
} rows[METRIC__MAX] = {
    [METRIC_REQUESTS] = {"me_requests_total", "Requests answered, by method and status.",
                         METRIC_COUNTER, ARRAY_LENGTH(methods) * ARRAY_LENGTH(statuses),
                         label_request},
    [METRIC_REFUSALS] = {"me_refusals_total",
                         "Requests answered with an error, by the reason that the log has.",
                         METRIC_COUNTER, REASONS, label_reason},
    [METRIC_DURATIONS] = {"me_request_duration_seconds",
                          "From the request to the answer, in the worker.", METRIC_HISTOGRAM,
                          METRIC_DURATION__MAX, label_duration},
    [METRIC_PROFILES] = {"me_profiles_total",
                         "Profiles asked for or changed: the one that was kept was right, was not, "
                         "or none can be kept.",
                         METRIC_COUNTER, KEPT_USE__MAX, label_profile},
    [METRIC_TOKENS] = {"me_tokens_total",
                       "Tokens judged: recalled from memory, their signature known from another "
                       "worker, or verified.",
                       METRIC_COUNTER, METRIC_TOKEN__MAX, label_token},
    [METRIC_DATABASE_OPENED] = {"me_database_connections_opened_total",
                                "Connections to the database that were opened.", METRIC_COUNTER, 1,
                                NULL},
    [METRIC_DATABASE_FAILURES] = {"me_database_failures_total",
                                  "Tries at the database that failed, also where the next one "
                                  "did not.",
                                  METRIC_COUNTER, STORE__MAX, label_failure},
    [METRIC_DATABASE_TIME] = {"me_database_seconds_total",
                              "Time spent waiting for the database, connecting included.",
                              METRIC_COUNTER_OF_US, 1, NULL},
    [METRIC_KEY_FILE_FAILURES] = {"me_key_file_failures_total",
                                  "Times that a changed key file could not be used; its last good "
                                  "keys stayed in force.",
                                  METRIC_COUNTER, 1, NULL},
    [METRIC_WORKERS] = {"me_workers", "Workers that run.", METRIC_SUM, 1, NULL},
    [METRIC_DATABASE_CONNECTIONS] = {"me_database_connections",
                                     "Connections to the database that are open.", METRIC_SUM, 1,
                                     NULL},
    [METRIC_KEYS] = {"me_keys", "Keys in force in the worker that has the fewest.", METRIC_LEAST, 1,
                     NULL},
    [METRIC_KEYS_CHANGED] = {"me_keys_changed_timestamp_seconds",
                             "When the newest key file in force was changed, in the worker where "
                             "that is oldest.",
                             METRIC_LEAST_OF_MS, 1, NULL},
};

/* ---- where the numbers of a metric are */

static size_t numbers_of(const struct metric_row *row)
{
    return row->series * (row->type == METRIC_HISTOGRAM ? HISTOGRAM_NUMBERS : 1);
}

static size_t start_of(enum metric metric)
{
    size_t start = 0;

    for (size_t i = 0; i < (size_t)metric; i++)
        start += numbers_of(&rows[i]);
    return start;
}

size_t metrics_len(void)
{
    return start_of(METRIC__MAX);
}

size_t metrics_levels(void)
{
    return start_of(METRIC__MAX) - start_of(METRIC_LEVELS);
}

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return sum;
}

/* Of all that tells one number from another. */
uint64_t metrics_layout(void)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    struct buf label;

    buf_init(&label, 256);
    for (size_t i = 0; i < ARRAY_LENGTH(bucket_ends); i++)
        sum = mix(sum, bucket_ends[i].seconds, strlen(bucket_ends[i].seconds) + 1);
    for (size_t i = 0; i < METRIC__MAX; i++) {
        sum = mix(sum, rows[i].name, strlen(rows[i].name) + 1);
        for (size_t series = 0; rows[i].label != NULL && series < rows[i].series; series++) {
            buf_reset(&label);
            (void)rows[i].label(series, &label);
            buf_append_byte(&label, '\n');
            sum = mix(sum, buf_str(&label).data, buf_str(&label).len);
        }
    }
    buf_free(&label);
    return sum;
}

/* ---- counting */

struct metrics {
    size_t start[METRIC__MAX];
    uint64_t numbers[NUMBERS_MAX];
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = metrics_len() > NUMBERS_MAX ? NULL : calloc(1, sizeof(*metrics));

    for (size_t i = 0; metrics != NULL && i < METRIC__MAX; i++)
        metrics->start[i] = start_of((enum metric)i);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

void metrics_add(struct metrics *metrics, enum metric metric, size_t series, uint64_t amount)
{
    metrics->numbers[metrics->start[metric] + series] += amount;
}

void metrics_set(struct metrics *metrics, enum metric metric, size_t series, uint64_t value)
{
    metrics->numbers[metrics->start[metric] + series] = value;
}

static void observe(struct metrics *metrics, enum metric_duration which, int64_t duration_us)
{
    size_t first = (size_t)which * HISTOGRAM_NUMBERS, bucket = 0;

    while (bucket < ARRAY_LENGTH(bucket_ends) && duration_us > bucket_ends[bucket].us)
        bucket++;
    metrics_add(metrics, METRIC_DURATIONS, first + bucket, 1);
    metrics_add(metrics, METRIC_DURATIONS, first + BUCKETS, (uint64_t)duration_us);
}

/* Of a method that the table does not have, the last one's. */
static size_t find_method(struct str method)
{
    size_t i = 0;

    while (i < ARRAY_LENGTH(methods) - 1 && !str_equal(method, str_from(methods[i])))
        i++;
    return i;
}

static size_t find_status(int status)
{
    size_t i = 0;

    while (i < ARRAY_LENGTH(statuses) && statuses[i] != status)
        i++;
    return i;
}

void metrics_count_request(struct metrics *metrics, const struct metrics_request *request)
{
    size_t status = find_status(request->status);
    size_t reason = request->reason == NULL ? REASONS : find_reason(request->reason);

    if (status < ARRAY_LENGTH(statuses))
        metrics_add(metrics, METRIC_REQUESTS,
                    find_method(request->method) * ARRAY_LENGTH(statuses) + status, 1);
    if (reason < REASONS)
        metrics_add(metrics, METRIC_REFUSALS, reason, 1);
    metrics_add(metrics, METRIC_PROFILES, (size_t)request->cache, 1);
    observe(metrics,
            str_equal(request->method, STR("PATCH")) ? METRIC_DURATION_CHANGE
                                                     : METRIC_DURATION_READ,
            request->duration_us);
}

const uint64_t *metrics_numbers(const struct metrics *metrics)
{
    return metrics->numbers;
}

/* ---- several workers */

static bool is_least(const struct metric_row *row)
{
    return row->type == METRIC_LEAST || row->type == METRIC_LEAST_OF_MS;
}

void metrics_begin_sum(struct metrics *sum)
{
    memset(sum->numbers, 0, sizeof(sum->numbers));
    for (size_t i = METRIC_LEVELS; i < METRIC__MAX; i++)
        if (is_least(&rows[i]))
            sum->numbers[sum->start[i]] = UINT64_MAX;
}

void metrics_add_worker(struct metrics *sum, const uint64_t *numbers, bool is_alive)
{
    for (size_t i = 0; i < (is_alive ? METRIC__MAX : METRIC_LEVELS); i++) {
        for (size_t at = sum->start[i]; at < sum->start[i] + numbers_of(&rows[i]); at++) {
            if (!is_least(&rows[i]))
                sum->numbers[at] += numbers[at];
            else if (numbers[at] < sum->numbers[at])
                sum->numbers[at] = numbers[at];
        }
    }
}

/* ---- text */

static const char *const type_names[] = {
    [METRIC_COUNTER] = "counter",     [METRIC_COUNTER_OF_US] = "counter",
    [METRIC_HISTOGRAM] = "histogram", [METRIC_SUM] = "gauge",
    [METRIC_LEAST] = "gauge",         [METRIC_LEAST_OF_MS] = "gauge",
};

/* Seconds as a decimal, with no locale in between. */
static void append_seconds(struct buf *out, uint64_t number, unsigned per_second)
{
    buf_append_format(out, per_second == 1000 ? "%llu.%03llu\n" : "%llu.%06llu\n",
                      (unsigned long long)(number / per_second),
                      (unsigned long long)(number % per_second));
}

static void append_value(struct buf *out, const struct metric_row *row, uint64_t number)
{
    if (row->type == METRIC_COUNTER_OF_US)
        append_seconds(out, number, 1000000);
    else if (row->type == METRIC_LEAST_OF_MS)
        append_seconds(out, number, 1000);
    else
        buf_append_format(out, "%llu\n", (unsigned long long)number);
}

static void append_line(struct buf *out, const struct metric_row *row, const char *label,
                        uint64_t number)
{
    if (is_least(row) && number == UINT64_MAX)
        return; /* no worker runs */
    buf_append_format(out, *label == '\0' ? "%s%s " : "%s{%s} ", row->name, label);
    append_value(out, row, number);
}

static void append_histogram(struct buf *out, const struct metric_row *row, const char *label,
                             const uint64_t *numbers)
{
    uint64_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        const char *end = i < ARRAY_LENGTH(bucket_ends) ? bucket_ends[i].seconds : "+Inf";

        count += numbers[i];
        buf_append_format(out, "%s_bucket{%s,le=\"%s\"} %llu\n", row->name, label, end,
                          (unsigned long long)count);
    }
    buf_append_format(out, "%s_sum{%s} ", row->name, label);
    append_seconds(out, numbers[BUCKETS], 1000000);
    buf_append_format(out, "%s_count{%s} %llu\n", row->name, label, (unsigned long long)count);
}

static void append_series(struct buf *out, const struct metric_row *row, const char *label,
                          const uint64_t *numbers, size_t series)
{
    if (row->type == METRIC_HISTOGRAM)
        append_histogram(out, row, label, numbers + series * HISTOGRAM_NUMBERS);
    else
        append_line(out, row, label, numbers[series]);
}

static void append_metric(struct buf *out, const struct metric_row *row, const uint64_t *numbers)
{
    struct buf label;

    buf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                      type_names[row->type]);
    buf_init(&label, 256);
    for (size_t i = 0; i < row->series; i++) {
        buf_reset(&label);
        if (row->label != NULL && !row->label(i, &label))
            continue;
        buf_append_byte(&label, '\0');
        if (buf_is_good(&label))
            append_series(out, row, label.data, numbers, i);
        else
            out->failed = true;
    }
    buf_free(&label);
}

bool metrics_render(const struct metrics *sum, struct buf *out)
{
    for (size_t i = 0; i < METRIC__MAX; i++)
        append_metric(out, &rows[i], sum->numbers + sum->start[i]);
    return buf_is_good(out);
}
