/*
 * What a server and an account are like, for the operator's tool: reached or why not, its version,
 * clock and limits, and the rights that the account lacks or has beyond need. Changes nothing.
 */
#ifndef ME_STORE_DIAGNOSIS_H
#define ME_STORE_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "store/database.h"

enum diagnosis_verdict {
    DIAGNOSIS_GOOD,
    DIAGNOSIS_UNREACHED, /* nobody answers there */
    DIAGNOSIS_UNTRUSTED, /* no TLS, or a certificate that is not verified */
    DIAGNOSIS_REFUSED,   /* the account is not let in, or not into this database */
    DIAGNOSIS_NO_PLUGIN, /* the account logs in by a plugin that is not here */
    DIAGNOSIS_FULL,      /* too many connections are open */
    DIAGNOSIS_STRANGE,   /* it answers as no server that we know */
    DIAGNOSIS__MAX
};

enum { DIAGNOSIS_TEXT_MAX_BYTES = 512 };

struct diagnosis {
    char version[DIAGNOSIS_TEXT_MAX_BYTES + 1]; /* empty: it did not come to tell it */
    char account[DIAGNOSIS_TEXT_MAX_BYTES + 1]; /* 'name'@'host', as SQL has it */
    char cipher[DIAGNOSIS_TEXT_MAX_BYTES + 1];  /* of TLS; empty: there is none */
    bool is_read_only;
    int64_t max_connections, max_user_connections; /* the latter 0: no limit */
    int64_t ahead_ms; /* the server's clock before ours, by half of the round trip inexact */
};

/* Connects and asks; `err` says why the verdict is another one than DIAGNOSIS_GOOD. */
enum diagnosis_verdict diagnosis_make(struct database *database, struct diagnosis *out,
                                      struct err *err) MUST_CHECK;

/* Whether the version is that of a server that this program can use: MariaDB 10.3 or later. Pure.
 */
bool diagnosis_knows_version(const char *version);

/* One right, borrowed for the call. */
typedef void diagnosis_visit(void *context, struct str privilege, struct str object);

/* Which grants the rights are compared with; the account must be the one of the database object. */
struct diagnosis_grants {
    const struct settings *settings;
    enum database_account account;
    const char *grantee; /* the account as SQL has it: of a diagnosis */
};

/* The rights of the grants that the account does not have. */
enum store_result diagnosis_missing_rights(struct database *database,
                                           const struct diagnosis_grants *grants,
                                           diagnosis_visit *visit, void *context,
                                           struct err *err) MUST_CHECK;

/* A right beyond need, borrowed for the call. */
struct diagnosis_excess {
    struct str what;   /* "DELETE on `me`.`users` by the role `clerk`" */
    struct str revoke; /* what SQL has behind REVOKE; empty: the one before takes it away, too */
};

typedef void diagnosis_excess_visit(void *context, const struct diagnosis_excess *excess);

/* The rights that the account has and the grants do not: its own, those of PUBLIC, and those by
 * each role that it can take on, by default or not. */
enum store_result diagnosis_excess_rights(struct database *database,
                                          const struct diagnosis_grants *grants,
                                          diagnosis_excess_visit *visit, void *context,
                                          struct err *err) MUST_CHECK;

#endif
