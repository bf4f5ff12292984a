/*
 * Text as a word of a shell (POSIX.1-2017, Shell Command Language, section 2.2), for commands that
 * people are told to run.
 */
#ifndef ME_BASE_SHELL_H
#define ME_BASE_SHELL_H

#include "base/buf.h"

/* Appends it in quotes where a shell would take it for anything but this one word; check
 * buf_is_good. */
void shell_append_word(struct buf *out, const char *text);

#endif
