#include "mectl/invocation.h"
#include "store/users.h"

static enum command_exit run_add(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;
    int64_t score;

    if (!invocation_user(invocation, &user) ||
        !invocation_number(invocation->argument, "SCORE", INT32_MIN, INT32_MAX, &score) ||
        !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_set_fraud_score(invocation->database, &user, score, &err),
                          invocation_option(invocation, "user"), &err);
}

static enum command_exit run_remove(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_remove_fraud_score(invocation->database, &user, &err),
                          invocation_option(invocation, "user"), &err);
}

const struct command fraud_commands[] = {
    {
        .name = "fraud add",
        .argument = "SCORE",
        .summary = "Sets the fraud score of a user, also where there is one.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_add,
    },
    {
        .name = "fraud remove",
        .summary = "Removes the fraud score of a user.",
        .options = {{"user", "ID", "The user.", true}},
        .run = run_remove,
    },
    {.name = NULL},
};
