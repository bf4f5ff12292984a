/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef ME_BASE_UTF8_H
#define ME_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/*
 * Takes one code point off the front of *rest. False at bytes that are not UTF-8 (then *rest is as
 * it was) and on an empty *rest.
 */
bool utf8_next(struct str *rest, uint32_t *code_point) MUST_CHECK;

bool utf8_is_valid(struct str s);

/* Code points in a text that is valid. */
size_t utf8_length(struct str s);

/* Writes 1 to 4 bytes and returns how many; 0 for what UTF-8 cannot hold (surrogates, > U+10FFFF).
 */
size_t utf8_encode(uint32_t code_point, char out[4]);

#endif
