#include "mectl/command.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

extern char **environ;

static const struct command *const groups[] = {
    migrate_commands, user_commands,  email_commands,   phone_commands, identity_commands,
    badge_commands,   fraud_commands, session_commands, token_commands, config_commands,
};

enum { ARENA_MAX_BYTES = 64 * 1024 * 1024 };

/* ---- help */

static void print_usage(const struct command *command, FILE *out)
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

static void print_command(const struct command *command)
{
    (void)fputs("usage: ", stdout);
    print_usage(command, stdout);
    (void)printf("%s\n\n", command->summary);
    for (const struct command_option *option = command->options; option->name != NULL; option++)
        (void)printf("  --%s%s%s\n        %s\n", option->name, option->value == NULL ? "" : " ",
                     option->value == NULL ? "" : option->value, option->help);
    if (command->has_json)
        (void)puts("  --json\n        Print JSON, for programs.");
    (void)puts("  --config FILE\n        The settings file; otherwise as me.fcgi looks for it.");
}

static bool is_in_group(const struct command *command, const char *group)
{
    size_t len = strlen(group);

    return strncmp(command->name, group, len) == 0 &&
           (command->name[len] == ' ' || command->name[len] == '\0');
}

/* All commands, or those of one group; how many. */
static size_t print_commands(const char *group, FILE *out)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++) {
        for (const struct command *command = groups[i]; command->name != NULL; command++) {
            if (group != NULL && !is_in_group(command, group))
                continue;
            (void)fputs("  ", out);
            print_usage(command, out);
            count++;
        }
    }
    return count;
}

static void print_overview(FILE *out)
{
    (void)fputs("usage: mectl COMMAND [OPTION]... [ARGUMENT]...\n"
                "The operator's tool of me-fcgi. Every command knows --help and --config FILE.\n\n",
                out);
    (void)print_commands(NULL, out);
}

/* ---- which command */

/* The number of words that the command's name takes at the front of the words; 0: it is another
 * one. */
static int words_of(const struct command *command, int count, char **words)
{
    const char *space = strchr(command->name, ' ');
    size_t first = space == NULL ? strlen(command->name) : (size_t)(space - command->name);

    if (count < 1 || strlen(words[0]) != first || strncmp(words[0], command->name, first) != 0)
        return 0;
    if (space == NULL)
        return 1;
    return count > 1 && strcmp(words[1], space + 1) == 0 ? 2 : 0;
}

static const struct command *find_command(int count, char **words, int *used)
{
    for (size_t i = 0; i < ARRAY_LENGTH(groups); i++)
        for (const struct command *command = groups[i]; command->name != NULL; command++) {
            *used = words_of(command, count, words);
            if (*used > 0)
                return command;
        }
    return NULL;
}

static enum command_exit refuse_unknown(const char *word)
{
    (void)fprintf(stderr, "mectl: there is no command '%s' with these words", word);
    (void)fputs("; there are:\n", stderr);
    if (print_commands(word, stderr) == 0)
        (void)print_commands(NULL, stderr);
    return COMMAND_USAGE;
}

/* ---- words into an invocation */

static enum command_exit refuse_usage(const struct command *command, const char *word,
                                      const char *what)
{
    (void)fprintf(stderr, "mectl: %s %s; usage: ", word, what);
    print_usage(command, stderr);
    return COMMAND_USAGE;
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

/* Takes an option, and its value where that is the next word. */
static enum command_exit take_option(struct invocation *invocation, char ***words)
{
    const char *word = *(*words)++;
    struct str value = str_from(word + 2), name = str_cut(&value, '=');
    bool takes_value;
    const char **place;

    if (str_equal(name, STR("json")) && invocation->command->has_json && !str_is_set(value)) {
        invocation->json = true;
        return COMMAND_OK;
    }
    place = place_of(invocation, name, &takes_value);
    if (place == NULL)
        return refuse_usage(invocation->command, word, "is no option of this command");
    if (*place != NULL)
        return refuse_usage(invocation->command, word, "is given twice");
    if (!takes_value && str_is_set(value))
        return refuse_usage(invocation->command, word, "takes no value");
    if (takes_value && !str_is_set(value)) {
        if (**words == NULL)
            return refuse_usage(invocation->command, word, "needs a value");
        value.data = *(*words)++;
    }
    *place = takes_value ? value.data : "";
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
        return refuse_usage(command, word, "is one word too many");
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

    for (size_t i = 0; command->options[i].name != NULL; i++)
        if (command->options[i].is_required && invocation->values[i] == NULL)
            return refuse_usage(command, command->options[i].name, "is missing");
    if (command->argument != NULL && invocation->argument == NULL && !command->argument_is_optional)
        return refuse_usage(command, command->argument, "is missing");
    if (command->second != NULL && invocation->second == NULL)
        return refuse_usage(command, command->second, "is missing");
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

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

int command_main(int argc, char **argv, const char *version)
{
    static const char *const help_words[] = {"help", "--help", "-h", NULL};
    struct invocation invocation = {.program = argv[0]};
    int used = 0;

    if (argc < 2) {
        print_overview(stderr);
        return COMMAND_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("mectl %s\n", version);
        return (int)finish(COMMAND_OK);
    }
    invocation.command = find_command(argc - 1, argv + 1, &used);
    if (is_one_of(argv[1], help_words) && (argc == 2 || print_commands(argv[2], stdout) == 0))
        print_overview(stdout);
    else if (invocation.command != NULL && asks_for_help(argv + 1))
        print_command(invocation.command);
    else if (invocation.command != NULL)
        return (int)run(&invocation, argv + 1 + used);
    else if (!is_one_of(argv[1], help_words) &&
             !(asks_for_help(argv + 1) && print_commands(argv[1], stdout) > 0))
        return (int)refuse_unknown(argv[1]);
    return (int)finish(COMMAND_OK);
}

/* ---- for the commands */

const char *invocation_option(const struct invocation *invocation, const char *name)
{
    const struct command_option *options = invocation->command->options;

    for (size_t i = 0; options[i].name != NULL; i++)
        if (strcmp(options[i].name, name) == 0)
            return invocation->values[i];
    return NULL;
}

bool invocation_flag(const struct invocation *invocation, const char *name)
{
    return invocation_option(invocation, name) != NULL;
}

enum command_exit invocation_fail(const char *format, ...)
{
    va_list args;

    (void)fputs("mectl: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return COMMAND_FAILED;
}

bool invocation_settings(struct invocation *invocation)
{
    struct err err = {""};
    const char *found = NULL;
    struct buf path;
    bool good;

    buf_init(&path, 4096);
    good = settings_find(invocation->config, environ, invocation->program, &path, &found, &err) &&
           settings_load(found, environ, file_readers_of_operator(), &invocation->settings, &err);
    buf_free(&path);
    if (!good)
        (void)invocation_fail("%s", err.text);
    return good;
}

bool invocation_database(struct invocation *invocation)
{
    struct err err = {""};

    if (!invocation_settings(invocation))
        return false;
    invocation->database =
        database_new(&invocation->settings, DATABASE_ADMIN, file_readers_of_operator(), &err);
    if (invocation->database == NULL)
        (void)invocation_fail("%s", err.text);
    return invocation->database != NULL;
}

bool invocation_uuid(const char *text, const char *what, struct uuid *out)
{
    if (uuid_parse(str_from(text), out))
        return true;
    (void)invocation_fail("%s: '%s' is not a UUID, as 01890a5d-ac96-774b-bcce-b302099a8057 is",
                          what, text);
    return false;
}

bool invocation_user(const struct invocation *invocation, struct uuid *out)
{
    return invocation_uuid(invocation_option(invocation, "user"), "--user", out);
}

bool invocation_number(const char *text, const char *what, int64_t min, int64_t max, int64_t *out)
{
    struct str digits = str_from(text);
    bool is_negative = str_starts_with(digits, STR("-"));

    if (is_negative) {
        digits.data++;
        digits.len--;
    }
    if (str_to_number(digits, INT64_MAX, out)) {
        *out = is_negative ? -*out : *out;
        if (*out >= min && *out <= max)
            return true;
    }
    (void)invocation_fail("%s: '%s' is not a number from %lld to %lld", what, text, (long long)min,
                          (long long)max);
    return false;
}

bool invocation_new_id(struct uuid *out)
{
    if (uuid_new(clock_now_ms(), out))
        return true;
    (void)invocation_fail("the system has no random numbers");
    return false;
}

bool invocation_value(const char *text, const char *what, invocation_judge *judge)
{
    enum violation violation = text == NULL ? VIOLATION_NONE : judge(str_from(text));

    if (violation == VIOLATION_NONE)
        return true;
    (void)invocation_fail("%s: '%s' %s", what, text, violation_text(violation));
    return false;
}

enum command_exit invocation_end(enum store_result result, const char *what, const struct err *err)
{
    if (result == STORE_OK)
        return COMMAND_OK;
    if (result == STORE_NOT_FOUND)
        return invocation_fail("%s: there is none", what);
    if (result == STORE_DUPLICATE)
        return invocation_fail("%s: is there already%s%s", what, err->text[0] == '\0' ? "" : ": ",
                               err->text);
    return invocation_fail("%s", err->text);
}

enum command_exit invocation_print_json(struct json_object *value)
{
    const char *text = value == NULL
                           ? NULL
                           : json_object_to_json_string_ext(
                                 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

    if (text != NULL)
        (void)puts(text);
    json_object_put(value);
    return text == NULL ? invocation_fail("out of memory") : COMMAND_OK;
}

struct json_object *invocation_json_time(int64_t time_ms)
{
    char text[CLOCK_TEXT_LEN + 1];

    clock_format(time_ms, text);
    return json_object_new_string(text);
}

struct json_object *invocation_json_uuid(const struct uuid *uuid)
{
    char text[UUID_TEXT_LEN + 1];

    uuid_format(uuid, text);
    return json_object_new_string(text);
}
