/*
 * Bytes with a length, borrowed from wherever they live. Text from outside stays in this form until
 * it was checked for NUL. `data == NULL` means "no value", which is not the same as an empty one.
 */
#ifndef ME_BASE_STR_H
#define ME_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct str {
    const char *data; /* need not end in NUL */
    size_t len;       /* bytes */
};

#define STR_NONE ((struct str){NULL, 0})
/* Of a string literal, its length known to the compiler. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* The two arguments that "%.*s" takes. Lengths past INT_MAX are cut by the callee's own cap. */
#define STR_ARGS(s) (int)(s).len, (s).data

/* Of a C string; NULL gives STR_NONE. */
struct str str_from(const char *text);

bool str_is_set(struct str s);

/* Same length and bytes; two values that are not set are equal, one that is and one that is not
 * differ. */
bool str_equal(struct str a, struct str b);

/* As str_equal, with A-Z and a-z taken as the same, and no other bytes. */
bool str_equal_nocase(struct str a, struct str b);

/* Bytewise order; a prefix comes before what it is a prefix of. */
int str_compare(struct str a, struct str b);

bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);

/* Without spaces and tabs at both ends (the OWS of RFC 9110, section 5.6.3). */
struct str str_trim(struct str s);

/*
 * Cuts the part of *rest before the first `separator` off and returns it; *rest is then what comes
 * after it, or STR_NONE when there was no separator.
 */
struct str str_cut(struct str *rest, char separator);

bool str_has_byte(struct str s, char byte);

/* Decimal digits only, no sign, no blanks, at most `max`. */
bool str_to_number(struct str s, int64_t max, int64_t *out) MUST_CHECK;

#endif
