#include "base/buf.h"

#include "memory.h"
#include "unit.h"

enum { CAP_BYTES = 1000 };

static const char secret[] = "correct horse battery staple";

static int set_up(void **state)
{
    static struct buf buf;

    buf_init(&buf, CAP_BYTES);
    *state = &buf;
    return 0;
}

static int tear_down(void **state)
{
    memory_is_plenty();
    memory_watch(NULL);
    buf_free(*state);
    return 0;
}

static void fill(struct buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_byte(buf, 'x');
}

static void begins_empty_and_owns_nothing(void **state)
{
    struct buf *buf = *state;

    assert_null(buf->data);
    assert_true(buf_is_good(buf));
    assert_str_equal(buf_str(buf), "");
}

static void appends_in_every_form(void **state)
{
    buf_append(*state, "a\0b", 3);
    buf_append_str(*state, STR("-str"));
    buf_append_text(*state, "-text");
    buf_append_byte(*state, '\n');
    buf_append_format(*state, "%s=%d", "n", 7);
    assert_true(buf_is_good(*state));
    assert_true(str_equal(buf_str(*state), STR("a\0b-str-text\nn=7")));
}

static void appending_nothing_is_no_failure(void **state)
{
    buf_append(*state, NULL, 0);
    buf_append_str(*state, STR_NONE);
    buf_append_text(*state, "");
    buf_append_format(*state, "%s", "");
    assert_true(buf_is_good(*state));
    assert_str_equal(buf_str(*state), "");
}

static void keeps_what_it_had_when_it_grows(void **state)
{
    for (int i = 0; i < CAP_BYTES; i++)
        buf_append_byte(*state, (char)('a' + i % 26));
    assert_true(buf_is_good(*state));
    for (int i = 0; i < CAP_BYTES; i++)
        assert_int_equal(buf_str(*state).data[i], 'a' + i % 26);
}

static void is_filled_to_its_cap_and_no_byte_more(void **state)
{
    static const size_t caps[] = {0, 1, 255, 256, 257, 511, 512, 513, 4096};
    struct buf *buf = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(caps); i++) {
        buf_init(buf, caps[i]);
        fill(buf, caps[i]);
        assert_true(buf_is_good(buf));
        assert_true(buf->size <= caps[i]);
        buf_append_byte(buf, 'y');
        assert_false(buf_is_good(buf));
        assert_int_equal(buf_str(buf).len, caps[i]);
        buf_free(buf);
    }
}

static void an_append_past_the_cap_leaves_what_was_there(void **state)
{
    static const char large[CAP_BYTES] = "";

    buf_append_text(*state, "kept");
    buf_append(*state, large, sizeof(large));
    assert_false(buf_is_good(*state));
    assert_str_equal(buf_str(*state), "kept");
}

static void a_failure_is_remembered_over_what_would_fit(void **state)
{
    buf_append_text(*state, "kept");
    assert_null(buf_reserve(*state, CAP_BYTES));
    buf_append_byte(*state, 'x');
    buf_append_format(*state, "%d", 1);
    assert_null(buf_reserve(*state, 1));
    assert_false(buf_is_good(*state));
    assert_str_equal(buf_str(*state), "kept");
}

static void a_length_that_overflows_is_refused(void **state)
{
    buf_append_text(*state, "kept");
    assert_null(buf_reserve(*state, SIZE_MAX));
    buf_reset(*state);
    buf_append_text(*state, "kept");
    assert_null(buf_reserve(*state, SIZE_MAX - 3));
    assert_str_equal(buf_str(*state), "kept");
}

static void a_reset_forgets_bytes_and_failure_and_keeps_the_memory(void **state)
{
    fill(*state, CAP_BYTES + 1);
    assert_false(buf_is_good(*state));
    buf_reset(*state);
    assert_true(buf_is_good(*state));
    assert_str_equal(buf_str(*state), "");
    memory_allows(0);
    fill(*state, CAP_BYTES);
    assert_true(buf_is_good(*state));
}

static void can_be_used_again_after_it_was_freed_with_the_same_cap(void **state)
{
    fill(*state, CAP_BYTES + 1);
    buf_free(*state);
    assert_true(buf_is_good(*state));
    fill(*state, CAP_BYTES);
    assert_true(buf_is_good(*state));
    fill(*state, 1);
    assert_false(buf_is_good(*state));
    buf_free(*state);
    buf_free(*state);
}

static void what_was_reserved_counts_once_it_was_added(void **state)
{
    char *at = buf_reserve(*state, 10);

    assert_non_null(at);
    memcpy(at, "0123456789", 10);
    assert_str_equal(buf_str(*state), "");
    buf_added(*state, 4);
    assert_str_equal(buf_str(*state), "0123");
    buf_append_text(*state, "x");
    assert_str_equal(buf_str(*state), "0123x");
}

static void a_reservation_up_to_the_cap_succeeds(void **state)
{
    fill(*state, 1);
    assert_non_null(buf_reserve(*state, CAP_BYTES - 1));
    assert_null(buf_reserve(*state, CAP_BYTES));
}

static void a_formatted_text_has_its_own_limit_and_is_never_cut(void **state)
{
    struct buf *buf = *state;

    buf_init(buf, 4096);
    buf_append_format(buf, "%1023d", 1);
    assert_true(buf_is_good(buf));
    assert_int_equal(buf_str(buf).len, 1023);
    buf_append_format(buf, "%1024d", 1);
    assert_false(buf_is_good(buf));
    assert_int_equal(buf_str(buf).len, 1023);
}

static void out_of_memory_is_a_failure_that_keeps_what_was_there(void **state)
{
    memory_allows(1);
    buf_append_text(*state, "kept");
    fill(*state, CAP_BYTES - 4);
    assert_false(buf_is_good(*state));
    assert_true(str_starts_with(buf_str(*state), STR("kept")));
    memory_is_plenty();
    buf_reset(*state);
    fill(*state, CAP_BYTES);
    assert_true(buf_is_good(*state));
}

static void growing_leaves_no_copy_of_a_secret(void **state)
{
    memory_watch(secret);
    buf_append_text(*state, secret);
    fill(*state, CAP_BYTES - sizeof(secret));
    assert_true(buf_is_good(*state));
    assert_true(memory_frees() > 0);
    assert_int_equal(memory_leaks(), 0);
}

static void a_freed_secret_is_wiped_also_past_a_reset(void **state)
{
    memory_watch(secret);
    buf_append_text(*state, secret);
    buf_reset(*state);
    buf_free_secret(*state);
    assert_int_equal(memory_frees(), 1);
    assert_int_equal(memory_leaks(), 0);
    buf_free_secret(*state);
}

/* That the two tests above can fail. */
static void a_secret_that_was_freed_as_any_bytes_is_seen(void **state)
{
    memory_watch(secret);
    buf_append_text(*state, "0123456789abcdef0123456789abcdef");
    buf_append_text(*state, secret);
    buf_free(*state);
    assert_int_equal(memory_leaks(), 1);
}

#define BUF_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUF_TEST(begins_empty_and_owns_nothing),
        BUF_TEST(appends_in_every_form),
        BUF_TEST(appending_nothing_is_no_failure),
        BUF_TEST(keeps_what_it_had_when_it_grows),
        BUF_TEST(is_filled_to_its_cap_and_no_byte_more),
        BUF_TEST(an_append_past_the_cap_leaves_what_was_there),
        BUF_TEST(a_failure_is_remembered_over_what_would_fit),
        BUF_TEST(a_length_that_overflows_is_refused),
        BUF_TEST(a_reset_forgets_bytes_and_failure_and_keeps_the_memory),
        BUF_TEST(can_be_used_again_after_it_was_freed_with_the_same_cap),
        BUF_TEST(what_was_reserved_counts_once_it_was_added),
        BUF_TEST(a_reservation_up_to_the_cap_succeeds),
        BUF_TEST(a_formatted_text_has_its_own_limit_and_is_never_cut),
        BUF_TEST(out_of_memory_is_a_failure_that_keeps_what_was_there),
        BUF_TEST(growing_leaves_no_copy_of_a_secret),
        BUF_TEST(a_freed_secret_is_wiped_also_past_a_reset),
        BUF_TEST(a_secret_that_was_freed_as_any_bytes_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
