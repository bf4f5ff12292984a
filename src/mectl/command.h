/*
 * The commands of mectl as one table, and the way from the words of a command line to the run of
 * one of them. A command itself gets checked words (mectl/invocation.h) and says what it has to
 * say.
 */
#ifndef ME_MECTL_COMMAND_H
#define ME_MECTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum { COMMAND_OPTIONS_MAX = 14 };

/* What a command ends with. */
enum command_exit { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

struct command_option {
    const char *name;  /* without the hyphens; NULL: the list ends */
    const char *value; /* what help calls its value; NULL: it takes none */
    const char *help;
    bool is_required;
};

struct invocation;

struct command {
    const char *name;     /* "user add" */
    const char *argument; /* what help calls its argument; NULL: it takes none */
    const char *second;   /* and a second one */
    bool argument_is_optional;
    bool has_json; /* knows --json */
    const char *summary;
    struct command_option options[COMMAND_OPTIONS_MAX];
    enum command_exit (*run)(struct invocation *invocation);
};

/* The rows of each file, ending in a row without a name. */
extern const struct command audit_commands[], badge_commands[], config_commands[],
    doctor_commands[], email_commands[], fetch_commands[], fraud_commands[], generate_commands[],
    identity_commands[], keys_commands[], metrics_commands[], migrate_commands[], phone_commands[],
    session_commands[], token_commands[], user_commands[], user_export_commands[],
    user_import_commands[];

/* All rows in the order of the help; NULL past the last. */
const struct command *command_at(size_t index);

/* The command whose name stands at the front of the words, which end in NULL, and how many of them
 * the name takes; NULL: there is none. */
const struct command *command_find(char *const *words, int *used);

/* Runs what the words say; writes to standard output and error. */
int command_main(int argc, char **argv, const char *version);

#endif
