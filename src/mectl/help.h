/*
 * What mectl tells of its commands, all of it from their table.
 */
#ifndef ME_MECTL_HELP_H
#define ME_MECTL_HELP_H

#include <stddef.h>
#include <stdio.h>

#include "base/str.h"
#include "mectl/command.h"

/* One line: how a command is called. */
void help_usage(const struct command *command, FILE *out);

/* The usage of the commands whose name is `name` or begins with it as a word; STR_NONE: of all. How
 * many. */
size_t help_list(struct str name, FILE *out);

/* What `mectl --help` prints. */
void help_overview(FILE *out);

/* What `mectl COMMAND --help` prints: every option with its meaning. */
void help_command(const struct command *command, FILE *out);

#endif
