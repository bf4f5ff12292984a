#include "base/log.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 1024, PATIENCE_MS = 20 };

const char *log_level_name(enum log_level level)
{
    static const char *const names[LOG__MAX] = {
        [LOG_ERROR] = "error",
        [LOG_WARNING] = "warning",
        [LOG_INFO] = "info",
        [LOG_DEBUG] = "debug",
    };

    return names[level];
}

/* A line under construction. A closing quote and the line feed always fit behind the limit. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    size_t limit; /* where that which is being written ends at the latest */
};

enum { FIELDS_MAX_BYTES = LINE_MAX_BYTES - 2 };

static bool has_room(const struct line *line, size_t len)
{
    return line->len + len <= line->limit;
}

/* All of it or nothing, and then nothing more: no escape and no character is cut in two. */
static void add(struct line *line, const char *data, size_t len)
{
    if (!has_room(line, len)) {
        line->limit = line->len;
        return;
    }
    memcpy(line->text + line->len, data, len);
    line->len += len;
}

static bool is_bare(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];

        if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return value.len > 0;
}

/* What ends a line or steers a terminal: C0, DEL, C1, and the two separators of Unicode. */
static bool is_control(uint32_t code_point)
{
    return code_point < ' ' || (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0x2028 ||
           code_point == 0x2029;
}

static void add_hex(struct line *line, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char hex[sizeof("\\xHH")];

        (void)snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)bytes.data[i]);
        add(line, hex, sizeof(hex) - 1);
    }
}

/* One character, or one byte that belongs to none. */
static void add_escaped(struct line *line, struct str *rest)
{
    struct str character = *rest;
    uint32_t code_point;
    bool is_character = utf8_next(rest, &code_point);

    if (!is_character)
        *rest = (struct str){rest->data + 1, rest->len - 1};
    character.len -= rest->len;
    if (!is_character || is_control(code_point))
        add_hex(line, character);
    else if (code_point == '"')
        add(line, "\\\"", 2);
    else if (code_point == '\\')
        add(line, "\\\\", 2);
    else
        add(line, character.data, character.len);
}

static void add_value(struct line *line, struct str value)
{
    bool is_quoted = !is_bare(value);

    if (is_quoted)
        line->text[line->len++] = '"';
    if (line->limit > line->len + VALUE_MAX_BYTES)
        line->limit = line->len + VALUE_MAX_BYTES;
    while (value.len > 0 && has_room(line, 1))
        add_escaped(line, &value);
    if (is_quoted)
        line->text[line->len++] = '"';
}

/* A key without a value would be no field: there must be room for `=` and one byte more. */
static void add_field(struct line *line, const char *key, struct str value)
{
    const char *gap = line->len == 0 ? "" : " ";

    line->limit = FIELDS_MAX_BYTES;
    if (!str_is_set(value) || !has_room(line, strlen(gap) + strlen(key) + 2))
        return;
    add(line, gap, strlen(gap));
    add(line, key, strlen(key));
    add(line, "=", 1);
    add_value(line, value);
}

/* ---- writing */

static bool takes_more(const struct log *log, int patience_ms)
{
    struct pollfd target = {.fd = log->descriptor, .events = POLLOUT};

    return poll(&target, 1, patience_ms) == 1;
}

/* How much was written: after a part of it, what more there is room for at once. */
static size_t put(const struct log *log, const char *text, size_t len)
{
    size_t done = 0;

    while (done == 0 || (done < len && takes_more(log, 0))) {
        ssize_t got = write(log->descriptor, text + done, len - done);

        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

/* Takes the beginning of a line out of the file again, unless others have written behind it. */
static bool take_back(const struct log *log, size_t len)
{
    off_t end = log->is_own_file ? lseek(log->descriptor, 0, SEEK_CUR) : -1;
    struct stat info;

    return end >= (off_t)len && fstat(log->descriptor, &info) == 0 && info.st_size == end &&
           ftruncate(log->descriptor, end - (off_t)len) == 0;
}

/* A line begins where one ended. */
static bool is_at_a_beginning(const struct log *log)
{
    struct log_memory *memory = log->memory;

    if (memory != NULL && memory->is_torn)
        memory->is_torn = put(log, "\n", 1) != 1;
    return memory == NULL || !memory->is_torn;
}

/*
 * There is nowhere to report a log that cannot be written. A pipe whose reader has stopped is full
 * one day, and nobody is kept waiting for it longer than for the time of patience.
 */
static void write_line(const struct log *log, const struct line *line)
{
    struct log_memory *memory = log->memory;
    bool is_ready = takes_more(log, PATIENCE_MS) && is_at_a_beginning(log);
    size_t done = is_ready ? put(log, line->text, line->len) : 0;
    bool is_torn = done > 0 && done < line->len && !take_back(log, done);

    if (memory == NULL)
        return;
    memory->lost = done == line->len ? 0 : memory->lost + 1;
    memory->is_torn = memory->is_torn || is_torn;
}

static void add_lost(const struct log *log, struct line *line)
{
    char number[NUMBER_TEXT_LEN + 1];

    if (log->memory != NULL && log->memory->lost > 0)
        add_field(line, "lost", number_format(log->memory->lost, number));
}

/* Apart from log_event, where the line would be made room for whether it is written or not. */
static void write_event(const struct log *log, enum log_level level, const char *event,
                        const struct log_field *fields, size_t field_count)
{
    struct line line;
    char time[CLOCK_TEXT_LEN + 1], pid[NUMBER_TEXT_LEN + 1];

    line.len = 0;
    clock_format(clock_now_ms(), time);
    add_field(&line, "time", str_from(time));
    add_field(&line, "level", str_from(log_level_name(level)));
    add_field(&line, "pid", number_format(getpid(), pid));
    add_field(&line, "event", str_from(event));
    add_lost(log, &line);
    for (size_t i = 0; i < field_count; i++)
        add_field(&line, fields[i].key, fields[i].value);
    line.text[line.len++] = '\n';
    write_line(log, &line);
}

void log_event(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t field_count)
{
    if (level <= log->level)
        write_event(log, level, event, fields, field_count);
}
