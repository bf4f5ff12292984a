/*
 * Numbers as decimal text, without printf: one is written several times for every request.
 */
#ifndef ME_BASE_NUMBER_H
#define ME_BASE_NUMBER_H

#include <stdint.h>

#include "base/str.h"

enum { NUMBER_TEXT_LEN = 20 }; /* -9223372036854775808 */

/* The text lies in `text`, not always at its start, and ends with a NUL. It cannot fail. */
struct str number_format(int64_t number, char text[NUMBER_TEXT_LEN + 1]);

#endif
