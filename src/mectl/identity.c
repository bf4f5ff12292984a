#include "mectl/invocation.h"
#include "profile/profile.h"
#include "profile/validate.h"
#include "store/users.h"

enum { PROVIDER_MAX_BYTES = 64 };

static enum command_exit run_add(struct invocation *invocation)
{
    const char *issuer = invocation_option(invocation, "issuer");
    const char *provider = invocation_option(invocation, "provider");
    const char *name = invocation_option(invocation, "name");
    const char *email = invocation_option(invocation, "email");
    const char *url = invocation_option(invocation, "avatar-url");
    const struct profile_identity identity = {
        .subject = str_from(invocation->argument),
        .provider = str_from(provider),
        .name = str_from(name),
        .email = str_from(email),
        .avatar_url = str_from(url),
    };
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) ||
        !invocation_text(issuer, "--issuer", IDENTITY_MAX_BYTES) ||
        !invocation_text(invocation->argument, "SUBJECT", IDENTITY_MAX_BYTES) ||
        !invocation_text(provider, "--provider", PROVIDER_MAX_BYTES) ||
        !invocation_value(name, "--name", validate_name) ||
        !invocation_value(email, "--email", validate_email) ||
        !invocation_value(url, "--avatar-url", validate_url) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(
        users_add_identity(invocation->database, &user, str_from(issuer), &identity, &err),
        invocation->argument, &err);
}

static enum command_exit run_remove(struct invocation *invocation)
{
    struct err err = {""};
    struct uuid user;

    if (!invocation_user(invocation, &user) || !invocation_database(invocation))
        return COMMAND_FAILED;
    return invocation_end(users_remove_identity(invocation->database, &user,
                                                str_from(invocation_option(invocation, "issuer")),
                                                str_from(invocation->argument), &err),
                          invocation->argument, &err);
}

const struct command identity_commands[] = {
    {
        .name = "identity add",
        .argument = "SUBJECT",
        .summary = "Adds who a user is at a provider: the claims iss and sub of its tokens.",
        .options = {{"user", "ID", "The user.", true},
                    {"issuer", "ISSUER", "The provider's issuer (claim iss).", true},
                    {"provider", "NAME", "What the resource calls the provider.", true},
                    {"name", "NAME", "The user's name there.", false},
                    {"email", "ADDRESS", "The user's address there.", false},
                    {"avatar-url", "URL", "The user's picture there.", false}},
        .run = run_add,
    },
    {
        .name = "identity remove",
        .argument = "SUBJECT",
        .summary = "Removes an identity of a user.",
        .options = {{"user", "ID", "The user.", true},
                    {"issuer", "ISSUER", "The provider's issuer (claim iss).", true}},
        .run = run_remove,
    },
    {.name = NULL},
};
