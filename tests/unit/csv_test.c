#include "format/csv.h"

#include <stdio.h>

#include "judge.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 64 * 1024, ARENA_MAX_BYTES = 1024 * 1024 };

static const char *const names[CSV__MAX] = {
    [CSV_OK] = "accept",
    [CSV_PARTIAL] = "partial",
    [CSV_STRAY_QUOTE] = "stray_quote",
    [CSV_BEHIND_QUOTE] = "behind_quote",
    [CSV_STRAY_CR] = "stray_cr",
    [CSV_UNCLOSED] = "unclosed",
    [CSV_TOO_MANY] = "too_many",
    [CSV_OUT_OF_MEMORY] = "out_of_memory",
};

/* Reads the first record from a copy of exactly `len` bytes. */
static enum csv_result read_part(struct str text, size_t len, struct arena *arena,
                                 struct csv_record *record, struct str *copy)
{
    *copy = exact_copy((struct str){text.data, len});
    return csv_read(*copy, len == text.len, arena, record);
}

/* As a reader of a stream does: with one byte more each time, until the record is there. */
static enum csv_result read_growing(struct str text, struct arena *arena, struct csv_record *record,
                                    struct str *copy)
{
    enum csv_result result = CSV_PARTIAL;

    for (size_t len = 1; len <= text.len && result == CSV_PARTIAL; len++) {
        if (len > 1)
            free_copy(*copy);
        result = read_part(text, len, arena, record, copy);
    }
    return result;
}

static void show(const struct csv_record *record, struct buf *out)
{
    if (out->len > 0)
        buf_append_byte(out, '/');
    buf_append_byte(out, '|');
    for (size_t i = 0; i < record->count; i++) {
        if (record->fields[i].is_quoted)
            buf_append_byte(out, 'q');
        buf_append_str(out, record->fields[i].text);
        buf_append_byte(out, '|');
    }
}

/* All records until the first fault, whole or byte by byte. */
static enum csv_result read_all(struct str text, bool is_growing, struct buf *shown)
{
    struct arena *arena = arena_new(ARENA_MAX_BYTES);
    enum csv_result result = CSV_OK;

    assert_non_null(arena);
    while (text.len > 0 && result == CSV_OK) {
        struct csv_record record;
        struct str copy = STR_NONE;

        result = is_growing ? read_growing(text, arena, &record, &copy)
                            : read_part(text, text.len, arena, &record, &copy);
        if (result == CSV_OK)
            show(&record, shown);
        assert_true(record.len <= text.len);
        free_copy(copy);
        text = (struct str){text.data + record.len, text.len - record.len};
    }
    arena_free(arena);
    return result;
}

static bool judge(const struct vector *vector, void *context)
{
    bool good = true;

    (void)context;
    for (int is_growing = 0; is_growing < 2; is_growing++) {
        struct buf shown;
        enum csv_result result;

        buf_init(&shown, TEXT_MAX_BYTES);
        result = read_all(vector->field[2], is_growing != 0, &shown);
        if (!str_equal(vector->field[0], str_from(names[result])))
            good = vector_wrong(vector, "another verdict", names[result]);
        else if (result == CSV_OK && !str_equal(vector->field[1], buf_str(&shown))) {
            buf_append_byte(&shown, '\0');
            good = vector_wrong(vector, "other records", shown.data);
        }
        buf_free(&shown);
    }
    return good;
}

static void reads_by_vectors_whole_and_byte_by_byte(void **state)
{
    (void)state;
    vectors_run("csv.tsv", 45, judge, NULL);
}

static void reads_what_it_writes(void **state)
{
    const struct str texts[] = {
        STR("plain"),     STR(""),         STR_NONE,        STR("a,b"),     STR("a\"b"),
        STR("\""),        STR("a\r\nb\n"), STR("\xC3\xA9"), STR(" blank "), STR("a\0b"),
        STR("\"\"\"\"x"), STR("\r"),       STR("=1+1"),     STR("'"),       STR("\t"),
    };
    struct arena *arena = arena_new(ARENA_MAX_BYTES);
    struct csv_record record;
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        if (i > 0)
            buf_append_byte(&out, ',');
        csv_append(&out, texts[i]);
    }
    csv_append_end(&out);
    assert_int_equal(csv_read(buf_str(&out), false, arena, &record), CSV_OK);
    assert_int_equal(record.len, out.len);
    assert_int_equal(record.count, ARRAY_LENGTH(texts));
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct str expected = str_is_set(texts[i]) ? texts[i] : STR("");

        assert_true(str_equal(record.fields[i].text, expected));
        if (expected.len == 0) /* what tells the two kinds of nothing apart */
            assert_int_equal(record.fields[i].is_quoted, str_is_set(texts[i]));
    }
    buf_free(&out);
    arena_free(arena);
}

/* The count of bytes that a fault takes, so that the next line is read as if nothing were. */
static void goes_on_with_the_line_behind_a_fault(void **state)
{
    static const struct {
        const char *text;
        enum csv_result fault;
        const char *rest;
    } cases[] = {
        {"a\"b,c\nnext", CSV_STRAY_QUOTE, "next"},
        {"a\",\"b\nnext", CSV_STRAY_QUOTE, "next"},
        {"\"a\"b\r\nnext", CSV_BEHIND_QUOTE, "next"},
        {"\"a\nb\"c\nnext", CSV_BEHIND_QUOTE, "next"},
        {"a\rb\nnext", CSV_STRAY_CR, "next"},
        {"a\"b", CSV_STRAY_QUOTE, ""},
        {"\"a\nnext", CSV_UNCLOSED, ""},
    };
    struct arena *arena = arena_new(ARENA_MAX_BYTES);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct str text = str_from(cases[i].text);
        struct csv_record record;

        assert_int_equal(csv_read(text, true, arena, &record), cases[i].fault);
        assert_str_equal(((struct str){text.data + record.len, text.len - record.len}),
                         cases[i].rest);
    }
    arena_free(arena);
}

static void waits_for_the_end_of_a_faulty_line(void **state)
{
    struct arena *arena = arena_new(ARENA_MAX_BYTES);
    struct csv_record record;

    (void)state;
    assert_int_equal(csv_read(STR("a\"b"), false, arena, &record), CSV_PARTIAL);
    assert_int_equal(csv_read(STR("a\"b\n"), false, arena, &record), CSV_STRAY_QUOTE);
    arena_free(arena);
}

static void tells_when_memory_is_short(void **state)
{
    struct arena *arena = arena_new(1);
    struct csv_record record;
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX_BYTES);
    buf_append_byte(&text, '"');
    repeat(&text, "\"\"", 30000); /* more than the first block of the arena */
    buf_append_text(&text, "\"\nnext");
    assert_int_equal(csv_read(buf_str(&text), true, arena, &record), CSV_OUT_OF_MEMORY);
    buf_free(&text);
    arena_free(arena);
}

static void has_a_text_for_every_fault(void **state)
{
    (void)state;
    for (int i = 0; i < CSV__MAX; i++)
        assert_true(strlen(csv_text((enum csv_result)i)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_by_vectors_whole_and_byte_by_byte),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(goes_on_with_the_line_behind_a_fault),
        cmocka_unit_test(waits_for_the_end_of_a_faulty_line),
        cmocka_unit_test(tells_when_memory_is_short),
        cmocka_unit_test(has_a_text_for_every_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
