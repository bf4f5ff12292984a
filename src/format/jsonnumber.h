/*
 * Numbers as they stand in a JSON text (RFC 8259, section 6), once that was scanned: what they fit
 * into, and their value. Judged on the digits, exactly and in every locale, which strtod follows.
 */
#ifndef ME_FORMAT_JSONNUMBER_H
#define ME_FORMAT_JSONNUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/* Of a whole number, without fraction and exponent. */
bool jsonnumber_fits_int64(struct str number);

/* Whether its magnitude is that of a finite double. */
bool jsonnumber_fits_double(struct str number);

/*
 * The number times a thousand, rounded to the nearest: a NumericDate (RFC 7519, section 2) in
 * milliseconds. False where it is below zero or the result above `max`.
 */
bool jsonnumber_thousandths(struct str number, int64_t max, int64_t *out) MUST_CHECK;

#endif
