#include "base/shell.h"

#include <stdio.h>

#include "unit.h"

enum { WORD_MAX_BYTES = 512 };

/* What a shell makes of it. */
static void assert_is_one_word(const char *text)
{
    char back[WORD_MAX_BYTES];
    struct buf command;
    size_t len;
    FILE *shell;

    buf_init(&command, WORD_MAX_BYTES);
    buf_append_text(&command, "printf '<%s>' ");
    shell_append_word(&command, text);
    buf_append_byte(&command, '\0');
    assert_true(buf_is_good(&command));
    shell = popen(command.data, "r");
    assert_non_null(shell);
    len = fread(back, 1, sizeof(back), shell);
    assert_int_equal(pclose(shell), 0);
    assert_int_equal(len, strlen(text) + 2);
    assert_memory_equal(back + 1, text, strlen(text));
    buf_free(&command);
}

static void a_shell_takes_it_for_one_word(void **state)
{
    static const char *const texts[] = {
        "/etc/me/hs256.secret",
        "",
        "two words",
        "it's",
        "''",
        "$(echo no)",
        "`echo no`",
        "a;b",
        "a\nb",
        "a\\b",
        "*",
        "~",
        "\"",
        "a|b&c>d<e(f)g{h}i#j!k?l[m]",
        "\xC3\xA9",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_is_one_word(texts[i]);
}

static void what_needs_no_quotes_has_none(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, WORD_MAX_BYTES);
    shell_append_word(&out, "/srv/me-fcgi/etc/me.conf");
    assert_str_equal(buf_str(&out), "/srv/me-fcgi/etc/me.conf");
    buf_free(&out);
}

static void what_does_not_fit_is_told(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    shell_append_word(&out, "'''");
    assert_false(buf_is_good(&out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shell_takes_it_for_one_word),
        cmocka_unit_test(what_needs_no_quotes_has_none),
        cmocka_unit_test(what_does_not_fit_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
