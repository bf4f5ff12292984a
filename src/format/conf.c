#include "format/conf.h"

#include "base/utf8.h"

struct reader {
    struct str section;
    conf_visit *visit;
    void *context;
};

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return text.len > 0;
}

static bool read_section(struct reader *reader, struct str line, struct err *err)
{
    struct str name;

    if (line.data[line.len - 1] != ']') {
        err_set(err, "a section is written as [name]");
        return false;
    }
    name = str_trim((struct str){line.data + 1, line.len - 2});
    if (!is_name(name)) {
        err_set(err, "a section's name has lower case letters, digits and _ only");
        return false;
    }
    reader->section = name;
    return true;
}

static bool read_entry(struct reader *reader, struct str line, size_t number, struct err *err)
{
    struct str value = line, key = str_trim(str_cut(&value, '='));
    struct conf_entry entry = {.section = reader->section, .key = key, .line = number};

    if (!str_is_set(value) || key.len == 0) {
        err_set(err, "is neither a [section], nor a comment, nor key = value");
        return false;
    }
    if (!is_name(key)) {
        err_set(err, "a key has lower case letters, digits and _ only");
        return false;
    }
    if (!str_is_set(reader->section)) {
        err_set(err, "a key stands before the first [section]");
        return false;
    }
    entry.value = str_trim(value);
    return reader->visit(reader->context, &entry, err);
}

static bool read_line(struct reader *reader, struct str line, size_t number, struct err *err)
{
    if (str_ends_with(line, STR("\r")))
        line.len--;
    line = str_trim(line);
    if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
        return true;
    if (line.data[0] == '[')
        return read_section(reader, line, err);
    return read_entry(reader, line, number, err);
}

/* What editors write that call themselves plain. */
static bool is_utf8_text(struct str text, struct err *err)
{
    if (str_starts_with(text, STR("\xEF\xBB\xBF")))
        err_set(err, "begins with a byte order mark: save the file as UTF-8 without one");
    else if (str_starts_with(text, STR("\xFF\xFE")) || str_starts_with(text, STR("\xFE\xFF")))
        err_set(err, "is UTF-16: save the file as UTF-8 without a byte order mark");
    else
        return true;
    return false;
}

bool conf_parse(struct str text, conf_visit *visit, void *context, size_t *line, struct err *err)
{
    struct reader reader = {.section = STR_NONE, .visit = visit, .context = context};

    *line = 1;
    if (!is_utf8_text(text, err))
        return false;
    for (; str_is_set(text); ++*line) {
        struct str content = str_cut(&text, '\n');

        if (str_has_byte(content, '\0') || !utf8_is_valid(content)) {
            err_set(err, "has a NUL or bytes that are not UTF-8");
            return false;
        }
        if (!read_line(&reader, content, *line, err))
            return false;
    }
    return true;
}
