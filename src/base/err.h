/*
 * The detail of a failure, for the log and the operator. It is never sent to a client: what a
 * client reads comes from the problem table alone. The caller owns the struct; every function
 * takes NULL where nobody wants the detail. Texts that do not fit are cut, between two characters
 * of UTF-8.
 */
#ifndef ME_BASE_ERR_H
#define ME_BASE_ERR_H

#include "base/compiler.h"

struct err {
    char text[1024]; /* always ends in NUL; empty: nothing was said */
};

/* Replaces the text. The arguments may not point into err->text. */
void err_set(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "prefix: " before the text that is there, for context that only the caller knows. The
 * arguments may not point into err->text. */
void err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *err);

#endif
