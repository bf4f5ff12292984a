/*
 * Tokens and JWKs as rows of tests/vectors have them, to be read by people:
 *
 *     <text>        the text in base64url
 *     @KEY          the signature over all that stands before it, but for the dot, in base64url
 *     @KEY/CHANGE   the same with a change that makes it another one
 *     $VALUE        a value in base64url
 *
 * and all else for itself. What there is of keys, changes and values stands in template.c; the
 * tests of mectl (tests/support/templates.py) write the same.
 */
#ifndef ME_TESTS_UNIT_TEMPLATE_H
#define ME_TESTS_UNIT_TEMPLATE_H

#include "base/buf.h"
#include "base/str.h"
#include "token/keyring.h"

/* Appends what the template stands for; fails the test where it holds an unknown name. */
void template_expand(struct str text, struct buf *out);

/* The keys of a JWKS that is a template; all of them have to be good. */
struct keyring *template_keyring(const char *jwks);

#endif
