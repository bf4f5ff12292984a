#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { LINE_MAX_BYTES = 4096 };

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

struct str log_number(int64_t number, char text[LOG_NUMBER_LEN + 1])
{
    int len = snprintf(text, LOG_NUMBER_LEN + 1, "%lld", (long long)number);

    return (struct str){text, len < 0 ? 0 : (size_t)len};
}

/* A line under construction: what does not fit is cut, and the line feed always fits. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static void add_byte(struct line *line, char byte)
{
    if (line->len < sizeof(line->text) - 1)
        line->text[line->len++] = byte;
}

static void add_text(struct line *line, const char *text)
{
    while (*text != '\0')
        add_byte(line, *text++);
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

static void add_escaped(struct line *line, unsigned char byte)
{
    char hex[5];

    if (byte == '"' || byte == '\\') {
        add_byte(line, '\\');
        add_byte(line, (char)byte);
        return;
    }
    if (byte >= ' ' && byte != 0x7F) {
        add_byte(line, (char)byte);
        return;
    }
    (void)snprintf(hex, sizeof(hex), "\\x%02x", byte);
    add_text(line, hex);
}

static void add_value(struct line *line, struct str value)
{
    if (is_bare(value)) {
        for (size_t i = 0; i < value.len; i++)
            add_byte(line, value.data[i]);
        return;
    }
    add_byte(line, '"');
    for (size_t i = 0; i < value.len; i++)
        add_escaped(line, (unsigned char)value.data[i]);
    add_byte(line, '"');
}

static void add_field(struct line *line, const char *key, struct str value)
{
    if (!str_is_set(value))
        return;
    if (line->len > 0)
        add_byte(line, ' ');
    add_text(line, key);
    add_byte(line, '=');
    add_value(line, value);
}

void log_event(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t field_count)
{
    struct line line = {.len = 0};
    char time[CLOCK_TEXT_LEN + 1], pid[LOG_NUMBER_LEN + 1];

    if (level > log->level)
        return;
    clock_format(clock_now_ms(), time);
    add_field(&line, "time", str_from(time));
    add_field(&line, "level", str_from(log_level_name(level)));
    add_field(&line, "pid", log_number(getpid(), pid));
    add_field(&line, "event", str_from(event));
    for (size_t i = 0; i < field_count; i++)
        add_field(&line, fields[i].key, fields[i].value);
    line.text[line.len++] = '\n';
    /* There is nowhere to report a log that cannot be written. */
    if (write(log->descriptor, line.text, line.len) < 0)
        return;
}
