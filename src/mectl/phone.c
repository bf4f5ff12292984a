#include "mectl/invocation.h"
#include "profile/validate.h"
#include "store/users.h"

static enum command_exit run_add(struct invocation *invocation)
{
    struct profile_phone phone = {
        .number = str_from(invocation->argument),
        .verified = invocation_flag(invocation, "verified"),
        .is_primary = invocation_flag(invocation, "primary"),
    };
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) ||
        !invocation_value(invocation->argument, "NUMBER", validate_phone_number) ||
        !invocation_new_id(&phone.id) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_add_phone(invocation->database, &user, &phone, &err),
                          invocation->argument, &err);
}

static enum command_exit run_remove(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(
        users_remove_phone(invocation->database, &user, str_from(invocation->argument), &err),
        invocation->argument, &err);
}

const struct command phone_commands[] = {
    {
        .name = "phone add",
        .argument = "NUMBER",
        .summary = "Adds a phone number (E.164) to a user.",
        .options = {{"user", "ID", "The user.", true},
                    {"verified", NULL, "It was verified.", false},
                    {"primary", NULL, "It becomes the primary number.", false}},
        .run = run_add,
    },
    {
        .name = "phone remove",
        .argument = "NUMBER",
        .summary = "Removes a phone number of a user.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_remove,
    },
    {.name = NULL},
};
