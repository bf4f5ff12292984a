#include "format/conf.h"

#include <stdio.h>

#include "base/buf.h"
#include "unit.h"
#include "vectors.h"

enum { CAP_BYTES = 1024 * 1024 };

/* Each entry as "LINE:section.key=value", separated by bars. */
static bool append_entry(void *context, const struct conf_entry *entry, struct err *err)
{
    struct buf *out = context;

    (void)err;
    buf_append_format(out, "%s%zu:", out->len == 0 ? "" : "|", entry->line);
    buf_append_str(out, entry->section);
    buf_append_byte(out, '.');
    buf_append_str(out, entry->key);
    buf_append_byte(out, '=');
    buf_append_str(out, entry->value);
    return buf_is_good(out);
}

/* What was read; where it was refused, "!LINE" and the reason alone. */
static void parse(struct str text, struct buf *out)
{
    struct err err = {""};
    size_t line = 0;

    buf_reset(out);
    if (conf_parse(text, append_entry, out, &line, &err))
        return;
    buf_reset(out);
    buf_append_format(out, "!%zu %s", line, err.text);
}

static bool judge(const struct vector *vector, void *context)
{
    struct buf *out = context;
    char expected[256], actual[512];

    parse(vector->field[1], out);
    assert_true(buf_is_good(out));
    if (str_equal(buf_str(out), vector->field[0]))
        return true;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    (void)snprintf(actual, sizeof(actual), "%.*s", STR_ARGS(buf_str(out)));
    return vector_wrong(vector, expected, actual);
}

static void judges_by_vectors(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, CAP_BYTES);
    vectors_run("conf.tsv", 70, judge, &out);
    buf_free(&out);
}

static void no_text_has_no_entries(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, CAP_BYTES);
    parse(STR_NONE, &out);
    assert_str_equal(buf_str(&out), "");
    parse(STR(""), &out);
    assert_str_equal(buf_str(&out), "");
    buf_free(&out);
}

struct stopper {
    size_t calls, stop_at;
};

static bool stop(void *context, const struct conf_entry *entry, struct err *err)
{
    struct stopper *stopper = context;

    if (++stopper->calls < stopper->stop_at)
        return true;
    err_set(err, "stopped at %.*s", STR_ARGS(entry->key));
    return false;
}

static void the_visitor_can_stop_it_with_a_reason(void **state)
{
    struct stopper stopper = {.stop_at = 2};
    struct err err = {""};
    size_t line = 0;

    (void)state;
    assert_false(
        conf_parse(STR("[s]\n\na = 1\n# c\nb = 2\nc = 3\n]"), stop, &stopper, &line, &err));
    assert_string_equal(err.text, "stopped at b");
    assert_int_equal(line, 5);
    assert_int_equal(stopper.calls, 2);
}

static void what_comes_behind_a_fault_is_not_visited(void **state)
{
    struct stopper stopper = {.stop_at = 100};
    size_t line = 0;

    (void)state;
    assert_false(conf_parse(STR("[s]\na = 1\nfault\nb = 2"), stop, &stopper, &line, NULL));
    assert_int_equal(line, 3);
    assert_int_equal(stopper.calls, 1);
}

static void entries_are_borrowed_from_the_text(void **state)
{
    static const char text[] = "[section]\nkey = value\n";
    struct buf out;

    (void)state;
    buf_init(&out, CAP_BYTES);
    /* Not ended by a NUL: what is behind the text is not looked at. */
    parse((struct str){text, strlen("[section]\nkey = val")}, &out);
    assert_str_equal(buf_str(&out), "2:section.key=val");
    parse((struct str){text, strlen("[section")}, &out);
    assert_true(str_starts_with(buf_str(&out), STR("!1 ")));
    buf_free(&out);
}

/* Every byte as the whole of a line, within a key and within a value. */
static void takes_no_byte_for_another(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, CAP_BYTES);
    for (int c = 0; c < 256; c++) {
        char key[] = "[s]\nk?y = 1", value[] = "[s]\nkey = a?b";
        bool is_name = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        bool is_ascii = c > 0 && c < 0x80;

        key[5] = (char)c;
        value[11] = (char)c;
        parse((struct str){key, strlen("[s]\nk?y = 1")}, &out);
        /* With an equals sign it is the entry k, with the value "y = 1". */
        assert_int_equal(!str_starts_with(buf_str(&out), STR("!")), is_name || c == '=');
        parse((struct str){value, strlen("[s]\nkey = a?b")}, &out);
        assert_int_equal(!str_starts_with(buf_str(&out), STR("!")), is_ascii && c != '\n');
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(no_text_has_no_entries),
        cmocka_unit_test(the_visitor_can_stop_it_with_a_reason),
        cmocka_unit_test(what_comes_behind_a_fault_is_not_visited),
        cmocka_unit_test(entries_are_borrowed_from_the_text),
        cmocka_unit_test(takes_no_byte_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
