/*
 * The log: one line of logfmt for each event, written by one write(2) to one descriptor (standard
 * error in the programs). Values are quoted and escaped, so no text from outside can make a line of
 * its own or reach the terminal that shows it: control characters (C0, DEL, C1), the line and
 * paragraph separators and bytes that are not UTF-8 are written as \xHH. A value is cut at 1024
 * bytes, so that it leaves the fields behind it their room, and a line at 4096; both are
 * well-formed still. What is a token, a secret or a body is never handed to it.
 */
#ifndef ME_BASE_LOG_H
#define ME_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG__MAX };

/* The names of the levels as settings and lines have them: error, warning, info, debug. */
const char *log_level_name(enum log_level level);

struct log {
    int descriptor;
    enum log_level level; /* what is less urgent is left out */
};

struct log_field {
    const char *key;  /* of this program: letters, digits, `_` */
    struct str value; /* of any origin; where it is not set, the field is left out */
};

/*
 * Writes `time=… level=… pid=… event="…"` and the fields. `event` is a fixed text of this program
 * that can be searched for. A log that cannot be written to is no failure of the program, and
 * neither is one that takes nothing more, as a pipe whose reader has stopped: the line is lost.
 */
void log_event(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t field_count);

#define LOG_EVENT(log, level, event, ...)                                                          \
    log_event(log, level, event, (const struct log_field[]){__VA_ARGS__},                          \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
