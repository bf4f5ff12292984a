/*
 * The syntax of me.conf: sections in brackets, `key = value` lines, comments that begin with `#` or
 * `;` at the start of a line. A value ends at the end of its line; blanks around it are dropped.
 * What keys there are is not known here, nor what quotes in a value mean (see settings.h).
 */
#ifndef ME_FORMAT_CONF_H
#define ME_FORMAT_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct conf_entry {
    struct str section, key, value; /* borrowed from the text */
    size_t line;                    /* from 1 */
};

/* Returns false to stop, with the reason in `err`. */
typedef bool conf_visit(void *context, const struct conf_entry *entry, struct err *err);

/*
 * Hands every entry over in the order of the text. On failure *line is where. Texts
 * with a NUL or bytes that are not UTF-8 are refused.
 */
bool conf_parse(struct str text, conf_visit *visit, void *context, size_t *line,
                struct err *err) MUST_CHECK;

#endif
