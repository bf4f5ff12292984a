#include "mectl/invocation.h"
#include "profile/validate.h"
#include "store/users.h"

static enum command_exit run_add(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) ||
        !invocation_value(invocation->argument, "SCOPE:NAME", validate_badge) ||
        !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(
        users_add_badge(invocation->database, &user, str_from(invocation->argument), &err),
        invocation->argument, &err);
}

static enum command_exit run_remove(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) ||
        !invocation_value(invocation->argument, "SCOPE:NAME", validate_badge) ||
        !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(
        users_remove_badge(invocation->database, &user, str_from(invocation->argument), &err),
        invocation->argument, &err);
}

const struct command badge_commands[] = {
    {
        .name = "badge add",
        .argument = "SCOPE:NAME",
        .summary = "Gives a user a badge.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_add,
    },
    {
        .name = "badge remove",
        .argument = "SCOPE:NAME",
        .summary = "Takes a badge from a user.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_remove,
    },
    {.name = NULL},
};
