/*
 * The log: one line of logfmt for each event, written by one write(2) to one descriptor (standard
 * error in the programs). Values are quoted and escaped, so no text from outside can make a line of
 * its own or reach the terminal that shows it: control characters (C0, DEL, C1), the line and
 * paragraph separators and bytes that are not UTF-8 are written as \xHH. A value is cut at 1024
 * bytes, so that it leaves the fields behind it their room, and a line at 4096; both are
 * well-formed still. What is a token, a secret or a body is never handed to it.
 *
 * A line that a full disk or a limit cuts short is taken back, so that it is lost as a whole; where
 * that cannot be, its beginning stays and the next line begins a new one. The first line that is
 * written again says by its field `lost` how many of this process are missing before it.
 */
#ifndef ME_BASE_LOG_H
#define ME_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG__MAX };

/* The names of the levels as settings and lines have them: error, warning, info, debug. */
const char *log_level_name(enum log_level level);

/* What became of the lines before; starts as zero. */
struct log_memory {
    int64_t lost;
    bool is_torn; /* the last thing that was written is the beginning of a line */
};

struct log {
    int descriptor;
    enum log_level level;      /* what is less urgent is left out */
    struct log_memory *memory; /* borrowed; NULL: nothing is told of lines that are lost */
    bool is_own_file; /* this process opened it, to append: nobody else moves the descriptor's place
                         in it */
};

struct log_field {
    const char *key;  /* of this program: letters, digits, `_` */
    struct str value; /* of any origin; where it is not set, the field is left out */
};

/*
 * Writes `time=… level=… pid=… event="…"` and the fields. `event` is a fixed text of this program
 * that can be searched for. A log that cannot be written to is no failure of the program, and
 * neither is one that takes nothing more, as a pipe whose reader has stopped: the line is lost.
 * Whoever writes to files has SIGXFSZ ignored.
 */
void log_event(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t field_count);

#define LOG_EVENT(log, level, event, ...)                                                          \
    log_event(log, level, event, (const struct log_field[]){__VA_ARGS__},                          \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
