#include "mectl/invocation.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

extern char **environ;

enum { MESSAGE_MAX_BYTES = 4096, VALUE_SHOWN_MAX_BYTES = 200 };

const char *invocation_option(const struct invocation *invocation, const char *name)
{
    const struct command_option *options = invocation->command->options;

    for (size_t i = 0; options[i].name != NULL; i++)
        if (strcmp(options[i].name, name) == 0)
            return invocation->values[i];
    return NULL;
}

bool invocation_flag(const struct invocation *invocation, const char *name)
{
    return invocation_option(invocation, name) != NULL;
}

static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
}

void invocation_show(struct str text, FILE *out)
{
    while (text.len > 0) {
        struct str rest = text;
        uint32_t code_point;
        bool is_good = utf8_next(&rest, &code_point) && !is_control(code_point);
        size_t len = is_good ? text.len - rest.len : 1;

        if (is_good)
            (void)fwrite(text.data, 1, len, out);
        else
            (void)fprintf(out, "\\x%02x", (unsigned char)text.data[0]);
        text = (struct str){text.data + len, text.len - len};
    }
}

enum command_exit invocation_fail(const char *format, ...)
{
    char text[MESSAGE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fputs("mectl: ", stderr);
    invocation_show(str_from(text), stderr);
    (void)fputc('\n', stderr);
    return COMMAND_FAILED;
}

/* As many bytes of a value as are shown, ending with a whole character. */
static size_t shown_length(const char *value)
{
    size_t len = strlen(value);

    if (len <= VALUE_SHOWN_MAX_BYTES)
        return len;
    len = VALUE_SHOWN_MAX_BYTES;
    while (len > 0 && (value[len] & 0xC0) == 0x80)
        len--;
    return len;
}

enum command_exit invocation_refuse(const char *what, const char *value, const char *why)
{
    size_t len = shown_length(value);

    return invocation_fail("%s: '%.*s%s' %s", what, (int)len, value,
                           value[len] == '\0' ? "" : "...", why);
}

bool invocation_try_settings(struct invocation *invocation, struct err *err)
{
    const char *found = NULL;
    struct buf path;
    bool good;

    buf_init(&path, 4096);
    good = settings_find(invocation->config, environ, invocation->program, &path, &found, err) &&
           settings_load(found, environ, file_readers_of_operator(), &invocation->settings, err);
    buf_free(&path);
    return good;
}

bool invocation_settings(struct invocation *invocation)
{
    struct err err = {""};

    if (invocation_try_settings(invocation, &err))
        return true;
    (void)invocation_fail("%s", err.text);
    return false;
}

bool invocation_database(struct invocation *invocation)
{
    struct err err = {""};

    if (!invocation_settings(invocation))
        return false;
    invocation->database =
        database_new(&invocation->settings, DATABASE_ADMIN, file_readers_of_operator(), &err);
    if (invocation->database == NULL)
        (void)invocation_fail("%s", err.text);
    return invocation->database != NULL;
}

bool invocation_uuid(const char *text, const char *what, struct uuid *out)
{
    if (uuid_parse(str_from(text), out))
        return true;
    (void)invocation_refuse(what, text,
                            "is not a UUID, as 01890a5d-ac96-774b-bcce-b302099a8057 is");
    return false;
}

bool invocation_user(const struct invocation *invocation, struct uuid *out)
{
    return invocation_uuid(invocation_option(invocation, "user"), "--user", out);
}

bool invocation_number(const char *text, const char *what, int64_t min, int64_t max, int64_t *out)
{
    struct str digits = str_from(text);
    bool is_negative = str_starts_with(digits, STR("-"));
    char why[80];

    if (is_negative) {
        digits.data++;
        digits.len--;
    }
    if (str_to_number(digits, INT64_MAX, out)) {
        *out = is_negative ? -*out : *out;
        if (*out >= min && *out <= max)
            return true;
    }
    (void)snprintf(why, sizeof(why), "is not a number from %lld to %lld", (long long)min,
                   (long long)max);
    (void)invocation_refuse(what, text, why);
    return false;
}

bool invocation_new_id(struct uuid *out)
{
    if (uuid_new(clock_now_ms(), out))
        return true;
    (void)invocation_fail("the system has no random numbers");
    return false;
}

bool invocation_text(const char *text, const char *what, size_t max_bytes)
{
    struct str s = str_from(text);

    if (s.len > 0 && s.len <= max_bytes && utf8_is_valid(s))
        return true;
    (void)invocation_fail("%s: must be 1 to %zu bytes of UTF-8", what, max_bytes);
    return false;
}

bool invocation_value(const char *text, const char *what, invocation_judge *judge)
{
    enum violation violation = text == NULL ? VIOLATION_NONE : judge(str_from(text));

    if (violation == VIOLATION_NONE)
        return true;
    (void)invocation_refuse(what, text, violation_text(violation));
    return false;
}

enum command_exit invocation_end(enum store_result result, const char *what, const struct err *err)
{
    if (result == STORE_OK)
        return COMMAND_OK;
    if (result == STORE_NOT_FOUND || result == STORE_DUPLICATE)
        return invocation_fail("%s: %s", what, err->text);
    return invocation_fail("%s", err->text);
}

enum command_exit invocation_print_json(struct json_object *value)
{
    const char *text = value == NULL
                           ? NULL
                           : json_object_to_json_string_ext(
                                 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

    if (text != NULL)
        (void)puts(text);
    json_object_put(value);
    return text == NULL ? invocation_fail("out of memory") : COMMAND_OK;
}

struct json_object *invocation_json_time(int64_t time_ms)
{
    char text[CLOCK_TEXT_LEN + 1];

    clock_format(time_ms, text);
    return json_object_new_string(text);
}

struct json_object *invocation_json_uuid(const struct uuid *uuid)
{
    char text[UUID_TEXT_LEN + 1];

    uuid_format(uuid, text);
    return json_object_new_string(text);
}
