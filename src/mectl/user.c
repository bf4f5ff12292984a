#include <json-c/json.h>
#include <stdio.h>

#include "base/clock.h"
#include "mectl/invocation.h"
#include "profile/representation.h"
#include "profile/validate.h"
#include "store/users.h"

enum { LIST_LIMIT_MAX = 1000000, RESOURCE_MAX_BYTES = 64 * 1024 * 1024 };

static bool parse_status(const char *text, const char *what, enum user_status *out)
{
    if (user_status_from_name(str_from(text), out))
        return true;
    (void)invocation_refuse(what, text,
                            "is no status: there are pending, active, deleted, invited, banned");
    return false;
}

/* ---- user add */

static bool read_locale(struct invocation *invocation, struct str *out)
{
    const char *text = invocation_option(invocation, "locale");
    char canonical[LOCALE_MAX_BYTES + 1];

    if (text == NULL)
        return true;
    if (validate_locale(str_from(text), canonical) != VIOLATION_NONE) {
        (void)invocation_refuse("--locale", text, violation_text(VIOLATION_INVALID_LOCALE));
        return false;
    }
    return arena_copy(invocation->arena, str_from(canonical), out);
}

static bool read_timezone(struct invocation *invocation, struct str *out)
{
    *out = str_from(invocation_option(invocation, "timezone"));
    if (!str_is_set(*out) ||
        validate_timezone(*out, invocation->settings.profile.zoneinfo) == VIOLATION_NONE)
        return true;
    (void)invocation_refuse("--timezone", out->data, violation_text(VIOLATION_INVALID_TIMEZONE));
    return false;
}

static bool read_id(struct invocation *invocation, struct uuid *out)
{
    const char *text = invocation_option(invocation, "id");

    return text == NULL ? invocation_new_id(out) : invocation_uuid(text, "--id", out);
}

static bool read_new_user(struct invocation *invocation, struct profile *out)
{
    const char *status = invocation_option(invocation, "status");
    const char *name = invocation_option(invocation, "name");
    const char *bio = invocation_option(invocation, "bio");
    const char *url = invocation_option(invocation, "avatar-url");

    *out = (struct profile){.status = USER_ACTIVE};
    if (!read_id(invocation, &out->id) ||
        (status != NULL && !parse_status(status, "--status", &out->status)) ||
        !invocation_value(name, "--name", validate_name) ||
        !invocation_value(bio, "--bio", validate_bio) ||
        !invocation_value(url, "--avatar-url", validate_url) ||
        !read_locale(invocation, &out->locale) || !read_timezone(invocation, &out->timezone))
        return false;
    out->name = str_from(name);
    out->bio = str_from(bio);
    out->avatar_url = str_from(url);
    return true;
}

static enum command_exit print_id(const struct invocation *invocation, const struct uuid *id)
{
    char text[UUID_TEXT_LEN + 1];
    struct json_object *object;

    uuid_format(id, text);
    if (!invocation->json) {
        (void)puts(text);
        return COMMAND_OK;
    }
    object = json_object_new_object();
    if (object != NULL)
        (void)json_object_object_add(object, "id", json_object_new_string(text));
    return invocation_print_json(object);
}

static enum command_exit run_add(struct invocation *invocation)
{
    const char *id = invocation_option(invocation, "id");
    struct profile profile;
    struct err err = {""};
    enum store_result result;

    if (!invocation_database(invocation) || !read_new_user(invocation, &profile))
        return COMMAND_FAILED;
    result = users_add(invocation->database, &profile, &err);
    if (result != STORE_OK)
        return invocation_end(result, id == NULL ? "the user" : id, &err);
    return print_id(invocation, &profile.id);
}

/* ---- user show */

static enum command_exit run_show(struct invocation *invocation)
{
    struct profile profile;
    struct err err = {""};
    struct uuid user;
    struct buf text;
    enum store_result result;

    if (!invocation_uuid(invocation->argument, "ID", &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    result = users_show(invocation->database, &user, invocation->arena, &profile, &err);
    if (result != STORE_OK)
        return invocation_end(result, invocation->argument, &err);
    buf_init(&text, RESOURCE_MAX_BYTES);
    if (representation_render(&profile, &text))
        (void)printf("%.*s\n", STR_ARGS(buf_str(&text)));
    else
        result = STORE_FAILED;
    buf_free(&text);
    return result == STORE_OK ? COMMAND_OK : invocation_fail("out of memory");
}

/* ---- user list */

static bool print_row(void *context, const struct user_row *row)
{
    char id[UUID_TEXT_LEN + 1];
    struct str email = str_is_set(row->default_email) ? row->default_email : STR("-");

    (void)context;
    uuid_format(&row->id, id);
    (void)printf("%s  %-8s  ", id, user_status_name(row->status));
    invocation_show(row->name, stdout);
    (void)fputs("  ", stdout);
    invocation_show(email, stdout);
    return putchar('\n') != EOF;
}

static struct json_object *new_string(struct str text)
{
    return json_object_new_string_len(text.data, (int)text.len);
}

/* One object a line: a list of a million users is never held as a whole. */
static bool print_json_row(void *context, const struct user_row *row)
{
    struct json_object *object = json_object_new_object();

    (void)context;
    if (object == NULL)
        return false;
    (void)json_object_object_add(object, "id", invocation_json_uuid(&row->id));
    (void)json_object_object_add(object, "status",
                                 json_object_new_string(user_status_name(row->status)));
    (void)json_object_object_add(object, "name", new_string(row->name));
    if (str_is_set(row->default_email))
        (void)json_object_object_add(object, "defaultEmail", new_string(row->default_email));
    (void)json_object_object_add(object, "createdAt", invocation_json_time(row->created_ms));
    (void)json_object_object_add(object, "updatedAt", invocation_json_time(row->updated_ms));
    return invocation_print_json(object) == COMMAND_OK;
}

static enum command_exit run_list(struct invocation *invocation)
{
    const char *after_text = invocation_option(invocation, "after");
    const char *status_text = invocation_option(invocation, "status");
    const char *limit_text = invocation_option(invocation, "limit");
    enum user_status status = USER_ACTIVE;
    int64_t limit = LIST_LIMIT_MAX;
    struct err err = {""};
    struct uuid after;

    if ((after_text != NULL && !invocation_uuid(after_text, "--after", &after)) ||
        (status_text != NULL && !parse_status(status_text, "--status", &status)) ||
        (limit_text != NULL &&
         !invocation_number(limit_text, "--limit", 1, LIST_LIMIT_MAX, &limit)))
        return COMMAND_FAILED;
    if (!invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_list(invocation->database, after_text == NULL ? NULL : &after,
                                     status_text == NULL ? NULL : &status, limit,
                                     invocation->json ? print_json_row : print_row, NULL, &err),
                          "users", &err);
}

/* ---- user status */

static enum command_exit run_status(struct invocation *invocation)
{
    enum user_status status;
    struct err err = {""};
    struct uuid user;

    if (!invocation_uuid(invocation->argument, "ID", &user) ||
        !parse_status(invocation->second, "STATUS", &status) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_set_status(invocation->database, &user, status, &err),
                          invocation->argument, &err);
}

const struct command user_commands[] = {
    {
        .name = "user add",
        .has_json = true,
        .summary = "Adds a user and prints the id.",
        .options = {{"name", "NAME", "The name.", true},
                    {"id", "UUID", "The id; otherwise a new one.", false},
                    {"status", "STATUS", "pending, active (the default), invited, banned, deleted.",
                     false},
                    {"bio", "TEXT", "The biography.", false},
                    {"avatar-url", "URL", "An http or https URL.", false},
                    {"locale", "TAG", "A BCP 47 language tag.", false},
                    {"timezone", "ZONE", "A time zone name.", false}},
        .run = run_add,
    },
    {
        .name = "user show",
        .argument = "ID",
        .has_json = true,
        .summary = "Prints a user as GET /me would, whatever the status.",
        .run = run_show,
    },
    {
        .name = "user list",
        .has_json = true,
        .summary = "Lists users by id; with --json one object a line.",
        .options = {{"status", "STATUS", "Only those of this status.", false},
                    {"after", "ID", "Only those behind this id.", false},
                    {"limit", "N", "At most so many.", false}},
        .run = run_list,
    },
    {
        .name = "user status",
        .argument = "ID",
        .second = "STATUS",
        .summary = "Sets the status; it counts from the user's next request on.",
        .run = run_status,
    },
    {.name = NULL},
};
