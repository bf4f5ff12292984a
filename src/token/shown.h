/*
 * Text out of tokens and key files, made fit for the log and the terminal of an operator: it may be
 * a forger's, and nothing of it may steer a terminal or drown the rest of a line.
 */
#ifndef ME_TOKEN_SHOWN_H
#define ME_TOKEN_SHOWN_H

#include "base/str.h"

enum { SHOWN_MAX_BYTES = 64 };

struct shown {
    char text[SHOWN_MAX_BYTES + sizeof("...")];
};

/* The first bytes, `?` for what is not printable ASCII, and "..." for what is left out. */
struct shown shown(struct str text);

#endif
