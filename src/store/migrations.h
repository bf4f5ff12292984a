/*
 * The schema's migrations: forward only, applied in order under a lock of the database (GET_LOCK),
 * each recorded with a checksum. The files of schema/ are compiled in; a folder can take their
 * place. How a file is written: store/migration_file.h.
 */
#ifndef ME_STORE_MIGRATIONS_H
#define ME_STORE_MIGRATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "store/database.h"

enum migration_state {
    MIGRATION_PENDING,
    MIGRATION_PARTIAL, /* a statement in its middle failed: migrating again goes on there */
    MIGRATION_APPLIED,
    MIGRATION_CHANGED, /* the checksum differs from the recorded one */
    MIGRATION_UNKNOWN, /* recorded, but not among the files: the database is newer than this program
                        */
    MIGRATION_STATE__MAX
};

const char *migration_state_name(enum migration_state state);

/* Why an optional one was left out. */
enum migration_refusal {
    MIGRATION_NOT_REFUSED,
    MIGRATION_LACKS_RIGHT,      /* the account has not the right that a statement takes */
    MIGRATION_BARRED_BY_BINLOG, /* the server writes a binary log: SUPER, or its setting
                                   log_bin_trust_function_creators (1419) */
    MIGRATION_REFUSAL__MAX
};

struct migration_row {
    int64_t version;
    const char *name; /* the file's name without number and ending; valid during the call */
    enum migration_state state;
    bool has_applied_ms;
    int64_t applied_ms;
    size_t statements, statements_done;
    const char *optional; /* what an optional one is for; NULL: it is none; valid during the call */
    enum migration_refusal refusal;
    const char *refusal_text; /* what the server said to it; valid during the call */
};
typedef bool migration_visit(void *context, const struct migration_row *row); /* false stops */

struct migrations;

/* `folder` NULL: those compiled in. Other files than *.sql are left alone. NULL with `err`: a file
 * cannot be read or is no migration. */
struct migrations *migrations_open(const char *folder, struct err *err) MUST_CHECK;
void migrations_close(struct migrations *migrations);

/* Every migration, recorded or not, by version. */
enum store_result migrations_status(struct migrations *migrations, struct database *database,
                                    migration_visit *visit, void *context,
                                    struct err *err) MUST_CHECK;

/*
 * Takes the lock, creates schema_migrations where it is missing, applies what is missing and calls
 * `visit` after each one. An optional one that the account may not apply is left out, and `visit`
 * told so; the next call tries it again. Nothing is applied where any recorded one is changed or unknown. Where a
 * statement fails `err` names the file, the statement's number, its line and the server's message;
 * what was done before it is recorded, and a later call goes on with the statement that failed (the
 * statements before it must be unchanged). STORE_UNAVAILABLE also where another migration holds the
 * lock; STORE_REFUSED: changed or unknown.
 */
enum store_result migrations_apply(struct migrations *migrations, struct database *database,
                                   migration_visit *visit, void *context,
                                   struct err *err) MUST_CHECK;

/* The same, and applies the optional ones once more from their beginning, for what they made was
 * lost. */
enum store_result migrations_apply_again(struct migrations *migrations, struct database *database,
                                         migration_visit *visit, void *context,
                                         struct err *err) MUST_CHECK;

#endif
