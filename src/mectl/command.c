#include "mectl/command.h"

#include <stdio.h>
#include <string.h>

#include "mectl/completion.h"
#include "mectl/help.h"
#include "mectl/invocation.h"
#include "mectl/suggestion.h"

static const struct command *const groups[] = {
    migrate_commands,  user_commands,    user_import_commands, user_export_commands,
    email_commands,    phone_commands,   identity_commands,    badge_commands,
    fraud_commands,    session_commands, token_commands,       keys_commands,
    generate_commands, fetch_commands,   audit_commands,       config_commands,
    doctor_commands,   metrics_commands,
};

enum { ARENA_MAX_BYTES = 64 * 1024 * 1024, WORDS_MAX_BYTES = 4096 };

const struct command *command_at(size_t index)
{
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
        for (const struct command *command = groups[i]; command->name != NULL; command++)
            if (index-- == 0)
                return command;
    return NULL;
}

/* ---- which command */

/* The number of words that the command's name takes at the front of the words; 0: it is another
 * one. */
static int words_of(const struct command *command, char *const *words)
{
    struct str second = str_from(command->name), first = str_cut(&second, ' ');

    if (words[0] == NULL || !str_equal(first, str_from(words[0])))
        return 0;
    if (!str_is_set(second))
        return 1;
    return str_equal(second, str_from(words[1])) ? 2 : 0;
}

const struct command *command_find(char *const *words, int *used)
{
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        *used = words_of(command, words);
        if (*used > 0)
            return command;
    }
    return NULL;
}

static bool names_nothing(const char *word)
{
    return word == NULL || word[0] == '-';
}

static enum command_exit refuse_leading(const char *option)
{
    (void)fprintf(stderr,
                  "mectl: %s comes ahead of the command: options stand behind it, as in 'mectl "
                  "user list --json'\n",
                  option);
    return COMMAND_USAGE;
}

/* Names the commands that were meant, or all of them. */
static enum command_exit refuse_unknown(char *const *words)
{
    struct str first = str_from(words[0]);
    struct str second = names_nothing(words[1]) ? STR_NONE : str_from(words[1]);
    struct str typed, meant;
    struct buf both;

    if (names_nothing(words[0]))
        return refuse_leading(words[0]);
    buf_init(&both, WORDS_MAX_BYTES);
    buf_append_str(&both, first);
    if (str_is_set(second))
        buf_append_format(&both, " %s", second.data);
    typed = buf_str(&both);
    meant = suggestion_command(first, second, typed);
    (void)fprintf(stderr, "mectl: there is no command '%.*s'", STR_ARGS(typed));
    if (str_is_set(meant))
        (void)fprintf(stderr, ": did you mean '%.*s'?\n", STR_ARGS(meant));
    else
        (void)fputs("; there are:\n", stderr);
    if (help_list(str_is_set(meant) ? meant : first, stderr) == 0)
        (void)help_list(STR_NONE, stderr);
    buf_free(&both);
    return COMMAND_USAGE;
}

/* ---- words into an invocation */

static enum command_exit refuse_usage(const struct command *command, struct str word,
                                      const char *what)
{
    (void)fprintf(stderr, "mectl: %.*s %s; usage: ", STR_ARGS(word), what);
    help_usage(command, stderr);
    return COMMAND_USAGE;
}

static enum command_exit refuse_option(const struct command *command, struct str name)
{
    struct str meant = suggestion_option(command, name);

    (void)fprintf(stderr, "mectl: --%.*s is no option of this command", STR_ARGS(name));
    if (str_is_set(meant))
        (void)fprintf(stderr, ": did you mean '--%.*s'?", STR_ARGS(meant));
    (void)fputs("; usage: ", stderr);
    help_usage(command, stderr);
    return COMMAND_USAGE;
}

/* The parts of "--name=Ada"; the value may be STR_NONE. */
struct given {
    struct str word, name, value; /* "--name", "name", "Ada" */
};

static struct given cut_option(const char *word)
{
    struct given given = {.value = str_from(word)};

    given.word = str_cut(&given.value, '=');
    given.name = (struct str){given.word.data + 2, given.word.len - 2};
    return given;
}

/* The place for the value of an option; NULL: there is no such option. */
static const char **place_of(struct invocation *invocation, struct str name, bool *takes_value)
{
    const struct command_option *options = invocation->command->options;

    *takes_value = true;
    if (str_equal(name, STR("config")))
        return &invocation->config;
    for (size_t i = 0; options[i].name != NULL; i++) {
        if (!str_equal(name, str_from(options[i].name)))
            continue;
        *takes_value = options[i].value != NULL;
        return &invocation->values[i];
    }
    return NULL;
}

static enum command_exit take_json(struct invocation *invocation, const struct given *given)
{
    if (str_is_set(given->value))
        return refuse_usage(invocation->command, given->word, "takes no value");
    if (invocation->json)
        return refuse_usage(invocation->command, given->word, "is given twice");
    invocation->json = true;
    return COMMAND_OK;
}

/* Takes an option, and its value where that is the next word. */
static enum command_exit take_option(struct invocation *invocation, char ***words)
{
    struct given given = cut_option(*(*words)++);
    bool takes_value;
    const char **place;

    if (invocation->command->has_json && str_equal(given.name, STR("json")))
        return take_json(invocation, &given);
    place = place_of(invocation, given.name, &takes_value);
    if (place == NULL)
        return refuse_option(invocation->command, given.name);
    if (*place != NULL)
        return refuse_usage(invocation->command, given.word, "is given twice");
    if (!takes_value && str_is_set(given.value))
        return refuse_usage(invocation->command, given.word, "takes no value");
    if (takes_value && !str_is_set(given.value)) {
        if (**words == NULL)
            return refuse_usage(invocation->command, given.word, "needs a value");
        given.value.data = *(*words)++;
    }
    *place = takes_value ? given.value.data : "";
    return COMMAND_OK;
}

static enum command_exit take_argument(struct invocation *invocation, const char *word)
{
    const struct command *command = invocation->command;

    if (command->argument != NULL && invocation->argument == NULL)
        invocation->argument = word;
    else if (command->second != NULL && invocation->second == NULL)
        invocation->second = word;
    else
        return refuse_usage(command, str_from(word), "is one word too many");
    return COMMAND_OK;
}

/* "-" alone is an argument (standard input), and so is a negative number. */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

static enum command_exit take_words(struct invocation *invocation, char **words)
{
    bool options_are_over = false;

    while (*words != NULL) {
        enum command_exit result = COMMAND_OK;

        if (!options_are_over && strcmp(*words, "--") == 0) {
            options_are_over = true;
            words++;
        } else if (!options_are_over && is_option(*words))
            result = take_option(invocation, &words);
        else
            result = take_argument(invocation, *words++);
        if (result != COMMAND_OK)
            return result;
    }
    return COMMAND_OK;
}

static enum command_exit check_complete(const struct invocation *invocation)
{
    const struct command *command = invocation->command;
    const struct command_option *options = command->options;

    for (size_t i = 0; options[i].name != NULL; i++) {
        if (!options[i].is_required || invocation->values[i] != NULL)
            continue;
        (void)fprintf(stderr, "mectl: --%s is missing; usage: ", options[i].name);
        help_usage(command, stderr);
        return COMMAND_USAGE;
    }
    if (command->argument != NULL && invocation->argument == NULL && !command->argument_is_optional)
        return refuse_usage(command, str_from(command->argument), "is missing");
    if (command->second != NULL && invocation->second == NULL)
        return refuse_usage(command, str_from(command->second), "is missing");
    return COMMAND_OK;
}

/* ---- running */

static bool asks_for_help(char **words)
{
    for (; *words != NULL && strcmp(*words, "--") != 0; words++)
        if (strcmp(*words, "--help") == 0 || strcmp(*words, "-h") == 0)
            return true;
    return false;
}

/* What was printed counts only once it is out. */
static enum command_exit finish(enum command_exit result)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return result;
    return invocation_fail("standard output cannot be written");
}

static enum command_exit run(struct invocation *invocation, char **words)
{
    enum command_exit result = take_words(invocation, words);

    if (result == COMMAND_OK)
        result = check_complete(invocation);
    if (result != COMMAND_OK)
        return result;
    invocation->arena = arena_new(ARENA_MAX_BYTES);
    if (invocation->arena == NULL)
        return invocation_fail("out of memory");
    result = invocation->command->run(invocation);
    database_free(invocation->database);
    settings_free(&invocation->settings);
    arena_free(invocation->arena);
    return finish(result);
}

static bool is_help_word(const char *word)
{
    static const char *const help_words[] = {"help", "--help", "-h"};

    for (size_t i = 0; i < ARRAY_LENGTH(help_words); i++)
        if (strcmp(word, help_words[i]) == 0)
            return true;
    return false;
}

/* Of a command, a group of them, or all. */
static enum command_exit help(char *const *words)
{
    int used = 0;
    const struct command *command = command_find(words, &used);

    if (command != NULL)
        help_command(command, stdout);
    else if (names_nothing(words[0]))
        help_overview(stdout);
    else if (!names_nothing(words[1]) || help_list(str_from(words[0]), stdout) == 0)
        return refuse_unknown(words);
    return finish(COMMAND_OK);
}

int command_main(int argc, char **argv, const char *version)
{
    struct invocation invocation = {.program = argv[0]};
    char **words = argv + 1;
    int used = 0;

    if (argc < 2) {
        help_overview(stderr);
        return COMMAND_USAGE;
    }
    if (strcmp(words[0], "--version") == 0) {
        (void)printf("mectl %s\n", version);
        return (int)finish(COMMAND_OK);
    }
    if (is_help_word(words[0]))
        return (int)help(words + 1);
    if (strcmp(words[0], "completion") == 0) {
        completion_print(words + 1, stdout);
        return (int)finish(COMMAND_OK);
    }
    if (asks_for_help(words))
        return (int)help(words);
    invocation.command = command_find(words, &used);
    return (int)(invocation.command == NULL ? refuse_unknown(words)
                                            : run(&invocation, words + used));
}
