/* me.conf and the environment: the input is the file, a NUL, and variables that end in one. */
#include "format/settings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "format/conf.h"
#include "fuzz.h"

enum { VARIABLES_MAX = 16, TEXT_MAX_BYTES = 128 * 1024 };

static const char *conf_path(void)
{
    static char path[] = "/tmp/fuzz.XXXXXX";
    static bool is_made;

    if (!is_made) {
        require(mkstemp(path) >= 0, "there is a file");
        is_made = true;
    }
    return path;
}

static void write_conf(struct str text)
{
    int file = open(conf_path(), O_WRONLY | O_TRUNC);

    require(file >= 0 && write(file, text.data, text.len) == (ssize_t)text.len, "it is written");
    (void)close(file);
}

/* Nothing that ends a line or steers a terminal; what stood in the file may be told, in UTF-8. */
static void require_tellable(const char *text)
{
    struct str rest = str_from(text);
    uint32_t code_point;

    require(rest.len > 0, "a refusal is told");
    while (rest.len > 0) {
        require(utf8_next(&rest, &code_point), "what is told is UTF-8");
        require((code_point >= ' ' && code_point != 0x7f) || code_point == '\t',
                "and has no control characters but tabs");
    }
}

static bool see_entry(void *context, const struct conf_entry *entry, struct err *err)
{
    size_t *line = context;

    (void)err;
    require(entry->line > *line, "lines come in their order");
    *line = entry->line;
    require(str_is_set(entry->key) && entry->key.len > 0, "an entry has a key");
    require(!str_has_byte(entry->value, '\n'), "a value is of one line");
    return true;
}

static void parses(struct str text)
{
    size_t seen = 0, line = 0;
    struct err err = {""};

    if (!conf_parse(text, see_entry, &seen, &line, &err)) {
        require(line >= seen, "what is wrong comes after what was seen");
        require(err.text[0] != '\0', "a refusal is told");
    }
}

static struct str printed(const struct settings *settings, char **memory)
{
    size_t len = 0;
    FILE *out = open_memstream(memory, &len);

    require(out != NULL && settings_print(settings, out) && fclose(out) == 0, "they are printed");
    return (struct str){*memory, len};
}

/* What is printed means the same: all but the secrets, which are masked, is read again. A path of the
 * environment is relative to another folder than one of the file. */
static void survives_being_printed(const struct settings *settings, bool has_variables)
{
    char *const nothing[] = {NULL};
    char *first_memory, *second_memory;
    struct str first = printed(settings, &first_memory), second;
    struct settings again;
    struct err err = {""};

    write_conf(first);
    require(settings_load(conf_path(), nothing, FILE_READERS_ANY, &again, &err), err.text);
    second = printed(&again, &second_memory);
    require(has_variables || str_equal(first, second), "and printed again they are the same");
    settings_free(&again);
    free(first_memory);
    free(second_memory);
}

static void take_variables(struct str rest, char *memory, char **variables)
{
    size_t count = 0;

    while (str_is_set(rest) && count < VARIABLES_MAX - 1) {
        struct str variable = str_cut(&rest, '\0');

        memcpy(memory, variable.data, variable.len);
        memory[variable.len] = '\0';
        variables[count++] = memory;
        memory += variable.len + 1;
    }
    variables[count] = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {size == 0 ? "" : (const char *)data, size};
    struct str text = str_cut(&rest, '\0');
    char *memory = malloc(size + VARIABLES_MAX + 1), *variables[VARIABLES_MAX];
    struct settings settings;
    struct err err = {""};

    require(memory != NULL, "memory suffices");
    take_variables(rest, memory, variables);
    parses((struct str){size == 0 ? "" : (const char *)data, size});
    parses(text);
    write_conf(text);
    if (settings_load(conf_path(), variables, FILE_READERS_ANY, &settings, &err)) {
        survives_being_printed(&settings, variables[0] != NULL);
        settings_free(&settings);
    } else {
        require_tellable(err.text);
    }
    free(memory);
    return 0;
}
