#include "store/quoting.h"

#include "base/compiler.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 256 };

static void check(void (*append)(struct buf *out, struct str text), const char *text,
                  const char *quoted)
{
    struct buf out;

    buf_init(&out, TEXT_MAX_BYTES);
    append(&out, str_from(text));
    if (!str_equal(buf_str(&out), str_from(quoted)))
        fail_msg("%s: %.*s", text, STR_ARGS(buf_str(&out)));
    buf_free(&out);
}

static void doubles_what_would_end_a_text(void **state)
{
    (void)state;
    check(quoting_append_text, "me", "'me'");
    check(quoting_append_text, "", "''");
    check(quoting_append_text, "o'b\\r`", "'o''b\\\\r`'");
}

static void doubles_what_would_end_a_name(void **state)
{
    (void)state;
    check(quoting_append_name, "me", "`me`");
    check(quoting_append_name, "o'b\\r`", "`o'b\\r```");
}

static void cuts_an_account_at_its_last_at_sign(void **state)
{
    (void)state;
    check(quoting_append_account, "me@localhost", "'me'@'localhost'");
    check(quoting_append_account, "a@b'c\\@%", "'a@b''c\\\\'@'%'");
    check(quoting_append_account, "@localhost", "''@'localhost'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_what_would_end_a_text),
        cmocka_unit_test(doubles_what_would_end_a_name),
        cmocka_unit_test(cuts_an_account_at_its_last_at_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
