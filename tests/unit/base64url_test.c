#include "base/base64url.h"

#include <stdio.h>

#include "unit.h"
#include "vectors.h"

enum { CAP_BYTES = 4096 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Whether the text decodes, and the canonical text of what it decodes to is it again. */
static bool is_canonical(struct str text)
{
    struct buf bytes, again;
    bool good;

    buf_init(&bytes, CAP_BYTES);
    buf_init(&again, CAP_BYTES);
    good = base64url_decode(text, &bytes);
    if (good) {
        base64url_encode(buf_str(&bytes), &again);
        assert_true(buf_is_good(&again));
        assert_true(str_equal(buf_str(&again), text));
    }
    buf_free(&bytes);
    buf_free(&again);
    return good;
}

static bool judge_accepted(const struct vector *vector)
{
    struct buf bytes, text;
    bool right;

    buf_init(&bytes, CAP_BYTES);
    buf_init(&text, CAP_BYTES);
    right =
        base64url_decode(vector->field[1], &bytes) && str_equal(buf_str(&bytes), vector->field[2]);
    base64url_encode(vector->field[2], &text);
    right = right && buf_is_good(&text) && str_equal(buf_str(&text), vector->field[1]);
    buf_free(&bytes);
    buf_free(&text);
    return right || vector_wrong(vector, "the bytes and the text of each other", "another");
}

static bool judge_refused(const struct vector *vector)
{
    struct buf bytes;
    bool right;

    buf_init(&bytes, CAP_BYTES);
    buf_append_text(&bytes, "kept");
    right = !base64url_decode(vector->field[1], &bytes) &&
            str_equal(buf_str(&bytes), STR("kept")) && buf_is_good(&bytes);
    buf_free(&bytes);
    return right || vector_wrong(vector, "a refusal that leaves the buffer as it was", "another");
}

static bool judge(const struct vector *vector, void *context)
{
    (void)context;
    if (str_equal(vector->field[0], STR("accept")))
        return judge_accepted(vector);
    return judge_refused(vector);
}

static void judges_by_vectors(void **state)
{
    (void)state;
    vectors_run("base64url.tsv", 50, judge, NULL);
}

static void takes_the_64_characters_and_no_others(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char text[] = {(char)c, 'A', 'A', 'A'};
        bool known = c != 0 && strchr(alphabet, c) != NULL;

        assert_int_equal(is_canonical((struct str){text, sizeof(text)}), known);
    }
}

/* One text for one byte, one for two: all 64 and 64 * 64 * 64 of them are tried. */
static void no_two_texts_have_the_same_bytes(void **state)
{
    int of_one = 0, of_two = 0;

    (void)state;
    for (int i = 0; i < 64 * 64; i++) {
        const char text[] = {alphabet[i / 64], alphabet[i % 64]};

        of_one += is_canonical((struct str){text, sizeof(text)});
    }
    for (int i = 0; i < 64 * 64 * 64; i++) {
        const char text[] = {alphabet[i / 4096], alphabet[i / 64 % 64], alphabet[i % 64]};

        of_two += is_canonical((struct str){text, sizeof(text)});
    }
    assert_int_equal(of_one, 256);
    assert_int_equal(of_two, 256 * 256);
}

static void all_bytes_come_back(void **state)
{
    char bytes[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct buf text, back;

        buf_init(&text, CAP_BYTES);
        buf_init(&back, CAP_BYTES);
        base64url_encode((struct str){bytes, len}, &text);
        assert_int_equal(buf_str(&text).len, (len * 8 + 5) / 6);
        assert_true(base64url_decode(buf_str(&text), &back));
        assert_true(str_equal(buf_str(&back), (struct str){len == 0 ? "" : bytes, len}));
        buf_free(&text);
        buf_free(&back);
    }
}

static void appends_to_what_is_there(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP_BYTES);
    buf_append_text(&buf, "a.");
    base64url_encode(STR("foo"), &buf);
    buf_append_byte(&buf, '.');
    assert_true(base64url_decode(STR("YmFy"), &buf));
    assert_str_equal(buf_str(&buf), "a.Zm9v.bar");
    buf_free(&buf);
}

static void bytes_that_just_fit_are_decoded(void **state)
{
    static const char *const texts[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};

    (void)state;
    for (size_t len = 0; len < ARRAY_LENGTH(texts); len++) {
        struct buf buf;

        buf_init(&buf, len);
        assert_true(base64url_decode(str_from(texts[len]), &buf));
        assert_int_equal(buf_str(&buf).len, len);
        buf_free(&buf);
    }
}

static void one_byte_more_than_fits_is_a_failure_of_the_buffer(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 5);
    assert_false(base64url_decode(STR("Zm9vYmFy"), &buf));
    assert_false(buf_is_good(&buf));
    assert_int_equal(buf_str(&buf).len, 0);
    buf_reset(&buf);
    base64url_encode(STR("foob"), &buf);
    assert_false(buf_is_good(&buf));
    buf_free(&buf);
}

static void no_value_is_as_an_empty_one(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP_BYTES);
    assert_true(base64url_decode(STR_NONE, &buf));
    base64url_encode(STR_NONE, &buf);
    assert_str_equal(buf_str(&buf), "");
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_vectors),
        cmocka_unit_test(takes_the_64_characters_and_no_others),
        cmocka_unit_test(no_two_texts_have_the_same_bytes),
        cmocka_unit_test(all_bytes_come_back),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(bytes_that_just_fit_are_decoded),
        cmocka_unit_test(one_byte_more_than_fits_is_a_failure_of_the_buffer),
        cmocka_unit_test(no_value_is_as_an_empty_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
