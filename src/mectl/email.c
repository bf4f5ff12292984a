#include "mectl/invocation.h"
#include "profile/validate.h"
#include "store/users.h"

static enum command_exit run_add(struct invocation *invocation)
{
    struct profile_email email = {
        .address = str_from(invocation->argument),
        .verified = invocation_flag(invocation, "verified"),
        .password_set = invocation_flag(invocation, "password-set"),
        .token_set = invocation_flag(invocation, "token-set"),
        .is_default = invocation_flag(invocation, "default"),
    };
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) ||
        !invocation_value(invocation->argument, "ADDRESS", validate_email) ||
        !invocation_new_id(&email.id) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_add_email(invocation->database, &user, &email, &err),
                          invocation->argument, &err);
}

static enum command_exit run_remove(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(
        users_remove_email(invocation->database, &user, str_from(invocation->argument), &err),
        invocation->argument, &err);
}

const struct command email_commands[] = {
    {
        .name = "email add",
        .argument = "ADDRESS",
        .summary = "Adds an email address to a user.",
        .options = {{"user", "ID", "The user.", true},
                    {"verified", NULL, "It was verified.", false},
                    {"default", NULL, "It becomes the default address.", false},
                    {"password-set", NULL, "A password is set for it.", false},
                    {"token-set", NULL, "A token is set for it.", false}},
        .run = run_add,
    },
    {
        .name = "email remove",
        .argument = "ADDRESS",
        .summary = "Removes an email address of a user.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_remove,
    },
    {.name = NULL},
};
