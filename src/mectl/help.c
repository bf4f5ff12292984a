#include "mectl/help.h"

#include <string.h>

void help_usage(const struct command *command, FILE *out)
{
    (void)fprintf(out, "mectl %s", command->name);
    for (const struct command_option *option = command->options; option->name != NULL; option++) {
        const char *open = option->is_required ? "" : "[", *close = option->is_required ? "" : "]";

        (void)fprintf(out, " %s--%s%s%s%s", open, option->name, option->value == NULL ? "" : " ",
                      option->value == NULL ? "" : option->value, close);
    }
    if (command->has_json)
        (void)fputs(" [--json]", out);
    if (command->argument != NULL)
        (void)fprintf(out, command->argument_is_optional ? " [%s]" : " %s", command->argument);
    if (command->second != NULL)
        (void)fprintf(out, " %s", command->second);
    (void)fputc('\n', out);
}

static bool is_called(const struct command *command, struct str name)
{
    struct str full = str_from(command->name);

    return !str_is_set(name) ||
           (str_starts_with(full, name) && (full.len == name.len || full.data[name.len] == ' '));
}

size_t help_list(struct str name, FILE *out)
{
    const struct command *command;
    size_t count = 0;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (!is_called(command, name))
            continue;
        (void)fputs("  ", out);
        help_usage(command, out);
        count++;
    }
    return count;
}

void help_overview(FILE *out)
{
    (void)fputs("usage: mectl COMMAND [OPTION]... [ARGUMENT]...\n"
                "The operator's tool of me-fcgi. Every command knows --help and --config FILE.\n\n",
                out);
    (void)help_list(STR_NONE, out);
}

void help_command(const struct command *command, FILE *out)
{
    (void)fputs("usage: ", out);
    help_usage(command, out);
    (void)fprintf(out, "%s\n\n", command->summary);
    for (const struct command_option *option = command->options; option->name != NULL; option++)
        (void)fprintf(out, "  --%s%s%s\n        %s\n", option->name,
                      option->value == NULL ? "" : " ", option->value == NULL ? "" : option->value,
                      option->help);
    if (command->has_json)
        (void)fputs("  --json\n        Print JSON, for programs.\n", out);
    (void)fputs("  --config FILE\n        The settings file; otherwise as me.fcgi looks for it.\n",
                out);
}
