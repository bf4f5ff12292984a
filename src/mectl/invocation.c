#include "mectl/invocation.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

extern char **environ;

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

enum command_exit invocation_fail(const char *format, ...)
{
    va_list args;

    (void)fputs("mectl: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return COMMAND_FAILED;
}

bool invocation_settings(struct invocation *invocation)
{
    struct err err = {""};
    const char *found = NULL;
    struct buf path;
    bool good;

    buf_init(&path, 4096);
    good = settings_find(invocation->config, environ, invocation->program, &path, &found, &err) &&
           settings_load(found, environ, file_readers_of_operator(), &invocation->settings, &err);
    buf_free(&path);
    if (!good)
        (void)invocation_fail("%s", err.text);
    return good;
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
    (void)invocation_fail("%s: '%s' is not a UUID, as 01890a5d-ac96-774b-bcce-b302099a8057 is",
                          what, text);
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

    if (is_negative) {
        digits.data++;
        digits.len--;
    }
    if (str_to_number(digits, INT64_MAX, out)) {
        *out = is_negative ? -*out : *out;
        if (*out >= min && *out <= max)
            return true;
    }
    (void)invocation_fail("%s: '%s' is not a number from %lld to %lld", what, text, (long long)min,
                          (long long)max);
    return false;
}

bool invocation_new_id(struct uuid *out)
{
    if (uuid_new(clock_now_ms(), out))
        return true;
    (void)invocation_fail("the system has no random numbers");
    return false;
}

bool invocation_value(const char *text, const char *what, invocation_judge *judge)
{
    enum violation violation = text == NULL ? VIOLATION_NONE : judge(str_from(text));

    if (violation == VIOLATION_NONE)
        return true;
    (void)invocation_fail("%s: '%s' %s", what, text, violation_text(violation));
    return false;
}

enum command_exit invocation_end(enum store_result result, const char *what, const struct err *err)
{
    if (result == STORE_OK)
        return COMMAND_OK;
    if (result == STORE_NOT_FOUND)
        return invocation_fail("%s: there is none", what);
    if (result == STORE_DUPLICATE)
        return invocation_fail("%s: is there already%s%s", what, err->text[0] == '\0' ? "" : ": ",
                               err->text);
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
