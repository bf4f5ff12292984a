/*
 * Everything that mectl doctor and mectl config check can find, as one table: what it is called,
 * what is the matter, why that matters, and the lines that mend it, where it matters for each web
 * server. mectl(8) is checked against it.
 */
#ifndef ME_MECTL_DOCTOR_FINDING_H
#define ME_MECTL_DOCTOR_FINDING_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/str.h"

enum finding {
    /* settings, files, keys */
    FINDING_SETTINGS_WRONG,
    FINDING_FILE_WRITABLE,
    FINDING_FOLDER_WRITABLE,
    FINDING_SECRET_READABLE,
    FINDING_KEY_UNUSABLE,
    FINDING_KEY_DEFECTIVE,
    FINDING_KEY_IDLE,
    FINDING_KEYS_WITHDRAWN,
    FINDING_CERTIFICATE_ENDS,
    FINDING_CORS_MALFORMED,
    FINDING_ISSUER_OPEN,
    FINDING_AUDIENCE_OPEN,
    FINDING_SUBJECT_OPEN,
    FINDING_PROVISION_SESSIONS,
    FINDING_ZONES_MISSING,
    FINDING_CACHE_UNUSABLE,
    /* the workers of this host */
    FINDING_WORKER_REFUSES,
    FINDING_WORKER_OUTDATED,
    FINDING_WORKER_IS_ROOT,
    FINDING_LOG_UNWRITABLE,
    FINDING_SOCKET_TAKEN,
    FINDING_SOCKET_LOST,
    /* the database */
    FINDING_PASSWORD_UNUSABLE,
    FINDING_DATABASE_UNREACHED,
    FINDING_DATABASE_UNTRUSTED,
    FINDING_DATABASE_PLAIN,
    FINDING_DATABASE_FULL,
    FINDING_DATABASE_STRANGE,
    FINDING_DATABASE_READ_ONLY,
    FINDING_ACCOUNT_REFUSED,
    FINDING_ACCOUNT_PLUGIN,
    FINDING_RIGHTS_MISSING,
    FINDING_RIGHTS_EXCESS,
    FINDING_AUDIT_FAILS,
    FINDING_MIGRATIONS_MISSING,
    FINDING_MIGRATIONS_DIFFER,
    FINDING_REVISIONS_UNGUARDED,
    FINDING_DEFINER_MISSING,
    FINDING_CLOCK_DIFFERS,
    FINDING_CONNECTIONS_FEW,
    /* from outside */
    FINDING_URL_UNREACHED,
    FINDING_URL_UNTRUSTED,
    FINDING_URL_REDIRECTS,
    FINDING_TLS_MISSING,
    FINDING_PATH_UNMAPPED,
    FINDING_PATH_MISREAD,
    FINDING_GATEWAY_FAILED,
    FINDING_WORKER_FAILS,
    FINDING_LOGIN_IN_FRONT,
    FINDING_ERRORS_REPLACED,
    FINDING_STATUS_CHANGED,
    FINDING_TOKEN_MISSING,
    FINDING_AUTHORIZATION_STRIPPED,
    FINDING_TOKEN_REFUSED,
    FINDING_HEADERS_EATEN,
    FINDING_ETAG_EATEN,
    FINDING_ETAG_CHANGED,
    FINDING_IF_NONE_MATCH_EATEN,
    FINDING_PATCH_BLOCKED,
    FINDING_IF_MATCH_EATEN,
    FINDING_BODY_LIMIT_LOW,
    FINDING_CORS_EATEN,
    FINDING_CORS_DOUBLED,
    FINDING_CACHE_SHARED,
    FINDING_FILE_FETCHABLE,
    FINDING_WORKER_DIFFERS,
    FINDING__MAX
};

/* Web servers by what their lines are for; FINDING_ANY_SERVER: all of them, or none. */
enum finding_server {
    FINDING_ANY_SERVER,
    FINDING_APACHE,
    FINDING_LIGHTTPD,
    FINDING_NGINX,
    FINDING_CADDY,
    FINDING_SERVER__MAX
};

/* Lines to paste, `#` before what is to be done with them; @THIS@ stands for what it was found on,
 * @PATH@ for the same as a word of a shell. NULL: the lines for any server are all. */
struct finding_remedy {
    const char *any, *apache, *lighttpd, *nginx, *caddy;
};

enum finding_weight {
    WEIGHT_WARNS, /* it may be meant so */
    WEIGHT_WRONG,
    WEIGHT_STOPS /* so wrong that no worker starts */
};

struct finding_row {
    const char *code;  /* "patch-blocked" */
    const char *topic; /* what mectl config check calls it; NULL: it never finds it */
    enum finding_weight weight;
    const char *what; /* the beginning of a sentence, which the detail ends */
    const char *why;  /* one sentence */
    struct finding_remedy remedy;
};

const struct finding_row *finding_row(enum finding finding);

/* The lines for this server; NULL: there are none of its own. */
const char *finding_remedy(enum finding finding, enum finding_server server);

/* By its code; false where there is none. */
bool finding_from_code(struct str code, enum finding *out) MUST_CHECK;

/* "nginx"; NULL for FINDING_ANY_SERVER. */
const char *finding_server_name(enum finding_server server);
bool finding_server_from_name(struct str name, enum finding_server *out) MUST_CHECK;

/* By the header Server of an answer; FINDING_ANY_SERVER where it is none of them. */
enum finding_server finding_server_of(struct str header);

#endif
