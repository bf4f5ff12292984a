/*
 * What an answer over HTTP is: one of me.fcgi's, which one, or somebody else's. Pure.
 */
#ifndef ME_MECTL_DOCTOR_ANSWER_H
#define ME_MECTL_DOCTOR_ANSWER_H

#include <stdbool.h>

#include "api/problem.h"
#include "base/uuid.h"
#include "mectl/http.h"

enum answer_kind {
    ANSWER_FOREIGN, /* not of me.fcgi */
    ANSWER_PROBLEM,
    ANSWER_PROFILE,
    ANSWER_EMPTY /* 204 or 304: whose it is does not show */
};

struct answer_judgement {
    enum answer_kind kind;
    enum problem problem; /* of ANSWER_PROBLEM */
    struct uuid user;     /* of ANSWER_PROFILE */
};

struct answer_judgement answer_judge(const struct http_answer *answer);

/* The parameter of WWW-Authenticate: Bearer, as error="invalid_token"; STR_NONE: there is none. */
struct str answer_challenge(const struct http_answer *answer, const char *name);

#endif
