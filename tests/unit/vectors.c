#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "unit.h"

enum { FILE_MAX_BYTES = 4 * 1024 * 1024 };

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Unescapes in place: the result is never longer. */
static struct str unescape(char *text, size_t len)
{
    size_t to = 0;

    for (size_t from = 0; from < len; from++) {
        char c = text[from];

        if (c == '\\' && from + 1 < len) {
            c = text[++from];
            if (c == 'x' && from + 2 < len) {
                c = (char)(hex(text[from + 1]) << 4 | hex(text[from + 2]));
                from += 2;
            } else {
                c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
            }
        }
        text[to++] = c;
    }
    return (struct str){text, to};
}

/* In memory of its own length: an address sanitizer sees who reads past its end. */
static struct str copy(struct str field)
{
    char *bytes = malloc(field.len == 0 ? 1 : field.len);

    assert_non_null(bytes);
    memcpy(bytes, field.data, field.len);
    return (struct str){bytes, field.len};
}

static void split(struct str line, struct vector *vector)
{
    size_t count = 0;

    while (str_is_set(line) && count < VECTOR_FIELDS_MAX) {
        struct str field = str_cut(&line, '\t');

        vector->field[count++] = copy(unescape((char *)(uintptr_t)field.data, field.len));
    }
}

static void free_fields(struct vector *vector)
{
    for (size_t i = 0; i < VECTOR_FIELDS_MAX; i++)
        free((char *)(uintptr_t)vector->field[i].data);
}

static void read_vectors(const char *name, struct buf *text)
{
    const char *folder = getenv("ME_VECTORS");
    char path[4096];
    struct err err = {""};

    (void)snprintf(path, sizeof(path), "%s/%s", folder == NULL ? "tests/vectors" : folder, name);
    if (!file_read(path, FILE_READERS_ANY, text, &err))
        fail_msg("%s", err.text);
}

void vectors_run(const char *name, size_t least, vector_judge *judge, void *context)
{
    struct buf text;
    struct str rest;
    size_t rows = 0, wrong = 0, number = 0;

    buf_init(&text, FILE_MAX_BYTES);
    read_vectors(name, &text);
    rest = buf_str(&text);
    while (str_is_set(rest)) {
        struct vector vector = {.file = name, .line = ++number};
        struct str line = str_cut(&rest, '\n');

        if (line.len == 0 || line.data[0] == '#')
            continue;
        split(line, &vector);
        rows++;
        if (!judge(&vector, context))
            wrong++;
        free_fields(&vector);
    }
    buf_free(&text);
    if (wrong > 0)
        fail_msg("%zu of the %zu rows of %s came out otherwise", wrong, rows, name);
    if (rows < least)
        fail_msg("%s has %zu rows, not %zu or more", name, rows, least);
}

bool vector_wrong(const struct vector *vector, const char *expected, const char *actual)
{
    print_error("%s:%zu: expected %s, got %s\n", vector->file, vector->line, expected, actual);
    return false;
}
