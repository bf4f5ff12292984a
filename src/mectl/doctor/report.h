/*
 * What an examination finds, told as it is found: for people or as JSON, and counted for the exit
 * status. Also how far the examination has come, on a terminal.
 */
#ifndef ME_MECTL_DOCTOR_REPORT_H
#define ME_MECTL_DOCTOR_REPORT_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "mectl/doctor/finding.h"
#include "mectl/invocation.h"

struct report;

/* How findings and what is good are told: mectl doctor, and mectl config check. */
struct report_style {
    void (*fact)(struct report *report, const char *kind, const char *topic, const char *detail);
    void (*finding)(struct report *report, enum finding finding, const char *on,
                    const char *detail);
};

extern const struct report_style report_as_doctor, report_as_check;

struct report {
    const struct invocation *invocation; /* borrowed, like all of it */
    const struct report_style *style;
    enum finding_server server; /* whose lines are shown; FINDING_ANY_SERVER: those of all */
    const char *except;         /* codes of findings that are left out; NULL */
    struct json_object *list;   /* of report_as_check with --json */
    const char *account;        /* the system's, of the workers; NULL: that of those that run */
    int64_t workers;            /* how many connect at most; 0: not known */
    size_t findings, wrong;
    size_t stops;       /* of those that are wrong: so much that no worker starts */
    size_t steps, step; /* for the progress */
    bool out_of_memory;
};

/* Something that is in order. `topic` is one word or so: "key". */
void report_good(struct report *report, const char *topic, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Something that was not looked at, and why. */
void report_note(struct report *report, const char *topic, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* `on` is what it was found on, for the lines that mend it; NULL: they name nothing. The text ends
 * the sentence that the finding begins. */
void report_finding(struct report *report, enum finding finding, const char *on, const char *format,
                    ...) PRINTF_LIKE(4, 5);

/* The row of a finding as a JSON object without a detail, or for people; the same lines as where it
 * is found, for the server of the report. */
enum command_exit report_row(const struct report *report, enum finding finding);

/* Shows what is being done now, on a terminal; report_progress_end takes it away. */
void report_progress(struct report *report, const char *what);
void report_progress_end(struct report *report);

#endif
