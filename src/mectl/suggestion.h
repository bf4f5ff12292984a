/*
 * What a mistyped word of the command line was meant to be, by the table of the commands. STR_NONE:
 * nothing comes near.
 */
#ifndef ME_MECTL_SUGGESTION_H
#define ME_MECTL_SUGGESTION_H

#include "base/str.h"
#include "mectl/command.h"

/* A command's name ("user add"), or the first word of several ("user"). `second` is STR_NONE where
 * one word was typed; `both` are the two with a blank between. */
struct str suggestion_command(struct str first, struct str second, struct str both);

/* The name of one of the command's options; both without hyphens. */
struct str suggestion_option(const struct command *command, struct str typed);

#endif
