#include "mectl/completion.h"

#include <string.h>

#include "mectl/command.h"
#include "profile/profile.h"

static const struct command_option config = {.name = "config", .value = "FILE"};
static const struct command_option json = {.name = "json"};
static const struct command_option help = {.name = "help"};

/* The option of this place: those of the row, then those that the row does not list. NULL past the
 * last. */
static const struct command_option *option_at(const struct command *command, size_t place)
{
    const struct command_option *const others[] = {&config, &help, &json};
    size_t count = command->has_json ? ARRAY_LENGTH(others) : ARRAY_LENGTH(others) - 1;
    size_t own = 0;

    while (command->options[own].name != NULL)
        own++;
    if (place < own)
        return &command->options[place];
    return place - own < count ? others[place - own] : NULL;
}

enum { PLACES_MAX = COMMAND_OPTIONS_MAX + 3 };

/* Where the words behind the command's name have led to. */
struct position {
    bool given[PLACES_MAX];              /* by the option's place */
    const struct command_option *option; /* whose value comes next; NULL: none's */
    size_t arguments;
};

static void take_option(const struct command *command, const char *word, struct position *position)
{
    struct str value = str_from(word), name = str_cut(&value, '=');
    const struct command_option *option;

    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++) {
        if (!str_equal((struct str){name.data + 2, name.len - 2}, str_from(option->name)))
            continue;
        position->given[i] = true;
        position->option = option->value != NULL && !str_is_set(value) ? option : NULL;
    }
}

static void take_word(const struct command *command, const char *word, struct position *position)
{
    if (position->option != NULL)
        position->option = NULL;
    else if (word[0] == '-' && word[1] == '-')
        take_option(command, word, position);
    else
        position->arguments++;
}

/* ---- printing */

static void print_word(struct str word, FILE *out)
{
    (void)fprintf(out, "%.*s\n", STR_ARGS(word));
}

static void print_statuses(FILE *out)
{
    for (enum user_status status = 0; status < USER_STATUS__MAX; status++)
        (void)fprintf(out, "%s\n", user_status_name(status));
}

/* By what help calls the value; of most nothing can be known. */
static void print_values(const char *value, FILE *out)
{
    struct str rest = str_from(value);

    if (strcmp(value, "FILE") == 0 || strcmp(value, "DIR") == 0)
        (void)fprintf(out, "%s\n", value);
    else if (strcmp(value, "STATUS") == 0)
        print_statuses(out);
    else if (strchr(value, '|') != NULL)
        while (str_is_set(rest))
            print_word(str_cut(&rest, '|'), out);
}

static void print_options(const struct command *command, const bool *given, FILE *out)
{
    const struct command_option *option;

    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++)
        if (!given[i])
            (void)fprintf(out, "--%s\n", option->name);
}

static void print_rest(const struct command *command, char *const *words, FILE *out)
{
    const char *const arguments[] = {command->argument, command->second};
    struct position position = {.option = NULL};

    for (; *words != NULL; words++)
        take_word(command, *words, &position);
    if (position.option != NULL) {
        print_values(position.option->value, out);
        return;
    }
    if (position.arguments < ARRAY_LENGTH(arguments) && arguments[position.arguments] != NULL)
        print_values(arguments[position.arguments], out);
    print_options(command, position.given, out);
}

/* The first words of all names, or behind one of those the second ones. */
static void print_names(const char *word, FILE *out)
{
    struct str printed = STR_NONE;
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        struct str second = str_from(command->name), first = str_cut(&second, ' ');

        if (word == NULL && !str_equal(first, printed))
            print_word(first, out);
        else if (word != NULL && str_equal(first, str_from(word)) && str_is_set(second))
            print_word(second, out);
        printed = first;
    }
}

void completion_print(char *const *words, FILE *out)
{
    static const char others[] = "help\n--help\n--version\n";
    bool is_help = words[0] != NULL && strcmp(words[0], "help") == 0;
    int used = 0;
    const struct command *command = command_find(words + is_help, &used);

    if (command != NULL && !is_help)
        print_rest(command, words + used, out);
    else if (command == NULL && (words[is_help] == NULL || words[is_help + 1] == NULL))
        print_names(words[is_help], out);
    if (words[0] == NULL)
        (void)fputs(others, out);
}
