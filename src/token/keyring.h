/*
 * The keys that are in force, in the order of the settings, and the files that they come from.
 */
#ifndef ME_TOKEN_KEYRING_H
#define ME_TOKEN_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "format/settings.h"
#include "token/key.h"

enum { KEYRING_TRIED_MAX = 8 };

struct keyring;

struct keyring *keyring_new(void) MUST_CHECK;
void keyring_free(struct keyring *keyring);

/* Takes the key over, also on failure. `origin` is the file's name, copied; for people. */
bool keyring_add(struct keyring *keyring, struct key *key, const char *origin) MUST_CHECK;

/* The secret in the bytes of a secret file, borrowed: all but the one LF or CRLF that an editor or
 * echo leaves at the end. */
struct str keyring_secret_of_file(struct str text);

/*
 * Reads every file of token.secret_file and token.public_key_file. Fails at the first file that
 * cannot be used, with the setting, the file and what to do in `err`; `readers` is demanded of
 * secret files. A keyring without a key is a failure too, and so is one with more than
 * KEYRING_TRIED_MAX keys of one algorithm without a kid, of which some would never be tried.
 */
bool keyring_load(const struct settings *settings, enum file_readers readers, struct keyring **out,
                  struct err *err) MUST_CHECK;

size_t keyring_count(const struct keyring *keyring);
const struct key *keyring_key(const struct keyring *keyring, size_t i);
const char *keyring_origin(const struct keyring *keyring, size_t i);

/*
 * The keys that a token with this algorithm and kid (STR_NONE: it has none) may be verified with,
 * at most KEYRING_TRIED_MAX: those with the same kid, or, where no key of the ring has that kid,
 * those without one; a token without kid: all keys of the algorithm. Returns how many were written
 * to `out`.
 */
size_t keyring_select(const struct keyring *keyring, enum key_algorithm algorithm, struct str kid,
                      const struct key *out[KEYRING_TRIED_MAX]);

#endif
