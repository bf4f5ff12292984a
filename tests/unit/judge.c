#include "judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

struct str exact_copy(struct str text)
{
    char *copy = malloc(text.len == 0 ? 1 : text.len);

    assert_non_null(copy);
    if (text.len == 0)
        return (struct str){copy + 1, 0};
    memcpy(copy, text.data, text.len);
    return (struct str){copy, text.len};
}

void free_copy(struct str copy)
{
    free((char *)(uintptr_t)copy.data - (copy.len == 0 ? 1 : 0));
}

bool is_as_expected(const struct vector *vector, enum violation violation)
{
    const char *verdict = violation == VIOLATION_NONE ? "accept" : violation_code(violation);
    char expected[64];

    if (str_equal(vector->field[0], str_from(verdict)))
        return true;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    return vector_wrong(vector, expected, verdict);
}

static bool judge_text(const struct vector *vector, void *context)
{
    validator *const *validate = context;
    struct str copy = exact_copy(vector->field[1]);
    enum violation violation = (*validate)(copy);

    free_copy(copy);
    return is_as_expected(vector, violation);
}

void judge_vectors(const char *file, size_t least, validator *validate)
{
    vectors_run(file, least, judge_text, &validate);
}

void repeat(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_text(out, text);
    assert_true(buf_is_good(out));
}

enum violation judge_repeated(validator *validate, const char *prefix, const char *text,
                              size_t count)
{
    struct buf buf;
    enum violation violation;

    buf_init(&buf, 65536);
    buf_append_text(&buf, prefix);
    repeat(&buf, text, count);
    violation = validate(buf_str(&buf));
    buf_free(&buf);
    return violation;
}
