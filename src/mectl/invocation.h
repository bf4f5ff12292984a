/*
 * One call of a command: its words, checked, and what every command needs to do its work: settings,
 * the database, values of the command line, output and complaints.
 */
#ifndef ME_MECTL_INVOCATION_H
#define ME_MECTL_INVOCATION_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "base/uuid.h"
#include "format/settings.h"
#include "mectl/command.h"
#include "profile/violation.h"
#include "store/database.h"

struct invocation {
    const struct command *command;
    const char *values[COMMAND_OPTIONS_MAX]; /* by the option's place; NULL: not given */
    const char *argument, *second;           /* NULL: not given */
    const char *config;                      /* --config */
    bool json;                               /* --json */
    const char *program;                     /* argv[0] */
    struct settings settings;
    struct database *database; /* NULL until invocation_database */
    struct arena *arena;
};

/* An option's value; NULL: not given. A flag that was given has the value "". */
const char *invocation_option(const struct invocation *invocation, const char *name);
bool invocation_flag(const struct invocation *invocation, const char *name);

/* Writes text of other programs: control characters, which a terminal would obey, and what is not
 * UTF-8 as \xHH. */
void invocation_show(struct str text, FILE *out);

/* Says "mectl: ..." on standard error, written as by invocation_show, and returns COMMAND_FAILED.
 */
enum command_exit invocation_fail(const char *format, ...) PRINTF_LIKE(1, 2);

/* Says so of a value of the command line: "WHAT: 'VALUE' WHY"; a long value is cut. */
enum command_exit invocation_refuse(const char *what, const char *value, const char *why);

/* Reads the settings, as a user of the system who may be root; complains itself. */
bool invocation_settings(struct invocation *invocation) MUST_CHECK;

/* The same, and says in `err` what is wrong. */
bool invocation_try_settings(struct invocation *invocation, struct err *err) MUST_CHECK;

/* Reads the settings and makes ready for the database (which connects with its first statement);
 * complains itself. */
bool invocation_database(struct invocation *invocation) MUST_CHECK;

/* Parse values of the command line; complain themselves. */
bool invocation_uuid(const char *text, const char *what, struct uuid *out) MUST_CHECK;
bool invocation_user(const struct invocation *invocation, struct uuid *out) MUST_CHECK; /* --user */
bool invocation_number(const char *text, const char *what, int64_t min, int64_t max,
                       int64_t *out) MUST_CHECK;
bool invocation_new_id(struct uuid *out) MUST_CHECK;

/* Text that only its length is judged of, and that it is UTF-8; complains itself. */
bool invocation_text(const char *text, const char *what, size_t max_bytes) MUST_CHECK;

/* Judges a value by one of profile/validate.h; complains itself. NULL is good. */
typedef enum violation invocation_judge(struct str text);
bool invocation_value(const char *text, const char *what, invocation_judge *judge) MUST_CHECK;

/* COMMAND_OK, or says what the store said and returns COMMAND_FAILED. `what` was not found or is
 * there already: the value that the operator gave. */
enum command_exit invocation_end(enum store_result result, const char *what, const struct err *err);

/* Prints a JSON value and a line feed, and frees it; NULL: out of memory. */
enum command_exit invocation_print_json(struct json_object *value);

/* A time or a UUID as a JSON string; NULL: out of memory. */
struct json_object *invocation_json_time(int64_t time_ms);
struct json_object *invocation_json_uuid(const struct uuid *uuid);

#endif
