#include "profile/locale.h"

#include "judge.h"
#include "profile/subtag.h"
#include "unit.h"

static bool judge_locale(const struct vector *vector, void *context)
{
    char canonical[LOCALE_MAX_BYTES + 1], again[LOCALE_MAX_BYTES + 1];
    struct str copy = exact_copy(vector->field[1]);
    enum violation violation;

    (void)context;
    memset(canonical, 'x', sizeof(canonical));
    violation = validate_locale(copy, canonical);
    free_copy(copy);
    if (!is_as_expected(vector, violation))
        return false;
    if (violation != VIOLATION_NONE)
        return canonical[0] == '\0' || vector_wrong(vector, "an empty canonical form", "another");
    if (!str_equal(vector->field[2], str_from(canonical)))
        return vector_wrong(vector, "the canonical form of the row", canonical);
    return (validate_locale(str_from(canonical), again) == VIOLATION_NONE &&
            strcmp(again, canonical) == 0) ||
           vector_wrong(vector, "the canonical form to be its own", again);
}

static void judges_locales(void **state)
{
    (void)state;
    vectors_run("locale.tsv", 500, judge_locale, NULL);
}

static void takes_locales_of_255_bytes(void **state)
{
    char canonical[LOCALE_MAX_BYTES + 1];
    struct buf tag;

    (void)state;
    buf_init(&tag, 1024);
    repeat(&tag, "x", 1);
    repeat(&tag, "-1", 127);
    assert_int_equal(tag.len, LOCALE_MAX_BYTES);
    assert_int_equal(validate_locale(buf_str(&tag), canonical), VIOLATION_NONE);
    assert_int_equal(strlen(canonical), LOCALE_MAX_BYTES);
    buf_append_text(&tag, "1");
    assert_int_equal(validate_locale(buf_str(&tag), canonical), VIOLATION_INVALID_LOCALE);
    assert_int_equal(canonical[0], '\0');
    buf_free(&tag);
}

/* ---- against the registry: all that it lists, and nothing else */

/* Of each kind, a tag that a subtag completes: what stands before it. */
static const char *const before[SUBTAG__MAX] = {
    [SUBTAG_LANGUAGE] = "",   [SUBTAG_EXTLANG] = "",     [SUBTAG_SCRIPT] = "und-",
    [SUBTAG_REGION] = "und-", [SUBTAG_VARIANT] = "und-", [SUBTAG_GRANDFATHERED] = "",
};

static void assert_canonical(struct str tag, const char *expected)
{
    char canonical[LOCALE_MAX_BYTES + 1];

    if (validate_locale(tag, canonical) != VIOLATION_NONE)
        fail_msg("%.*s is refused", STR_ARGS(tag));
    assert_str_equal(str_from(canonical), expected);
}

/* Puts every letter of the text into the other case. */
static void turn_case(struct buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((text->data[i] | 0x20) >= 'a' && (text->data[i] | 0x20) <= 'z')
            text->data[i] = (char)(text->data[i] ^ 0x20);
}

static void takes_all_that_is_listed_in_any_case(void **state)
{
    struct buf tag, expected;

    (void)state;
    buf_init(&tag, 64);
    buf_init(&expected, 64);
    for (size_t kind = 0; kind < SUBTAG__MAX; kind++)
        for (size_t i = 0; i < subtag_lists[kind].count; i++) {
            buf_reset(&tag);
            buf_append_text(&tag, before[kind]);
            buf_append_text(&tag, wordlist_word(&subtag_lists[kind], i));
            buf_reset(&expected);
            buf_append_str(&expected, buf_str(&tag));
            buf_append_byte(&expected, '\0');
            assert_canonical(buf_str(&tag), expected.data);
            turn_case(&tag);
            assert_canonical(buf_str(&tag), expected.data);
        }
    buf_free(&expected);
    buf_free(&tag);
}

/* How many of all texts of `length` characters out of `alphabet` complete a tag behind `prefix`. */
static size_t count_taken(const char *prefix, const char *alphabet, size_t length)
{
    size_t base = strlen(alphabet), texts = 1, taken = 0;

    for (size_t i = 0; i < length; i++)
        texts *= base;
    for (size_t number = 0; number < texts; number++) {
        char canonical[LOCALE_MAX_BYTES + 1], tag[32];
        size_t at = strlen(prefix), rest = number;

        memcpy(tag, prefix, at);
        for (size_t i = 0; i < length; i++, rest /= base)
            tag[at + i] = alphabet[rest % base];
        taken += validate_locale((struct str){tag, at + length}, canonical) == VIOLATION_NONE;
    }
    return taken;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* The words of a list are all different, so to take as many as there are is to take only those. */
static void takes_no_other_subtag(void **state)
{
    (void)state;
    assert_int_equal(count_taken("", LETTERS, 1), 0);
    assert_int_equal(count_taken("", LETTERS, 2) + count_taken("", LETTERS, 3),
                     subtag_lists[SUBTAG_LANGUAGE].count);
    assert_int_equal(count_taken("", LETTERS, 4), 0);
    assert_int_equal(count_taken("und-", LETTERS, 4), subtag_lists[SUBTAG_SCRIPT].count);
    assert_int_equal(count_taken("und-", LETTERS, 2) + count_taken("und-", DIGITS, 3),
                     subtag_lists[SUBTAG_REGION].count);
    assert_int_equal(count_taken("und-", LETTERS, 3), 0);
}

static void takes_an_extlang_behind_its_prefix_alone(void **state)
{
    static const char *const prefixes[] = {"ar-",  "kok-", "lv-", "ms-",
                                           "sgn-", "sw-",  "uz-", "zh-"};
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++) {
        size_t of_prefix = count_taken(prefixes[i], LETTERS, 3);

        assert_true(of_prefix > 0);
        taken += of_prefix;
    }
    /* zh-min is none, but a tag all the same: a grandfathered one. */
    assert_int_equal(taken, subtag_lists[SUBTAG_EXTLANG].count + 1);
    assert_int_equal(count_taken("en-", LETTERS, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_locales),
        cmocka_unit_test(takes_locales_of_255_bytes),
        cmocka_unit_test(takes_all_that_is_listed_in_any_case),
        cmocka_unit_test(takes_no_other_subtag),
        cmocka_unit_test(takes_an_extlang_behind_its_prefix_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
