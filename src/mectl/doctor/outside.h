/*
 * What can be examined by asking the web server, as a client does: what is lost, blocked, changed
 * or kept on the way to me.fcgi and back. Nothing is changed: every PATCH is {}.
 */
#ifndef ME_MECTL_DOCTOR_OUTSIDE_H
#define ME_MECTL_DOCTOR_OUTSIDE_H

#include "base/err.h"
#include "mectl/doctor/report.h"

struct outside {
    const char *url;         /* http or https */
    const char *ca;          /* PEM certificates that are trusted instead of the system's; NULL */
    const char *token;       /* NULL: there is none, for the reason in `no_token` */
    const char *other_token; /* of another user; NULL: there is none */
    const char *no_token;
    bool server_is_told; /* report->server is not to be guessed */
};

void doctor_outside(struct report *report, const struct outside *outside);

/* fetch.c: whether what only a worker may read can be fetched beside the program. `id` is
 * for the server's log. */
void doctor_fetch(struct report *report, const struct outside *outside, const char *id);

#endif
