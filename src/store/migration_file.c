#include "store/migration_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum { VERSION_DIGITS = 4, TEXT_MAX_BYTES = 4 * 1024 * 1024 };

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return str_from(slash != NULL ? slash + 1 : path);
}

/* "0001_initial.sql" to 1 and "initial". */
static bool parse_name(struct str file, int64_t *version, struct str *name)
{
    static const struct str ending = {".sql", 4};
    if (!str_ends_with(file, ending) || file.len < VERSION_DIGITS + 2 + ending.len)
        return false;
    struct str digits = {file.data, VERSION_DIGITS};
    *name =
        (struct str){file.data + VERSION_DIGITS + 1, file.len - VERSION_DIGITS - 1 - ending.len};
    for (size_t i = 0; i < name->len; i++)
        if (!is_name_character(name->data[i]))
            return false;
    return file.data[VERSION_DIGITS] == '_' && str_to_number(digits, 9999, version) && *version > 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_blank(s.data[0]))
        s = (struct str){s.data + 1, s.len - 1};
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool add_statement(struct migration_file *file, struct str sql, size_t line)
{
    struct migration_statement *grown =
        realloc(file->statements, (file->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return false;
    file->statements = grown;
    file->statements[file->count++] = (struct migration_statement){sql, line};
    return true;
}

/* Where the reading of a text stands. */
struct splitter {
    const char *begin; /* of the statement that is being read; NULL: between two */
    size_t begin_line, line;
};

static bool split_line(struct migration_file *file, struct splitter *at, struct str whole)
{
    struct str line = trim(whole);
    at->line++;
    if (line.len == 0 || str_starts_with(line, STR("--")))
        return true;
    if (at->begin == NULL) {
        at->begin = line.data;
        at->begin_line = at->line;
    }
    if (!str_ends_with(line, STR(";")))
        return true;
    struct str sql = trim((struct str){at->begin, (size_t)(line.data + line.len - 1 - at->begin)});
    at->begin = NULL;
    return sql.len == 0 || add_statement(file, sql, at->begin_line);
}

static bool split(struct migration_file *file, struct err *err)
{
    struct splitter at = {NULL, 0, 0};
    struct str rest = buf_str(&file->text);
    while (str_is_set(rest)) {
        if (!split_line(file, &at, str_cut(&rest, '\n'))) {
            err_set(err, "%s: out of memory", file->path);
            return false;
        }
    }
    if (at.begin != NULL) {
        err_set(err, "%s:%zu: this statement is not ended by a ; at the end of a line", file->path,
                at.begin_line);
        return false;
    }
    if (file->count == 0)
        err_set(err, "%s: holds no statement", file->path);
    return file->count > 0;
}

static const struct str optional_mark = STR("-- optional:");

/* What follows it; STR_NONE where the text does not begin so. */
static struct str cut_front(struct str text, struct str front)
{
    return str_starts_with(text, front) ? (struct str){text.data + front.len, text.len - front.len}
                                        : STR_NONE;
}

/* The comment that the text begins with, behind `-- optional:`, its lines joined. */
static char *read_optional(struct str text)
{
    struct str line = trim(cut_front(str_cut(&text, '\n'), optional_mark));
    struct buf out;
    char *copy = NULL;
    buf_init(&out, TEXT_MAX_BYTES);
    while (line.len > 0) {
        buf_append_format(&out, "%s%.*s", out.len > 0 ? " " : "", STR_ARGS(line));
        line = str_is_set(text) ? trim(cut_front(trim(str_cut(&text, '\n')), STR("--"))) : STR_NONE;
    }
    if (buf_is_good(&out))
        copy = strndup(out.len > 0 ? out.data : "", out.len);
    buf_free(&out);
    return copy;
}

static bool copy_parts(struct migration_file *out, const char *path, struct str name,
                       struct str text)
{
    bool is_optional = str_starts_with(text, optional_mark);
    buf_init(&out->text, TEXT_MAX_BYTES);
    buf_append_str(&out->text, text);
    out->path = strdup(path);
    out->name = strndup(name.data, name.len);
    out->optional = is_optional ? read_optional(text) : NULL;
    return buf_is_good(&out->text) && out->path != NULL && out->name != NULL &&
           (!is_optional || out->optional != NULL);
}

bool migration_file_read(const char *path, struct str text, struct migration_file *out,
                         struct err *err)
{
    struct str name;
    *out = (struct migration_file){0};
    if (!parse_name(last_part(path), &out->version, &name)) {
        err_set(err,
                "%s: a migration is named NNNN_name.sql: four digits, from 0001 up, then a-z, "
                "0-9 and _",
                path);
        return false;
    }
    if (str_has_byte(text, '\0')) {
        err_set(err, "%s: holds a NUL: it is no text", path);
        return false;
    }
    if (!copy_parts(out, path, name, text)) {
        err_set(err, "%s: longer than %d bytes, or out of memory", path, TEXT_MAX_BYTES);
        migration_file_free(out);
        return false;
    }
    if (split(out, err))
        return true;
    migration_file_free(out);
    return false;
}

void migration_file_free(struct migration_file *file)
{
    buf_free(&file->text);
    free(file->path);
    free(file->name);
    free(file->optional);
    free(file->statements);
    *file = (struct migration_file){0};
}

static bool checksum(struct str bytes, char out[MIGRATION_CHECKSUM_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[DIGEST_BYTES];
    struct digest *digest = digest_new();
    bool ok = digest != NULL && digest_of(digest, bytes, sum);
    for (size_t i = 0; ok && i < DIGEST_BYTES; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[ok ? MIGRATION_CHECKSUM_LEN : 0] = '\0';
    digest_free(digest);
    return ok;
}

bool migration_file_checksum(const struct migration_file *file,
                             char out[MIGRATION_CHECKSUM_LEN + 1])
{
    return checksum(buf_str(&file->text), out);
}

/* A NUL, which no statement holds, stands between two. */
bool migration_file_partial_checksum(const struct migration_file *file, size_t count,
                                     char out[MIGRATION_CHECKSUM_LEN + 1])
{
    struct buf joined;
    buf_init(&joined, file->text.len + file->count);
    for (size_t i = 0; i < count && i < file->count; i++) {
        buf_append_str(&joined, file->statements[i].sql);
        buf_append_byte(&joined, '\0');
    }
    bool ok = buf_is_good(&joined) && checksum(buf_str(&joined), out);
    buf_free(&joined);
    return ok;
}
