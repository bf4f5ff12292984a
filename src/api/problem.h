/*
 * The closed table of everything that an answer other than the resource can say. What a client
 * reads of a failure comes from here alone; details go to the log.
 */
#ifndef ME_API_PROBLEM_H
#define ME_API_PROBLEM_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"
#include "profile/violation.h"
#include "store/database.h"

/* In the order in which they are judged: the first that applies is the answer. */
enum problem {
    PROBLEM_NONE = 0,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_MISSING_TOKEN,
    PROBLEM_INVALID_TOKEN,
    PROBLEM_USER_BANNED,
    PROBLEM_BODY_TOO_LARGE,
    PROBLEM_UNSUPPORTED_MEDIA_TYPE,
    PROBLEM_INVALID_JSON,
    PROBLEM_INVALID_BODY,
    PROBLEM_PRECONDITION_REQUIRED,
    PROBLEM_VALIDATION_FAILED,
    PROBLEM_PRECONDITION_FAILED,
    PROBLEM_SERVICE_UNAVAILABLE,
    PROBLEM_INTERNAL_ERROR,
    PROBLEM__MAX
};

struct problem_row {
    int status;
    const char *code;
    const char *message;
};

const struct problem_row *problem_row(enum problem problem);

/* What a failure of the database means to a client. */
enum problem problem_of_store(enum store_result result);

/* What one answer says beside its row. */
struct problem_report {
    enum problem problem;
    struct str note; /* added to the message after ": "; STR_NONE: nothing */
    const struct violation_list *violations; /* the `details`; NULL: none */
    struct str request_id;
};

/* The two forms of the body: our own, and application/problem+json (RFC 9457) with ours as
 * extension members. */
enum problem_form { PROBLEM_FORM_JSON, PROBLEM_FORM_RFC9457 };

/* Which one an Accept header prefers: ours, unless the other has a higher quality (RFC 9110,
 * section 12.5.1). */
enum problem_form problem_form_for(struct str accept);

const char *problem_content_type(enum problem_form form);

/* Appends the body. False: out of memory or over the cap. */
bool problem_render(const struct problem_report *report, enum problem_form form,
                    struct buf *out) MUST_CHECK;

enum { PROBLEM_PLAIN_BYTES = 512 };

/* The same without note and details, for where there is no memory even for this. Borrowed from
 * `out`. */
struct str problem_render_plain(const struct problem_report *report, enum problem_form form,
                                char out[PROBLEM_PLAIN_BYTES]);

#endif
