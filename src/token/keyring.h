/*
 * The keys that are in force, in the order of the settings, each with the file that it comes from;
 * and which of them a token may be verified with.
 */
#ifndef ME_TOKEN_KEYRING_H
#define ME_TOKEN_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "token/key.h"
#include "token/keyset.h"

enum { KEYRING_TRIED_MAX = 8 };

struct keyring;

struct keyring *keyring_new(void) MUST_CHECK;
void keyring_free(struct keyring *keyring);

/*
 * Adds all keys of a set, which keeps them as well. `origin` is the file's name, copied; for
 * people. False with `err` where memory is short, or with a key that could never be tried for a
 * token of its kid, since KEYRING_TRIED_MAX of its algorithm with the same kid, or like it without
 * one, are there before it.
 */
bool keyring_add(struct keyring *keyring, const struct keyset *set, const char *origin,
                 struct err *err) MUST_CHECK;

size_t keyring_count(const struct keyring *keyring);
const struct key *keyring_key(const struct keyring *keyring, size_t i);
const char *keyring_origin(const struct keyring *keyring, size_t i);

/*
 * The keys that a token with this algorithm and kid (STR_NONE: it has none) may be verified with,
 * at most KEYRING_TRIED_MAX: those with the same kid, or, where no key of the ring has that kid,
 * those without one; a token without kid: all keys of the algorithm. Returns how many were written
 * to `out`. Whether a key's end has come is the caller's to judge.
 */
size_t keyring_select(const struct keyring *keyring, enum key_algorithm algorithm, struct str kid,
                      const struct key *out[KEYRING_TRIED_MAX]);

#endif
