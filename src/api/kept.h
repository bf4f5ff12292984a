/*
 * What the workers of a host keep for each other. The representations that were shown, and what
 * proves that one of them is still right: the revision of its user, which rises with every change, and the database's
 * clock. Nothing kept is an answer by itself: whoever finds an entry asks the database whether it
 * is current (profiles_probe), or makes a change depend on it (profiles_swap).
 *
 * That revisions rise is the work of triggers; that these stand, and are those that stood when the
 * entry was made, is proved by a look at them that is never older than a second. While they do not
 * stand, and where the file cannot be used, nothing is kept or found, and all works without.
 *
 * And signatures by public keys that were good, each as one digest of what the file is for (the
 * configuration and the build), the password of the database, the key itself and the whole token. So
 * nothing of a token is in the file; who can write to it, but does not know the password, can make no
 * signature good; and none is that another build found good, or that is by another key of the same
 * name. Whether the key is in force, and what the claims say, is judged each time.
 */
#ifndef ME_API_KEPT_H
#define ME_API_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "format/settings.h"
#include "store/database.h"
#include "store/profiles.h"
#include "token/known.h"

struct kept;

/* Opens nothing yet. All is borrowed for the life of the object. NULL: out of memory. */
struct kept *kept_new(const struct settings *settings, const struct log *log,
                      struct digest *digest) MUST_CHECK;
void kept_free(struct kept *kept);

/* False: cache.mode is off, and nothing is ever kept or found. */
bool kept_is_wanted(const struct kept *kept);

struct kept_entry {
    struct uuid user;
    int64_t revision;
    int64_t since_ms, until_ms; /* of the database's clock: rendered then, right before then */
    int64_t updated_ms;
    struct str sessions; /* those that are active between the two, in a form of this module */
    struct str etag, body;
};

/*
 * What is kept for who asks, and names an active session or none. STORE_NOT_FOUND: nothing, or
 * nothing may be kept now. Anything but these two: the database could not be asked. It connects.
 * The entry is borrowed until the next call.
 */
enum store_result kept_find(struct kept *kept, struct database *database,
                            const struct access_request *request, struct kept_entry *out,
                            struct err *err) MUST_CHECK;

/* Of the last kept_find: whether what is rendered may be kept. */
bool kept_is_on(const struct kept *kept);

/* What was made of what is kept. */
enum kept_use {
    KEPT_UNASKED = 0,
    KEPT_HIT,  /* it was found, and right */
    KEPT_MISS, /* it was not */
    KEPT_OFF,  /* nothing may be kept */
    KEPT_USE__MAX
};

/* Of the last kept_find. */
enum kept_use kept_use(const struct kept *kept, bool was_right);

/* For the log: "hit"; NULL for KEPT_UNASKED. */
const char *kept_use_name(enum kept_use use);

/* Of the last kept_find: the database's clock, as far as can be told without asking it. */
int64_t kept_now_us(const struct kept *kept);

/* Whether an entry that was found is right, as the database says. */
bool kept_is_current(const struct kept *kept, const struct database *database,
                     const struct kept_entry *entry, const struct profile_probe *probe);

/*
 * Keeps what the last kept_find did not find, or found to be another. What the entry says has to be
 * committed: to be called outside of a transaction, never after a commit that was not acknowledged.
 */
void kept_put(struct kept *kept, const struct database *database,
              const struct access_request *request, const struct kept_entry *entry);

/* As kept_put, of what was loaded. */
void kept_put_loaded(struct kept *kept, const struct database *database,
                     const struct access_request *request, const struct profile_load *loaded,
                     struct str body, struct str etag);

/* As known_signatures wants them: the latter keeps what the former was asked about last, and did not
 * have. The file is used where it is there. */
bool kept_has_signature(struct kept *kept, const struct database *database,
                        const struct known_signature *signature) MUST_CHECK;
void kept_put_signature(struct kept *kept);

#endif
