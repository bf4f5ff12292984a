#include "mectl/suggestion.h"

#include "base/nearest.h"

static struct str first_word_of(const struct command *command)
{
    struct str rest = str_from(command->name);

    return str_cut(&rest, ' ');
}

static bool is_group(struct str word)
{
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        if (str_equal(first_word_of(command), word))
            return true;
    return false;
}

/* Where the group is right, the rest of the name is judged alone. */
static struct str find_in_group(struct str group, struct str typed)
{
    struct nearest nearest = {STR_NONE, 0};
    struct str found = STR_NONE;
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        struct str rest = str_from(command->name);

        if (str_equal(str_cut(&rest, ' '), group) && nearest_try(&nearest, typed, rest))
            found = str_from(command->name);
    }
    return found;
}

static struct str find_by_name(struct str typed)
{
    struct nearest nearest = {STR_NONE, 0};
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        (void)nearest_try(&nearest, typed, str_from(command->name));
    return nearest.word;
}

static struct str find_group(struct str typed)
{
    struct nearest nearest = {STR_NONE, 0};
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        (void)nearest_try(&nearest, typed, first_word_of(command));
    return nearest.word;
}

/* "usr add" and "user-add Ada" mean a command, "usr" and "usr xyzzy" a group. */
struct str suggestion_command(struct str first, struct str second, struct str both)
{
    struct str found;

    if (is_group(first))
        return find_in_group(first, second);
    found = find_by_name(both);
    if (!str_is_set(found))
        found = find_by_name(first);
    return str_is_set(found) ? found : find_group(first);
}

struct str suggestion_option(const struct command *command, struct str typed)
{
    struct nearest nearest = {STR_NONE, 0};

    for (const struct command_option *option = command->options; option->name != NULL; option++)
        (void)nearest_try(&nearest, typed, str_from(option->name));
    if (command->has_json)
        (void)nearest_try(&nearest, typed, STR("json"));
    (void)nearest_try(&nearest, typed, STR("config"));
    (void)nearest_try(&nearest, typed, STR("help"));
    return nearest.word;
}
