/*
 * Whom does a verified token name? By token.subject its sub is the id of a user, or with iss an
 * identity in user_identities. What can be nobody's is refused here and never reaches SQL. Pure.
 */
#ifndef ME_API_SUBJECT_H
#define ME_API_SUBJECT_H

#include "base/compiler.h"
#include "format/settings.h"
#include "store/profiles.h"
#include "token/claims.h"

enum subject_verdict {
    SUBJECT_NAMED = 0,
    SUBJECT_NOT_UUID,
    SUBJECT_NO_ISSUER,
    SUBJECT_BAD_ISSUER,  /* no key of user_identities: see SUBJECT_BAD_SUBJECT */
    SUBJECT_BAD_SUBJECT, /* empty, longer than IDENTITY_MAX_BYTES, with NUL, or not UTF-8 */
    SUBJECT__MAX
};

struct subject_reason {
    const char *code;   /* for the log and mectl: "subject_not_uuid" */
    const char *detail; /* for the log and mectl: one sentence for the operator */
};

const struct subject_reason *subject_reason(enum subject_verdict verdict);

/* On SUBJECT_NAMED the request says who it is: its user, or its issuer and subject, borrowed from
 * the claims. Its session is not touched. */
enum subject_verdict subject_judge(const struct jwt_claims *claims, enum settings_subject subject,
                                   struct access_request *request) MUST_CHECK;

#endif
