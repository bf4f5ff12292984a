/*
 * One request and its answer on their way through the API: what the dispatcher, authentication and
 * handlers hand to each other. It lives for one api_handle; nothing of it is there for the next
 * request.
 */
#ifndef ME_API_EXCHANGE_H
#define ME_API_EXCHANGE_H

#include "api/fingerprint.h"
#include "api/kept.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/response.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "format/settings.h"
#include "store/database.h"
#include "store/profiles.h"
#include "token/keyfiles.h"
#include "token/verifier.h"

/* What one worker has for all of its requests. */
struct service {
    const struct settings *settings; /* borrowed */
    const struct log *log;           /* borrowed */
    struct keyfiles *keyfiles;
    struct verifier *verifier;
    struct known_signatures known; /* by the other workers */
    struct database *database;
    struct database *provisioning;   /* of the account that adds users; NULL: none are added */
    struct fingerprint *fingerprint; /* NULL: doctor.secret_file is not set */
    struct watch *watch;             /* NULL: [watch] sets nothing */
    struct digest *digest;
    struct kept *kept;
    struct arena *arena;
    struct buf body_in, body_out;
    char plain[PROBLEM_PLAIN_BYTES]; /* the body of a problem, where body_out could not hold it */
};

struct exchange {
    struct service *service;
    const struct request *request;
    struct response *response;
    struct str request_id;
    struct access_request access;    /* set by authentication */
    struct str token;                /* that which authentication found good; STR_NONE: none */
    const struct jwt_claims *claims; /* of it, borrowed from the verifier */
    bool is_provisioned;             /* the user was to be added, and is there now or never */
    const struct violation_list *violations; /* with PROBLEM_VALIDATION_FAILED */
    struct str note; /* what the client may read beside the problem's message */
    enum kept_use cache;
    const char *reason; /* for the log: a code from one of the tables; NULL: none */
    struct err err;     /* for the log: the detail */
};

#endif
