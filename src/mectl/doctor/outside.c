#include "mectl/doctor/outside.h"

#include <stdio.h>

#include "base/random.h"
#include "mectl/doctor/probe.h"

enum { AUTHORIZATION_MAX_BYTES = 128 * 1024, SKIPPED_MAX_BYTES = 1024 };

static void probe_files(struct probe *probe)
{
    probe_number(probe);
    doctor_fetch(probe->report, probe->outside, probe->id);
}

enum need { NEEDS_NOTHING, NEEDS_ANSWER, NEEDS_WORKER, NEEDS_PROFILE, NEEDS_ETAG, NEEDS_PATCH };

static const struct step {
    const char *what; /* for the progress */
    enum need need;
    void (*run)(struct probe *probe);
} steps[] = {
    {"who answers", NEEDS_NOTHING, probe_anonymously},
    {"TLS", NEEDS_ANSWER, probe_tls},
    {"files that can be fetched", NEEDS_ANSWER, probe_files},
    {"which worker", NEEDS_WORKER, probe_worker},
    {"a token", NEEDS_WORKER, probe_with_token},
    {"compression", NEEDS_ETAG, probe_compression},
    {"If-None-Match", NEEDS_ETAG, probe_if_none_match},
    {"PATCH", NEEDS_PROFILE, probe_patch},
    {"If-Match", NEEDS_PATCH, probe_if_match},
    {"a long body", NEEDS_PATCH, probe_long_body},
    {"CORS", NEEDS_PROFILE, probe_cors},
    {"caches", NEEDS_PROFILE, probe_cache},
};

static bool has_what_it_needs(const struct probe *probe, enum need need)
{
    const bool met[] = {
        [NEEDS_NOTHING] = true,
        [NEEDS_ANSWER] = probe->has_answer,
        [NEEDS_WORKER] = probe->is_reached,
        [NEEDS_PROFILE] = probe->is_served,
        [NEEDS_ETAG] = probe->etag[0] != '\0',
        [NEEDS_PATCH] = probe->takes_patch,
    };

    return met[need];
}

static void set_authorization(struct buf *out, const char *token)
{
    buf_init(out, AUTHORIZATION_MAX_BYTES);
    if (token == NULL)
        return;
    buf_append_format(out, "Bearer %s", token);
    buf_append_byte(out, '\0');
    if (!buf_is_good(out))
        buf_free_secret(out);
}

/* The names of the steps for which something is missing are left in `skipped`. */
static void take_steps(struct probe *probe, struct buf *skipped)
{
    probe->report->steps = ARRAY_LENGTH(steps);
    probe->report->step = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        report_progress(probe->report, steps[i].what);
        if (has_what_it_needs(probe, steps[i].need))
            steps[i].run(probe);
        else
            buf_append_format(skipped, "%s%s", skipped->len == 0 ? "" : ", ", steps[i].what);
    }
    report_progress_end(probe->report);
}

/* Else silence would be taken for health. */
static void tell_skipped(struct report *report, struct buf *skipped)
{
    buf_append_byte(skipped, '\0');
    if (skipped->len > 1 && buf_is_good(skipped))
        report_note(report, "not examined", "%s: first mend what is told above", skipped->data);
}

void doctor_outside(struct report *report, const struct outside *outside)
{
    struct probe probe = {.report = report, .outside = outside};
    struct buf skipped;

    (void)snprintf(probe.run, sizeof(probe.run), "doctor-%08x", (unsigned)random_below(UINT32_MAX));
    set_authorization(&probe.authorization, outside->token);
    set_authorization(&probe.other_authorization, outside->other_token);
    buf_init(&skipped, SKIPPED_MAX_BYTES);
    take_steps(&probe, &skipped);
    tell_skipped(report, &skipped);
    buf_free(&skipped);
    buf_free_secret(&probe.authorization);
    buf_free_secret(&probe.other_authorization);
}
