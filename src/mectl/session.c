#include <json-c/json.h>
#include <stdio.h>

#include "base/clock.h"
#include "mectl/invocation.h"
#include "store/sessions.h"
#include "store/users.h"

enum { LIFETIME_S = 3600, LIFETIME_MAX_S = 10 * 365 * 24 * 3600 };

/* ---- session add */

static enum command_exit print_id(const struct invocation *invocation, const char *id)
{
    struct json_object *object;

    if (!invocation->json) {
        (void)puts(id);
        return COMMAND_OK;
    }
    object = json_object_new_object();
    if (object != NULL)
        (void)json_object_object_add(object, "id", json_object_new_string(id));
    return invocation_print_json(object);
}

static enum command_exit run_add(struct invocation *invocation)
{
    const char *id = invocation_option(invocation, "id");
    const char *lifetime = invocation_option(invocation, "expires-in");
    char new_id[UUID_TEXT_LEN + 1];
    int64_t lifetime_s = LIFETIME_S;
    enum store_result result;
    struct uuid user, uuid;
    struct err err = {""};

    if (!invocation_user(invocation, &user) || !invocation_new_id(&uuid) ||
        (lifetime != NULL && !invocation_number(lifetime, "--expires-in", -LIFETIME_MAX_S,
                                                LIFETIME_MAX_S, &lifetime_s)))
        return COMMAND_FAILED;
    uuid_format(&uuid, new_id);
    id = id == NULL ? new_id : id;
    if (!invocation_text(id, "--id", SESSION_ID_MAX_BYTES) || !invocation_database(invocation))
        return COMMAND_FAILED;
    result = sessions_add(invocation->database, &user, str_from(id), lifetime_s, &err);
    return result == STORE_OK ? print_id(invocation, id) : invocation_end(result, id, &err);
}

/* ---- session list */

static const char *state_of(const struct session_row *row)
{
    if (row->is_revoked)
        return "revoked";
    return row->is_active ? "active" : "expired";
}

static bool print_row(void *context, const struct session_row *row)
{
    char created[CLOCK_TEXT_LEN + 1], expires[CLOCK_TEXT_LEN + 1];

    *(bool *)context = true;
    clock_format(row->created_ms, created);
    clock_format(row->expires_ms, expires);
    (void)printf("%-7s  %s  %s  ", state_of(row), created, expires);
    invocation_show(row->id, stdout);
    return putchar('\n') != EOF;
}

static bool print_json_row(void *context, const struct session_row *row)
{
    struct json_object *object = json_object_new_object();

    *(bool *)context = true;
    if (object == NULL)
        return false;
    (void)json_object_object_add(object, "id",
                                 json_object_new_string_len(row->id.data, (int)row->id.len));
    (void)json_object_object_add(object, "state", json_object_new_string(state_of(row)));
    (void)json_object_object_add(object, "createdAt", invocation_json_time(row->created_ms));
    (void)json_object_object_add(object, "expiresAt", invocation_json_time(row->expires_ms));
    if (row->is_revoked)
        (void)json_object_object_add(object, "revokedAt", invocation_json_time(row->revoked_ms));
    return invocation_print_json(object) == COMMAND_OK;
}

static enum command_exit run_list(struct invocation *invocation)
{
    struct profile profile;
    struct err err = {""};
    struct uuid user;
    bool has_any = false;
    enum store_result result;

    if (!invocation_user(invocation, &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    result = sessions_list(invocation->database, &user,
                           invocation->json ? print_json_row : print_row, &has_any, &err);
    /* None, because there is no such user? */
    if (result == STORE_OK && !has_any)
        result = users_show(invocation->database, &user, invocation->arena, &profile, &err);
    return invocation_end(result, invocation_option(invocation, "user"), &err);
}

/* ---- session revoke */

static enum command_exit run_revoke(struct invocation *invocation)
{
    bool all = invocation_flag(invocation, "all");
    enum store_result result;
    struct err err = {""};
    struct uuid user;
    int64_t count = 0;

    if (all == (invocation->argument != NULL)) {
        (void)invocation_fail("session revoke: name one session, or give --all");
        return COMMAND_USAGE;
    }
    if (!invocation_user(invocation, &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    result = sessions_revoke(invocation->database, &user,
                             all ? STR_NONE : str_from(invocation->argument), &count, &err);
    if (result != STORE_OK)
        return invocation_end(
            result, all ? invocation_option(invocation, "user") : invocation->argument, &err);
    (void)printf("%lld revoked\n", (long long)count);
    return COMMAND_OK;
}

const struct command session_commands[] = {
    {
        .name = "session add",
        .has_json = true,
        .summary = "Adds a login session and prints its id.",
        .options = {{"user", "ID", "The user.", true},
                    {"id", "SID", "What the issuer's tokens call it; otherwise a new UUID.", false},
                    {"expires-in", "SECONDS", "Its end, from now; 3600 otherwise.", false}},
        .run = run_add,
    },
    {
        .name = "session list",
        .has_json = true,
        .summary = "Lists the sessions of a user; with --json one object a line.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_list,
    },
    {
        .name = "session revoke",
        .argument = "SID",
        .argument_is_optional = true,
        .summary = "Revokes a session, or all of a user; it counts from the next request on.",
        .options = {{"user", "ID", "The user.", true},
                    {"all", NULL, "All that are not revoked yet.", false}},
        .run = run_revoke,
    },
    {.name = NULL},
};
